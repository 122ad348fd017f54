"""Metrics of a probability and of a number of days, each with an interval from a household bootstrap.

``evaluate`` makes all of them at once. A single one is a function of a ``Tally``:
``roc_auc(count_scores(y_true=wasted, probability=probability))``.
"""

from waste_risk.metrics.bootstrap import FEWEST_HOUSEHOLDS, Estimate, Resampling, bootstrap
from waste_risk.metrics.calibration import (
    ReliabilityBins,
    brier_decomposition,
    calibration_line,
    debiased_calibration_error,
    equal_width_bins,
    expected_calibration_error,
    hosmer_lemeshow_p_value,
    mean_gap,
    reliability_bins,
)
from waste_risk.metrics.classification import (
    alert_rate,
    average_precision,
    base_rate,
    brier_score,
    f1_score,
    false_positive_rate,
    log_loss,
    mean_cost,
    mean_probability,
    precision,
    precision_at_k,
    recall,
    recall_at_k,
    roc_auc,
)
from waste_risk.metrics.evaluation import evaluate
from waste_risk.metrics.parts import Baseline, Fairness, Group, GroupMetrics, PurestFeature, keep_measured
from waste_risk.metrics.results import ValidationMetrics
from waste_risk.metrics.tally import HouseholdTally, Tally, count_scores, count_scores_by_household

__all__ = [
    "FEWEST_HOUSEHOLDS",
    "Baseline",
    "Estimate",
    "Fairness",
    "Group",
    "GroupMetrics",
    "HouseholdTally",
    "PurestFeature",
    "ReliabilityBins",
    "Resampling",
    "Tally",
    "ValidationMetrics",
    "alert_rate",
    "average_precision",
    "base_rate",
    "bootstrap",
    "brier_decomposition",
    "brier_score",
    "calibration_line",
    "count_scores",
    "count_scores_by_household",
    "debiased_calibration_error",
    "equal_width_bins",
    "evaluate",
    "expected_calibration_error",
    "f1_score",
    "false_positive_rate",
    "hosmer_lemeshow_p_value",
    "keep_measured",
    "log_loss",
    "mean_cost",
    "mean_gap",
    "mean_probability",
    "precision",
    "precision_at_k",
    "recall",
    "recall_at_k",
    "reliability_bins",
    "roc_auc",
]
