"""Everything a validation measured, in one immutable value that reports, gates and logs read."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

from waste_risk.metrics.bootstrap import Estimate
from waste_risk.metrics.parts import (
    AdversarialValidation,
    AndersonDarling,
    Baseline,
    CalibrationByChance,
    CostlyThreshold,
    Fairness,
    Group,
    LeadTime,
    PurestFeature,
    ScoreMetrics,
    TradeOff,
    WeeklyAlerts,
)


@dataclass(frozen=True)
class ValidationMetrics:
    """Metrics of one model on one window, each with its interval, and what they were measured on.

    A value is NaN where the rows do not define it (a precision without alerts). Null is what was not asked for.

    Attributes:
        precision: share of truly wasted among the alerts at ``threshold``; likewise recall and f1.
        precision_at_high_confidence: the same at ``high_confidence``.
        hosmer_lemeshow_p_value: over deciles; a p-value, so without an interval.
        days_mae: mean absolute error in days over the wasted rows; likewise days_rmse.
        label_days_mae: the error of "the days left on the label" over the wasted rows that have a label.
        days_mae_where_label: the model's error over the same rows, for a fair comparison.
        oracle_auc: AUC of the true probability, which simulated data know.
        attainable_share: (AUC − 0.5) / (oracle's AUC − 0.5); NaN where the oracle has no signal.
        n_alerts: rows at or above ``high_confidence``.
        cv_std_auc: sample standard deviation (ddof 1) of the AUC over the folds.
        expected_calibration_error: over bins of equal mass; the next two over bins of equal width, and without bias.
        calibration_error_by_chance: what a perfectly calibrated model would show.
        brier_reliability: with brier_resolution and brier_uncertainty, the parts of the Brier score.
        precision_at_k: share of truly wasted among the ``top_k`` highest probabilities; likewise recall_at_k.
        calibration_in_the_large: mean probability less base rate, 0 is right; newest_calibration_in_the_large over the
            newest 30 days of the window alone.
        confidence: probability that an interval covers; null without intervals.
        raw: the same metrics of the score before calibration.
        trade_off: precision and recall at several thresholds.
        cost: at the threshold that was cheapest out of fold.
        lead_time: days from the first alert to the waste, given waste within the horizon of that alert.
        weekly_alerts: when each household gets its few most probable items a week.
        fairness: by attribute of the household, and groups of it.
        by_month: metrics of each calendar month; by_acquaintance of known and new households.
        adversarial_validation: whether features tell the test window from development.
        purest_feature: whether one feature alone tells the outcome, as only a leak can.
        folds: numbers of each fold of the cross-validation; fold_means and fold_stds (ddof 1) over them.
    """

    auc: Estimate
    average_precision: Estimate
    brier_score: Estimate
    log_loss: Estimate
    expected_calibration_error: Estimate
    calibration_slope: Estimate
    calibration_intercept: Estimate
    hosmer_lemeshow_p_value: Estimate
    precision: Estimate
    recall: Estimate
    f1: Estimate
    precision_at_high_confidence: Estimate
    recall_at_high_confidence: Estimate
    base_rate: Estimate
    mean_probability: Estimate
    n_rows: int
    n_households: int | None
    n_wasted: int
    n_alerts: int
    threshold: float
    high_confidence: float
    horizon_days: int | None
    predictor_sha256: str | None
    days_mae: Estimate | None = None
    days_rmse: Estimate | None = None
    label_days_mae: Estimate | None = None
    days_mae_where_label: Estimate | None = None
    oracle_auc: Estimate | None = None
    attainable_share: Estimate | None = None
    cv_mean_auc: float | None = None
    cv_std_auc: float | None = None
    calibration_in_the_large: Estimate | None = None
    newest_calibration_in_the_large: Estimate | None = None
    equal_width_calibration_error: Estimate | None = None
    debiased_calibration_error: Estimate | None = None
    calibration_error_by_chance: CalibrationByChance | None = None
    anderson_darling: AndersonDarling | None = None
    brier_reliability: Estimate | None = None
    brier_resolution: Estimate | None = None
    brier_uncertainty: Estimate | None = None
    precision_at_k: Estimate | None = None
    recall_at_k: Estimate | None = None
    top_k: int | None = None
    confidence: float | None = None
    raw: ScoreMetrics | None = None
    trade_off: tuple[TradeOff, ...] = ()
    cost: CostlyThreshold | None = None
    lead_time: LeadTime | None = None
    weekly_alerts: WeeklyAlerts | None = None
    baselines: dict[str, Baseline] = field(default_factory=dict)
    fairness: dict[str, Fairness] = field(default_factory=dict)
    by_month: tuple[Group, ...] = ()
    by_acquaintance: tuple[Group, ...] = ()
    adversarial_validation: AdversarialValidation | None = None
    purest_feature: PurestFeature | None = None
    folds: tuple[dict[str, float], ...] = ()
    fold_means: dict[str, float] = field(default_factory=dict)
    fold_stds: dict[str, float] = field(default_factory=dict)

    @property
    def beats_oracle(self) -> bool:
        """Whether the model's AUC lies above the true probability's by more than chance, as only a leak can."""
        share = self.attainable_share
        return share is not None and (share.value if share.low is None else min(share.low, share.value)) > 1

    def to_dict(self) -> dict[str, Any]:
        """Give plain values that JSON can hold: an estimate is value, low and high; NaN becomes null."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    def flat(self) -> dict[str, float]:
        """Give one number per name to log, as ``auc``, ``auc_low``, ``baselines.category_rate.auc``.

        Tables (trade-off, groups, folds) and what is undefined stay out.
        """
        numbers = dict(_numbers("", self))
        return {name: float(value) for name, value in numbers.items() if value is not None and math.isfinite(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float | None]]:
    if isinstance(value, Estimate):
        yield from ((name, value.value), (f"{name}_low", value.low), (f"{name}_high", value.high))
    elif is_dataclass(value) or isinstance(value, Mapping):
        for key, inner in _entries(value):
            yield from _numbers(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, int | float):
        yield name, value


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((re.sub(r"\W+", "_", str(key)), inner) for key, inner in value.items())
    else:
        yield from ((each.name, getattr(value, each.name)) for each in fields(value))
