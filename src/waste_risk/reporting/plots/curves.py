"""The figures of a validation: pure functions from arrays to matplotlib figures."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from waste_risk.metrics import (
    ReliabilityBins,
    Tally,
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
from waste_risk.reporting.plots.style import MARK, MODEL, ORACLE, PALE, QUIET, make_figure, tidy

Array = NDArray[np.float64]

_MOST_FEATURES = 20


def plot_roc(
    *,
    y_true: ArrayLike,
    probability: ArrayLike,
    threshold: float,
    horizon_days: int,
    oracle_probability: ArrayLike | None = None,
) -> Figure:
    """Draw the ROC curve with the operating threshold on it, and the true probability's curve where that is known."""
    tally = count_scores(y_true=y_true, probability=probability)
    figure, axes = _square(f"ROC curve: wasted within {horizon_days} days")
    if oracle_probability is not None:
        oracle = count_scores(y_true=y_true, probability=oracle_probability)
        axes.plot(*_roc_points(oracle), color=ORACLE, ls="--", label=f"True probability (AUC {roc_auc(oracle):.3f})")
    axes.plot(*_roc_points(tally), color=MODEL, lw=2, label=f"Model (AUC {roc_auc(tally):.3f})")
    alarms = tally.negatives[tally.scores >= threshold].sum() / tally.negatives.sum()
    at = alarms, recall(tally, threshold=threshold)
    axes.plot(*at, "o", ms=9, color=MARK, mec="white", label=f"Threshold {threshold:.3f}")
    axes.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=":", label="Chance (AUC 0.500)")
    axes.set(xlabel="False positive rate", ylabel="True positive rate (recall)")
    axes.legend(loc="lower right", frameon=False)
    return figure


def plot_precision_recall(
    *, y_true: ArrayLike, probability: ArrayLike, threshold: float, high_confidence: float, horizon_days: int
) -> Figure:
    """Draw precision against recall with both thresholds on it and the base rate as the floor."""
    tally = count_scores(y_true=y_true, probability=probability)
    figure, axes = _square(f"Precision and recall: wasted within {horizon_days} days")
    recalls, precisions = _precision_recall_points(tally)
    axes.step(recalls, precisions, where="pre", color=MODEL, lw=2, label=f"Model (AP {average_precision(tally):.3f})")
    _mark_alerts(axes, tally, threshold, "Threshold", "o")
    _mark_alerts(axes, tally, high_confidence, "High confidence", "D")
    floor = float(base_rate(tally))
    axes.axhline(floor, color=QUIET, lw=1, ls=":", label=f"Base rate {floor:.3f}")
    axes.set(xlabel="Recall", ylabel="Precision")
    axes.legend(loc="best", frameon=False)
    return figure


def plot_calibration(*, y_true: ArrayLike, probability: ArrayLike, n_bins: int, horizon_days: int) -> Figure:
    """Draw observed against predicted waste in bins of equal mass, with 95 % intervals and how often each is said."""
    tally = count_scores(y_true=y_true, probability=probability)
    figure = make_figure(5.4, 6.3)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    axes.set_title(f"Calibration: wasted within {horizon_days} days", loc="left", fontweight="bold")
    axes.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=":", label="Perfect calibration")
    _draw_reliability(axes, reliability_bins(tally, n_bins=n_bins))
    axes.set(ylabel="Observed share wasted", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="upper left", frameon=False)
    summary = f"ECE {expected_calibration_error(tally, n_bins=n_bins):.4f}\nBrier score {brier_score(tally):.4f}"
    axes.text(0.97, 0.04, summary, transform=axes.transAxes, ha="right", va="bottom")
    below.hist(tally.scores, bins=np.linspace(0, 1, 41), weights=tally.totals, color=PALE, edgecolor="white", lw=0.4)
    below.set(xlabel="Predicted probability", ylabel="Rows")
    below.yaxis.set_major_formatter("{x:,.0f}")
    tidy(axes, below)
    return figure


