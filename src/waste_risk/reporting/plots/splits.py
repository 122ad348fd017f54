"""The figure of the splits: which days train, which are purged, which evaluate."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from waste_risk.parameters import Observation
from waste_risk.reporting.plots.style import MODEL, PALE, QUIET, make_figure, tidy


def plot_splits(
    fold_metrics: pd.DataFrame, development: pd.DataFrame, test: pd.DataFrame, observation: Observation
) -> Figure:
    """Plot which days train and which evaluate, for each fold and for the test window; the gap between is purged."""
    days = fold_metrics[["train_until", "test_from", "test_until"]].to_numpy().tolist()
    names = [f"Fold {fold}" for fold in fold_metrics["fold"]]
    rows = pd.DataFrame(
        [*days, [development["observed_on"].max(), test["observed_on"].min(), test["observed_on"].max()]],
        columns=["train_until", "evaluated_from", "evaluated_until"],
        index=[*names, "Test"],
    )
    begin = pd.Series(development["observed_on"].min(), index=rows.index)
    figure = make_figure(6.4, 1.4 + 0.38 * len(rows))
    axes = figure.subplots()
    _bars(axes, begin, rows["train_until"], color=PALE, label="Trains")
    _bars(
        axes,
        rows["train_until"],
        rows["evaluated_from"],
        color="white",
        hatch="////",
        label="Purged: label not yet known",
    )
    _bars(axes, rows["evaluated_from"], rows["evaluated_until"], color=MODEL, label="Evaluates")
    title = f"Folds in time: a label is known after {observation.horizon_days} days"
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_yticks(range(len(rows)), rows.index)
    axes.invert_yaxis()
    axes.set(xlabel="Day of the observation", ylabel="Model")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    tidy(axes)
    return figure


def _bars(axes: Axes, begin: pd.Series, end: pd.Series, **style: Any) -> None:
    axes.barh(np.arange(len(begin)), end - begin, left=begin, height=0.6, ec=QUIET, lw=0.5, **style)
