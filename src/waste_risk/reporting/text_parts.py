"""The later sections of the text report: calibration and chance, baselines, fairness, stability, alerts."""

import textwrap
from collections.abc import Iterable

from waste_risk.formatting import (
    NOT_AVAILABLE,
    format_interval,
    format_number,
    format_percent,
    format_signed,
    to_heading,
)
from waste_risk.metrics import Fairness, Group, ValidationMetrics

WIDTH = 80
LABEL_WIDTH = 28
_COLUMN_WIDTH = 13


def line(label: str, value: str) -> str:
    """Return a line with a label and its value."""
    return f"{label + ': ':<{LABEL_WIDTH}}{value}"


def write_calibration_and_chance(metrics: ValidationMetrics) -> list[str]:
    """Return how much of the calibration error may be chance."""
    debiased, chance = metrics.debiased_calibration_error, metrics.calibration_error_under_null
    if debiased is None or chance is None or metrics.confidence is None:
        return []
    of_perfect = (
        f"{format_number(chance.mean)} on average, {format_percent(metrics.confidence, 0)} of draws below "
        f"{format_number(chance.high)}"
    )
    return [
        line(
            "Debiased Calibration Error",
            f"{format_number(debiased)}, interval of the true one {format_interval(debiased, missing=NOT_AVAILABLE)}",
        ),
        line("A perfect model would show", of_perfect),
        "Chance only adds to a calibration error, so the true one may lie below it.",
    ]


def write_baselines(metrics: ValidationMetrics) -> list[str]:
    """Return how far the model's AUC lies above that of each baseline, with the interval of the difference."""
    if not metrics.baselines:
        return []
    rows = []
    for name, each in metrics.baselines.items():
        gain = format_number(each.auc_gain), format_interval(each.auc_gain, missing=NOT_AVAILABLE)
        rows.append(line(to_heading(name), _columns([format_number(each.auc), *gain])))
    return [_header(["AUC", "gain", "interval of the gain"]), *rows]


def write_fairness(metrics: ValidationMetrics) -> list[str]:
    """Return the gaps between the groups of each sensitive attribute, and which groups are too small."""
    if not metrics.fairness:
        return []
    rows = [row for name, each in metrics.fairness.items() for row in _gaps(name, each)]
    return [_header(["parity", "odds", "AUC", "calibration"]), *rows]


def write_stability(metrics: ValidationMetrics) -> list[str]:
    """Return AUC and calibration by month and for known and new households, and the adversarial validation."""
    groups = [*metrics.by_month, *metrics.by_known_household]
    header = [_header(["rows", "AUC", "base rate", "too high by"])] if groups else []
    return [*header, *map(_group, groups), *_adversarial(metrics)]


def _adversarial(metrics: ValidationMetrics) -> list[str]:
    found = metrics.adversarial_validation
    if found is None:
        return []
    by = f" (by {', '.join(found.features)})" if found.features else ""
    wrapped = textwrap.wrap(f"AUC {format_number(found.auc)}{by}", WIDTH - LABEL_WIDTH, break_long_words=False)
    return [line("Adversarial validation", wrapped[0]), *(" " * LABEL_WIDTH + each for each in wrapped[1:])]


def write_alerts(metrics: ValidationMetrics) -> list[str]:
    """Return what alerts are worth: a few a week, early enough, at the cheapest threshold."""
    return [*_weekly(metrics), *_lead_time(metrics), *_cost(metrics)]


def _weekly(metrics: ValidationMetrics) -> list[str]:
    weekly = metrics.weekly_alerts
    if weekly is None:
        return []
    return [
        line(
            f"At most {weekly.per_week} a week",
            f"precision {format_number(weekly.precision)}, recall {format_number(weekly.recall)}, "
            f"{weekly.n_alerts:,} alerts",
        )
    ]


def _lead_time(metrics: ValidationMetrics) -> list[str]:
    lead = metrics.lead_time
    if lead is None or not lead.n_items:
        return []
    days = f"median {format_number(lead.median_days, 1)}, mean {format_number(lead.mean_days, 1)} days to the waste"
    return [
        line(f"First alert at {metrics.high_confidence:g}", days),
        line("  Wasted items alerted", f"{lead.n_items:,}"),
    ]


def _cost(metrics: ValidationMetrics) -> list[str]:
    cost = metrics.cost
    if cost is None:
        return []
    return [
        line("Cheapest threshold", f"{format_number(cost.threshold, 3)}, costs {format_number(cost.cost)} a row"),
        line("  Without any alert", f"costs {format_number(cost.cost_without_alerts)} a row"),
    ]


def _gaps(name: str, each: Fairness) -> Iterable[str]:
    gaps = (
        each.demographic_parity_difference,
        each.equalized_odds_difference,
        each.auc_difference,
        each.largest_calibration_gap,
    )
    yield line(to_heading(name), _columns([format_number(gap) for gap in gaps]))
    small = [f"{group.name} ({group.n_rows:,} rows)" for group in each.groups if group.measured is None]
    if small:
        yield line("  Too small to measure", ", ".join(small))


def _group(group: Group) -> str:
    label = f"{group.name.capitalize()} households" if group.name in {"known", "new"} else group.name
    rows, measured = f"{group.n_rows:,}", group.measured
    if measured is None:
        return line(label, _columns([rows, "too small to measure"]))
    rates = [format_number(measured.auc), format_number(measured.base_rate), format_signed(measured.calibration_gap)]
    return line(label, _columns([rows, *rates]))


def _header(names: list[str]) -> str:
    return " " * LABEL_WIDTH + _columns(names)


def _columns(values: list[str]) -> str:
    return "".join(f"{value:<{_COLUMN_WIDTH}}" for value in values).rstrip()
