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
        gaps |= {name: replace(intervals[name], value=float(gap(by_group))) for name, gap in GAPS.items()}
    if len(large) < 2:
        gaps |= dict.fromkeys(_BETWEEN)
    return Fairness(groups=groups, **gaps)


def _measure_by_group(
    sample: Sample, group: NDArray[np.str_], large: list[str], metrics: Mapping[str, Metric]
) -> dict[str, Array]:
    from fairlearn.metrics import MetricFrame  # noqa: PLC0415, two seconds that no other command should pay

    rows = np.isin(group, large)
    frame = MetricFrame(
        # All at once: fairlearn takes the rows apart anew for each metric.
        metrics={"all": partial(_of_rows, metrics.values())},
        y_true=sample.wasted[rows],
        y_pred=sample.probability[rows],
        sensitive_features=group[rows],
    )
    return dict(zip(metrics, np.stack(frame.by_group["all"].to_list(), axis=1), strict=True))


def _of_rows(metrics: Iterable[Metric], y_true: Array, y_pred: Array) -> Array:
    tally = count_scores(y_true=y_true, probability=y_pred)
    return np.array([metric(tally) for metric in metrics], dtype=np.float64)


def _between(metric: str, groups: Mapping[str, Array]) -> Array:
    spread: Array = groups[metric].max(axis=0) - groups[metric].min(axis=0)
    return spread


def _between_odds(groups: Mapping[str, Array]) -> Array:
    return np.maximum(_between("recall", groups), _between("false_positive_rate", groups))


def _within(groups: Mapping[str, Array]) -> Array:
    return np.asarray(np.abs(groups["calibration_gap"]).max(axis=0), dtype=np.float64)


_BETWEEN: dict[str, Gap] = {
    "demographic_parity_difference": partial(_between, "alert_rate"),
    "equalised_odds_difference": _between_odds,
    "auc_difference": partial(_between, "auc"),
}
GAPS: dict[str, Gap] = {**_BETWEEN, "largest_calibration_gap": _within}
