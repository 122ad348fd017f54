"""Boosters in the registry answer a table of features as the predictor does."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from projects import HERE, Project

from waste_risk.adapters.datasets import PredictorDataset
from waste_risk.adapters.registry import BoosterDataset
from waste_risk.model import WastePredictor

sys.path.append(str(HERE / "toy_project/src"))
from toy.models import make_features  # noqa: E402, it is found there


@pytest.fixture(scope="module")
def trained(new_project: Callable[[], Project]) -> Iterator[Project]:
    """A trained predictor, and its store as MLflow's current one."""
    project = new_project()
    assert project.run("--pipelines", "models", "--runner", "ThreadRunner").code == 0
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{project.folder / 'mlflow.db'}")
    yield project
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def predictor(trained: Project) -> WastePredictor:
    return WastePredictor.load(trained.folder / "data/simulated/waste_predictor_final")


X = make_features().drop(columns="wasted")
TABLES = {
    "as the features are": X,
    "with other codes": X.assign(category=X["category"].cat.reorder_categories(["dairy", "meat"])),
    "with nulls": X.assign(category=X["category"].where(X["age"] > 0.5)),
    "with one level only": X[X["category"] == "meat"].assign(category=lambda rows: pd.Categorical(rows["category"])),
}


@pytest.mark.parametrize("table", TABLES)
def test_the_registered_classifier_gives_the_predictors_probabilities(predictor: WastePredictor, table: str) -> None:
    features = TABLES[table]
    booster = mlflow.lightgbm.load_model("models:/waste_risk_classifier/1")
    expected = predictor.classifier.predict(predictor.metadata.encoding.encode(features))
    assert isinstance(booster, lgb.Booster)
    np.testing.assert_array_equal(booster.predict(features), expected)
    assert ((expected > 0) & (expected < 1)).all()


def test_the_registered_model_also_answers_as_a_python_function(predictor: WastePredictor) -> None:
    answers = mlflow.pyfunc.load_model("models:/waste_risk_classifier/1").predict(X)
    np.testing.assert_array_equal(answers, predictor.classifier.predict(predictor.metadata.encoding.encode(X)))


def test_a_booster_without_vocabularies_would_answer_wrongly_without_an_error(predictor: WastePredictor) -> None:
    expected = predictor.classifier.predict(predictor.metadata.encoding.encode(X))
    assert not np.array_equal(predictor.classifier.predict(X), expected)


def test_each_version_says_its_source_its_predictor_and_its_run(trained: Project, predictor: WastePredictor) -> None:
    (run,) = trained.runs()
    for name in ("waste_risk_classifier", "waste_risk_regressor"):
        (version,) = trained.store.search_model_versions(f"name = '{name}'")
        assert version.run_id == run.info.run_id
        assert version.tags == {"source": "simulated", "predictor_sha256": predictor.sha256}


def test_registering_again_makes_the_next_version_and_the_newest_of_a_source_is_loaded(
    trained: Project, predictor: WastePredictor
) -> None:
    dataset = BoosterDataset(part="classifier", registered_model_name="again", source="simulated")
    with pytest.raises(DatasetError, match="again has no version of source simulated"):
        dataset.load()
    with mlflow.start_run(run_id=trained.runs()[0].info.run_id):
        for source in ("simulated", "simulated", "other"):
            BoosterDataset(part="classifier", registered_model_name="again", source=source).save(predictor)
    versions = {
        int(found.version): found.tags["source"] for found in trained.store.search_model_versions("name='again'")
    }
    assert versions == {1: "simulated", 2: "simulated", 3: "other"}
    np.testing.assert_array_equal(
        dataset.load().predict(X), predictor.classifier.predict(predictor.metadata.encoding.encode(X))
    )


@pytest.mark.usefixtures("trained")
def test_a_model_is_kept_as_text_and_requires_what_it_needs() -> None:
    folder = Path(mlflow.artifacts.download_artifacts("models:/waste_risk_classifier/1"))
    assert (folder / "model.lgb").read_text().startswith("tree\n")
    required = [line.partition("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()]
    assert required == ["mlflow", "lightgbm", "numpy", "pandas", "scipy"]
    assert not list(folder.glob("*.pkl"))
    assert not list(folder.glob("*example*"))


def test_the_predictors_folder_is_an_artifact_of_the_run(trained: Project) -> None:
    names = {name for name in trained.artifacts(trained.runs()[0]) if name.startswith("waste_predictor_final/")}
    saved = {path.name for path in (trained.folder / "data/simulated/waste_predictor_final").iterdir()}
    assert {name.partition("/")[2] for name in names} == saved
    assert "classifier.txt" in saved


def test_a_damaged_predictor_is_refused_by_the_name_of_its_file(trained: Project, tmp_path: Path) -> None:
    folder = copytree(trained.folder / "data/simulated/waste_predictor_final", tmp_path / "predictor")
    file = folder / "classifier.txt"
    file.write_text(file.read_text().replace("leaf_value=", "leaf_value=9"))
    with pytest.raises(DatasetError, match=r"^.*classifier.txt is not the file that was saved") as error:
        PredictorDataset(str(folder)).load()
    assert "\n" not in str(error.value)
