"""Figures of predictions beside what happened: ranking, calibration, alerts."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from waste_risk.arrays import Floats
from waste_risk.metrics import (
    ReliabilityBins,
    Tally,
    ValidationMetrics,
    average_precision,
    base_rate,
    brier_score,
    count_scores,
    expected_calibration_error,
    precision,
    recall,
    reliability_bins,
    roc_auc,
)
from waste_risk.parameters import Validation
from waste_risk.reporting.plots.style import MARK, MODEL, ORACLE, PALE, QUIET, describe_label, make_figure, tidy


def plot_roc_curve(
    test_predictions: pd.DataFrame, oracle: pd.DataFrame, validation_metrics: ValidationMetrics
) -> Figure:
    """Plot the ROC curve with the threshold on it.

    Args:
        test_predictions: probabilities beside what happened.
        oracle: the true probabilities of the same rows, for a curve of their own; no rows where they are not known.
        validation_metrics: say the threshold and the horizon.
    """
    tally, threshold = _count(test_predictions), validation_metrics.threshold
    figure, axes = _square(f"ROC curve: {describe_label(validation_metrics)}")
    if len(oracle):
        truth = count_scores(y_true=test_predictions["wasted"], probability=oracle["probability"])
        axes.plot(*_roc_points(truth), color=ORACLE, ls="--", label=f"True probability (AUC {roc_auc(truth):.3f})")
    axes.plot(*_roc_points(tally), color=MODEL, lw=2, label=f"Model (AUC {roc_auc(tally):.3f})")
    alarms = tally.negatives[tally.scores >= threshold].sum() / tally.negatives.sum()
    at = alarms, recall(tally, threshold=threshold)
    axes.plot(*at, "o", ms=9, color=MARK, mec="white", label=f"Threshold {threshold:.3f}")
    axes.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=":", label="Chance (AUC 0.500)")
    axes.set(xlabel="False positive rate", ylabel="True positive rate (recall)")
    axes.legend(loc="lower right", frameon=False)
    return figure


def plot_precision_recall_curve(test_predictions: pd.DataFrame, validation_metrics: ValidationMetrics) -> Figure:
    """Plot precision against recall with both thresholds on it and the base rate as the floor."""
    tally = _count(test_predictions)
    figure, axes = _square(f"Precision and recall: {describe_label(validation_metrics)}")
    precisions = np.cumsum(tally.positives) / np.cumsum(tally.totals)
    points = _share_so_far(tally.positives), np.concatenate([precisions[:1], precisions])
    axes.step(*points, where="pre", color=MODEL, lw=2, label=f"Model (AP {average_precision(tally):.3f})")
    _mark_alerts(axes, tally, validation_metrics.threshold, "Threshold", "o")
    _mark_alerts(axes, tally, validation_metrics.high_confidence, "High confidence", "D")
    floor = float(base_rate(tally))
    axes.axhline(floor, color=QUIET, lw=1, ls=":", label=f"Base rate {floor:.3f}")
    axes.set(xlabel="Recall", ylabel="Precision")
    axes.legend(loc="best", frameon=False)
    return figure


def plot_calibration_curve(
    test_predictions: pd.DataFrame, validation_metrics: ValidationMetrics, validation: Validation
) -> Figure:
    """Plot observed against predicted waste in bins of equal mass, with 95 % intervals, over a histogram."""
    tally, n_bins = _count(test_predictions), validation.n_bins
    figure = make_figure(5.4, 6.3)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    axes.set_title(f"Calibration: {describe_label(validation_metrics)}", loc="left", fontweight="bold")
    axes.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=":", label="Perfect calibration")
    _plot_reliability(axes, reliability_bins(tally, n_bins=n_bins))
    axes.set(ylabel="Observed share wasted", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="upper left", frameon=False)
    summary = f"ECE {expected_calibration_error(tally, n_bins=n_bins):.4f}\nBrier score {brier_score(tally):.4f}"
    axes.text(0.97, 0.04, summary, transform=axes.transAxes, ha="right", va="bottom")
    below.hist(tally.scores, bins=np.linspace(0, 1, 41), weights=tally.totals, color=PALE, edgecolor="white", lw=0.4)
    below.set(xlabel="Predicted probability", ylabel="Rows")
    below.yaxis.set_major_formatter("{x:,.0f}")
    tidy(axes, below)
    return figure


def plot_confusion_matrix(test_predictions: pd.DataFrame, validation_metrics: ValidationMetrics) -> Figure:
    """Plot how many rows were wasted or not, with and without an alert, and their share of the observed class."""
    tally, threshold = _count(test_predictions), validation_metrics.threshold
    alert = tally.scores >= threshold
    counts = np.array([[side[~alert].sum(), side[alert].sum()] for side in (tally.negatives, tally.positives)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    figure = make_figure(5.2, 5.6)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{counts[row, column]:,.0f}\n{100 * share:.1f} %"
        axes.text(column, row, text, ha="center", va="center", fontsize=15, color="white" if share > 0.5 else "black")
    label = describe_label(validation_metrics).capitalize()
    axes.set_title(f"{label}, alert from {threshold:.3f}", loc="left", fontweight="bold")
    axes.set(xlabel="Predicted (shares are of the observed class)", ylabel="Observed", xticks=[0, 1], yticks=[0, 1])
    axes.set_xticklabels(["not wasted", "wasted"])
    axes.set_yticklabels(["not wasted", "wasted"], rotation=90, va="center")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _count(test_predictions: pd.DataFrame) -> Tally:
    return count_scores(y_true=test_predictions["wasted"], probability=test_predictions["waste_probability"])


def _square(title: str) -> tuple[Figure, Axes]:
    figure = make_figure(5.4, 5.4)
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    tidy(axes)
    return figure, axes


def _roc_points(tally: Tally) -> tuple[Floats, Floats]:
    return _share_so_far(tally.negatives), _share_so_far(tally.positives)


def _share_so_far(counts: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])


def _mark_alerts(axes: Axes, tally: Tally, threshold: float, name: str, marker: str) -> None:
    found, right = float(recall(tally, threshold=threshold)), float(precision(tally, threshold=threshold))
    # Without alerts the precision is NaN: nothing is drawn, and the legend says why.
    what = "no alert" if np.isnan(right) else f"precision {right:.3f}, recall {found:.3f}"
    axes.plot(found, right, marker, ms=9, color=MARK, mec="white", label=f"{name} {threshold:.3g}: {what}")


def _plot_reliability(axes: Axes, bins: ReliabilityBins) -> None:
    filled = bins.rows > 0
    rows, observed = bins.rows[filled], bins.observed[filled] / bins.rows[filled]
    low, high = _wilson(observed, rows)
    axes.errorbar(
        bins.expected[filled] / rows,
        observed,
        yerr=[observed - low, high - observed],
        fmt="o-",
        color=MODEL,
        ms=5,
        lw=1.2,
        capsize=2,
        label=f"Model, {filled.sum()} bins of about {rows.mean():,.0f} rows",
    )


def _wilson(share: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Compute the 95 % interval of a share (Wilson 1927), which stays inside [0, 1]."""
    z = ndtri(0.975)
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    reach = z * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2)) / (1 + z**2 / rows)
    return np.minimum(centre - reach, share), np.maximum(centre + reach, share)
