"""Every metric of a validation as one field: its formula, label, meaning, and with how many decimals it is written.

Reports, JSON, its schema and MLflow read the definitions; to add a metric, add a field. Within a section reports show
them in this order.
"""

from dataclasses import dataclass

from waste_risk.metrics.bootstrap import Estimate
from waste_risk.metrics.calibration import (
    debiased_calibration_error,
    equal_width_bins,
    hosmer_lemeshow_p_value,
    scale_gaps,
    sum_absolute,
    sum_squares,
    weigh_gaps,
)
from waste_risk.metrics.classification import (
    average_precision,
    base_rate,
    brier_score,
    calibration_in_the_large,
    f1_score,
    log_loss,
    mean_probability,
    precision,
    precision_at_k,
    recall,
    recall_at_k,
    roc_auc,
)
from waste_risk.metrics.definition import NO_INTERVAL, metric
from waste_risk.metrics.tally import ratio

_DECILES = 10


@dataclass(frozen=True, kw_only=True)
class WindowMetrics:
    """Every metric of the test window, each with its interval.

    A value is NaN where the rows do not define it (a precision without alerts); a metric is null where the evaluation
    lacked what it needs (an oracle, dates, days).
    """

    auc: Estimate = metric(
        lambda sample: roc_auc(sample.tally),
        "AUC",
        "how often a wasted item is ranked above one that is not",
        section="classification",
        report="AUC-ROC",
    )
    oracle_auc: Estimate | None = metric(
        lambda sample: roc_auc(sample.oracle_tally),
        "AUC of the true probability",
        "of one who knows the simulation's latent states, which no feature shows: out of any model's reach",
        section="classification",
        needs=("oracle",),
    )
    attainable_share: Estimate | None = metric(
        lambda sample: ratio(roc_auc(sample.tally) - 0.5, roc_auc(sample.oracle_tally) - 0.5),
        "Share of the AUC with latent states known",
        "counted from 0.5",
        section="classification",
        needs=("oracle",),
    )
    average_precision: Estimate = metric(
        lambda sample: average_precision(sample.tally),
        "Average precision",
        "area under precision and recall; at the base rate if the order is random",
        section="classification",
        report="Average Precision",
    )
    precision_at_k: Estimate | None = metric(
        lambda sample: precision_at_k(sample.tally, k=sample.window.params.top_k),
        "Precision of the top {top_k:,}",
        "share wasted among the highest probabilities",
        section="classification",
        optional=True,
    )
    recall_at_k: Estimate | None = metric(
        lambda sample: recall_at_k(sample.tally, k=sample.window.params.top_k),
        "Recall of the top {top_k:,}",
        "share of all wasted rows that is among them",
        section="classification",
        optional=True,
    )
    brier_score: Estimate = metric(
        lambda sample: brier_score(sample.tally),
        "Brier score",
        "mean squared error of the probability; lower is better",
        section="classification",
        report="Brier Score",
    )
    log_loss: Estimate = metric(
        lambda sample: log_loss(sample.tally),
        "Log loss",
        "lower is better",
        section="classification",
        report="Log Loss",
    )
    mean_probability: Estimate = metric(
        lambda sample: mean_probability(sample.tally),
        "Mean prediction",
        "over all rows",
        section="calibration",
    )
    base_rate: Estimate = metric(
        lambda sample: base_rate(sample.tally),
        "Base rate",
        "share truly wasted; the two should agree",
        section="calibration",
    )
    calibration_in_the_large: Estimate | None = metric(
        lambda sample: calibration_in_the_large(sample.tally),
        "Calibration in the large",
        "mean prediction less base rate; 0 is right",
        section="calibration",
        decimals=4,
        optional=True,
    )
    newest_calibration_in_the_large: Estimate | None = metric(
        lambda sample: sample.window.newest_gap(sample.weights),
        "… in the newest 30 days",
        "where habits that drift show first",
        section="calibration",
        decimals=4,
        needs=("newest",),
        support=lambda window: window.rows.count_households_of_either_outcome(window.newest),
    )
    expected_calibration_error: Estimate = metric(
        lambda sample: weigh_gaps(sample.bins),
        "Expected calibration error",
        "over bins of equal mass",
        section="calibration",
        report="Expected Calibration Error",
        decimals=4,
        norm=sum_absolute,
    )
    equal_width_calibration_error: Estimate | None = metric(
        lambda sample: weigh_gaps(equal_width_bins(sample.tally, n_bins=sample.window.params.n_bins)),
        "… over bins of equal width",
        "for comparison with published figures",
        section="calibration",
        decimals=4,
        norm=sum_absolute,
        optional=True,
    )
    debiased_calibration_error: Estimate | None = metric(
        lambda sample: debiased_calibration_error(sample.bins),
        "… less what chance adds",
        "debiased, as if rows were independent",
        section="calibration",
        decimals=4,
        interval="expected_calibration_error",  # both estimate the same true error
        optional=True,
    )
    calibration_slope: Estimate = metric(
        lambda sample: sample.line[1],
        "Slope",
        "1 is right; below it the model is too sure of itself",
        section="calibration",
        report="Calibration Slope",
    )
    calibration_intercept: Estimate = metric(
        lambda sample: sample.line[0],
        "Intercept",
        "0 is right; below it the model predicts too much waste",
        section="calibration",
        report="Calibration Intercept",
    )
    brier_reliability: Estimate | None = metric(
        lambda sample: scale_gaps(sample.bins),
        "Brier score: reliability",
        "what miscalibration costs",
        section="calibration",
        decimals=4,
        norm=sum_squares,
        optional=True,
    )
    brier_resolution: Estimate | None = metric(
        lambda sample: sample.brier_parts[1],
        "Brier score: resolution",
        "what telling rows apart gains",
        section="calibration",
        decimals=4,
        optional=True,
    )
    brier_uncertainty: Estimate | None = metric(
        lambda sample: sample.brier_parts[2],
        "Brier score: uncertainty",
        "what the base rate alone leaves",
        section="calibration",
        decimals=4,
        optional=True,
    )
    hosmer_lemeshow_p_value: Estimate = metric(
        lambda sample: hosmer_lemeshow_p_value(sample.tally, n_groups=_DECILES),
        "Hosmer-Lemeshow p-value",
        "reported, never a gate: it rejects every model on many rows. As many degrees of freedom as groups, since "
        "the rows are new to the model",
        section="calibration",
        report="Hosmer-Lemeshow p-value",
        decimals=4,
        interval=NO_INTERVAL,
    )
    precision: Estimate = metric(
        lambda sample: precision(sample.tally, threshold=sample.window.threshold),
        "Precision",
        "share truly wasted among the alerts",
        section="threshold",
        report="Precision",
        support=lambda window: window.count_alerting_households(window.threshold),
    )
    recall: Estimate = metric(
        lambda sample: recall(sample.tally, threshold=sample.window.threshold),
        "Recall",
        "share of the wasted rows that are alerts",
        section="threshold",
        report="Recall",
    )
    f1: Estimate = metric(
        lambda sample: f1_score(sample.tally, threshold=sample.window.threshold),
        "F1",
        "harmonic mean of precision and recall",
        section="threshold",
        report="F1 Score",
    )
    precision_at_high_confidence: Estimate = metric(
        lambda sample: precision(sample.tally, threshold=sample.window.high_confidence),
        "Precision",
        "share truly wasted among the high-confidence alerts",
        section="high_confidence",
        report="Precision",
        support=lambda window: window.count_alerting_households(window.high_confidence),
    )
    recall_at_high_confidence: Estimate = metric(
        lambda sample: recall(sample.tally, threshold=sample.window.high_confidence),
        "Recall",
        "share of the wasted rows that are high-confidence alerts",
        section="high_confidence",
        report="Recall",
    )
    days_mae: Estimate | None = metric(
        lambda sample: sample.window.days_errors.mean_absolute(sample.weights),
        "Mean absolute error",
        "over the wasted rows",
        section="days",
        report="Mean absolute error",
        decimals=2,
        unit="days",
        needs=("days", "days_predicted"),
        support=lambda window: window.days_errors.n_households,
    )
    days_rmse: Estimate | None = metric(
        lambda sample: sample.window.days_errors.root_mean_squared(sample.weights),
        "Root mean squared error",
        "over the same rows; large errors weigh more",
        section="days",
        report="Root mean squared error",
        decimals=2,
        unit="days",
        needs=("days", "days_predicted"),
        support=lambda window: window.days_errors.n_households,
    )
    days_mae_where_label: Estimate | None = metric(
        lambda sample: sample.window.days_errors_where_label.mean_absolute(sample.weights),
        "Mean absolute error, where a date is printed",
        "of the model",
        section="label_days",
        report="the model",
        decimals=2,
        unit="days",
        needs=("days", "days_predicted", "days_on_label"),
        support=lambda window: window.days_errors_where_label.n_households,
    )
    label_days_mae: Estimate | None = metric(
        lambda sample: sample.window.label_errors.mean_absolute(sample.weights),
        "… of the printed date itself",
        "the baseline to beat: wasted on the printed date",
        section="label_days",
        report="the days on the label",
        decimals=2,
        unit="days",
        needs=("days", "days_on_label"),
        support=lambda window: window.label_errors.n_households,
    )
