"""Whether kinds of households are warned alike, found alike, and told the truth alike.

Demographic parity and equalised odds in the words of fairlearn, whose ``MetricFrame`` gives the gaps; their intervals
are from the household bootstrap, which fairlearn does not know. Equal shares of alerts are no aim by themselves: where
base rates differ, a calibrated model alerts them differently. What must hold within every group is calibration.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from waste_risk.metrics.bootstrap import Estimate
from waste_risk.metrics.groups import Gap, Metric, Support, group_metrics, measure_groups_and_gaps
from waste_risk.metrics.parts import Fairness
from waste_risk.metrics.sample import Sample
from waste_risk.metrics.tally import Array, count_scores


def measure_fairness(
    sample: Sample, group: NDArray[np.str_], *, threshold: float, n_bins: int, support: Support
) -> Fairness:
    """Measure the groups of one attribute, and the gaps between those large enough."""
    groups, intervals = measure_groups_and_gaps(
        sample, group, threshold=threshold, n_bins=n_bins, support=support, gaps=GAPS
    )
    large = [each.name for each in groups if each.measured is not None]
    gaps: dict[str, Estimate | None] = dict.fromkeys(GAPS)
    if large:
        by_group = _measure_by_group(sample, group, large, group_metrics(threshold=threshold, n_bins=n_bins))
        gaps |= {
            name: replace(intervals[name], value=float(gap.norm(gap.stack(by_group)))) for name, gap in GAPS.items()
        }
    if len(large) < 2:
        gaps |= dict.fromkeys(_BETWEEN)
    return Fairness(groups=groups, **gaps)


def _measure_by_group(
    sample: Sample, group: NDArray[np.str_], large: list[str], metrics: Mapping[str, Metric]
) -> list[dict[str, Array]]:
    from fairlearn.metrics import MetricFrame  # noqa: PLC0415, two seconds that no other command should pay

    rows = np.isin(group, large)
    frame = MetricFrame(
        # All at once: fairlearn takes the rows apart anew for each metric.
        metrics={"all": partial(_of_rows, metrics.values())},
        y_true=sample.wasted[rows],
        y_pred=sample.probability[rows],
        sensitive_features=group[rows],
    )
    return [dict(zip(metrics, values, strict=True)) for values in frame.by_group["all"]]


def _of_rows(metrics: Iterable[Metric], y_true: Array, y_pred: Array) -> Array:
    tally = count_scores(y_true=y_true, probability=y_pred)
    return np.array([metric(tally) for metric in metrics], dtype=np.float64)


def _spread(metrics: Array) -> Array:
    """Take the largest difference between groups in any metric."""
    return np.asarray(np.ptp(metrics, axis=-1).max(axis=-1), dtype=np.float64)


def _largest(metrics: Array) -> Array:
    return np.asarray(np.abs(metrics).max(axis=(-2, -1)), dtype=np.float64)


_BETWEEN = {
    "demographic_parity_difference": Gap(("alert_rate",), _spread),
    "equalised_odds_difference": Gap(("recall", "false_positive_rate"), _spread),
    "auc_difference": Gap(("auc",), _spread),
}
GAPS = _BETWEEN | {"largest_calibration_gap": Gap(("calibration_gap",), _largest)}
