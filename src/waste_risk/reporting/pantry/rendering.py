"""Render the page of a moment from its predictions and the items that they are of."""

import base64
import hashlib
from typing import Any

import pandas as pd

from waste_risk.formatting import format_number
from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.parameters import Monitoring, Scoring
from waste_risk.reference.vocabulary import CATEGORIES
from waste_risk.reporting.templating import make_environment
from waste_risk.scoring import count_older, learned_until
from waste_risk.tables.contracts import REASONS

_OF_ITEMS = ["item_id", "product", "category", "purchased_on", "expires_on"]


def render_pantry(  # noqa: PLR0917
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    as_of: pd.Timestamp,
    champion: RegisteredPredictor,
    monitoring: Monitoring,
    scoring: Scoring,
) -> str:
    """Return the page as HTML; it holds no id, and the same predictions give the same page.

    Args:
        predictions: of the open items at one moment.
        items: the items table, for products and dates.
        as_of: the moment.
        champion: who predicted.
        monitoring: for what is stored with the predictions: the age of the oldest items that models learn from, and
            the probability from which an alert is a high-confidence alert.
        scoring: for the number of households that are shown.
    """
    rows = _add_items(predictions, items, monitoring.high_confidence)
    environment = make_environment("pantry", "page")
    script = environment.get_template("pantry.js").render()
    hindsight = learned_until(champion)
    return environment.get_template("pantry.html").render(
        as_of=as_of,
        horizon_days=champion.predictor.metadata.horizon_days,
        threshold=champion.predictor.threshold,
        high_confidence=monitoring.high_confidence,
        model_version=champion.version,
        predictor_sha256=champion.predictor.sha256,
        lent_by=champion.source if champion.is_lent else None,
        learned_until=hindsight if as_of < hindsight else None,
        n_older=count_older(rows["purchased_on"], as_of, monitoring.max_age_days),
        max_age_days=monitoring.max_age_days,
        total=_sum_up(rows),
        n_households=rows["household_id"].nunique(),
        by_category={name: _sum_up(rows[rows["category"] == name]) for name in CATEGORIES},
        by_day=_count_by_day(rows[rows["is_alert"]], as_of),
        n_alerted=rows.loc[rows["is_alert"], "household_id"].nunique(),
        households=_list_alerts(rows, scoring.page_households),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )


def _add_items(predictions: pd.DataFrame, items: pd.DataFrame, high_confidence: float) -> pd.DataFrame:
    """Return the predictions with what the page shows of their items, and what follows from them."""
    known = items[_OF_ITEMS].assign(product=items["product"].astype("str"), category=items["category"].astype("str"))
    rows = predictions.merge(known, on="item_id", how="left", validate="one_to_one")
    until_waste = pd.to_timedelta(rows["days_to_waste"], unit="D").astype("timedelta64[us]")
    return rows.assign(
        is_sure=rows["is_alert"] & (rows["waste_probability"] >= high_confidence),
        is_new=rows["alerted_on"] == rows["as_of"],
        wasted_on=rows["as_of"] + until_waste,
    )


def _sum_up(rows: pd.DataFrame) -> dict[str, float]:
    """Return how many items are open, how many of them are alerts, and how many are expected to be wasted."""
    return {
        "n_open": len(rows),
        "n_alerts": int(rows["is_alert"].sum()),
        "n_sure": int(rows["is_sure"].sum()),
        "n_new": int(rows["is_new"].sum()),
        "expected": float(rows["waste_probability"].sum()),
    }


def _count_by_day(alerts: pd.DataFrame, as_of: pd.Timestamp) -> list[dict[str, Any]]:
    """Return for each day from the moment to the last alert's how many are expected to be wasted, by category."""
    if alerts.empty:
        return []
    day = alerts["wasted_on"].dt.normalize()
    days = pd.date_range(as_of.normalize(), day.max())
    counts = pd.crosstab(day, alerts["category"]).reindex(index=days, columns=list(CATEGORIES), fill_value=0)
    largest = max(int(counts.to_numpy().max(initial=0)), 1)
    return [
        {
            "day": day,
            "n": int(row.sum()),
            "of_category": [{"n": int(n), "share": format_number(n / largest, 2)} for n in row],
        }
        for day, row in counts.iterrows()
    ]


def _list_alerts(rows: pd.DataFrame, at_most: int) -> list[dict[str, Any]]:
    """Return the households with alerts, the one with the most expected waste first, and the alerts of each."""
    expected = rows.groupby("household_id", sort=False)["waste_probability"].sum()
    alerts = rows[rows["is_alert"]].sort_values("waste_probability", ascending=False, kind="stable")
    chosen = expected[alerts["household_id"].unique()].sort_values(ascending=False, kind="stable").head(at_most)
    of_household = alerts[alerts["household_id"].isin(chosen.index)].groupby("household_id", sort=False)
    return [
        {"expected": amount, "alerts": [_describe(row) for row in of_household.get_group(household).to_dict("records")]}
        for household, amount in zip(chosen.index, chosen, strict=True)
    ]


def _describe(row: dict[Any, Any]) -> dict[str, Any]:
    """Return what the page shows of an alert."""
    shown = ("product", "category", "purchased_on", "waste_probability", "days_to_waste", "wasted_on", "alerted_on")
    return {
        **{name: row[name] for name in (*shown, "is_sure", "is_new")},
        "expires_on": None if pd.isna(row["expires_on"]) else row["expires_on"],
        "reasons": [row[name] for name in REASONS if not pd.isna(row[name])],
    }
