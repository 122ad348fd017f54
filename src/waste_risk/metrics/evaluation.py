"""One pass over a judged window: every metric, each with an interval from the same household resamples."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from waste_risk.metrics.bootstrap import Estimate, bootstrap
from waste_risk.metrics.calibration import calibration_line, expected_calibration_error, hosmer_lemeshow_p_value
from waste_risk.metrics.classification import (
    average_precision,
    base_rate,
    brier_score,
    f1_score,
    log_loss,
    mean_probability,
    precision,
    recall,
    roc_auc,
)
from waste_risk.metrics.inputs import as_column, as_outcomes, as_probability, number_households
from waste_risk.metrics.regression import HouseholdErrors, sum_errors
from waste_risk.metrics.results import ValidationMetrics
from waste_risk.metrics.tally import Array, HouseholdTally, count_scores, count_scores_by_household, ratio

_DECILES = 10
_NUMBERS_IN_MEMORY = 2_000_000


def evaluate(
    *,
    y_true: ArrayLike,
    probability: ArrayLike,
    threshold: float = 0.5,
    high_confidence: float = 0.7,
    n_bins: int = 15,
    n_resamples: int = 1_000,
    confidence: float = 0.95,
    seed: int = 42,
    household_id: ArrayLike | None = None,
    days_true: ArrayLike | None = None,
    days_predicted: ArrayLike | None = None,
    days_on_label: ArrayLike | None = None,
    oracle_probability: ArrayLike | None = None,
    fold_metrics: pd.DataFrame | None = None,
    horizon_days: int | None = None,
    predictor_sha256: str | None = None,
) -> ValidationMetrics:
    """Judge a calibrated probability, and optionally predicted days, on rows that the model has not seen.

    Args:
        y_true: whether the row was wasted within the horizon; shape (n_rows,), like all columns below.
        probability: the model's probability of that.
        threshold: from which probability the model says "wasted".
        high_confidence: from which probability the app warns loudly.
        n_bins: bins of equal mass for the expected calibration error.
        n_resamples: household resamples behind the intervals; 0 leaves them out.
        confidence: probability that an interval covers, e.g. 0.95.
        seed: the same seed gives the same intervals.
        household_id: whose row it is; without it every row counts as a household of its own.
        days_true: days from the look to the waste, null where not wasted.
        days_predicted: the model's days, given waste within the horizon.
        days_on_label: days from the look to the printed date, null without a date: the baseline to beat.
        oracle_probability: the true probability, known of simulated rows only.
        fold_metrics: one row per fold of the cross-validation with its ``auc``.
        horizon_days: how far ahead the label looks; carried along.
        predictor_sha256: which bytes were judged; carried along.

    Raises:
        ValueError: no rows, one class only, columns of different length, or a value out of its range.
    """
    wasted = as_outcomes(y_true)
    scores = as_probability(probability, len(wasted), "probability")
    household = np.arange(len(wasted)) if household_id is None else number_households(household_id, len(wasted))
    n_households = int(household.max()) + 1
    days = _days_when_wasted(days_true, wasted)
    sample = _Sample(
        model=count_scores_by_household(y_true=wasted, probability=scores, household=household),
        oracle=_count_oracle(wasted, oracle_probability, household),
        days=_sum_days_errors(days, days_predicted, household),
        label_days=_sum_days_errors(days, days_on_label, household),
        days_where_label=_sum_days_errors(_where_known(days, days_on_label), days_predicted, household),
        threshold=threshold,
        high_confidence=high_confidence,
        n_bins=n_bins,
    )
    estimates: dict[str, Any] = bootstrap(
        sample.measure,
        n_households=n_households,
        n_resamples=n_resamples,
        confidence=confidence,
        seed=seed,
        n_at_once=max(1, _NUMBERS_IN_MEMORY // len(wasted)),
        reflected=frozenset({"expected_calibration_error"}),
    )
    p_value = hosmer_lemeshow_p_value(count_scores(y_true=wasted, probability=scores), n_groups=_DECILES)
    return ValidationMetrics(
        **estimates,
        **_summarise_folds(fold_metrics),
        hosmer_lemeshow_p_value=Estimate(float(p_value)),
        n_rows=len(wasted),
        n_households=None if household_id is None else n_households,
        n_wasted=int(wasted.sum()),
        n_alerts=int((scores >= high_confidence).sum()),
        threshold=float(threshold),
        high_confidence=float(high_confidence),
        horizon_days=horizon_days,
        predictor_sha256=predictor_sha256,
    )


@dataclass(frozen=True)
class _Sample:
    """The judged rows, summed so that any reweighting of the households can be measured at once."""

    model: HouseholdTally
    oracle: HouseholdTally | None
    days: HouseholdErrors | None
    label_days: HouseholdErrors | None
    days_where_label: HouseholdErrors | None
    threshold: float
    high_confidence: float
    n_bins: int

    def measure(self, weights: Array) -> dict[str, Array]:
        tally = self.model.weighted(weights)
        intercept, slope = calibration_line(tally)
        return {
            "auc": roc_auc(tally),
            "average_precision": average_precision(tally),
            "brier_score": brier_score(tally),
            "log_loss": log_loss(tally),
            "expected_calibration_error": expected_calibration_error(tally, n_bins=self.n_bins),
            "calibration_slope": slope,
            "calibration_intercept": intercept,
            "precision": precision(tally, threshold=self.threshold),
            "recall": recall(tally, threshold=self.threshold),
            "f1": f1_score(tally, threshold=self.threshold),
            "precision_at_high_confidence": precision(tally, threshold=self.high_confidence),
            "recall_at_high_confidence": recall(tally, threshold=self.high_confidence),
            "base_rate": base_rate(tally),
            "mean_probability": mean_probability(tally),
            **self._measure_oracle(weights, roc_auc(tally)),
            **self._measure_days(weights),
        }

    def _measure_oracle(self, weights: Array, auc: Array) -> dict[str, Array]:
        if self.oracle is None:
            return {}
        oracle_auc = roc_auc(self.oracle.weighted(weights))
        return {"oracle_auc": oracle_auc, "attainable_share": ratio(auc - 0.5, oracle_auc - 0.5)}

    def _measure_days(self, weights: Array) -> dict[str, Array]:
        measured = {}
        if self.days is not None:
            measured["days_mae"] = self.days.mean_absolute(weights)
            measured["days_rmse"] = self.days.root_mean_squared(weights)
        if self.label_days is not None:
            measured["label_days_mae"] = self.label_days.mean_absolute(weights)
        if self.days_where_label is not None:
            measured["days_mae_where_label"] = self.days_where_label.mean_absolute(weights)
        return measured


def _count_oracle(
    wasted: Array, oracle_probability: ArrayLike | None, household: NDArray[np.intp]
) -> HouseholdTally | None:
    if oracle_probability is None:
        return None
    scores = as_probability(oracle_probability, len(wasted), "oracle_probability")
    return count_scores_by_household(y_true=wasted, probability=scores, household=household)


def _days_when_wasted(days_true: ArrayLike | None, wasted: Array) -> Array | None:
    if days_true is None:
        return None
    return np.where(wasted == 1, as_column(days_true, len(wasted), "days_true"), np.nan)


def _where_known(days: Array | None, other: ArrayLike | None) -> Array | None:
    if days is None or other is None:
        return None
    return np.where(np.isfinite(as_column(other, len(days), "days_on_label")), days, np.nan)


def _sum_days_errors(
    days: Array | None, predicted: ArrayLike | None, household: NDArray[np.intp]
) -> HouseholdErrors | None:
    if days is None or predicted is None:
        return None
    return sum_errors(true=days, predicted=as_column(predicted, len(days), "a column of days"), household=household)


def _summarise_folds(fold_metrics: pd.DataFrame | None) -> dict[str, Any]:
    if fold_metrics is None:
        return {}
    return {"cv_mean_auc": float(fold_metrics["auc"].mean()), "cv_std_auc": float(fold_metrics["auc"].std(ddof=1))}
