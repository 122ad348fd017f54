"""One pass over a judged window: every metric, each with an interval from the same household resamples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from waste_risk.metrics import chance
from waste_risk.metrics.alerts import measure_lead_time, measure_weekly_alerts
from waste_risk.metrics.bootstrap import Estimate, Resampling
from waste_risk.metrics.calibration import hosmer_lemeshow_p_value
from waste_risk.metrics.fairness import measure_fairness
from waste_risk.metrics.folds import summarise_folds
from waste_risk.metrics.groups import Support, measure_groups
from waste_risk.metrics.inputs import as_column, as_labels, as_outcomes, as_probability, number_households
from waste_risk.metrics.parts import AndersonDarling, LeadTime, WeeklyAlerts
from waste_risk.metrics.results import ValidationMetrics
from waste_risk.metrics.sample import Sample
from waste_risk.metrics.scores import (
    compare_baselines,
    measure_cost,
    measure_days,
    measure_newest_days,
    measure_oracle,
    measure_scores,
    measure_trade_off,
    measure_window,
)
from waste_risk.metrics.tally import Array

_DECILES = 10
NEWEST_DAYS = 30  # a calendar month may have but a few days in the window
_TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def evaluate(
    *,
    y_true: ArrayLike,
    probability: ArrayLike,
    household_id: ArrayLike | None = None,
    threshold: float = 0.5,
    high_confidence: float = 0.7,
    n_bins: int = 15,
    n_resamples: int = 1_000,
    confidence: float = 0.95,
    seed: int = 42,
    top_k: int = 100,
    anderson_darling: bool = False,
    trade_off_thresholds: Sequence[float] = _TENTHS,
    cost_of_false_alarm: float = 1.0,
    cost_of_missed_item: float = 1.0,
    cost_threshold: float | None = None,
    alerts_per_week: int = 3,
    min_group_households: int = 20,
    min_group_class: int = 30,
    item_id: ArrayLike | None = None,
    observed_on: ArrayLike | None = None,
    is_new_household: ArrayLike | None = None,
    raw_score: ArrayLike | None = None,
    days_true: ArrayLike | None = None,
    days_predicted: ArrayLike | None = None,
    days_on_label: ArrayLike | None = None,
    oracle_probability: ArrayLike | None = None,
    baselines: Mapping[str, ArrayLike] | None = None,
    sensitive: Mapping[str, ArrayLike] | None = None,
    fold_metrics: pd.DataFrame | None = None,
    horizon_days: int | None = None,
    predictor_sha256: str | None = None,
) -> ValidationMetrics:
    """Judge a calibrated probability, and optionally all that goes with it, on rows that the model has not seen.

    Args:
        y_true: whether the row was wasted within the horizon; shape (n_rows,), like all columns below.
        probability: the model's probability of that.
        household_id: whose row it is; without it every row counts as a household of its own.
        threshold: from which probability the model says "wasted".
        high_confidence: from which probability the app warns loudly.
        n_bins: bins for the calibration errors and the parts of the Brier score.
        n_resamples: household resamples behind the intervals; 0 leaves them out.
        confidence: probability that an interval covers, e.g. 0.95.
        seed: the same seed gives the same intervals.
        top_k: how many of the highest probabilities precision and recall at k look at.
        anderson_darling: test the probability integral transform too.
        trade_off_thresholds: at which precision and recall are told.
        cost_of_false_alarm: of warning of an item that is not wasted; in the unit of the next.
        cost_of_missed_item: of not warning of one that is.
        cost_threshold: the cheapest threshold, chosen on other rows; without it costs are left out.
        alerts_per_week: at most so many for a household, where ``observed_on`` is known.
        min_group_households: below it a group of rows is too small to be measured.
        min_group_class: likewise for its rows of either outcome.
        item_id: which item; with ``observed_on`` and ``days_true`` it gives the lead time.
        observed_on: when the item was looked at.
        is_new_household: whether the model has never seen the household.
        raw_score: the score before calibration, in [0, 1].
        days_true: days from the look to the waste, null where not wasted.
        days_predicted: the model's days, given waste within the horizon.
        days_on_label: days from the look to the printed date, null without a date: the baseline to beat.
        oracle_probability: the true probability, known of simulated rows only.
        baselines: probabilities of simple rules, by name.
        sensitive: groups of the households, by attribute.
        fold_metrics: one row per fold of the cross-validation with its ``auc``.
        horizon_days: how far ahead the label looks; carried along.
        predictor_sha256: which bytes were judged; carried along.

    Raises:
        ValueError: no rows, columns of different length, or a value out of its range.
    """
    wasted = as_outcomes(y_true)
    n_rows = len(wasted)
    household = np.arange(n_rows) if household_id is None else number_households(household_id, n_rows)
    sample = Sample(
        wasted=wasted,
        probability=as_probability(probability, n_rows, "probability"),
        household=household,
        resampling=Resampling(int(household.max()) + 1, n_resamples, confidence, seed),
    )
    within: dict[str, Any] = {
        "threshold": threshold,
        "n_bins": n_bins,
        "support": Support(min_group_households, min_group_class),
    }
    cost: dict[str, Any] = {"false_alarm": cost_of_false_alarm, "missed_item": cost_of_missed_item}
    days = _days_when_wasted(days_true, wasted)
    raw = _probabilities(raw_score, n_rows, "raw_score")
    measured: dict[str, Any] = {
        **measure_window(sample, threshold=threshold, high_confidence=high_confidence, n_bins=n_bins, top_k=top_k),
        **measure_oracle(sample, _probabilities(oracle_probability, n_rows, "oracle_probability")),
        **_measure_days(sample, days, days_predicted, days_on_label),
        **_measure_chance(sample, n_bins, anderson_darling),
        **summarise_folds(fold_metrics),
        **_count(sample, household_id, high_confidence),
        **_measure_groups(sample, sensitive, observed_on, is_new_household, within),
    }
    return ValidationMetrics(
        **measured,
        raw=measure_scores(sample, raw, threshold=threshold, top_k=top_k),
        trade_off=measure_trade_off(sample, trade_off_thresholds),
        cost=measure_cost(sample, cheapest=cost_threshold, threshold=threshold, **cost),
        lead_time=_lead_time(sample, item_id, observed_on, days, high_confidence),
        weekly_alerts=_weekly_alerts(sample, observed_on, alerts_per_week, threshold),
        baselines=compare_baselines(sample, _baselines(baselines, n_rows)),
        top_k=top_k,
        confidence=confidence if n_resamples else None,
        threshold=float(threshold),
        high_confidence=float(high_confidence),
        horizon_days=horizon_days,
        predictor_sha256=predictor_sha256,
    )


def _probabilities(values: ArrayLike | None, n_rows: int, name: str) -> Array | None:
    return None if values is None else as_probability(values, n_rows, name)


def _count(sample: Sample, household_id: ArrayLike | None, high_confidence: float) -> dict[str, Any]:
    return {
        "n_rows": len(sample.wasted),
        "n_households": None if household_id is None else sample.resampling.n_households,
        "n_wasted": int(sample.wasted.sum()),
        "n_alerts": int((sample.probability >= high_confidence).sum()),
    }


def _measure_chance(sample: Sample, n_bins: int, anderson_darling: bool) -> dict[str, Any]:
    """Hold calibration against chance; simulations are as many as resamples."""
    tally, resampling = sample.tally(), sample.resampling
    measured: dict[str, Any] = {
        "hosmer_lemeshow_p_value": Estimate(float(hosmer_lemeshow_p_value(tally, n_groups=_DECILES)))
    }
    if resampling.n_resamples:
        measured["calibration_error_by_chance"] = chance.calibration_error_by_chance(
            tally,
            n_bins=n_bins,
            n_simulations=resampling.n_resamples,
            confidence=resampling.confidence,
            seed=resampling.seed,
        )
    if anderson_darling:
        measured["anderson_darling"] = AndersonDarling(
            *chance.anderson_darling(y_true=sample.wasted, probability=sample.probability, seed=resampling.seed)
        )
    return measured


def _days_when_wasted(days_true: ArrayLike | None, wasted: Array) -> Array | None:
    if days_true is None:
        return None
    return np.where(wasted == 1, as_column(days_true, len(wasted), "days_true"), np.nan)


def _measure_days(
    sample: Sample, days: Array | None, predicted: ArrayLike | None, on_label: ArrayLike | None
) -> dict[str, Estimate]:
    if days is None:
        return {}
    columns = {"days_predicted": predicted, "days_on_label": on_label}
    known = {name: as_column(each, len(days), name) for name, each in columns.items() if each is not None}
    return measure_days(sample, days, known.get("days_predicted"), known.get("days_on_label"))


def _lead_time(
    sample: Sample, item_id: ArrayLike | None, observed_on: ArrayLike | None, days: Array | None, threshold: float
) -> LeadTime | None:
    if item_id is None or observed_on is None or days is None:
        return None
    return measure_lead_time(sample, item_id=item_id, observed_on=observed_on, days_true=days, threshold=threshold)


def _weekly_alerts(
    sample: Sample, observed_on: ArrayLike | None, per_week: int, threshold: float
) -> WeeklyAlerts | None:
    if observed_on is None:
        return None
    return measure_weekly_alerts(sample, observed_on=observed_on, per_week=per_week, threshold=threshold)


def _baselines(baselines: Mapping[str, ArrayLike] | None, n_rows: int) -> dict[str, Array]:
    return {name: as_probability(values, n_rows, name) for name, values in (baselines or {}).items()}


def _measure_groups(
    sample: Sample,
    sensitive: Mapping[str, ArrayLike] | None,
    observed_on: ArrayLike | None,
    is_new_household: ArrayLike | None,
    within: dict[str, Any],
) -> dict[str, Any]:
    n_rows = len(sample.wasted)
    fairness = {
        name: measure_fairness(sample, as_labels(values, n_rows, name), **within)
        for name, values in (sensitive or {}).items()
    }
    groups: dict[str, Any] = {"fairness": fairness}
    if observed_on is not None:
        groups["by_month"] = measure_groups(sample, _months(observed_on, n_rows), **within)
        days = pd.DatetimeIndex(np.asarray(observed_on))
        newest = np.asarray(days > days.max() - pd.Timedelta(days=NEWEST_DAYS))
        groups["newest_calibration_in_the_large"] = measure_newest_days(sample, newest)
    if is_new_household is not None:
        acquaintance = np.where(as_column(is_new_household, n_rows, "is_new_household") == 1, "new", "known")
        groups["by_acquaintance"] = measure_groups(sample, acquaintance, **within)
    return groups


def _months(observed_on: ArrayLike, n_rows: int) -> NDArray[np.str_]:
    return as_labels(pd.DatetimeIndex(np.asarray(observed_on)).strftime("%Y-%m"), n_rows, "observed_on")
