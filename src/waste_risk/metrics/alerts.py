"""What alerts are worth to a household: how early they come, and how often they are right if there may be only few."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from waste_risk.metrics.parts import LeadTime, WeeklyAlerts
from waste_risk.metrics.sample import Mask, Sample
from waste_risk.metrics.tally import Array


def measure_lead_time(
    sample: Sample, *, item_id: ArrayLike, observed_on: ArrayLike, days_true: Array, threshold: float
) -> LeadTime:
    """Measure how many days lie between an item's first alert and its waste, within the horizon of that alert.

    Args:
        sample: the judged rows.
        item_id: whose look it is; an item may be looked at several times.
        observed_on: when.
        days_true: days from the look to the waste, NaN where not wasted; shape (n_rows,).
        threshold: from which probability there is an alert.
    """
    alerts, wasted = sample.probability >= threshold, sample.wasted == 1
    order = np.argsort(np.asarray(observed_on), kind="stable")
    items = np.asarray(item_id)
    warned = _first_of_each(items, order, alerts) & wasted
    days = np.where(warned, days_true, 0.0)
    mean = sample.share(days, warned)
    ascending = np.flatnonzero(warned)[np.argsort(days_true[warned], kind="stable")]
    estimates = sample.estimate(
        lambda weights: {
            "mean_days": mean(weights),
            "median_days": _weighted_median(days_true[ascending], weights[:, sample.household[ascending]]),
        },
        n_behind=dict.fromkeys(("mean_days", "median_days"), sample.count_households(warned)),
    )
    return LeadTime(n_items=int(warned.sum()), **estimates)


def measure_weekly_alerts(sample: Sample, *, observed_on: ArrayLike, per_week: int, threshold: float) -> WeeklyAlerts:
    """Measure alerts of which a household gets only so many a week, sent day by day, as an app would; see below."""
    alerts = pick_weekly(
        household=sample.household,
        observed_on=observed_on,
        probability=sample.probability,
        per_week=per_week,
        threshold=threshold,
    )
    right = alerts & (sample.wasted == 1)
    precision, recall = sample.share(right, alerts), sample.share(right, sample.wasted)
    estimates = sample.estimate(
        lambda weights: {"precision": precision(weights), "recall": recall(weights)},
        n_behind={"precision": sample.count_households(alerts)},
    )
    return WeeklyAlerts(per_week=per_week, n_alerts=int(alerts.sum()), **estimates)


def pick_weekly(
    *, household: NDArray[np.intp], observed_on: ArrayLike, probability: Array, per_week: int, threshold: float
) -> Mask:
    """Mark the rows that are alerts: each day's at or above the threshold, until the household's week has no more left.

    Within a day the most probable come first, of equal ones the earlier row. Nothing is known of the days to come, so a
    less probable item early in the week can take the place of a more probable one later. Weeks begin on Monday.
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


def _weighted_median(ascending: Array, weights: Array) -> Array:
    """Give the smallest value with at least half of the weight at or below it; NaN without weight."""
    if not len(ascending):
        return np.full(len(weights), np.nan)
    total = weights.sum(axis=-1)
    half = np.cumsum(weights, axis=-1) >= total[:, None] / 2
    return np.where(total > 0, ascending[half.argmax(axis=-1)], np.nan)
