"""The published form of validation_metrics.json."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from measured import FULL, MEASURED
from pages import render_schema

from waste_risk.adapters.datasets import AtomicJSONDataset
from waste_risk.metrics import Estimate, ValidationMetrics

SCHEMA = Path(__file__).parents[2] / "docs/validation_metrics.schema.json"
UNDEFINED = replace(FULL, auc=Estimate(math.nan), precision=Estimate(math.nan, math.nan, math.nan))


def refusals(values: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    return [error.json_path for error in validator.iter_errors(values)]


def saved(metrics: ValidationMetrics, folder: Path) -> dict[str, Any]:
    path = folder / "validation_metrics.json"
    AtomicJSONDataset(str(path), record="waste_risk.metrics.ValidationMetrics").save(metrics)
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def test_the_committed_schema_is_that_of_the_record() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == render_schema()
    jsonschema.Draft202012Validator.check_schema(json.loads(render_schema()))


@pytest.mark.parametrize("metrics", [MEASURED, FULL, UNDEFINED], ids=["bare", "full", "undefined"])
def test_saved_metrics_have_this_form(metrics: ValidationMetrics, tmp_path: Path) -> None:
    assert refusals(saved(metrics, tmp_path)) == []


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda values: values.pop("auc"), "$"),
        (lambda values: values.update(accuracy=0.9), "$"),
        (lambda values: values.update(n_rows=1.5), "$.n_rows"),
        (lambda values: values["auc"].update(value="high"), "$.auc.value"),
        (lambda values: values["auc"].update(value=None), "$.auc.value"),
        (lambda values: values["trade_off"][0].pop("recall"), "$.trade_off[0]"),
        (lambda values: values["fairness"]["size_group"].update(groups=None), "$.fairness.size_group.groups"),
    ],
)
def test_another_form_is_refused_where_it_differs(
    spoil: Callable[[dict[str, Any]], None], where: str, tmp_path: Path
) -> None:
    values = saved(FULL, tmp_path)
    spoil(values)
    assert refusals(values) == [where]
