"""The same metrics within groups of the rows: kinds of households, months, known and new households.

A group with few households, or few rows of either outcome, is counted and not measured: its metrics would be noise
that someone reads as a finding.

Fairness follows fairlearn's definitions, and its ``MetricFrame`` computes the differences between groups; intervals are
from the household bootstrap, which fairlearn lacks. Equal shares of alerts are no aim by themselves: where base rates
differ, a calibrated model alerts groups differently. What must hold within every group is calibration.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from waste_risk.arrays import Floats, Mask
from waste_risk.metrics.bootstrap import Estimate, Norm
from waste_risk.metrics.calibration import sum_absolute, weigh_gaps
from waste_risk.metrics.classification import (
    alert_rate,
    base_rate,
    calibration_in_the_large,
    false_positive_rate,
    recall,
    roc_auc,
)
from waste_risk.metrics.definition import Resample, Window, find_definitions, metric
from waste_risk.metrics.tally import count_scores


@dataclass(frozen=True)
class GroupMetrics:
    """Metrics within a group; tables show them in this order."""

    base_rate: Estimate = metric(
        lambda sample: base_rate(sample.tally), "Base rate", "share truly wasted", section="group"
    )
    calibration_gap: Estimate = metric(
        lambda sample: calibration_in_the_large(sample.tally),
        "Predicted too high by",
        "mean prediction less base rate",
        section="group",
        signed=True,
    )
    auc: Estimate = metric(
        lambda sample: roc_auc(sample.tally), "AUC", "of the group's rows among themselves", section="group"
    )
    alert_rate: Estimate = metric(
        lambda sample: alert_rate(sample.tally, threshold=sample.window.threshold),
        "Alert rate",
        "share of the rows that are alerts",
        section="group",
    )
    recall: Estimate = metric(
        lambda sample: recall(sample.tally, threshold=sample.window.threshold),
        "Recall",
        "share of the wasted rows that are alerts",
        section="group",
    )
    false_positive_rate: Estimate = metric(
        lambda sample: false_positive_rate(sample.tally, threshold=sample.window.threshold),
        "False positive rate",
        "share of the other rows that are alerts",
        section="group",
    )
    expected_calibration_error: Estimate = metric(
        lambda sample: weigh_gaps(sample.bins),
        "Expected calibration error",
        "over bins of equal mass",
        section="unlisted",
        norm=sum_absolute,
    )


@dataclass(frozen=True)
class Group:
    """Some of the rows; ``measured`` is null for a group too small to be measured."""

    name: str
    n_rows: int
    n_households: int
    n_wasted: int
    measured: GroupMetrics | None


@dataclass(frozen=True)
class Fairness:
    """Differences between the groups of one attribute; over the measured groups, null below two.

    Attributes:
        groups: every group, small ones too.
        demographic_parity_difference: between the largest and the smallest share of alerts.
        equalized_odds_difference: the larger of the differences in recall and in the false positive rate.
        auc_difference: between the largest and the smallest AUC.
        largest_calibration_gap: largest |mean probability − base rate| within a group; null without any.
    """

    groups: tuple[Group, ...]
    demographic_parity_difference: Estimate | None
    equalized_odds_difference: Estimate | None
    auc_difference: Estimate | None
    largest_calibration_gap: Estimate | None


def keep_measured(groups: Iterable[Group]) -> list[tuple[Group, GroupMetrics]]:
    """Return the groups that were large enough, each with its metrics."""
    return [(group, group.measured) for group in groups if group.measured is not None]


def measure_groups(window: Window, group: NDArray[np.str_]) -> tuple[Group, ...]:
    """Measure each group that is large enough, in the order of their names."""
    groups, _ = _measure_groups_and_gaps(window, group, gaps={})
    return groups


def measure_fairness(window: Window, group: NDArray[np.str_]) -> Fairness:
    """Measure the groups of one attribute, and the gaps between those large enough."""
    groups, intervals = _measure_groups_and_gaps(window, group, gaps=_GAPS)
    large = [each.name for each, _ in keep_measured(groups)]
    gaps: dict[str, Estimate | None] = dict.fromkeys(_GAPS)
    if large:
        by_group = _measure_by_fairlearn(window, group, large)
        gaps |= {
            name: replace(intervals[name], value=float(gap.norm(gap.stack(by_group)))) for name, gap in _GAPS.items()
        }
    if len(large) < 2:
        gaps |= dict.fromkeys(_BETWEEN)
    return Fairness(groups=groups, **gaps)


@dataclass(frozen=True)
class _Gap:
    """A distance between groups: metrics of theirs, and what maps shape (..., n_metrics, n_groups) to (...)."""

    metrics: tuple[str, ...]
    norm: Norm

    def stack(self, groups: Sequence[Mapping[str, Floats]]) -> Floats:
        """Lay the metrics of the groups side by side; shape (..., n_metrics, n_groups)."""
        return np.stack([np.stack([group[name] for group in groups], axis=-1) for name in self.metrics], axis=-2)


def _largest_difference(metrics: Floats) -> Floats:
    return np.asarray(np.ptp(metrics, axis=-1).max(axis=-1), dtype=np.float64)


def _largest_size(metrics: Floats) -> Floats:
    return np.asarray(np.abs(metrics).max(axis=(-2, -1)), dtype=np.float64)


_BETWEEN = {
    "demographic_parity_difference": _Gap(("alert_rate",), _largest_difference),
    "equalized_odds_difference": _Gap(("recall", "false_positive_rate"), _largest_difference),
    "auc_difference": _Gap(("auc",), _largest_difference),
}
_GAPS = _BETWEEN | {"largest_calibration_gap": _Gap(("calibration_gap",), _largest_size)}


def _measure_groups_and_gaps(
    window: Window, group: NDArray[np.str_], *, gaps: Mapping[str, _Gap]
) -> tuple[tuple[Group, ...], dict[str, Estimate]]:
    """Measure each large group, and the gaps between them in the same resamples."""
    rows, definitions = window.rows, find_definitions(GroupMetrics)
    masks = {str(name): group == name for name in np.unique(group)}
    large = {name: rows.count(rows=mask) for name, mask in masks.items() if _is_large(window, mask)}

    def measure(weights: Floats) -> dict[str, Floats]:
        samples = [Resample(window, counts.weighted(weights), weights) for counts in large.values()]
        each = [{metric: known.compute(sample) for metric, known in definitions.items()} for sample in samples]
        return {
            **{f"{name}.{metric}": one[metric] for name, one in zip(large, each, strict=True) for metric in one},
            **{name: gap.stack(each) for name, gap in gaps.items() if each},
        }

    support = {name: rows.count_households_of_either_outcome(masks[name]) for name in large}
    estimates = rows.estimate(
        measure,
        norms={name: gap.norm for name, gap in gaps.items()}
        | {f"{name}.{metric}": each.norm for name in large for metric, each in definitions.items() if each.norm},
        n_behind={f"{name}.{metric}": n for name, n in support.items() for metric in definitions}
        | dict.fromkeys(gaps, min(support.values(), default=0)),
    )
    groups = tuple(_describe(window, name, mask, name in large, estimates) for name, mask in masks.items())
    return groups, {name: estimates[name] for name in gaps if name in estimates}


def _is_large(window: Window, mask: Mask) -> bool:
    rows, params = window.rows, window.params
    n_wasted = int(rows.wasted[mask].sum())
    enough_rows = min(n_wasted, int(mask.sum()) - n_wasted) >= params.min_group_class
    return enough_rows and rows.count_households(mask) >= params.min_group_households


def _describe(window: Window, name: str, mask: Mask, is_large: bool, estimates: Mapping[str, Estimate]) -> Group:
    return Group(
        name=name,
        n_rows=int(mask.sum()),
        n_households=window.rows.count_households(mask),
        n_wasted=int(window.rows.wasted[mask].sum()),
        measured=GroupMetrics(**{each: estimates[f"{name}.{each}"] for each in find_definitions(GroupMetrics)})
        if is_large
        else None,
    )


def _measure_by_fairlearn(window: Window, group: NDArray[np.str_], large: list[str]) -> list[dict[str, Floats]]:
    from fairlearn.metrics import MetricFrame  # noqa: PLC0415, two seconds that no other command should pay

    definitions, rows = find_definitions(GroupMetrics), np.isin(group, large)

    def measure(y_true: Floats, y_pred: Floats) -> Floats:
        sample = Resample(window, count_scores(y_true=y_true, probability=y_pred), np.ones(1))
        return np.array([each.evaluate(sample) for each in definitions.values()], dtype=np.float64)

    frame = MetricFrame(
        metrics={"all": measure},  # all at once: fairlearn splits the rows anew for each metric
        y_true=window.rows.wasted[rows],
        y_pred=window.rows.probability[rows],
        sensitive_features=group[rows],
    )
    return [dict(zip(definitions, values, strict=True)) for values in frame.by_group["all"]]
