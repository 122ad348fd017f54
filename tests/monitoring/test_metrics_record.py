"""The record of monitoring: what it holds, how it is logged, and that it survives its file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from monitored import MONITORED, followed
from predicted import DAY, MONDAY

from waste_risk.adapters.datasets import AtomicJSONDataset


def test_alarms_follow_from_what_was_measured() -> None:
    assert [alarm.kind for alarm in MONITORED.alarms] == ["calibration", "feature_drift"]
    assert [alarm.kind for alarm in followed(shift=0.0, drifted=False).alarms] == []


def test_it_names_the_day_of_the_next_labels() -> None:
    assert MONITORED.next_mature_on == f"{MONDAY + 5 * 7 * DAY + 30 * DAY:%Y-%m-%d}"
    assert [week.realized is not None for week in MONITORED.weeks] == [True] * 5 + [False]


def test_each_week_has_its_numbers_to_log_and_none_is_undefined() -> None:
    numbers = MONITORED.by_week()
    assert list(numbers) == list(range(6))
    assert numbers[0]["expected.log_loss"] == MONITORED.weeks[0].expected["log_loss"].value
    assert {name.partition(".")[0] for name in numbers[5]} == {"expected"}
    assert np.isfinite([value for week in numbers.values() for value in week.values()]).all()


def test_predictors_of_one_week_are_logged_by_their_versions() -> None:
    first, *_ = MONITORED.weeks
    both = replace(MONITORED, weeks=(first, replace(first, model_version="2")))
    assert {"version_1.expected.auc", "version_2.expected.auc"} <= set(both.by_week()[0])


def test_it_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    dataset = AtomicJSONDataset(str(tmp_path / "metrics.json"), "waste_risk.monitoring.MonitoringMetrics")
    dataset.save(MONITORED)
    assert dataset.load() == MONITORED


def test_the_same_inputs_give_the_same() -> None:
    assert followed() == MONITORED
