"""Everything that monitoring measured, in one immutable record that reports and logs read."""

import math
from dataclasses import dataclass

import pandas as pd

from waste_risk.monitoring.alarms import Alarm, find_alarms
from waste_risk.monitoring.alert_effect import AlertEffect, plan_alert_effect
from waste_risk.monitoring.drift import Change
from waste_risk.monitoring.expected import name_ages
from waste_risk.monitoring.realized import (
    RecentPerformance,
    RowGroup,
    Week,
    measure_groups,
    measure_recent,
    measure_weeks,
)
from waste_risk.parameters import Monitoring


@dataclass(frozen=True)
class MonitoringMetrics:
    """What monitoring measured.

    Attributes:
        horizon_days: within how many days an item counts as wasted.
        max_age_days: items up to this age count for everything but the group ``older``.
        confidence: probability that an interval covers; alarm_confidence those of the alarms.
        next_mature_on: the day on which the next week's labels are known, as ISO text; null if all are.
        weeks: expected and realized performance, in the order of time.
        recent: of the newest mature weeks together; null if none is mature.
        groups: mature rows that were alerted, not alerted, and of older ages.
        alert_effect: what a share of items that are never alerted would buy; null if nothing was ever alerted.
        change: drift of the newest moment.
        alarms: those that sound now.
    """

    horizon_days: int
    max_age_days: int
    confidence: float
    alarm_confidence: float
    next_mature_on: str | None
    weeks: tuple[Week, ...]
    recent: RecentPerformance | None
    groups: tuple[RowGroup, ...]
    alert_effect: AlertEffect | None
    change: Change
    alarms: tuple[Alarm, ...]

    def by_week(self) -> dict[int, dict[str, float]]:
        """Return the numbers to log for each week, as ``expected.log_loss``; several predictors' by their versions."""
        versions = {week.model_version for week in self.weeks}
        numbers: dict[int, dict[str, float]] = {}
        for week in self.weeks:
            prefix = f"version_{week.model_version}." if len(versions) > 1 else ""
            known = {f"{prefix}{name}": value for name, value in _flatten(week).items() if math.isfinite(value)}
            numbers.setdefault(week.number, {}).update(known)
        return numbers


def assemble_metrics(
    *,
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    outcomes: pd.DataFrame,
    expected_performance: pd.DataFrame,
    change: Change,
    horizon_days: int,
    params: Monitoring,
) -> MonitoringMetrics:
    """Measure expected and realized performance, and find the alarms.

    Args:
        predictions: the table ``predictions``, of all moments.
        items: the items table.
        outcomes: from ``match_outcomes``.
        expected_performance: as stored when the predictions were made.
        change: of the newest moment.
        horizon_days: of the predictor.
        params: the section ``monitoring`` of the parameters.

    Raises:
        ContractError: a moment was scored without an estimate of the performance.
    """
    weeks, recent = measure_weeks(outcomes, expected_performance, params), measure_recent(outcomes, params)
    waiting = outcomes.loc[~outcomes["is_mature"], "label_known_on"].min()
    return MonitoringMetrics(
        horizon_days=horizon_days,
        max_age_days=params.max_age_days,
        confidence=params.confidence,
        alarm_confidence=params.alarm_confidence,
        next_mature_on=None if pd.isna(waiting) else f"{waiting:%Y-%m-%d}",
        weeks=weeks,
        recent=recent,
        groups=measure_groups(outcomes, params),
        alert_effect=plan_alert_effect(predictions, name_ages(predictions, items, params), params),
        change=change,
        alarms=find_alarms(weeks, recent, change, params),
    )


def _flatten(week: Week) -> dict[str, float]:
    numbers = {f"expected.{name}": each.value for name, each in week.expected.items()}
    if week.realized is not None:
        numbers |= {f"realized.{name}": value for name, value in week.realized.metrics.items()}
        numbers["realized.calibration_in_the_large"] = week.realized.calibration_in_the_large.value
        numbers["realized.calibration_slope"] = week.realized.calibration_slope
        numbers["realized.expected_calibration_error"] = week.realized.expected_calibration_error
    return numbers
