"""The beeswarm of SHAP values: how each feature pushes the risk of each row, and at which of its values."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from numpy.typing import NDArray

from waste_risk.reporting.plots.style import QUIET, make_figure, tidy

Array = NDArray[np.float64]

_MOST_FEATURES = 15
_SLICES = 120  # of the axis: dots of one slice are stacked
_HALF_HEIGHT = 0.4  # of a row of dots; rows are 1 apart
_COLOURS = colormaps["cividis"]  # told apart by colour-blind readers
_UNKNOWN = "#C4C4C4"


def plot_contributions(*, contributions: pd.DataFrame, features: pd.DataFrame, horizon_days: int) -> Figure:
    """Draw one dot for each row and feature, at its SHAP value, coloured by the feature's rank among the rows.

    Args:
        contributions: SHAP values in log-odds, a column for each feature, as ``WastePredictor.explain`` gives them.
        features: the values behind them, under the same index.
        horizon_days: how far ahead the label looks.
    """
    names = contributions.abs().mean().nlargest(_MOST_FEATURES).index
    figure = make_figure(6.4, 1.5 + 0.32 * len(names))
    axes = figure.subplots()
    width = float(np.abs(contributions[names].to_numpy()).max())
    axes.axvline(0, color=QUIET, lw=0.8)
    for place, name in enumerate(names):
        _draw_dots(axes, place, contributions[name], features[name], width)
    axes.set_yticks(range(len(names)), [str(name).replace("_", " ") for name in names])
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="SHAP value (change in log-odds)")
    axes.tick_params(axis="y", length=0)
    title = f"What pushes the risk of waste within {horizon_days} days"
    figure.suptitle(title, x=0.02, ha="left", fontsize="large", fontweight="bold")
    tidy(axes)
    _draw_legend(figure, axes)
    return figure


def swarm(values: Array, *, width: float) -> Array:
    """Give each dot its height: dots of equal place fan out from the middle, and the fullest place is the highest."""
    slices = np.round(values / max(width, 1e-12) * _SLICES / 2).astype(int)
    order = pd.Series(values).groupby(slices).cumcount().to_numpy()
    offsets = np.where(order % 2, (order + 1) // 2, -(order // 2)).astype(np.float64)
    return np.asarray(offsets * _HALF_HEIGHT / max(np.abs(offsets).max(), 1.0), dtype=np.float64)


def _draw_dots(axes: Axes, place: int, contribution: pd.Series, feature: pd.Series, width: float) -> None:
    values = contribution.to_numpy(np.float64)
    heights = place + swarm(values, width=width)
    known = feature.notna().to_numpy()
    ranks = feature.rank(pct=True).to_numpy(np.float64)[known]
    axes.scatter(values[~known], heights[~known], s=5, c=_UNKNOWN, lw=0)
    axes.scatter(values[known], heights[known], s=5, c=ranks, cmap=_COLOURS, vmin=0, vmax=1, lw=0)


def _draw_legend(figure: Figure, axes: Axes) -> None:
    bar = figure.colorbar(ScalarMappable(cmap=_COLOURS), ax=axes, aspect=40, pad=0.02, ticks=[0, 1])
    bar.set_ticklabels(["low", "high"])
    bar.set_label("Value of the feature (grey: unknown)", labelpad=-18)
    bar.outline.set_visible(False)
