"""Metrics of a probability and of a number of days, each with an interval from a household bootstrap.

``evaluate`` makes all of them at once. A single one is a function of a ``Tally``:
``roc_auc(count_scores(y_true=wasted, probability=probability))``.
"""

from waste_risk.metrics.bootstrap import Estimate, bootstrap
from waste_risk.metrics.calibration import (
    ReliabilityBins,
    calibration_line,
    expected_calibration_error,
    hosmer_lemeshow_p_value,
    reliability_bins,
)
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
from waste_risk.metrics.evaluation import evaluate
from waste_risk.metrics.results import ValidationMetrics
from waste_risk.metrics.tally import HouseholdTally, Tally, count_scores, count_scores_by_household

__all__ = [
    "Estimate",
    "HouseholdTally",
    "ReliabilityBins",
    "Tally",
    "ValidationMetrics",
    "average_precision",
    "base_rate",
    "bootstrap",
    "brier_score",
    "calibration_line",
    "count_scores",
    "count_scores_by_household",
    "evaluate",
    "expected_calibration_error",
    "f1_score",
    "hosmer_lemeshow_p_value",
    "log_loss",
    "mean_probability",
    "precision",
    "recall",
    "reliability_bins",
    "roc_auc",
]
