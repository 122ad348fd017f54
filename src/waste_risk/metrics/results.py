"""Everything a validation measured, in one immutable value that reports, gates and logs read."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from waste_risk.metrics.bootstrap import Estimate


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

    @property
    def beats_oracle(self) -> bool:
        """Whether the model's AUC lies above the true probability's by more than chance, as only a leak can."""
        share = self.attainable_share
        return share is not None and (share.value if share.low is None else min(share.low, share.value)) > 1

    def to_dict(self) -> dict[str, Any]:
        """Give plain values that JSON can hold: an estimate is value, low and high; NaN becomes null."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    def flat(self) -> dict[str, float]:
        """Give one number per name to log: ``auc``, ``auc_low``, ``auc_high`` and so on, without the undefined ones."""
        pairs = [pair for field in fields(self) for pair in _numbers(field.name, getattr(self, field.name))]
        return {name: float(value) for name, value in pairs if value is not None and math.isfinite(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(name: str, value: Any) -> list[tuple[str, float | None]]:
    if isinstance(value, Estimate):
        return [(name, value.value), (f"{name}_low", value.low), (f"{name}_high", value.high)]
    return [] if isinstance(value, str) else [(name, value)]
