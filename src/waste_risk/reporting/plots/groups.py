"""Figures of groups of rows: kinds of households, months. A group too small to be measured is left out."""

from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from waste_risk.arrays import Floats, Integers
from waste_risk.formatting import to_heading
from waste_risk.metrics import Estimate, ValidationMetrics, keep_measured
from waste_risk.reporting.plots.style import MARK, MODEL, PALE, QUIET, add_title, describe_label, make_figure, tidy

_MONTHS_SIDE_BY_SIDE = 7


def plot_calibration_gaps(validation_metrics: ValidationMetrics) -> Figure:
    """Plot how far the mean prediction lies above or below the share wasted in each group, with its interval."""
    fairness = validation_metrics.fairness
    bars = [(name, *each) for name, kinds in fairness.items() for each in keep_measured(kinds.groups)]
    if not bars:
        return _plot_nothing("Calibration within groups")
    sizes = [len(list(each)) for _, each in groupby(name for name, _, _ in bars)]
    positions = np.arange(len(bars)) + 0.8 * np.repeat(np.arange(len(sizes)), sizes)  # with a gap between attributes
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


def _plot_estimates(
    axes: Axes, places: Integers, estimates: list[Estimate], *, color: str, fmt: str, label: str
) -> None:
    values = [estimate.value for estimate in estimates]
    axes.errorbar(places, values, yerr=_reaches(estimates), fmt=fmt, color=color, ms=5, capsize=3, label=label)


def _reaches(estimates: list[Estimate]) -> Floats:
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
