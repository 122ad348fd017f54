"""What a search keeps, shows and logs."""

import io
from pathlib import Path

import mlflow
import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure
from mlflow import MlflowClient

from waste_risk.adapters.searches import ChildRunsDataset, FiguresDataset, ProgressBar, StudiesDataset

URL = "postgresql+psycopg://me:s3cr3t@host/studies"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_store_is_not_made_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "new/a file%20with?signs.db"
    studies = StudiesDataset(str(path)).load()
    assert list(tmp_path.iterdir()) == []
    with studies.open():
        assert path.exists()


def test_an_address_takes_the_place_of_the_file_and_is_not_shown() -> None:
    dataset = StudiesDataset("data/studies.db", url=URL)
    studies = dataset.load()
    assert studies.url == URL
    assert "s3cr3t" not in repr(dataset) + str(dataset) + repr(studies) + str(studies)


def test_studies_are_not_saved_as_a_whole() -> None:
    with pytest.raises(DatasetError, match="trial by trial"):
        StudiesDataset("studies.db").save("a study")


def follow(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stderr", screen)
    bar = ProgressBar()
    for finished, best in [(5, 0.8), (6, 0.9), (7, 0.9)]:
        bar(finished, 7, best)
    return screen.getvalue()


def test_a_terminal_shows_how_many_trials_have_finished_and_the_best_value(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = follow(Terminal(), monkeypatch)
    assert "7/7" in shown
    assert "best AUC 0.9000" in shown
    assert "trial/s" in shown or "s/trial" in shown


def test_a_file_gets_no_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert follow(io.StringIO(), monkeypatch) == ""


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
