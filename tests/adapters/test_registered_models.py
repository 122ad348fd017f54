"""Registered models predict for a table of features what the predictor does, and show no household's rows."""

import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from io import StringIO
from pathlib import Path
from shutil import copytree

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError
from mlflow.models import Model
from mlflow.types import DataType
from mlflow.utils.file_utils import local_file_uri_to_path
from projects import HERE, ROOT, Project

from waste_risk.adapters import registered_model
from waste_risk.adapters.datasets import PredictorDataset
from waste_risk.adapters.registry import find_version_sets, move, newest_version
from waste_risk.adapters.registry_datasets import BoosterDataset, PredictorModelDataset, RegisteredPredictorDataset
from waste_risk.model.predictor import PredictorWithExample, RegisteredPredictor, WastePredictor
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


CLASSIFIER, PREDICTOR = "models:/waste_risk_classifier/1", "models:/waste_risk_predictor/1"
NAMES_IN_REGISTRY = ("waste_risk_classifier", "waste_risk_regressor", "waste_risk_predictor")
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


@pytest.mark.parametrize("table", [*TABLES, *SENT])
def test_the_registered_predictor_predicts_the_same_bytes(predictor: WastePredictor, table: str) -> None:
    sent = {**TABLES, **SENT}[table]
    numbers = sent[list(NAMES)].to_numpy(np.float32, na_value=np.nan)
    expected = predictor.predict(pd.DataFrame(numbers, sent.index, list(NAMES)))
    answer = mlflow.pyfunc.load_model(PREDICTOR).predict(sent)
    pd.testing.assert_frame_equal(answer, expected, check_exact=True)
    for column in ("waste_probability", "days_to_waste"):
        assert answer[column].to_numpy().tobytes() == expected[column].to_numpy().tobytes()


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
@pytest.mark.parametrize("model", [CLASSIFIER, PREDICTOR])
def test_a_table_that_is_refused_is_not_shown(
    model: str, table: object, message: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("mlflow"), "propagate", True)
    with pytest.raises(ValueError, match=f"^{message}$") as refusal:
        mlflow.pyfunc.load_model(model).predict(table)
    assert str(refusal.value.__cause__ or refusal.value.__context__ or "") == ""
    assert "7777" not in caplog.text


def test_the_file_that_travels_with_a_model_needs_nothing_of_waste_risk() -> None:
    lines = Path(registered_model.__file__).read_text(encoding="utf-8").splitlines()
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= {"hashlib", "json", "pathlib", "typing", "lightgbm", "mlflow", "numpy", "pandas"}


@pytest.mark.parametrize("model", [CLASSIFIER, PREDICTOR])
@pytest.mark.parametrize(("kind", "text"), [("csv", DAYS.astype(int).to_csv(index=False)), ("json", "")])
def test_mlflows_own_command_predicts(
    predictor: WastePredictor, trained: Project, kind: str, text: str, model: str
) -> None:
    file, answer = trained.folder / f"sent.{kind}", trained.folder / f"answer.{kind}"
    split = DAYS.astype(object).where(X["age_days"] < 1000.9).to_dict("split")
    file.write_text(text or json.dumps({"dataframe_split": split}).replace("NaN", "null"))
    arguments = ["-m", "mlflow", "models", "predict", "--env-manager", "local"]
    done = away(trained, *arguments, *("-m", model, "-t", kind, "-i", str(file), "-o", str(answer)))
    assert done.returncode == 0, done.stderr
    sent = DAYS if kind == "csv" else DAYS.where(X["age_days"] < 1000.9)
    predictions = json.loads(answer.read_text())["predictions"]
    if model == CLASSIFIER:
        assert predictions == predictor.classifier.predict(sent.to_numpy()).tolist()
    else:
        assert predictions == predictor.predict(sent).to_dict("records")


WITHOUT_THE_PROJECT = """
import sys
from importlib.util import find_spec
assert find_spec("waste_risk") is None
import mlflow, pandas as pd
for name in sys.argv[1:]:
    model = mlflow.pyfunc.load_model(f"models:/{name}/1")
    answer = pd.DataFrame(model.predict(pd.read_parquet("sent.parquet")))
    answer.set_axis(answer.columns.astype(str), axis=1).to_parquet(f"{name}.parquet")
assert not [name for name in sys.modules if name.partition(".")[0] == "waste_risk"]
"""


