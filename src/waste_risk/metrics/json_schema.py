"""The form of ``validation_metrics.json``, from the types of the record, so that others can rely on it."""

from typing import Any

from pydantic import TypeAdapter

from waste_risk.metrics.results import ValidationMetrics

_NUMBER = {
    "description": "A number, or its name where JSON has none: nan is what the rows do not define.",
    "anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}],
}


def describe_metrics() -> dict[str, Any]:
    """Give the JSON schema (draft 2020-12) of a saved ``ValidationMetrics``; names it does not know are refused."""
    schema: dict[str, Any] = _adapt(TypeAdapter(ValidationMetrics).json_schema())
    schema["$defs"]["Number"] = _NUMBER
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _adapt(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_adapt(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "number":
        return {"$ref": "#/$defs/Number"}
    adapted = {name: _adapt(each) for name, each in schema.items() if name != "properties"}
    if "properties" not in schema:
        return adapted
    return {**adapted, "properties": _adapt_fields(schema["properties"]), "additionalProperties": False}


def _adapt_fields(fields: dict[str, Any]) -> dict[str, Any]:
    # pydantic titles each field with its own name once more.
    return {
        name: _adapt({key: value for key, value in each.items() if key != "title"}) for name, each in fields.items()
    }
