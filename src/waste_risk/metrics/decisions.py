"""What alerts are worth: precision and recall at a threshold, their cost, how early they come."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from waste_risk.arrays import Floats, Mask
from waste_risk.metrics.bootstrap import Estimate
from waste_risk.metrics.classification import mean_cost, precision, recall
from waste_risk.metrics.definition import Window
from waste_risk.parameters import Costs


@dataclass(frozen=True)
class TradeOff:
    """Precision and recall at one threshold."""

    threshold: float
    n_alerts: int
    precision: Estimate
    recall: Estimate


@dataclass(frozen=True)
class CheapestThreshold:
    """The threshold that was cheapest out of fold, evaluated on the window; costs are means over the rows.

    Attributes:
        threshold: the cheapest, out of fold.
        cost: at that threshold.
        cost_at_threshold: at the threshold of the highest F1.
        cost_without_alerts: if the app never sent an alert.
    """

    threshold: float
    precision: Estimate
    recall: Estimate
    cost: Estimate
    cost_at_threshold: Estimate
    cost_without_alerts: Estimate


@dataclass(frozen=True)
class LeadTime:
    """Days from an item's first high-confidence alert to its waste.

    Attributes:
        n_items: wasted items with such an alert.
        mean_days: over these items; likewise median_days.
    """

    n_items: int
    mean_days: Estimate
    median_days: Estimate


@dataclass(frozen=True)
class WeeklyAlerts:
    """Precision and recall when each household gets at most ``per_week`` alerts a week."""

    per_week: int
    n_alerts: int
    precision: Estimate
    recall: Estimate


def measure_trade_off(window: Window) -> tuple[TradeOff, ...]:
    """Measure precision and recall at each of ``trade_off_thresholds``."""
    thresholds = window.params.trade_off_thresholds

    def measure(weights: Floats) -> dict[str, Floats]:
        tally = window.counts.weighted(weights)
        return {
            f"{name} {threshold}": metric(tally, threshold=threshold)
            for threshold in thresholds
            for name, metric in (("precision", precision), ("recall", recall))
        }

    n_behind = {f"precision {each}": window.count_alerting_households(each) for each in thresholds}
    estimates = window.rows.estimate(measure, n_behind=n_behind)
    return tuple(
        TradeOff(
            threshold=float(threshold),
            n_alerts=int((window.rows.probability >= threshold).sum()),
            precision=estimates[f"precision {threshold}"],
            recall=estimates[f"recall {threshold}"],
        )
        for threshold in thresholds
    )


def measure_cost(window: Window, cheapest: float, costs: Costs) -> CheapestThreshold:
    """Measure the mean cost of a row at the cheapest threshold, at the model's own, and without any alert."""
    cost_of = costs.model_dump()

    def measure(weights: Floats) -> dict[str, Floats]:
        tally = window.counts.weighted(weights)
        return {
            "precision": precision(tally, threshold=cheapest),
            "recall": recall(tally, threshold=cheapest),
            "cost": mean_cost(tally, threshold=cheapest, **cost_of),
            "cost_at_threshold": mean_cost(tally, threshold=window.threshold, **cost_of),
            "cost_without_alerts": mean_cost(tally, threshold=np.inf, **cost_of),
        }

    n_behind = {"precision": window.count_alerting_households(cheapest)}
    return CheapestThreshold(threshold=float(cheapest), **window.rows.estimate(measure, n_behind=n_behind))


def measure_lead_time(window: Window, *, item_id: ArrayLike, observed_on: ArrayLike) -> LeadTime:
    """Measure how many days lie between an item's first high-confidence alert and its waste, within its horizon.

    Args:
        window: the rows, with ``days``.
        item_id: item of each row; an item may be observed several times.
        observed_on: when it was observed.
    """
    rows, days_true = window.rows, np.asarray(window.days, dtype=np.float64)
    order, items = np.argsort(np.asarray(observed_on), kind="stable"), np.asarray(item_id)
    alerted = _first_of_each(items, order, rows.probability >= window.high_confidence) & (rows.wasted == 1)
    mean = rows.share(np.where(alerted, days_true, 0.0), alerted)
    ascending = np.flatnonzero(alerted)[np.argsort(days_true[alerted], kind="stable")]
    estimates = rows.estimate(
        lambda weights: {
            "mean_days": mean(weights),
            "median_days": _weighted_median(days_true[ascending], weights[:, rows.household[ascending]]),
        },
        n_behind=dict.fromkeys(("mean_days", "median_days"), rows.count_households(alerted)),
    )
    return LeadTime(n_items=int(alerted.sum()), **estimates)


def measure_weekly_alerts(window: Window, *, observed_on: ArrayLike) -> WeeklyAlerts:
    """Measure alerts of which a household gets only so many a week, sent day by day as an app would."""
    rows, per_week = window.rows, window.params.alerts_per_week
    alerts = pick_weekly(
        household=rows.household,
        observed_on=observed_on,
        probability=rows.probability,
        per_week=per_week,
        threshold=window.threshold,
    )
    right = alerts & (rows.wasted == 1)
    share_right, share_found = rows.share(right, alerts), rows.share(right, rows.wasted)
    estimates = rows.estimate(
        lambda weights: {"precision": share_right(weights), "recall": share_found(weights)},
        n_behind={"precision": rows.count_households(alerts)},
    )
    return WeeklyAlerts(per_week=per_week, n_alerts=int(alerts.sum()), **estimates)


def pick_weekly(
    *, household: NDArray[np.intp], observed_on: ArrayLike, probability: Floats, per_week: int, threshold: float
) -> Mask:
    """Mark the rows that become alerts: each day's at or above the threshold, up to ``per_week`` for each household.

    Within a day the most probable come first, of equal ones the earlier row. The days to come are unknown, so a less
    probable item early in the week can take the place of a more probable one later. Weeks begin on Monday.
    """
    days = pd.DatetimeIndex(np.asarray(observed_on)).floor("D")
    week = days - pd.to_timedelta(days.day_of_week, unit="D")
    rows = pd.DataFrame({"household": household, "week": week, "day": days, "certainty": -probability})
    due = rows[probability >= threshold].sort_values(["day", "certainty"], kind="stable")
    sent = due.index[due.groupby(["household", "week"]).cumcount() < per_week]
    picked: Mask = np.isin(rows.index, sent)
    return picked


def _first_of_each(items: NDArray[Any], order: NDArray[np.intp], wanted: Mask) -> Mask:
    """Mark the first wanted row of each item, by the order given."""
    candidates = order[wanted[order]]
    _, first = np.unique(items[candidates], return_index=True)
    marked = np.zeros(len(items), dtype=np.bool_)
    marked[candidates[first]] = True
    return marked


def _weighted_median(ascending: Floats, weights: Floats) -> Floats:
    """Return the smallest value with at least half of the weight at or below it; NaN without weight."""
    if not len(ascending):
        return np.full(len(weights), np.nan)
    total = weights.sum(axis=-1)
    half = np.cumsum(weights, axis=-1) >= total[:, None] / 2
    return np.where(total > 0, ascending[half.argmax(axis=-1)], np.nan)
