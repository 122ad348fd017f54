"""A verdict reaches the training run and the versions of the very bytes that were judged, and no others."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from kedro.io import DatasetError
from mlflow import MlflowClient

from waste_risk.adapters.registry_hooks import publish
from waste_risk.validation.gates import GateDecision

REFUSED = GateDecision(False, (), ("AUC 0.8000 is below 0.85", "ECE is undefined"), "abc")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MlflowClient]:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    yield MlflowClient()
    mlflow.set_tracking_uri(before)


def finished_run(store: MlflowClient) -> str:
    run = store.create_run("0")
    store.log_metric(run.info.run_id, "test.auc", 0.9)
    store.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def version(store: MlflowClient, name: str, run_id: str, predictor_sha256: str) -> None:
    store.create_registered_model(name)
    store.create_model_version(name, "file:///nowhere", run_id, {"predictor_sha256": predictor_sha256})


def test_another_runs_metrics_and_verdict_go_onto_the_finished_training_run(store: MlflowClient) -> None:
    training = finished_run(store)
    publish(REFUSED, {"auc": 0.8, "n_rows": 12.0}, training, judged_by="judge")
    run = store.get_run(training)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"test.auc": 0.8, "test.n_rows": 12.0})
    assert {name: value for name, value in run.data.tags.items() if name.startswith("verdict")} == {
        "verdict": "FAIL",
        "verdict_reasons": "AUC 0.8000 is below 0.85; ECE is undefined",
        "verdict_predictor_sha256": "abc",
        "verdict_run_id": "judge",
    }


def test_a_run_that_judges_what_it_trained_logs_its_metrics_once(store: MlflowClient) -> None:
    training = finished_run(store)
    publish(REFUSED, {"auc": 0.8}, training, judged_by=training)
    assert [each.value for each in store.get_metric_history(training, "test.auc")] == [0.9]


def test_versions_of_other_bytes_and_of_other_runs_stay_as_they_are(store: MlflowClient) -> None:
    training, other = finished_run(store), finished_run(store)
    version(store, "judged", training, "abc")
    version(store, "other_bytes", training, "xyz")
    version(store, "other_run", other, "abc")
    publish(REFUSED, {}, training, judged_by="judge")
    tagged = {found.name: found.tags.get("verdict") for found in store.search_model_versions("")}
    assert tagged == {"judged": "FAIL", "other_bytes": None, "other_run": None}


def test_a_store_that_does_not_know_the_training_run_is_named_in_one_line(store: MlflowClient) -> None:
    with pytest.raises(DatasetError, match="^the verdict cannot go onto training run gone: ") as refusal:
        publish(REFUSED, {"auc": 0.8}, "gone", judged_by=finished_run(store))
    assert "\n" not in str(refusal.value)