def test_models_predict_the_same_in_a_clean_environment_where_nothing_may_be_unpickled(
    predictor: WastePredictor, trained: Project, tmp_path: Path
) -> None:
    uv, python = Path(sys.executable).with_name("uv"), tmp_path / "bin/python"
    logged = mlflow.pyfunc.get_model_dependencies(PREDICTOR)
    subprocess.run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, tmp_path], check=True)
    constrained = ["--constraint", ROOT / "requirements.lock"]  # of what the requirements need in turn
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "-r", logged, *constrained], check=True)
    X.to_parquet(trained.folder / "sent.parquet")
    classifier, _regressor, whole = NAMES_IN_REGISTRY
    done = away(trained, "-c", WITHOUT_THE_PROJECT, classifier, whole, python=str(python))
    assert done.returncode == 0, done.stderr
    answers = {name: pd.read_parquet(trained.folder / f"{name}.parquet") for name in (classifier, whole)}
    np.testing.assert_array_equal(answers[classifier]["0"], predictor.classifier.predict(X.to_numpy()))
    pd.testing.assert_frame_equal(answers[whole], predictor.predict(X), check_exact=True)


def away(project: Project, *arguments: str, python: str = sys.executable) -> "subprocess.CompletedProcess[str]":
    """Run Python in the project's folder, on its store, without the path to waste_risk."""
    variables = {"PYTHONPATH": "", "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri()}
    if "predict" not in arguments:
        variables["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    return subprocess.run(
        [python, *arguments],
        cwd=project.folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def registered(predictor: WastePredictor, tmp_path: Path) -> Path:
    """A copy of the registered predictor."""
    assert predictor.sha256
    folder = Path(mlflow.artifacts.download_artifacts(PREDICTOR))
    return Path(copytree(folder, tmp_path / "registered"))


def swap(folder: Path) -> None:
    (folder / "classifier.txt").write_bytes((folder / "regressor.txt").read_bytes() + b"\n")


def edit(folder: Path) -> None:
    text = (folder / "metadata.json").read_text()
    (folder / "metadata.json").write_text(text.replace('"horizon_days": 30', '"horizon_days": 31'))


def edit_hashes(folder: Path) -> None:
    """As somebody does who knows of the hashes of files, and not of that of the whole."""
    swap(folder)
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["sha256"]["classifier.txt"] = sha256((folder / "classifier.txt").read_bytes()).hexdigest()
    (folder / "metadata.json").write_text(json.dumps(metadata))


class Malicious:
    """Leaves a file where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._trace,)


def plant(folder: Path) -> None:
    (folder / "calibrator.pkl").write_bytes(pickle.dumps(Malicious(folder.parents[2] / "unpickled")))


DAMAGES = {
    swap: "classifier.txt is not the file that was saved: its SHA-256 differs",
    edit: "metadata.json is not the file that was saved: the predictor's SHA-256 differs",
    edit_hashes: "metadata.json is not the file that was saved: the predictor's SHA-256 differs",
    plant: "calibrator.pkl is no file of a predictor",
    lambda folder: (folder / "metadata.json").write_text(
        "[]"
    ): "metadata.json is not the file that was saved: it holds",
    lambda folder: (folder / "regressor.txt").unlink(): "regressor.txt is missing",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_predictor_that_is_not_the_one_that_was_saved_is_refused_before_anything_is_opened(
    registered: Path, damage: Callable[[Path], object]
) -> None:
    mlflow.pyfunc.load_model(str(registered))
    damage(registered / "data/predictor")
    with pytest.raises(ValueError, match=f"^{DAMAGES[damage]}"):
        mlflow.pyfunc.load_model(str(registered))
    assert not (registered.parent / "unpickled").exists()


def test_a_registered_predictor_holds_nothing_that_is_unpickled(registered: Path) -> None:
    files = {path.relative_to(registered).as_posix() for path in registered.rglob("*") if path.is_file()}
    assert not [name for name in files if name.endswith((".pkl", ".skops"))]
    sealed = {"calibrator.json", "classifier.txt", "feature_names.json", "metadata.json", "regressor.txt"}
    assert {name for name in files if name.startswith("data/")} == {f"data/predictor/{name}" for name in sealed}
    assert "code/registered_model.py" in files


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("name", NAMES_IN_REGISTRY)
def test_the_signature_names_every_feature_in_order(name: str) -> None:
    signature = Model.load(f"models:/{name}/1").signature
    assert signature.inputs.input_names() == list(NAMES)
    types = [DataType.double, DataType.double, DataType.string] if "predictor" in name else [DataType.double]
    assert signature.outputs.input_types() == types


@pytest.mark.usefixtures("trained")
def test_the_signature_of_the_predictor_names_what_it_predicts() -> None:
    outputs = Model.load(PREDICTOR).signature.outputs
    assert outputs.input_names() == ["waste_probability", "days_to_waste", "risk_class"]


@pytest.mark.parametrize("name", NAMES_IN_REGISTRY)
def test_the_rows_logged_with_a_model_are_simulated_ones_and_none_of_the_source(
    predictor: WastePredictor, simulated: pd.DataFrame, name: str
) -> None:
    model = mlflow.pyfunc.load_model(f"models:/{name}/1")
    logged = model.input_example
    numbers = logged.astype("float32")  # JSON says nothing of their width
    pd.testing.assert_frame_equal(numbers, simulated, check_column_type=False, check_exact=True)
    assert not logged["age_days"].isin(X["age_days"]).any()
    predicted = model.predict(logged)
    scores = predicted["waste_probability"] if "predictor" in name else predicted
    np.testing.assert_array_equal(scores, predictor.classifier.predict(simulated.to_numpy()))


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
        BoosterDataset("classifier", "simulated").save(PredictorWithExample(predictor, simulated))
        PredictorModelDataset("simulated").save(PredictorWithExample(predictor, simulated))
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_each_version_says_its_source_its_predictor_its_run_and_its_version_set(
    trained: Project, predictor: WastePredictor
) -> None:
    (run,) = trained.runs()
    for name in NAMES_IN_REGISTRY:
        (version,) = trained.store.search_model_versions(f"name = '{name}'")
        assert version.run_id == run.info.run_id
        assert version.tags == {
            "source": "simulated",
            "predictor_sha256": predictor.sha256,
            "version_set": run.info.run_id,
        }


def test_the_newest_version_of_a_source_is_loaded(trained: Project, predictor: WastePredictor) -> None:
    booster = BoosterDataset("classifier", "simulated").load()
    np.testing.assert_array_equal(booster.predict(X), predictor.classifier.predict(X.to_numpy()))
    pd.testing.assert_frame_equal(PredictorModelDataset("simulated").load().predict(X), predictor.predict(X))
    with pytest.raises(DatasetError, match="^waste_risk_classifier has no version of source other$"):
        BoosterDataset("classifier", "other").load()
    (run,) = trained.runs()
    model = trained.store.search_model_versions("name = 'waste_risk_classifier'")[0]
    trained.store.create_registered_model("waste_risk_again")
    for source in ("simulated", "simulated", "other"):
        trained.store.create_model_version("waste_risk_again", model.source, run.info.run_id, {"source": source})
    newest = newest_version("waste_risk_again", "simulated")
    assert newest is not None
    assert int(newest.version) == 2


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(("model", "file"), [(CLASSIFIER, "model.lgb"), (PREDICTOR, "data/predictor/classifier.txt")])
def test_a_model_is_kept_as_text_and_requires_what_it_needs(model: str, file: str) -> None:
    folder = Path(mlflow.artifacts.download_artifacts(model))
    assert (folder / file).read_text().startswith("tree\n")
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


@pytest.fixture(scope="module")
def champion(trained: Project) -> Project:
    """The store, with its only version set as the champion."""
    (version_set,) = find_version_sets("simulated")
    move(version_set, "Staging")
    move(version_set, "Production")
    return trained


class TestThePredictorOfAnAlias:
    """Champion, challenger and previous as datasets."""

    def load(self, alias: str, source: str = "simulated") -> object:
        """Load as a node does."""
        kind = "waste_risk.adapters.registry_datasets.RegisteredPredictorDataset"
        catalog = DataCatalog.from_config({alias: {"type": kind, "alias": alias, "source": source}})
        return catalog.load(alias)

    @pytest.mark.usefixtures("trained")
    @pytest.mark.parametrize("alias", ["challenger", "previous"])
    def test_where_there_is_none_it_is_none(self, alias: str) -> None:
        assert self.load(alias) is None

    @pytest.mark.usefixtures("champion")
    @pytest.mark.filterwarnings("error")
    def test_it_is_the_predictor_that_was_registered(
        self, predictor: WastePredictor, capfd: pytest.CaptureFixture[str]
    ) -> None:
        loaded = self.load("champion")
        assert isinstance(loaded, RegisteredPredictor)
        assert (loaded.version, loaded.source, loaded.predictor.sha256) == ("1", "simulated", predictor.sha256)
        pd.testing.assert_frame_equal(loaded.predictor.predict(X), predictor.predict(X), check_exact=True)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.usefixtures("champion")
    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("name", NAMES_IN_REGISTRY)
    def test_clients_load_every_model_by_stage_and_by_alias(self, predictor: WastePredictor, name: str) -> None:
        by_stage = mlflow.pyfunc.load_model(f"models:/{name}/Production").predict(X)
        by_alias = mlflow.pyfunc.load_model(f"models:/{name}@champion").predict(X)
        expected = predictor.predict(X) if "predictor" in name else predictor.classifier.predict(X.to_numpy())
        for answer in (by_stage, by_alias):
            np.testing.assert_array_equal(answer, expected)

    @pytest.mark.usefixtures("champion")
    def test_one_of_another_source_is_refused_in_one_line(self) -> None:
        message = "^champion: version 1 of waste_risk_predictor is of source simulated, not of other$"
        with pytest.raises(DatasetError, match=message):
            self.load("champion", "other")

    def test_files_that_were_changed_in_the_store_are_refused(self, champion: Project, tmp_path: Path) -> None:
        place = Path(local_file_uri_to_path(champion.store.get_model_version_download_uri("waste_risk_predictor", "1")))
        files = place / "data/predictor"
        kept = copytree(files, tmp_path / "kept")
        title = "champion: version 1 of waste_risk_predictor"
        try:
            swap(files)
            with pytest.raises(
                DatasetError, match=f"^{title}: classifier.txt is not the file that was saved"
            ) as refusal:
                self.load("champion")
            assert "\n" not in str(refusal.value)
            copytree(kept, files, dirs_exist_ok=True)
            plant(files)
            with pytest.raises(DatasetError, match=f"^{title}: calibrator.pkl is no file of a predictor$"):
                self.load("champion")
            (files / "calibrator.pkl").unlink()
            replace(WastePredictor.load(kept), threshold=0.1).save(files)  # sealed again
            with pytest.raises(
                DatasetError, match=f"^{title} holds another predictor than was registered: its SHA-256"
            ):
                self.load("champion")
        finally:
            copytree(kept, files, dirs_exist_ok=True)
        assert self.load("champion") is not None

    def test_files_that_are_gone_from_the_store_are_told_in_one_line(self, champion: Project, tmp_path: Path) -> None:
        place = Path(local_file_uri_to_path(champion.store.get_model_version_download_uri("waste_risk_predictor", "1")))
        place.rename(tmp_path / "kept")
        try:
            message = (
                "^champion: version 1 of waste_risk_predictor: its files are gone from the store; restore models:/m-"
            )
            with pytest.raises(DatasetError, match=message) as refusal:
                self.load("champion")
            assert "\n" not in str(refusal.value)
            assert str(tmp_path) not in str(refusal.value)
        finally:
            (tmp_path / "kept").rename(place)

    def test_it_cannot_be_saved(self, predictor: WastePredictor) -> None:
        with pytest.raises(DatasetError, match="the champion cannot be saved; move a version set instead"):
            RegisteredPredictorDataset("champion", "simulated").save(predictor)  # type: ignore[arg-type]
