"""What is logged with the run: figures, runs below it, and the record of who has validated on which test window."""

import json
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure
from mlflow import MlflowClient

from waste_risk.adapters.mlflow_datasets import ChildRunsDataset, FiguresDataset, ValidationLogDataset
from waste_risk.reporting.text import WindowUse


@pytest.fixture
def run_id(tmp_path: Path) -> Iterator[str]:
    """Open a run in a store of its own."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    try:
        with mlflow.start_run(experiment_id="0") as run:
            yield run.info.run_id
    finally:
        mlflow.set_tracking_uri(before)


def judge(path: Path, window: str, predictor: str) -> WindowUse:
    ValidationLogDataset(str(path)).save({"window_sha256": window, "predictor_sha256": predictor})
    return ValidationLogDataset(str(path)).load()


@pytest.mark.usefixtures("run_id")
def test_each_window_counts_for_itself_and_the_newest_judgement_says_which_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "validation_log.json"
    assert judge(path, "first window", "a") == WindowUse(1, 1)
    assert judge(path, "first window", "a") == WindowUse(2, 1)
    assert judge(path, "second window", "a") == WindowUse(1, 1)
    assert judge(path, "first window", "b") == WindowUse(3, 2)


def test_an_entry_says_who_judged_what_and_when(tmp_path: Path, run_id: str) -> None:
    path = tmp_path / "validation_log.json"
    judge(path, "window", "predictor")
    (entry,) = json.loads(path.read_text())
    assert entry.pop("validated_at").endswith("+00:00")
    assert entry == {"window_sha256": "window", "predictor_sha256": "predictor", "run_id": run_id}


@pytest.mark.usefixtures("run_id")
@pytest.mark.parametrize("content", ["[", "[]", "{}", '[{"window_sha256": "window"}]'])
def test_a_damaged_record_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "validation_log.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=r"validation_log.json cannot be read as the log of validations"):
        judge(path, "window", "predictor")
    assert path.read_text() == content


def test_a_judgement_without_a_run_is_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no MLflow run is open"):
        judge(tmp_path / "validation_log.json", "window", "predictor")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("dataset", "data"), [(FiguresDataset("plots"), {"a": Figure()}), (ChildRunsDataset(), [])])
def test_nothing_is_logged_without_a_run(dataset: FiguresDataset, data: object) -> None:
    with pytest.raises(DatasetError, match="no MLflow run is open"):
        dataset.save(data)
    with pytest.raises(DatasetError, match="cannot be loaded back"):
        dataset.load()


@pytest.fixture
def store(tmp_path: Path) -> MlflowClient:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    mlflow.create_experiment("searches", artifact_location=str(tmp_path / "artifacts"))
    try:
        yield MlflowClient()
    finally:
        mlflow.set_tracking_uri(before)


def test_figures_and_child_runs_belong_to_the_run(store: MlflowClient) -> None:
    record = {"name": "trial 0", "parameters": {"num_leaves": 31}, "metrics": {"value": 0.75, "fold_1": 0.5}}
    with mlflow.start_run(experiment_id=store.get_experiment_by_name("searches").experiment_id) as parent:
        FiguresDataset("plots", prefix="search_").save({"history": Figure(), "slices": Figure()})
        ChildRunsDataset().save([record])
    names = [file.path for file in store.list_artifacts(parent.info.run_id, "plots")]
    assert names == ["plots/search_history.png", "plots/search_slices.png"]
    (child,) = [run for run in store.search_runs([parent.info.experiment_id]) if run.info.run_id != parent.info.run_id]
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert (child.info.run_name, child.info.status) == ("trial 0", "FINISHED")
    assert (child.data.params, child.data.metrics) == ({"num_leaves": "31"}, {"value": 0.75, "fold_1": 0.5})