def plot_confusion_matrix(*, y_true: ArrayLike, probability: ArrayLike, threshold: float, horizon_days: int) -> Figure:
    """Draw how many rows were wasted or not and said to be or not, with their share of the true class."""
    tally = count_scores(y_true=y_true, probability=probability)
    alert = tally.scores >= threshold
    counts = np.array([[side[~alert].sum(), side[alert].sum()] for side in (tally.negatives, tally.positives)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    figure = make_figure(5.2, 5.6)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{counts[row, column]:,.0f}\n{100 * share:.1f} %"
        axes.text(column, row, text, ha="center", va="center", fontsize=15, color="white" if share > 0.5 else "black")
    axes.set_title(f"Wasted within {horizon_days} days, alert from {threshold:.3f}", loc="left", fontweight="bold")
    axes.set(xlabel="Predicted (shares are of the observed class)", ylabel="Observed", xticks=[0, 1], yticks=[0, 1])
    axes.set_xticklabels(["not wasted", "wasted"])
    axes.set_yticklabels(["not wasted", "wasted"], rotation=90, va="center")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def plot_feature_importance(*, feature_importance: pd.DataFrame, horizon_days: int) -> Figure:
    """Draw the twenty features that move the prediction most, by their mean absolute SHAP value.

    Args:
        feature_importance: one row per feature with ``feature`` and ``mean_abs_shap`` (log-odds).
        horizon_days: how far ahead the label looks.
    """
    top = feature_importance.nlargest(_MOST_FEATURES, "mean_abs_shap")
    names = [str(name).replace("_", " ") for name in top["feature"]]
    figure = make_figure(6.4, 1.4 + 0.28 * len(top))
    axes = figure.subplots()
    bars = axes.barh(names, top["mean_abs_shap"], color=MODEL, height=0.7)
    axes.bar_label(bars, fmt="{:.3f}", padding=3, fontsize=8, color=QUIET)
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.01)
    axes.set_title(f"What moves the risk of waste within {horizon_days} days", loc="left", fontweight="bold")
    axes.set(xlabel="Mean |SHAP value| (change in log-odds)")
    axes.tick_params(axis="y", length=0)
    tidy(axes)
    axes.grid(visible=False, axis="y")
    return figure


def _square(title: str) -> tuple[Figure, Axes]:
    figure = make_figure(5.4, 5.4)
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    tidy(axes)
    return figure, axes


def _roc_points(tally: Tally) -> tuple[Array, Array]:
    return _share_so_far(tally.negatives), _share_so_far(tally.positives)


def _share_so_far(counts: Array) -> Array:
    return np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])


def _precision_recall_points(tally: Tally) -> tuple[Array, Array]:
    precisions = np.cumsum(tally.positives) / np.cumsum(tally.totals)
    return _share_so_far(tally.positives), np.concatenate([precisions[:1], precisions])


def _mark_alerts(axes: Axes, tally: Tally, threshold: float, name: str, marker: str) -> None:
    found, right = float(recall(tally, threshold=threshold)), float(precision(tally, threshold=threshold))
    # Without alerts the precision is NaN: nothing is drawn, and the legend says why.
    what = "no alert" if np.isnan(right) else f"precision {right:.3f}, recall {found:.3f}"
    axes.plot(found, right, marker, ms=9, color=MARK, mec="white", label=f"{name} {threshold:.3g}: {what}")


def _draw_reliability(axes: Axes, bins: ReliabilityBins) -> None:
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


def _wilson(share: Array, rows: Array) -> tuple[Array, Array]:
    """Give the 95 % interval of a share (Wilson 1927), which stays inside [0, 1]."""
    z = ndtri(0.975)
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    reach = z * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2)) / (1 + z**2 / rows)
    return np.minimum(centre - reach, share), np.maximum(centre + reach, share)
