"""The same metrics within groups of the rows: kinds of households, months, known and new households.

A group with few households, or few rows of either outcome, is counted and not measured: its figures would be noise
that someone reads as a finding.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
from numpy.typing import NDArray

from waste_risk.metrics.bootstrap import Estimate, Norm
from waste_risk.metrics.calibration import expected_calibration_error, reliability_bins, sum_absolute, weigh_gaps
from waste_risk.metrics.classification import (
    alert_rate,
    base_rate,
    false_positive_rate,
    mean_probability,
    recall,
    roc_auc,
)
from waste_risk.metrics.parts import Group, GroupMetrics
from waste_risk.metrics.sample import Mask, Sample
from waste_risk.metrics.tally import Array, Tally

Metric = Callable[[Tally], Array]
_ERROR = "expected_calibration_error"


@dataclass(frozen=True)
class Support:
    """What a group needs to be measured: so many households, and so many rows of each outcome."""

    households: int
    each_class: int


@dataclass(frozen=True)
class Gap:
    """A distance between groups: metrics of theirs, and what maps shape (..., n_metrics, n_groups) to (...)."""

    metrics: tuple[str, ...]
    norm: Norm

    def stack(self, groups: Sequence[Mapping[str, Array]]) -> Array:
        """Lay the metrics of the groups side by side; shape (..., n_metrics, n_groups)."""
        return np.stack([np.stack([group[name] for group in groups], axis=-1) for name in self.metrics], axis=-2)


def measure_groups(
    sample: Sample, group: NDArray[np.str_], *, threshold: float, n_bins: int, support: Support
) -> tuple[Group, ...]:
    """Measure each group that is large enough, in the order of their names."""
    groups, _ = measure_groups_and_gaps(sample, group, threshold=threshold, n_bins=n_bins, support=support, gaps={})
    return groups


def measure_groups_and_gaps(
    sample: Sample,
    group: NDArray[np.str_],
    *,
    threshold: float,
    n_bins: int,
    support: Support,
    gaps: Mapping[str, Gap],
) -> tuple[tuple[Group, ...], dict[str, Estimate]]:
    """Measure each large group, and gaps between them."""
    rows = {str(name): group == name for name in np.unique(group)}
    large = {name: sample.count(rows=mask) for name, mask in rows.items() if _is_large(sample, mask, support)}
    metrics = group_metrics(threshold=threshold, n_bins=n_bins)
    in_parts = metrics | {_ERROR: lambda tally: weigh_gaps(reliability_bins(tally, n_bins=n_bins))}

    def measure(weights: Array) -> dict[str, Array]:
        each = {name: _measure(counts.weighted(weights), in_parts) for name, counts in large.items()}
        return {
            **{f"{name}.{metric}": value for name, one in each.items() for metric, value in one.items()},
            **{name: gap.stack(list(each.values())) for name, gap in gaps.items() if each},
        }

    norms = {name: gap.norm for name, gap in gaps.items()} | {f"{name}.{_ERROR}": sum_absolute for name in large}
    of_group = {name: sample.count_households_of_either_outcome(rows[name]) for name in large}
    n_behind = {f"{name}.{metric}": n for name, n in of_group.items() for metric in metrics}
    n_behind |= dict.fromkeys(gaps, min(of_group.values(), default=0))
    estimates = sample.estimate(measure, norms, n_behind)
    groups = tuple(_describe(sample, name, mask, name in large, estimates) for name, mask in rows.items())
    return groups, {name: estimates[name] for name in gaps if name in estimates}


def group_metrics(*, threshold: float, n_bins: int) -> dict[str, Metric]:
    """Name the functions that measure one group."""
    return {
        "auc": roc_auc,
        _ERROR: partial(expected_calibration_error, n_bins=n_bins),
        "calibration_gap": calibration_gap,
        "base_rate": base_rate,
        "alert_rate": partial(alert_rate, threshold=threshold),
        "recall": partial(recall, threshold=threshold),
        "false_positive_rate": partial(false_positive_rate, threshold=threshold),
    }


def calibration_gap(tally: Tally) -> Array:
    """Give the mean probability less the base rate: above 0 the model promises too much."""
    return mean_probability(tally) - base_rate(tally)


def _is_large(sample: Sample, mask: Mask, support: Support) -> bool:
    n_wasted = int(sample.wasted[mask].sum())
    enough_rows = min(n_wasted, int(mask.sum()) - n_wasted) >= support.each_class
    return enough_rows and len(np.unique(sample.household[mask])) >= support.households


def _measure(tally: Tally, metrics: Mapping[str, Metric]) -> dict[str, Array]:
    return {name: metric(tally) for name, metric in metrics.items()}


def _describe(sample: Sample, name: str, mask: Mask, is_large: bool, estimates: Mapping[str, Estimate]) -> Group:
    metrics = [field.name for field in fields(GroupMetrics)]
    return Group(
        name=name,
        n_rows=int(mask.sum()),
        n_households=len(np.unique(sample.household[mask])),
        n_wasted=int(sample.wasted[mask].sum()),
        measured=GroupMetrics(**{metric: estimates[f"{name}.{metric}"] for metric in metrics}) if is_large else None,
    )
