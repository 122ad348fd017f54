"""One pass over an evaluated window: every metric, each with an interval from the same household resamples."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from waste_risk.arrays import Floats
from waste_risk.metrics.bootstrap import Resampling
from waste_risk.metrics.calibration import anderson_darling, calibration_error_under_null
from waste_risk.metrics.catalogue import WindowMetrics
from waste_risk.metrics.decisions import measure_cost, measure_lead_time, measure_trade_off, measure_weekly_alerts
from waste_risk.metrics.definition import Resample, Window, estimate_metrics, find_definitions
from waste_risk.metrics.groups import measure_fairness, measure_groups
from waste_risk.metrics.results import Baseline, ScoreMetrics, ValidationMetrics
from waste_risk.metrics.rows import (
    EvaluationRows,
    as_column,
    as_dates,
    as_labels,
    as_outcomes,
    as_probability,
    number_households,
)
from waste_risk.parameters import Costs, Validation

NEWEST_DAYS = 30  # a calendar month may have but a few days in the window


def evaluate(
    *,
    y_true: ArrayLike,
    probability: ArrayLike,
    household_id: ArrayLike | None = None,
    params: Validation,
    threshold: float = 0.5,
    high_confidence: float | None = None,
    costs: Costs | None = None,
    cost_threshold: float | None = None,
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
    record: type[ValidationMetrics] = ValidationMetrics,
) -> ValidationMetrics:
    """Evaluate a calibrated probability, and optionally all that goes with it, on rows that the model has not seen.

    Args:
        y_true: whether the row was wasted within the horizon; shape (n_rows,), like all columns below.
        probability: the model's probability of that.
        household_id: household of the row; without it every row counts as a household of its own.
        params: the section ``validation`` of the parameters: bins, resamples, thresholds, sizes of groups.
        threshold: probability from which a row is an alert.
        high_confidence: probability from which an alert is a high-confidence alert; by default every alert is.
        costs: of a false alarm and of a missed item; with ``cost_threshold`` it gives the mean cost of a row.
        cost_threshold: the threshold that was cheapest on other rows.
        item_id: which item; with ``observed_on`` and ``days_true`` it gives the lead time.
        observed_on: when the item was observed.
        is_new_household: whether the model has never seen the household.
        raw_score: the score before calibration, in [0, 1].
        days_true: days from the observation to the waste, null where not wasted.
        days_predicted: the model's days, given waste within the horizon.
        days_on_label: days from the observation to the printed date, null without a date: the baseline to beat.
        oracle_probability: the true probability, known of simulated rows only.
        baselines: probabilities of baselines, by name.
        sensitive: groups of the households, by attribute.
        fold_metrics: one row per fold of the cross-validation with its ``auc``.
        horizon_days: horizon of the label; carried along.
        predictor_sha256: which predictor was evaluated; carried along.
        record: the class of the result; a subclass may define more metrics.

    Raises:
        ValueError: no rows, columns of different length, or a value out of its range.
    """
    wasted = as_outcomes(y_true)
    n_rows = len(wasted)
    household = np.arange(n_rows) if household_id is None else number_households(household_id, n_rows)
    dates = None if observed_on is None else as_dates(observed_on, n_rows, "observed_on")
    days = _optional(as_column, days_true, n_rows, "days_true")
    window = Window(
        rows=EvaluationRows(
            wasted=wasted,
            probability=as_probability(probability, n_rows, "probability"),
            household=household,
            resampling=Resampling(int(household.max()) + 1, params.n_resamples, params.confidence, params.seed),
        ),
        params=params,
        threshold=float(threshold),
        high_confidence=float(threshold if high_confidence is None else high_confidence),
        oracle=_optional(as_probability, oracle_probability, n_rows, "oracle_probability"),
        newest=None if dates is None else np.asarray(dates > dates.max() - pd.Timedelta(days=NEWEST_DAYS)),
        days=None if days is None else np.where(wasted == 1, days, np.nan),
        days_predicted=_optional(as_column, days_predicted, n_rows, "days_predicted"),
        days_on_label=_optional(as_column, days_on_label, n_rows, "days_on_label"),
    )
    rules = {name: as_probability(values, n_rows, name) for name, values in (baselines or {}).items()}
    measured: dict[str, Any] = {
        **estimate_metrics(window, find_definitions(record)),
        **_describe_window(window, knows_households=household_id is not None),
        **_test_calibration(window),
        **_summarise_cross_validation(fold_metrics),
        **_measure_alerts(window, item_id, dates, costs, cost_threshold),
        **_measure_groups(window, sensitive, dates, is_new_household),
    }
    return record(
        **measured,
        raw=_measure_score(window, _optional(as_probability, raw_score, n_rows, "raw_score")),
        baselines=_compare_baselines(window, rules),
        horizon_days=horizon_days,
        predictor_sha256=predictor_sha256,
    )


def _optional(
    convert: Callable[[ArrayLike, int, str], Floats], values: ArrayLike | None, n_rows: int, name: str
) -> Floats | None:
    return None if values is None else convert(values, n_rows, name)


def _describe_window(window: Window, *, knows_households: bool) -> dict[str, Any]:
    rows, params = window.rows, window.params
    return {
        "n_rows": len(rows.wasted),
        "n_households": rows.resampling.n_households if knows_households else None,
        "n_wasted": int(rows.wasted.sum()),
        "n_alerts": int((rows.probability >= window.high_confidence).sum()),
        "threshold": window.threshold,
        "high_confidence": window.high_confidence,
        "top_k": params.top_k,
        "confidence": params.confidence if params.n_resamples else None,
    }


def _test_calibration(window: Window) -> dict[str, Any]:
    """Compare calibration with chance; there are as many simulations as resamples."""
    rows, params = window.rows, window.params
    tests: dict[str, Any] = {}
    if params.n_resamples:
        tests["calibration_error_under_null"] = calibration_error_under_null(
            rows.tally(),
            n_bins=params.n_bins,
            n_simulations=params.n_resamples,
            confidence=params.confidence,
            seed=params.seed,
        )
    if params.anderson_darling:
        tests["anderson_darling"] = anderson_darling(y_true=rows.wasted, probability=rows.probability, seed=params.seed)
    return tests


def _summarise_cross_validation(fold_metrics: pd.DataFrame | None) -> dict[str, Any]:
    """Return every number of every fold, and its mean and standard deviation (ddof 1) over the folds."""
    if fold_metrics is None:
        return {}
    numbers = fold_metrics.select_dtypes("number").astype(float)
    means, stds = numbers.drop(columns="fold", errors="ignore").mean(), numbers.std(ddof=1)
    return {
        "cv_mean_auc": float(means["auc"]),
        "cv_std_auc": float(stds["auc"]),
        "folds": tuple(numbers.to_dict("records")),
        "fold_means": {str(name): float(value) for name, value in means.items()},
        "fold_stds": {str(name): float(stds[name]) for name in means.index},
    }


def _measure_alerts(
    window: Window,
    item_id: ArrayLike | None,
    dates: pd.DatetimeIndex | None,
    costs: Costs | None,
    cost_threshold: float | None,
) -> dict[str, Any]:
    alerts: dict[str, Any] = {"trade_off": measure_trade_off(window)}
    if costs is not None and cost_threshold is not None:
        alerts["cost"] = measure_cost(window, cost_threshold, costs)
    if dates is not None:
        alerts["weekly_alerts"] = measure_weekly_alerts(window, observed_on=dates)
        if item_id is not None and window.days is not None:
            alerts["lead_time"] = measure_lead_time(window, item_id=item_id, observed_on=dates)
    return alerts


def _measure_groups(
    window: Window,
    sensitive: Mapping[str, ArrayLike] | None,
    dates: pd.DatetimeIndex | None,
    is_new_household: ArrayLike | None,
) -> dict[str, Any]:
    n_rows = len(window.rows.wasted)
    groups: dict[str, Any] = {
        "fairness": {
            name: measure_fairness(window, as_labels(values, n_rows, name))
            for name, values in (sensitive or {}).items()
        }
    }
    if dates is not None:
        groups["by_month"] = measure_groups(window, np.asarray(dates.strftime("%Y-%m"), dtype=np.str_))
    if is_new_household is not None:
        is_new = as_column(is_new_household, n_rows, "is_new_household") == 1
        groups["by_known_household"] = measure_groups(window, np.where(is_new, "new", "known"))
    return groups


def _measure_score(window: Window, score: Floats | None) -> ScoreMetrics | None:
    """Measure another score, such as that before calibration, as the probability is measured."""
    if score is None:
        return None
    counts, definitions = window.rows.count(score), find_definitions(WindowMetrics)

    def measure(weights: Floats) -> dict[str, Floats]:
        sample = Resample(window, counts.weighted(weights), weights)
        return {each.name: definitions[each.name].evaluate(sample) for each in fields(ScoreMetrics)}

    return ScoreMetrics(**window.rows.estimate(measure))


def _compare_baselines(window: Window, baselines: Mapping[str, Floats]) -> dict[str, Baseline]:
    """Measure baselines, and how far the model's AUC lies above theirs in the same resamples."""
    counts = {name: window.rows.count(scores) for name, scores in baselines.items()}
    definitions = find_definitions(WindowMetrics)
    auc, shared = definitions["auc"], [each.name for each in fields(Baseline) if each.name in definitions]

    def measure(weights: Floats) -> dict[str, Floats]:
        model = auc.evaluate(Resample(window, window.counts.weighted(weights), weights))
        measured: dict[str, Floats] = {}
        for name, each in counts.items():
            sample = Resample(window, each.weighted(weights), weights)
            measured |= {f"{name}.{metric}": definitions[metric].evaluate(sample) for metric in shared}
            measured[f"{name}.auc_gain"] = model - measured[f"{name}.auc"]
        return measured

    estimates = window.rows.estimate(measure)
    return {name: Baseline(**{each: estimates[f"{name}.{each}"] for each in [*shared, "auc_gain"]}) for name in counts}
