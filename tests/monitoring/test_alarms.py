"""Which changes sound an alarm, and what it says."""

from dataclasses import replace

import pytest
from predicted import PARAMS

from waste_risk.metrics import Estimate
from waste_risk.monitoring.alarms import find_alarms
from waste_risk.monitoring.drift import Change, Drift
from waste_risk.monitoring.realized import RecentPerformance, Week

QUIET = Estimate(0.0, -0.01, 0.01)
RECENT = RecentPerformance("1", 4, "2024-06-03T00:00:00", "2024-06-24T00:00:00", 8_000, 900, QUIET, QUIET)
CHANGE = Change("2024-07-29T00:00:00", "2024-01-01", "2024-03-01", 9, 0.33, (Drift("open_items", 0.05, 0.02, 0.1),))
WEEK = Week(
    0, "2024-07-29", "2024-07-29T00:00:00", "1", "1" * 64, 2_000, 900, {"log_loss": Estimate(0.33, 0.32, 0.34)}, None
)


def kinds(recent: RecentPerformance | None = RECENT, change: Change = CHANGE, week: Week = WEEK) -> list[str]:
    return [alarm.kind for alarm in find_alarms((week,), recent, change, PARAMS)]


def test_what_is_usual_sounds_no_alarm() -> None:
    assert kinds() == []
    assert kinds(recent=None) == []


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (Estimate(0.02, 0.0101, 0.03), ["calibration"]),
        (Estimate(0.02, 0.0099, 0.03), []),
        (Estimate(-0.02, -0.03, -0.0101), ["calibration"]),
        (Estimate(-0.02, -0.03, -0.0099), []),
        (Estimate(0.2), []),
    ],
)
def test_calibration_sounds_where_its_interval_lies_wholly_beyond_the_tolerance(
    gap: Estimate, expected: list[str]
) -> None:
    assert kinds(replace(RECENT, gap=gap)) == expected


def test_the_alarm_says_in_which_direction_the_model_is_wrong() -> None:
    little = replace(RECENT, gap=Estimate(-0.031, -0.04, -0.02))
    (alarm,) = find_alarms((WEEK,), little, CHANGE, PARAMS)
    assert alarm.message == (
        "In the mature rows of 2024-06-03 to 2024-06-24 the model predicts too little waste: the mean probability lies "
        "3.1 points below the base rate (99 % interval -0.040 to -0.020), more than 1.0 points."
    )


def test_only_a_log_loss_above_the_expected_one_sounds() -> None:
    assert kinds(replace(RECENT, log_loss_excess=Estimate(0.03, 0.011, 0.05))) == ["log_loss"]
    assert kinds(replace(RECENT, log_loss_excess=Estimate(-0.03, -0.05, -0.011))) == []


def test_items_that_are_harder_to_predict_than_those_of_the_reference_sound() -> None:
    assert kinds(week=replace(WEEK, expected={"log_loss": Estimate(0.38, 0.361, 0.40)})) == ["expected_log_loss"]
    assert kinds(week=replace(WEEK, expected={"log_loss": Estimate(0.38, 0.359, 0.40)})) == []


def test_the_newest_week_counts_for_what_is_expected() -> None:
    harder = replace(WEEK, as_of="2024-07-22T00:00:00", expected={"log_loss": Estimate(0.5, 0.48, 0.52)})
    assert find_alarms((WEEK, harder), None, CHANGE, PARAMS) == ()


def test_each_column_beyond_its_limit_sounds_and_the_probability_is_no_feature() -> None:
    columns = (Drift("open_items", 0.3, 0.02, 0.1), Drift("waste_probability", 0.2, 0.01, 0.1))
    assert kinds(change=replace(CHANGE, columns=columns)) == ["feature_drift", "prediction_drift"]
