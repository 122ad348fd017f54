"""The contract of each table: its columns, their types, nulls and ranges, and what is unique."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from waste_risk.features.encoding import SENSITIVE, find_encoding
from waste_risk.reference.sensitive_attributes import SENSITIVE_ATTRIBUTES
from waste_risk.reference.vocabulary import CATEGORIES, EVENT_KINDS, INCOME_BANDS, RISK_CLASSES, STORAGES, UNKNOWN
from waste_risk.tables.verification import (
    above,
    any_date,
    at_least,
    at_most,
    between,
    contract,
    each_row,
    identifier,
    number,
    one_of,
    text,
    timestamp,
    typed,
    unique_rows,
    verify,
)

LARGEST = 1_000_000  # features count thousandths in 32 bits,
SMALLEST = 0.001  # and what is less than a thousandth would be nothing
REASONS = ("reason_1", "reason_2", "reason_3")
EXPECTED_METRICS = (
    *("base_rate", "log_loss", "brier_score", "auc"),
    *("precision", "recall", "precision_at_high_confidence", "recall_at_high_confidence"),
)

_IN_ORDER = "must be sorted and unique together"

Columns = dict[str, pa.Column]


def check(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table in the types of its contract, or raise one line with everything that is wrong with it.

    Raises:
        ContractError: "items.quantity: must be at least 0.001 (3 of 120 rows); …"
        KeyError: there is no such table.
    """
    return verify(frame, schema(table))


def check_model_input(frame: pd.DataFrame) -> pd.DataFrame:
    """Check a model input as ``check`` does, whatever its features are: numbers or text.

    Raises:
        ContractError: "model_input.wasted: must not be null (3 of 120 rows); …"
    """
    encoding = find_encoding(frame)
    features = {
        name: text(nullable=True) if name in encoding.levels else number(dtype="float32", nullable=True)
        for name in encoding.names
    }
    groups = {str(name): text() for name in frame if str(name).startswith(SENSITIVE)}
    columns = {**_key_columns(), **features, **_label_columns(), **groups}
    rules = (*_label_rules(days_may_be_unknown=True), each_row("observed_on, item_id", _IN_ORDER, _ascend))
    return verify(frame, contract("model_input", columns, *rules))


def empty_table(table: str) -> pd.DataFrame:
    """Return a table without rows, with the columns and types of its contract."""
    return check(table, pd.DataFrame(columns=list(schema(table).columns)))


def column_types(table: str) -> dict[str, str | None]:
    """Return the type of each column of a contract, ``identifier`` of ids; None of texts."""
    return {name: (column.metadata or {}).get("dtype") for name, column in schema(table).columns.items()}


@cache
def schema(table: str) -> pa.DataFrameSchema:
    """Return the contract of one table."""
    return _CONTRACTS[table]()


def _households() -> pa.DataFrameSchema:
    columns = {
        "household_id": identifier(unique=True),
        "size": typed("int64", at_least(1), at_most(LARGEST)),
        "children": typed("Int64", at_least(0), at_most(LARGEST), nullable=True),
        "income_band": one_of((*INCOME_BANDS, UNKNOWN)),
        "joined_on": timestamp(),
    }
    return contract("households", columns)


def _purchases() -> pa.DataFrameSchema:
    return contract("purchases", _purchase_columns())


def _items() -> pa.DataFrameSchema:
    return contract(
        "items", {**_purchase_columns(), "storage": one_of(STORAGES), "expires_on": any_date(nullable=True)}
    )


def _purchase_columns() -> Columns:
    return {
        "item_id": identifier(unique=True),
        "household_id": identifier(),
        "product": text(),
        "category": one_of(CATEGORIES),
        "quantity": number(at_least(SMALLEST), at_most(LARGEST)),
        "unit": text(),
        "unit_price": number(at_least(0), at_most(LARGEST), nullable=True),
        "on_promotion": typed("boolean", nullable=True),
        "purchased_on": timestamp(),
    }


def _habits() -> pa.DataFrameSchema:
    columns = {
        "household_id": identifier(),
        "category": one_of(CATEGORIES),
        "pace": number(above(0)),
        "propensity": number(between(0, 1)),
        "planning": number(between(0, 1)),
        "forgetting": number(between(0, 1)),
    }
    return contract("habits", columns, unique_rows("household_id", "category"))


def _events() -> pa.DataFrameSchema:
    columns = {
        "item_id": identifier(),
        "household_id": identifier(),
        "kind": one_of(EVENT_KINDS),
        "quantity": number(between(-LARGEST, LARGEST)),
        "occurred_on": timestamp(),
    }
    taken = each_row(
        "quantity",
        f"must be at least {SMALLEST} when consumed or wasted",
        lambda frame: (frame["quantity"] >= SMALLEST) | ~frame["kind"].isin(["consumed", "wasted"]),
    )
    found = each_row(
        "quantity",
        f"must be 0 or at least {SMALLEST}, up or down, when corrected",
        lambda frame: ~(frame["quantity"].abs() < SMALLEST) | (frame["quantity"] == 0) | (frame["kind"] != "corrected"),
    )
    signed = each_row(
        "quantity",
        "must not be negative unless corrected",
        lambda frame: ~(frame["quantity"] < 0) | (frame["kind"] == "corrected"),
    )
    return contract("events", columns, taken, found, signed)


