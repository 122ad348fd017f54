"""Figures of groups of rows: kinds of households, months, folds. A group too small to be measured is left out."""

from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from waste_risk.formatting import to_heading
from waste_risk.metrics import Estimate, ValidationMetrics, keep_measured
from waste_risk.parameters import Observation
from waste_risk.reporting.plots.style import MARK, MODEL, PALE, QUIET, add_title, describe_label, make_figure, tidy

_MONTHS_SIDE_BY_SIDE = 7


def plot_calibration_gaps(validation_metrics: ValidationMetrics) -> Figure:
    """Plot how far the mean prediction lies above or below the share wasted in each group, with its interval."""
    fairness = validation_metrics.fairness
    bars = [(name, *each) for name, kinds in fairness.items() for each in keep_measured(kinds.groups)]
    if not bars:
        return _plot_nothing("Calibration within groups")
    positions = np.arange(len(bars)) + 0.8 * _places([name for name, _, _ in bars])
    gaps = [measured.calibration_gap for _, _, measured in bars]
    figure = make_figure(6.4, 1.5 + 0.34 * (float(positions[-1]) + 1))
    axes = figure.subplots()
    axes.barh(positions, [gap.value for gap in gaps], height=0.62, color=PALE, edgecolor=MODEL, lw=0.8)
    axes.errorbar([gap.value for gap in gaps], positions, xerr=_reaches(gaps), fmt="none", ecolor=QUIET, capsize=2.5)
    axes.axvline(0, color=QUIET, lw=1)
    axes.set_yticks(positions, [f"{to_heading(name)}: {group.name}" for name, group, _ in bars])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    add_title(figure, f"Calibration within groups: {describe_label(validation_metrics)}")
    axes.set(xlabel="Mean prediction less share wasted\n← predicts too little waste      predicts too much →")
    tidy(axes)
    axes.grid(visible=False, axis="y")
    return figure


def plot_months(validation_metrics: ValidationMetrics) -> Figure:
    """Plot the AUC of each month with its interval, and below what was predicted beside what happened."""
    months = keep_measured(validation_metrics.by_month)
    if not months:
        return _plot_nothing("Month by month")
    figure = make_figure(6.4, 5.2)
    axes, below = figure.subplots(2, 1, sharex=True)
    places = np.arange(len(months))
    _plot_estimates(axes, places, [measured.auc for _, measured in months], color=MODEL, fmt="o-", label="AUC")
    _plot_estimates(
        below, places, [measured.base_rate for _, measured in months], color=MARK, fmt="s-", label="Share wasted"
    )
    predicted = [measured.base_rate.value + measured.calibration_gap.value for _, measured in months]
    below.plot(places, predicted, "o--", color=MODEL, label="Mean prediction")
    add_title(figure, f"Month by month: {describe_label(validation_metrics)}")
    axes.set(ylabel="AUC")
    below.set(ylabel="Probability", xlabel="Month of the observation", xlim=(-0.4, len(months) - 0.6))
    below.set_xticks(
        places, [group.name for group, _ in months], rotation=90 if len(months) > _MONTHS_SIDE_BY_SIDE else 0
    )
    below.legend(loc="best", frameon=False)
    tidy(axes, below)
    return figure


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


def _places(names: list[str]) -> NDArray[np.float64]:
    """Number the attributes, to leave a gap between them."""
    sizes = [len(list(each)) for _, each in groupby(names)]
    return np.repeat(np.arange(len(sizes)), sizes).astype(np.float64)


def _plot_estimates(
    axes: Axes, places: NDArray[np.int64], estimates: list[Estimate], *, color: str, fmt: str, label: str
) -> None:
    values = [estimate.value for estimate in estimates]
    axes.errorbar(places, values, yerr=_reaches(estimates), fmt=fmt, color=color, ms=5, capsize=3, label=label)


def _reaches(estimates: list[Estimate]) -> NDArray[np.float64]:
    """Return how far each interval reaches below and above its value; 0 without an interval."""
    low = [0.0 if each.low is None else max(each.value - each.low, 0.0) for each in estimates]
    high = [0.0 if each.high is None else max(each.high - each.value, 0.0) for each in estimates]
    return np.array([low, high])


def _plot_nothing(title: str) -> Figure:
    figure = make_figure(6.4, 1.6)
    axes = figure.subplots()
    add_title(figure, title)
    axes.text(0, 0.5, "No group is large enough to be measured.", va="center", color=QUIET)
    axes.set_axis_off()
    return figure
