"""What monitoring keeps: estimates that stand, and metrics of the run with a step for each week."""

from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from monitored import MONITORED
from predicted import DAY, MONDAY, PARAMS, buy, predict

from waste_risk.adapters.mlflow_datasets import WeeklyRecordDataset
from waste_risk.adapters.predictions import ExpectedPerformanceDataset
from waste_risk.monitoring import estimate_performance


def test_estimates_are_added_moment_by_moment_and_one_that_is_there_stands(tmp_path: Path) -> None:
    dataset = ExpectedPerformanceDataset(str(tmp_path / "expected"))
    assert dataset.load().empty
    for as_of, probability in ((MONDAY, 0.2), (MONDAY + 7 * DAY, 0.3), (MONDAY, 0.4)):
        predictions = predict([probability, 0.9], as_of=as_of)
        dataset.save(estimate_performance(predictions, buy(predictions), PARAMS))
    loaded = dataset.load()
    assert loaded["as_of"].tolist() == [MONDAY, MONDAY + 7 * DAY]
    assert loaded["base_rate"].tolist() == pytest.approx([0.55, 0.6])


def test_a_moment_without_an_open_item_adds_nothing(tmp_path: Path) -> None:
    predictions = predict([0.2])
    nothing = estimate_performance(predictions.iloc[:0], buy(predictions), PARAMS)
    ExpectedPerformanceDataset(str(tmp_path / "expected")).save(nothing)
    assert not (tmp_path / "expected").exists()


def test_each_metric_is_a_curve_over_the_weeks(tmp_path: Path) -> None:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    try:
        with mlflow.start_run(experiment_id="0") as run:
            record = "waste_risk.monitoring.MonitoringMetrics"
            WeeklyRecordDataset(str(tmp_path / "metrics.json"), record, "monitoring.").save(MONITORED)
        history = MlflowClient().get_metric_history(run.info.run_id, "monitoring.expected.log_loss")
        realized = MlflowClient().get_metric_history(run.info.run_id, "monitoring.realized.log_loss")
    finally:
        mlflow.set_tracking_uri(before)
    wanted = [week.expected["log_loss"].value for week in MONITORED.weeks]
    assert [each.step for each in history] == [week.number for week in MONITORED.weeks]
    assert [each.value for each in history] == pytest.approx(wanted)
    assert [each.step for each in realized] == [week.number for week in MONITORED.weeks if week.realized]
