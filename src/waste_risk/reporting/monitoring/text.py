"""The monitoring report as plain text."""

import textwrap
from collections.abc import Iterable
from datetime import datetime

from waste_risk.formatting import (
    NOT_AVAILABLE,
    format_count,
    format_interval,
    format_number,
    format_percent,
    format_signed,
)
from waste_risk.monitoring import MonitoringMetrics, Week
from waste_risk.reporting.monitoring.sentences import GAP_MEANS, tell_alert_effect, tell_maturity, tell_recent
from waste_risk.reporting.text_parts import WIDTH

_SHOWN = {"base_rate": "base rate", "log_loss": "log loss", "auc": "AUC", "precision": "precision", "recall": "recall"}
_MOST_COLUMNS = 12


def render_monitoring_text(metrics: MonitoringMetrics, *, generated_at: datetime | None = None) -> str:
    """Return the monitoring report, 80 columns wide, ending in a newline."""
    heavy = "=" * WIDTH
    lines = [
        heavy,
        "MONITORING REPORT",
        heavy,
        *([] if generated_at is None else [f"Generated: {generated_at:%Y-%m-%d %H:%M:%S}"]),
        *_section("ALARMS", _alarms(metrics)),
        *_section(f"EXPECTED → REALIZED (items up to {metrics.max_age_days} days old)", _weeks(metrics)),
        *_section("ALERTED AND NOT", _groups(metrics)),
        *_section("DRIFT", _drift(metrics)),
        heavy,
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return ["", title, "-" * WIDTH, *lines]


def _wrap(text: str, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later, break_long_words=False)


def _alarms(metrics: MonitoringMetrics) -> list[str]:
    lines = [line for alarm in metrics.alarms for line in _wrap(alarm.message, "! ", "  ")]
    return lines or ["None."]


def _weeks(metrics: MonitoringMetrics) -> list[str]:
    header = f"{'week of':<12}{'rows':>6}  " + "".join(f"{name:<12}" for name in _SHOWN.values())
    rows = [_week(week) for week in metrics.weeks]
    told = [line for text in (tell_maturity(metrics), *tell_recent(metrics)) for line in _wrap(text)]
    starred = f"*: outside of the {format_percent(metrics.confidence, 0)} interval of the estimate."
    return [header.rstrip(), *rows, *_wrap(starred), *told]


def _week(week: Week) -> str:
    cells = [f"{_expected(week, name)}{_realized(week, name)}" for name in _SHOWN]
    return (f"{week.begins_on:<12}{format_count(week.n_rows):>6}  " + "".join(f"{cell:<12}" for cell in cells)).rstrip()


def _expected(week: Week, name: str) -> str:
    return format_number(week.expected[name], 3).removeprefix("0")


def _realized(week: Week, name: str) -> str:
    if week.realized is None:
        return ""
    star = "*" if name in week.unexpected else ""
    return f"→{format_number(week.realized.metrics[name], 3).removeprefix('0')}{star}"


def _groups(metrics: MonitoringMetrics) -> list[str]:
    if not metrics.groups:
        return _wrap(tell_maturity(metrics))
    header = f"{'':<24}{'rows':>8}{'predicted':>11}{'wasted':>9}{'gap':>9}   {'interval':<18}".rstrip()
    names = {"older": f"older than {metrics.max_age_days} days"}
    rows = [
        f"{names.get(group.name, group.name).capitalize():<24}{format_count(group.n_rows):>8}"
        f"{format_number(group.mean_probability, 3):>11}{format_number(group.base_rate, 3):>9}"
        f"{format_signed(group.gap, 3):>9}   {format_interval(group.gap, 3, NOT_AVAILABLE)}"
        for group in metrics.groups
    ]
    told = [line for text in (GAP_MEANS, *tell_alert_effect(metrics)) for line in _wrap(text)]
    return [header, *rows, *told]


def _drift(metrics: MonitoringMetrics) -> list[str]:
    change = metrics.change
    against = (
        f"{change.as_of[:10]} against {change.n_moments} weekly moments from {change.reference_from[:10]} to "
        f"{change.reference_until[:10]}, by the population stability index (PSI):"
    )
    header = f"{'':<36}{'PSI':>8}{'usual':>9}{'limit':>9}"
    rows = [
        f"{drift.name:<36}{format_number(drift.psi, 3):>8}{format_number(drift.usual, 3):>9}"
        f"{format_number(drift.limit, 3):>9}{'  !' if drift.is_beyond else ''}"
        for drift in change.columns[:_MOST_COLUMNS]
    ]
    return [*_wrap(against), header, *rows, f"and {len(change.columns) - len(rows)} others, nearer to what is usual."]
