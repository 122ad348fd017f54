"""Boosters in the registry answer a table of features as the predictor does, and show no household's rows."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from shutil import copytree

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from mlflow.models import Model
from mlflow.types import DataType
from projects import HERE, ROOT, Project

from waste_risk.adapters import registered_booster
from waste_risk.adapters.datasets import PredictorDataset
from waste_risk.adapters.registry import BoosterDataset
from waste_risk.model.predictor import PredictorWithExample, WastePredictor
from waste_risk.parameters import Observation, load
from waste_risk.pipelines.training.nodes import simulate_example

sys.path.append(str(HERE / "toy_project/src"))
from toy.models import NAMES, make_features  # noqa: E402, it is found there


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


CLASSIFIER = "models:/waste_risk_classifier/1"
X = make_features()[list(NAMES)]
TABLES = {
    "as the features are": X,
    "with nulls": X.mask(X["age_days"] > 1000.5),
    "of one row": X.head(1),
}


@pytest.fixture(scope="module")
def simulated() -> pd.DataFrame:
    """What the logged rows should be: features of simulated looks."""
    observation = load(Observation, ROOT / "conf/base/parameters_data_engineering.yml")
    return simulate_example(observation)[list(NAMES)]


@pytest.mark.parametrize("table", TABLES)
def test_the_registered_classifier_gives_the_predictors_probabilities(predictor: WastePredictor, table: str) -> None:
    features = TABLES[table]
    booster = mlflow.lightgbm.load_model(CLASSIFIER)
    expected = predictor.classifier.predict(features.to_numpy())
    assert isinstance(booster, lgb.Booster)
    np.testing.assert_array_equal(booster.predict(features), expected)
    assert ((expected > 0) & (expected < 1)).all()


@pytest.mark.parametrize("table", TABLES)
def test_the_registered_model_also_answers_as_a_python_function(predictor: WastePredictor, table: str) -> None:
    features = TABLES[table]
    model = mlflow.pyfunc.load_model(CLASSIFIER)
    expected = predictor.classifier.predict(features.to_numpy())
    np.testing.assert_array_equal(model.predict(features), expected)
    np.testing.assert_array_equal(model.predict(features[features.columns[::-1]]), expected)


DAYS = X.assign(age_days=X["age_days"].round())
SENT = {
    "float64": X.astype("float64"),
    "whole numbers": DAYS.astype("int64"),
    "small whole numbers": DAYS.astype("int16"),
    "nullable numbers": X.convert_dtypes(),
    "truth values": X.assign(is_meat=X["is_meat"] == 1),
    "a row whose nulls have no type": X.head(1).astype(object).assign(age_days=None),
    "other columns, another order, another index": X.assign(note="x")[["note", *NAMES[::-1]]].set_axis(X.index + 7),
    "numbers as text": X.astype(str),
    "a CSV": pd.read_csv(StringIO(X.to_csv(index=False))),
    "JSON": pd.read_json(StringIO(X.astype("float64").to_json(orient="records", double_precision=15))),
}


@pytest.mark.parametrize("table", SENT)
def test_a_client_may_send_numbers_in_any_type_and_columns_in_any_order(predictor: WastePredictor, table: str) -> None:
    sent = SENT[table]
    expected = predictor.classifier.predict(sent[list(NAMES)].to_numpy(np.float32, na_value=np.nan))
    answer = mlflow.pyfunc.load_model(CLASSIFIER).predict(sent)
    assert answer.tobytes() == expected.tobytes()


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(
    ("table", "message"),
    [
        (X.drop(columns="age_days"), "features are missing: age_days"),
        (X.assign(age_days="Anna"), "feature age_days holds something else than numbers"),
        (X.assign(age_days=pd.Timestamp("1977-07-07")), "feature age_days holds something else than numbers"),
        (X.to_numpy() + 7777, f"features are missing: {', '.join(NAMES)}"),
    ],
)
def test_a_table_that_is_refused_is_not_shown(
    table: object, message: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("mlflow"), "propagate", True)
    with pytest.raises(ValueError, match=f"^{message}$") as refusal:
        mlflow.pyfunc.load_model(CLASSIFIER).predict(table)
    assert str(refusal.value.__cause__ or refusal.value.__context__ or "") == ""
    assert "7777" not in caplog.text


def test_the_file_that_travels_with_a_model_needs_nothing_of_waste_risk() -> None:
    lines = Path(registered_booster.__file__).read_text(encoding="utf-8").splitlines()
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= {"typing", "mlflow", "numpy", "pandas"}


@pytest.mark.parametrize(("kind", "text"), [("csv", DAYS.astype(int).to_csv(index=False)), ("json", "")])
def test_mlflows_own_command_predicts(predictor: WastePredictor, trained: Project, kind: str, text: str) -> None:
    file, answer = trained.folder / f"sent.{kind}", trained.folder / f"answer.{kind}"
    split = DAYS.astype(object).where(X["age_days"] < 1000.9).to_dict("split")
    file.write_text(text or json.dumps({"dataframe_split": split}).replace("NaN", "null"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mlflow", "models", "predict", "--env-manager", "local"),
            *("-m", CLASSIFIER, "-t", kind, "-i", str(file), "-o", str(answer)),
        ],
        cwd=trained.folder,
        env={**os.environ, "PYTHONPATH": "", "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sent = DAYS if kind == "csv" else DAYS.where(X["age_days"] < 1000.9)
    assert json.loads(answer.read_text())["predictions"] == predictor.classifier.predict(sent.to_numpy()).tolist()


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("name", ["waste_risk_classifier", "waste_risk_regressor"])
def test_the_signature_names_every_feature_in_order(name: str) -> None:
    signature = Model.load(f"models:/{name}/1").signature
    assert signature.inputs.input_names() == list(NAMES)
    assert signature.outputs.input_types() == [DataType.double]


@pytest.mark.parametrize("name", ["waste_risk_classifier", "waste_risk_regressor"])
def test_the_rows_logged_with_a_model_are_simulated_ones_and_none_of_the_source(
    predictor: WastePredictor, simulated: pd.DataFrame, name: str
) -> None:
    model = mlflow.pyfunc.load_model(f"models:/{name}/1")
    logged = model.input_example
    numbers = logged.astype("float32")  # JSON says nothing of their width
    pd.testing.assert_frame_equal(numbers, simulated, check_column_type=False, check_exact=True)
    assert not logged["age_days"].isin(X["age_days"]).any()
    np.testing.assert_array_equal(model.predict(logged), predictor.classifier.predict(simulated.to_numpy()))


@pytest.mark.filterwarnings("error")
def test_a_model_is_logged_without_a_warning(
    trained: Project,
    predictor: WastePredictor,
    simulated: pd.DataFrame,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("mlflow"), "propagate", True)
    with mlflow.start_run(run_id=trained.runs()[0].info.run_id):
        BoosterDataset("classifier", "quiet", "simulated").save(PredictorWithExample(predictor, simulated))
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_each_version_says_its_source_its_predictor_and_its_run(trained: Project, predictor: WastePredictor) -> None:
    (run,) = trained.runs()
    for name in ("waste_risk_classifier", "waste_risk_regressor"):
        (version,) = trained.store.search_model_versions(f"name = '{name}'")
        assert version.run_id == run.info.run_id
        assert version.tags == {"source": "simulated", "predictor_sha256": predictor.sha256}


def test_registering_again_makes_the_next_version_and_the_newest_of_a_source_is_loaded(
    trained: Project, predictor: WastePredictor, simulated: pd.DataFrame
) -> None:
    shown = PredictorWithExample(predictor, simulated)
    dataset = BoosterDataset(part="classifier", registered_model_name="again", source="simulated")
    with pytest.raises(DatasetError, match="again has no version of source simulated"):
        dataset.load()
    with mlflow.start_run(run_id=trained.runs()[0].info.run_id) as run:
        for source in ("simulated", "simulated", "other"):
            saved = BoosterDataset(part="classifier", registered_model_name="again", source=source)
            saved.save(shown)
            saved.register(None, run.info.run_id)
    versions = {
        int(found.version): found.tags["source"] for found in trained.store.search_model_versions("name='again'")
    }
    assert versions == {1: "simulated", 2: "simulated", 3: "other"}
    np.testing.assert_array_equal(dataset.load().predict(X), predictor.classifier.predict(X.to_numpy()))


@pytest.mark.usefixtures("trained")
def test_a_model_is_kept_as_text_and_requires_what_it_needs() -> None:
    folder = Path(mlflow.artifacts.download_artifacts("models:/waste_risk_classifier/1"))
    assert (folder / "model.lgb").read_text().startswith("tree\n")
    required = [line.partition("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()]
    assert required == ["mlflow", "lightgbm", "numpy", "pandas", "scipy"]
    assert not list(folder.glob("*.pkl"))


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
