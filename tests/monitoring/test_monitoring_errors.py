"""The measured errors of monitoring: the page is that of the figures, and these keep the aims."""

import json

import pytest
from monitoring_errors import KEPT, ROOT, SEEDS, WEEKS, params
from monitoring_page import count_alarms, delay, early_weeks, render

FIGURES = json.loads(KEPT.read_text(encoding="utf-8"))
USUAL, DRIFT = ([each for each in FIGURES if each["scenario"] == scenario] for scenario in ("usual", "drift"))


def test_the_page_is_that_of_the_figures_and_parameters() -> None:
    assert (ROOT / "docs/monitoring.md").read_text(encoding="utf-8") == render(FIGURES, params())


def test_five_seeds_of_either_scenario_are_followed_for_a_year() -> None:
    for sources in (USUAL, DRIFT):
        assert [each["seed"] for each in sources] == list(SEEDS)
        assert {len(each["weeks"]) for each in sources} == {WEEKS}


def test_on_usual_sources_an_alarm_sounds_at_most_once_in_52_weeks() -> None:
    assert max(count_alarms(each) for each in USUAL) <= 1


def test_every_drift_is_found_within_13_weeks_and_none_before_it() -> None:
    delays = [delay(each) for each in DRIFT]
    assert None not in delays
    assert max(each for each in delays if each is not None) <= 13
    assert not any(early_weeks(each) for each in DRIFT)


def test_the_expected_log_loss_of_usual_sources_is_off_by_a_hundredth_of_a_nat_at_most_on_average() -> None:
    pairs = [week["log_loss"] for each in USUAL for week in each["metrics"] if week]
    assert sum(abs(realized - expected) for expected, realized, _ in pairs) / len(pairs) < 0.015


@pytest.mark.parametrize(("weeks", "count"), [([], 0), ([1], 1), ([5, 6, 7], 1), ([1, 2, 4, 9, 10], 3)])
def test_successive_weeks_are_one_alarm(weeks: list[int], count: int) -> None:
    source = {"weeks": [{"week": week, "alarms": ["calibration"] if week in weeks else []} for week in range(1, 12)]}
    assert count_alarms(source) == count
