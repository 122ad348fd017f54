"""What a validation did not show, or showed to be weak: sentences for the model card, from the metrics alone."""

from collections.abc import Iterator

from waste_risk.formatting import (
    format_number,
    format_signed,
    join_words,
    make_typographic,
    to_heading,
    to_words,
)
from waste_risk.metrics import FEWEST_HOUSEHOLDS, Estimate, ValidationMetrics, keep_measured

# How often intervals hold the true value was measured at 150 and 1,000 households: docs/coverage.md.
_MANY_HOUSEHOLDS = 500


def find_limitations(metrics: ValidationMetrics) -> list[str]:
    """Return each weakness that the metrics show, and what they could not show; the gravest first."""
    return [*_truth(metrics), *_evidence(metrics), *_calibration(metrics), *_groups(metrics)]


def _truth(metrics: ValidationMetrics) -> Iterator[str]:
    if metrics.beats_oracle:
        yield "The model ranks better than the true probability does: it has seen what it must not."
    if metrics.oracle_auc is None:
        yield "Nobody knows the true probabilities of this source, so how much better a model could be is unknown."
    else:
        yield (
            "What became of the items is simulated: these figures show what the method can do on such data, not what "
            "it does in real kitchens."
        )


def _intervals(metrics: ValidationMetrics) -> Iterator[str]:
    if metrics.confidence is None:
        yield "No intervals were computed, so how much of the figures is chance is unknown."
    elif metrics.auc.low is None:
        yield (
            f"Fewer than {FEWEST_HOUSEHOLDS} households have rows of either outcome, too few for intervals: how much "
            "of the figures is chance is unknown."
        )
    elif metrics.n_households is not None and metrics.n_households < _MANY_HOUSEHOLDS:
        yield (
            "Of so few households some intervals are inexact. Those of the newest 30 days and of the days to waste are "
            "a little too narrow, presumably because they rest on few rows; those of the calibration errors of groups "
            "and months are too wide, since chance outweighs such errors."
        )


def _evidence(metrics: ValidationMetrics) -> Iterator[str]:
    yield from _intervals(metrics)
    if metrics.n_households is None:
        yield "Rows were not told apart by household, so every row counts as a household of its own."
    if min(metrics.n_wasted, metrics.n_rows - metrics.n_wasted) == 0:
        yield "All rows had the same outcome: how well the model tells them apart is unknown."
    if not metrics.baselines:
        yield "The model was not compared with baselines."
    if metrics.n_alerts == 0:
        yield f"No probability reached {metrics.high_confidence:g}, so nothing is known about high-confidence alerts."
    if not metrics.by_month:
        yield "The observations have no dates here, so how steady the model is over time is unknown."


def _calibration(metrics: ValidationMetrics) -> Iterator[str]:
    error, chance = metrics.expected_calibration_error, metrics.calibration_error_under_null
    if chance is not None and error.value > chance.high:
        yield (
            f"The calibration error of {format_number(error)} is more than chance explains: a perfectly "
            f"calibrated model would show up to {format_number(chance.high)}."
        )
    slope = metrics.calibration_slope
    if _excludes(slope, 1):
        sure = "too sure of itself" if slope.value < 1 else "not sure enough"
        yield f"The calibration slope of {make_typographic(format_number(slope, 3))} says that the model is {sure}."


def _groups(metrics: ValidationMetrics) -> Iterator[str]:
    if metrics.by_known_household and "new" not in {
        group.name for group, _ in keep_measured(metrics.by_known_household)
    }:
        yield "Too few rows of new households were evaluated to say how well the model does for them."
    for attribute, fairness in metrics.fairness.items():
        small = [f"{group.name} ({group.n_rows:,} rows)" for group in fairness.groups if group.measured is None]
        if small:
            yield f"{to_heading(attribute)}: too small to be measured: {join_words(small)}."
    yield from _gaps(metrics)


def _gaps(metrics: ValidationMetrics) -> Iterator[str]:
    groups = {
        f"{to_words(attribute)} {group.name}": measured
        for attribute, fairness in metrics.fairness.items()
        for group, measured in keep_measured(fairness.groups)
    }
    groups |= {group.name: measured for group, measured in keep_measured(metrics.by_month)}
    gaps = {name: measured.calibration_gap for name, measured in groups.items()}
    points = {name: make_typographic(format_signed(100 * gap.value, 1)) for name, gap in gaps.items()}
    off = [f"{name} ({points[name]} points)" for name, gap in gaps.items() if _excludes(gap, 0)]
    if off and metrics.confidence is not None:
        yield (
            f"The mean prediction lies off the share wasted by more than its interval in {len(off)} of {len(gaps)} "
            f"groups and months, where chance alone would give about {len(gaps) * (1 - metrics.confidence):.1f}: "
            f"{join_words(off)}."
        )


def _excludes(estimate: Estimate, number: float) -> bool:
    return estimate.low is not None and estimate.high is not None and not estimate.low <= number <= estimate.high
