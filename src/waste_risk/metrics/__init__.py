"""Metrics of a probability and of a number of days, each with an interval from a household bootstrap.

``evaluate`` computes all of them; each is defined in ``catalogue``, one field each. A single one is a function of a
``Tally``: ``roc_auc(count_scores(y_true=wasted, probability=probability))``.
"""

from waste_risk.metrics.bootstrap import (
    FEWEST_HOUSEHOLDS,
    Estimate,
    Resampling,
    bootstrap,
)
from waste_risk.metrics.calibration import (
    AndersonDarling,
    NullDistribution,
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
    calibration_in_the_large,
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
from waste_risk.metrics.decisions import (
    CheapestThreshold,
    LeadTime,
    TradeOff,
    WeeklyAlerts,
)
from waste_risk.metrics.definition import (
    Metric,
    SectionName,
    find_definitions,
    metric,
)
from waste_risk.metrics.evaluation import (
    evaluate,
)
from waste_risk.metrics.groups import (
    Fairness,
    Group,
    GroupMetrics,
    keep_measured,
)
from waste_risk.metrics.results import (
    AdversarialValidation,
    Baseline,
    PurestFeature,
    ReportedMetric,
    ScoreMetrics,
    ValidationMetrics,
    describe_metrics,
)
from waste_risk.metrics.rows import (
    EvaluationRows,
    number_households,
)
from waste_risk.metrics.tally import (
    HouseholdTally,
    Tally,
    count_scores,
    count_scores_by_household,
)

__all__ = [
    "FEWEST_HOUSEHOLDS",
    "AdversarialValidation",
    "AndersonDarling",
    "Baseline",
    "CheapestThreshold",
    "Estimate",
    "EvaluationRows",
    "Fairness",
    "Group",
    "GroupMetrics",
    "HouseholdTally",
    "LeadTime",
    "Metric",
    "NullDistribution",
    "PurestFeature",
    "ReliabilityBins",
    "ReportedMetric",
    "Resampling",
    "ScoreMetrics",
    "SectionName",
    "Tally",
    "TradeOff",
    "ValidationMetrics",
    "WeeklyAlerts",
    "alert_rate",
    "average_precision",
    "base_rate",
    "bootstrap",
    "brier_decomposition",
    "brier_score",
    "calibration_in_the_large",
    "calibration_line",
    "count_scores",
    "count_scores_by_household",
    "debiased_calibration_error",
    "describe_metrics",
    "equal_width_bins",
    "evaluate",
    "expected_calibration_error",
    "f1_score",
    "false_positive_rate",
    "find_definitions",
    "hosmer_lemeshow_p_value",
    "keep_measured",
    "log_loss",
    "mean_cost",
    "mean_gap",
    "mean_probability",
    "metric",
    "number_households",
    "precision",
    "precision_at_k",
    "recall",
    "recall_at_k",
    "reliability_bins",
    "roc_auc",
]
