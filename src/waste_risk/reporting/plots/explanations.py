"""Figures of SHAP values: which features matter, and how they push the risk of each row."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from waste_risk.arrays import Floats
from waste_risk.formatting import to_words
from waste_risk.metrics import ValidationMetrics
from waste_risk.model.importance import draw_rows
from waste_risk.model.predictor import WastePredictor
from waste_risk.reporting.plots.style import MODEL, QUIET, add_title, describe_label, make_figure, tidy

_MOST_BARS, _MOST_SWARMS = 20, 15
_FEWEST_SWARMS = 6  # that the scale of the colors is as high as
_SLICES = 120  # of the axis: dots of one slice are stacked
_HALF_HEIGHT = 0.4  # of a row of dots; rows are 1 apart
_COLORS = colormaps["cividis"]  # told apart by color-blind readers
_UNKNOWN = "#C4C4C4"


def plot_feature_importance(feature_importance: pd.DataFrame, validation_metrics: ValidationMetrics) -> Figure:
    """Plot the twenty features that move the prediction most, by their mean absolute SHAP value.

    Args:
        feature_importance: one row per feature with ``feature`` and ``mean_abs_shap`` (log-odds).
        validation_metrics: say the horizon.
    """
    top = feature_importance.nlargest(_MOST_BARS, "mean_abs_shap")
    names = [to_words(str(name)) for name in top["feature"]]
    figure = make_figure(6.4, 1.4 + 0.28 * len(top))
    axes = figure.subplots()
    bars = axes.barh(names, top["mean_abs_shap"], color=MODEL, height=0.7)
    axes.bar_label(bars, fmt="{:.3f}", padding=3, fontsize=8, color=QUIET)
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.01)
    add_title(figure, f"What drives the predictions: {describe_label(validation_metrics)}")
    axes.set(xlabel="Mean |SHAP value| (change in log-odds)")
    axes.tick_params(axis="y", length=0)
    tidy(axes)
    axes.grid(visible=False, axis="y")
    return figure


def plot_contributions(predictor: WastePredictor, test: pd.DataFrame) -> Figure:
    """Plot the SHAP values of a sample of the test rows."""
    rows = draw_rows(predictor, test)
    contributions = predictor.explain(rows).drop(columns="base_value")
    return plot_shap_values(contributions, rows, predictor.metadata.horizon_days)


def plot_shap_values(contributions: pd.DataFrame, features: pd.DataFrame, horizon_days: int) -> Figure:
    """Plot one dot for each row and feature, at its SHAP value, colored by the feature's rank among the rows.

    Args:
        contributions: SHAP values in log-odds, a column for each feature, as ``WastePredictor.explain`` returns them.
        features: the values behind them, under the same index.
        horizon_days: of the label.
    """
    names = contributions.abs().mean().nlargest(_MOST_SWARMS).index
    figure = make_figure(6.4, 1.5 + 0.32 * max(len(names), _FEWEST_SWARMS))
    axes = figure.subplots()
    width = float(np.abs(contributions[names].to_numpy()).max())
    axes.axvline(0, color=QUIET, lw=0.8)
    for place, name in enumerate(names):
        _plot_dots(axes, place, contributions[name], features[name], width)
    axes.set_yticks(range(len(names)), [to_words(str(name)) for name in names])
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="SHAP value (change in log-odds)")
    axes.tick_params(axis="y", length=0)
    add_title(figure, f"What pushes the risk of waste within {horizon_days} days")
    tidy(axes)
    bar = figure.colorbar(ScalarMappable(cmap=_COLORS), ax=axes, aspect=40, pad=0.02, ticks=[0, 1])
    bar.set_ticklabels(["low", "high"])
    bar.set_label("Value of the feature (gray: unknown)", labelpad=-18)
    bar.outline.set_visible(False)
    return figure


def swarm(values: Floats, *, width: float) -> Floats:
    """Compute the height of each dot: dots of equal place fan out, and the fullest place is the highest."""
    slices = np.round(values / max(width, 1e-12) * _SLICES / 2).astype(int)
    order = pd.Series(values).groupby(slices).cumcount().to_numpy()
    offsets = np.where(order % 2, (order + 1) // 2, -(order // 2)).astype(np.float64)
    return np.asarray(offsets * _HALF_HEIGHT / max(np.abs(offsets).max(), 1.0), dtype=np.float64)


def _plot_dots(axes: Axes, place: int, contribution: pd.Series, feature: pd.Series, width: float) -> None:
    values = contribution.to_numpy(np.float64)
    heights = place + swarm(values, width=width)
    known = feature.notna().to_numpy()
    ranks = feature.rank(pct=True).to_numpy(np.float64)[known]
    axes.scatter(values[~known], heights[~known], s=5, c=_UNKNOWN, lw=0)
    axes.scatter(values[known], heights[known], s=5, c=ranks, cmap=_COLORS, vmin=0, vmax=1, lw=0)