def _truth() -> pa.DataFrameSchema:
    positive = ("portions", "pace", "life_days", "life_shape", "opened_shape")
    probabilities = ("first_forgetting", "forgetting", "date_discard")
    columns = {
        "item_id": identifier(unique=True),
        "household_id": identifier(),
        **{name: number(above(0)) for name in positive},
        **{name: number(between(0, 1)) for name in probabilities},
        **{name: number(above(0), nullable=True) for name in ("opened_life_days", "date_discard_days")},
        "wasted_in_the_end": typed("bool"),
    }
    return contract("truth", columns)


def _observations() -> pa.DataFrameSchema:
    columns = {**_key_columns(), **_label_columns()}
    return contract("observations", columns, unique_rows("item_id", "observed_on"), *_label_rules())


def _features() -> pa.DataFrameSchema:
    return contract("features", {**_key_columns(), **_feature_columns()}, unique_rows("item_id", "observed_on"))


def _model_input() -> pa.DataFrameSchema:
    sensitive = {attribute.column: one_of(attribute.groups) for attribute in SENSITIVE_ATTRIBUTES}
    columns = {**_key_columns(), **_feature_columns(), **_label_columns(), **sensitive}
    in_order = each_row("observed_on, item_id", _IN_ORDER, _ascend)
    return contract("model_input", columns, *_label_rules(), in_order)


def _predictions() -> pa.DataFrameSchema:
    columns = {
        "as_of": timestamp(),
        "item_id": identifier(),
        "household_id": identifier(),
        "waste_probability": number(between(0, 1)),
        "days_to_waste": number(at_least(0)),
        "risk_class": one_of(RISK_CLASSES),
        "is_alert": typed("bool"),
        "alerted_on": any_date(nullable=True),
        **{name: text(nullable=True) for name in REASONS},
        "model_version": text(),
        "predictor_sha256": text(),
    }
    alerted = each_row(
        "alerted_on",
        "must not lie after as_of, and must be given for an alert",
        lambda frame: (frame["alerted_on"] <= frame["as_of"]) | (frame["alerted_on"].isna() & ~frame["is_alert"]),
    )
    explained = each_row(
        ", ".join(REASONS),
        "must be null unless it is an alert",
        lambda frame: frame["is_alert"] | frame[list(REASONS)].isna().all(axis=1),
    )
    return contract("predictions", columns, unique_rows("as_of", "predictor_sha256", "item_id"), alerted, explained)


def _expected_performance() -> pa.DataFrameSchema:
    count, share, loss = (
        typed("int64", at_least(0)),
        number(between(0, 1), nullable=True),
        number(at_least(0), nullable=True),
    )
    columns = {
        "as_of": timestamp(),
        "predictor_sha256": text(),
        "model_version": text(),
        "predictions_sha256": text(),
        "ages": one_of(("learned", "older")),
        **dict.fromkeys(("horizon_days", "max_age_days"), typed("int64", at_least(1))),
        "high_confidence": number(between(0, 1)),
        "learned_until": timestamp(),
        **dict.fromkeys(("n_rows", "n_households", "n_alerts", "n_high_confidence"), count),
        "alert_from": share,
        **{
            f"{name}{end}": loss if name == "log_loss" else share
            for name in EXPECTED_METRICS
            for end in ("", "_low", "_high")
        },
    }
    return contract("expected_performance", columns, unique_rows("as_of", "predictor_sha256", "ages"))


def _key_columns() -> Columns:
    return {"item_id": identifier(), "household_id": identifier(), "observed_on": timestamp()}


def _feature_columns() -> Columns:
    from waste_risk.features import FEATURES  # noqa: PLC0415, the raw tables need no features

    return {feature.name: number(dtype=feature.dtype, nullable=True) for feature in FEATURES}


def _label_columns() -> Columns:
    return {
        "wasted": typed("bool"),
        "days_to_waste": number(at_least(0), nullable=True),
        "label_known_on": any_date(),
    }


def _label_rules(*, days_may_be_unknown: bool = False) -> tuple[pa.Check, ...]:
    return (
        each_row(
            "days_to_waste",
            f"must be given when wasted, and null when not{', or null in all rows' if days_may_be_unknown else ''}",
            lambda frame: (
                (frame["wasted"] == frame["days_to_waste"].notna())
                | (days_may_be_unknown & frame["days_to_waste"].isna().all())
            ),
        ),
        each_row(
            "days_to_waste",
            "must end by label_known_on",
            lambda frame: (
                ~(frame["days_to_waste"] > (frame["label_known_on"] - frame["observed_on"]) / pd.Timedelta(days=1))
            ),
        ),
        each_row(
            "label_known_on",
            "must lie after observed_on",
            lambda frame: ~(frame["label_known_on"] <= frame["observed_on"]),
        ),
    )


def _ascend(frame: pd.DataFrame) -> Any:
    """Whether each row comes after the one before it, by time and then by item."""
    time, item = frame["observed_on"].to_numpy(), frame["item_id"]
    # One beside the other: shifted by a row, an integer would become a float.
    later_item = item[1:].reset_index(drop=True) > item[:-1].reset_index(drop=True)
    later = (time[1:] > time[:-1]) | ((time[1:] == time[:-1]) & later_item.to_numpy(dtype=bool))
    return pd.Series(np.append(True, later)[: len(frame)], index=frame.index)


_CONTRACTS: dict[str, Callable[[], pa.DataFrameSchema]] = {
    "households": _households,
    "purchases": _purchases,
    "habits": _habits,
    "items": _items,
    "events": _events,
    "truth": _truth,
    "observations": _observations,
    "features": _features,
    "model_input": _model_input,
    "predictions": _predictions,
    "expected_performance": _expected_performance,
}
TABLES = tuple(_CONTRACTS)
