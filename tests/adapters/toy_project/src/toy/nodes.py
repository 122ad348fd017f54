"""Steps that are small, and some that go wrong."""

import os
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from waste_risk.parameters import Gates, Split
from waste_risk.validation.gates import GateDecision

SECRET = "household-4711"


def make_items(split: Split) -> pd.DataFrame:
    n = split.n_folds
    return pd.DataFrame(
        {
            "item_id": range(n),
            "household_id": SECRET,
            "product": "milk",
            "category": "dairy",
            "quantity": 1.0,
            "unit": "l",
            "unit_price": 1.5,
            "on_promotion": None,
            "purchased_on": pd.Timestamp("2024-05-01"),
            "storage": "fridge",
            "expires_on": pd.NaT,
        }
    )


def break_items(items: pd.DataFrame) -> pd.DataFrame:
    return items.assign(quantity=-1.0, category=SECRET)


def fail(items: pd.DataFrame) -> pd.DataFrame:
    raise ValueError(f"cannot use {items['household_id'].iloc[0]}")


def interrupt(_: pd.DataFrame) -> pd.DataFrame:
    raise KeyboardInterrupt


def wait(items: pd.DataFrame) -> pd.DataFrame:
    """Work until somebody writes to the pipe; its other end is opened when the work has begun."""
    Path(os.environ["PIPE"]).read_text()
    return items


def exhaust(_: pd.DataFrame) -> pd.DataFrame:
    raise MemoryError


def measure(items: pd.DataFrame) -> dict[str, float | None]:
    return {"auc": 0.75, "n_rows": len(items), "unknown": None}


def describe(items: pd.DataFrame) -> dict[str, object]:
    return {"data": {"until": str(items["purchased_on"].max())}}


def record(items: pd.DataFrame) -> dict[str, object]:
    return {"n_items": len(items)}


def write_report(items: pd.DataFrame) -> str:
    return f"{len(items)} items ✓\n"


def plot(items: pd.DataFrame) -> Figure:
    figure = Figure()
    figure.subplots().plot(items["quantity"])
    return figure


def judge(_: pd.DataFrame, gates: Gates) -> GateDecision:
    reason = f"AUC 0.7500 is below {gates.min_auc}"
    return GateDecision(approved=gates.min_auc <= 0.75, gates=(), reasons=(reason,))


def count(items: pd.DataFrame) -> list[str]:
    return [f"ITEMS: {len(items)}"]


def summarise(gate_decision: GateDecision) -> list[str]:
    return [f"GATES: {gate_decision.verdict}"]
