"""Figures of monitoring: expected and realized performance week by week, drift, alerted and other items."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from waste_risk.formatting import to_heading
from waste_risk.metrics import Estimate
from waste_risk.monitoring import MonitoringMetrics, Week
from waste_risk.reporting.plots.style import MARK, MODEL, PALE, QUIET, add_title, make_figure, tidy

_SHOWN = ("log_loss", "base_rate", "auc", "precision", "recall", "precision_at_high_confidence")
_MOST_COLUMNS = 20


def plot_monitored_weeks(monitoring_metrics: MonitoringMetrics) -> Figure:
    """Plot for each metric what was expected of each week, as a band, and what was realized, as points."""
    weeks = sorted(monitoring_metrics.weeks, key=lambda week: week.as_of)
    figure = make_figure(9.6, 7.2)
    all_axes = figure.subplots(3, 2, sharex=True).ravel()
    for axes, name in zip(all_axes, _SHOWN, strict=True):
        _plot_expected(axes, weeks, name)
        _plot_realized(axes, weeks, name)
        axes.set_title("AUC" if name == "auc" else to_heading(name), loc="left")
    _label_weeks(all_axes[-2:], weeks)
    handles, labels = all_axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    add_title(figure, f"Expected and realized, items up to {monitoring_metrics.max_age_days} days old")
    tidy(*all_axes)
    return figure


def plot_monitored_drift(monitoring_metrics: MonitoringMetrics) -> Figure:
    """Plot the PSI of the columns nearest to or beyond their limits, with what is usual and the limit."""
    shown = monitoring_metrics.change.columns[:_MOST_COLUMNS]
    figure = make_figure(7.2, 1.4 + 0.29 * len(shown))
    axes, places = figure.subplots(), np.arange(len(shown))
    colors = [MARK if drift.is_beyond else PALE for drift in shown]
    axes.barh(places, [drift.psi for drift in shown], height=0.62, color=colors, edgecolor=MODEL, lw=0.8)
    axes.plot([drift.usual for drift in shown], places, "|", color=MODEL, ms=11, mew=2, label="Usual")
    axes.plot([drift.limit for drift in shown], places, "|", color=QUIET, ms=11, mew=2, label="Limit")
    axes.set_yticks(places, [drift.name for drift in shown])
    axes.invert_yaxis()
    axes.set(xlabel="Population stability index", xlim=(0, None))
    axes.legend(loc="lower right", frameon=False)
    add_title(figure, f"Drift on {monitoring_metrics.change.as_of[:10]}")
    tidy(axes)
    axes.grid(visible=False, axis="y")
    return figure


def plot_monitored_alerts(monitoring_metrics: MonitoringMetrics) -> Figure:
    """Plot mean probability and share wasted of alerted items, of others, and of older ones."""
    groups = monitoring_metrics.groups
    figure = make_figure(6.4, 3.4)
    axes, places = figure.subplots(), np.arange(len(groups))
    add_title(figure, "Predicted and wasted, alerted or not")
    if not groups:
        axes.text(0, 0.5, "No week is mature yet.", va="center", color=QUIET)
        axes.set_axis_off()
        return figure
    axes.bar(places - 0.19, [group.mean_probability for group in groups], 0.36, color=PALE, ec=MODEL, label="Predicted")
    # The interval is of the gap, and so of the share wasted less what was predicted.
    reach = np.array([_reach(group.gap) for group in groups]).T
    wasted = [group.base_rate for group in groups]
    axes.bar(places + 0.19, wasted, 0.36, color=MARK, yerr=reach, ecolor=QUIET, capsize=3, label="Wasted")
    names = {"older": f"Older than {monitoring_metrics.max_age_days} days"}
    axes.set_xticks(places, [names.get(group.name, group.name.capitalize()) for group in groups])
    axes.set(ylabel="Share of the rows", ylim=(0, None))
    axes.legend(loc="best", frameon=False)
    tidy(axes)
    return figure


def _plot_expected(axes: Axes, weeks: list[Week], name: str) -> None:
    estimates = [week.expected[name] for week in weeks]
    low = [np.nan if each.low is None else each.low for each in estimates]
    high = [np.nan if each.high is None else each.high for each in estimates]
    places = np.arange(len(weeks))
    if len(weeks) == 1:
        axes.errorbar(places, [estimates[0].value], yerr=np.array([_reach(estimates[0])]).T, color=PALE, lw=8)
    else:
        axes.fill_between(places, low, high, color=PALE, alpha=0.6, lw=0, label="Interval of the estimate")
    axes.plot(places, [each.value for each in estimates], "-", color=MODEL, lw=1.4, label="Expected")


def _plot_realized(axes: Axes, weeks: list[Week], name: str) -> None:
    known = [(place, week) for place, week in enumerate(weeks) if week.realized is not None]
    inside = [
        (place, week.realized.metrics[name]) for place, week in known if week.realized and name not in week.unexpected
    ]
    outside = [
        (place, week.realized.metrics[name]) for place, week in known if week.realized and name in week.unexpected
    ]
    axes.plot(*_columns(inside), "o", color=MODEL, ms=4.5, label="Realized")
    axes.plot(*_columns(outside), "D", color=MARK, ms=5, label="Realized, outside of the interval")


def _columns(points: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [place for place, _ in points], [value for _, value in points]


def _reach(estimate: Estimate) -> tuple[float, float]:
    """Return how far an interval reaches below and above its value; 0 without one."""
    if estimate.low is None or estimate.high is None:
        return 0.0, 0.0
    return max(estimate.value - estimate.low, 0.0), max(estimate.high - estimate.value, 0.0)


def _label_weeks(all_axes: "list[Axes] | np.ndarray", weeks: list[Week]) -> None:
    step = max(1, len(weeks) // 8)
    for axes in all_axes:
        axes.set_xticks(
            np.arange(len(weeks))[::step], [week.as_of[:10] for week in weeks[::step]], rotation=45, ha="right"
        )
        axes.set_xlim(-0.6, len(weeks) - 0.4)
