"""Alarms: which changes are surely larger than what matters, each in a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from waste_risk.formatting import format_interval, format_limit, format_number, format_percent, format_signed
from waste_risk.metrics import Estimate
from waste_risk.monitoring.drift import PROBABILITY, Change
from waste_risk.monitoring.realized import RecentPerformance, Week
from waste_risk.parameters import Monitoring

Kind = Literal["calibration", "log_loss", "expected_log_loss", "prediction_drift", "feature_drift"]


@dataclass(frozen=True)
class Alarm:
    """One alarm, in words."""

    kind: Kind
    message: str


def find_alarms(
    weeks: tuple[Week, ...], recent: RecentPerformance | None, change: Change, params: Monitoring
) -> tuple[Alarm, ...]:
    """Return the alarms that sound now: what has been realized first, then what is expected, then drift.

    Args:
        weeks: expected and realized performance, from ``measure_weeks``.
        recent: of the newest mature weeks together; null if none is mature.
        change: of the newest moment against the reference.
        params: the section ``monitoring`` of the parameters.
    """
    realized = [] if recent is None else [*_find_realized(recent, params)]
    return (*realized, *_find_expected(weeks, change, params), *_find_drift(change))


def _find_realized(recent: RecentPerformance, params: Monitoring) -> Iterator[Alarm]:
    where = f"In the mature rows of {recent.first_as_of[:10]} to {recent.last_as_of[:10]}"
    gap, excess = recent.gap, recent.log_loss_excess
    if _is_beyond(gap, params.min_calibration_gap):
        much, little = ("much", "above") if gap.value > 0 else ("little", "below")
        yield Alarm(
            "calibration",
            f"{where} the model predicts too {much} waste: the mean probability lies "
            f"{_points(abs(gap.value))} {little} the base rate ({_interval(gap, params)}), "
            f"more than {_points(params.min_calibration_gap)}.",
        )
    if excess.low is not None and excess.low > params.min_log_loss_excess:
        yield Alarm(
            "log_loss",
            f"{where} the log loss lies {format_signed(excess, 3)} nats above the expected one "
            f"({_interval(excess, params)}), more than {format_limit(params.min_log_loss_excess)}.",
        )


def _find_expected(weeks: tuple[Week, ...], change: Change, params: Monitoring) -> Iterator[Alarm]:
    if not weeks:
        return
    newest = max(weeks, key=lambda week: week.as_of)
    expected, usual = newest.expected["log_loss"], change.expected_log_loss
    if expected.low is not None and expected.low > usual + params.min_expected_decay:
        yield Alarm(
            "expected_log_loss",
            f"The items of {newest.as_of[:10]} are harder to predict: the log loss expected of them is "
            f"{format_number(expected, 3)} nats, that of the reference was {format_number(usual, 3)}; the interval "
            f"lies more than {format_limit(params.min_expected_decay)} above it.",
        )


def _find_drift(change: Change) -> Iterator[Alarm]:
    for drift in change.columns:
        if drift.is_beyond:
            what = "The predicted probability" if drift.name == PROBABILITY else f"The feature {drift.name}"
            yield Alarm(
                "prediction_drift" if drift.name == PROBABILITY else "feature_drift",
                f"{what} is spread differently than in the reference: a PSI of {format_number(drift.psi, 3)}, "
                f"where {format_number(drift.usual, 3)} is usual and {format_number(drift.limit, 3)} the limit.",
            )


def _is_beyond(estimate: Estimate, limit: float) -> bool:
    """Return whether an interval lies wholly above a limit, or wholly below minus the limit."""
    if estimate.low is None or estimate.high is None:
        return False
    return estimate.low > limit or estimate.high < -limit


def _interval(estimate: Estimate, params: Monitoring) -> str:
    return f"{format_percent(params.alarm_confidence, 0)} interval {format_interval(estimate, 3)}"


def _points(share: float) -> str:
    return f"{format_number(100 * share, 1)} points"
