"""The whole job as a user runs it, on a small source, in a folder of its own."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import mlflow
import numpy as np
import pandas as pd
import pytest
from checkout import SWAP, Checkout, Outcome
from mlflow import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path

from waste_risk.adapters.registry_datasets import RegisteredPredictorDataset
from waste_risk.features import FEATURES
from waste_risk.model.predictor import WastePredictor

ROOT = Path(__file__).parents[2]
NAMES = [feature.name for feature in FEATURES]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.make(tmp_path_factory.mktemp("main") / "project")


@pytest.fixture(scope="module")
def done(checkout: Checkout) -> Outcome:
    outcome = checkout.run("--env", "test")
    assert outcome.code == 0, outcome.errors
    return outcome


@pytest.fixture(scope="module")
def finished(checkout: Checkout, done: Outcome) -> Checkout:
    """The project after its main job."""
    assert done.code == 0
    return checkout


@pytest.fixture(scope="module")
def metrics(finished: Checkout) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(finished.file("08_reporting/validation_metrics.json").read_text())
    return loaded


def test_the_signal_is_found_and_lies_below_what_can_be_known(metrics: dict[str, dict[str, float]]) -> None:
    assert 0.85 <= metrics["auc"]["value"] < metrics["oracle_auc"]["value"] < 0.96
    assert metrics["expected_calibration_error"]["value"] < 0.05
    assert metrics["precision_at_high_confidence"]["value"] >= 0.80
    assert metrics["recall_at_high_confidence"]["value"] >= 0.30


def test_the_metrics_have_the_published_form(metrics: dict[str, object]) -> None:
    schema = json.loads((ROOT / "docs/validation_metrics.schema.json").read_text())
    assert [error.json_path for error in jsonschema.Draft202012Validator(schema).iter_errors(metrics)] == []


def test_the_mean_prediction_is_near_the_base_rate(metrics: dict[str, dict[str, float]]) -> None:
    low, high = metrics["base_rate"]["low"], metrics["base_rate"]["high"]
    assert low - 0.01 < metrics["mean_probability"]["value"] < high + 0.01


def test_the_last_lines_say_what_the_data_were_and_what_the_verdict_is(done: Outcome) -> None:
    lines = done.screen.splitlines()
    # Whether the intervals of so few households support every gate is chance.
    assert re.fullmatch(r"Verdict:      PASS( by the estimate only \(.+\))?, 12 of 12 gates", lines[-1])
    assert "300 households" in done.screen
    assert "wasted within 30 days" in done.screen
    assert sum(line.startswith("[") and line.endswith(" s") for line in lines) == 44


def test_the_report_has_every_section(finished: Checkout) -> None:
    report = finished.file("08_reporting/validation_report.txt").read_text()
    for section in ("CLASSIFICATION", "CALIBRATION", "THRESHOLD", "BUSINESS", "GATE", "CEILING", "DATA"):
        assert section in report
    assert report.count("✓ PASS") == 12
    assert "Adversarial validation:     AUC 0." in report


def test_the_page_holds_every_picture_as_it_was_drawn(finished: Checkout) -> None:
    page = finished.file("08_reporting/validation_report.html").read_text()
    drawn = [path.read_bytes() for path in finished.file("08_reporting").glob("*.png")]
    shown = re.findall(r'<img src="data:image/png;base64,([^"]+)"', page)
    assert sorted(map(base64.b64decode, shown)) == sorted(drawn)
    assert "12 of 12 gates passed" in page
    items = pd.read_parquet(finished.file("01_raw/items.parquet"), columns=["item_id"])["item_id"]
    assert not set(re.findall(r"\d+", re.sub(r'src="[^"]+"', "", page))) & set(items.astype(str))


def test_the_run_is_in_the_store_with_parameters_metrics_and_artifacts(finished: Checkout) -> None:
    client = MlflowClient(finished.store)
    (run,) = client.search_runs([client.get_experiment_by_name("waste_risk").experiment_id])
    parameters, measured = run.data.params, run.data.metrics
    assert run.info.status == "FINISHED"
    assert parameters["n_features"] == str(len(FEATURES))
    assert {"n_samples", "n_folds", "waste_ratio", "training_date", "training.classifier.num_leaves"} <= set(parameters)
    assert {"versions.lightgbm", "training.num_threads", "commit", "data_hash", "parameter_hash"} <= set(parameters)
    wanted = ["auc", "avg_precision", "precision_at_50", "recall_at_50", "precision_at_70", "recall_at_70", "f1_at_70"]
    for name in [*wanted, "days_mae", "days_rmse"]:
        assert measured[f"cv.{name}"] == pytest.approx(
            np.mean([measured[f"fold_{fold}.{name}"] for fold in range(1, 6)])
        )
    folder = Path(local_file_uri_to_path(run.info.artifact_uri))
    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert len([name for name in kept if name.startswith("plots/") and name.endswith(".png")]) == 9
    assert {"reports/validation_report.txt", "reports/validation_report.html"} <= kept
    assert any(name.endswith(".log") for name in kept)
    final = {"classifier.txt", "regressor.txt", "calibrator.json", "calibrator.pkl", "explainer.pkl"}
    for name in [*final, "feature_names.json", "metadata.json"]:
        assert f"waste_predictor_final/{name}" in kept


def test_the_saved_and_the_registered_model_give_the_same_probabilities(finished: Checkout) -> None:
    test = pd.read_parquet(finished.file("05_model_input/test.parquet"))
    predicted = pd.read_parquet(finished.file("07_model_output/test_predictions.parquet"))
    saved = WastePredictor.load(finished.file("06_models/waste_predictor_final"))
    np.testing.assert_array_equal(saved.predict(test)["waste_probability"], predicted["waste_probability"])
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(finished.store)
    try:
        raw = mlflow.lightgbm.load_model("models:/waste_risk_classifier/1").predict(test[NAMES])
        days = mlflow.lightgbm.load_model("models:/waste_risk_regressor/1").predict(test[NAMES])
        served = mlflow.pyfunc.load_model("models:/waste_risk_predictor/1").predict(test)
        challenger = RegisteredPredictorDataset("challenger", "test").load()
    finally:
        mlflow.set_tracking_uri(before)
    np.testing.assert_array_equal(saved.calibrator.transform(raw), predicted["waste_probability"])
    np.testing.assert_array_equal(np.clip(days, 0, 30), predicted["predicted_days_to_waste"])
    pd.testing.assert_frame_equal(served, saved.predict(test), check_exact=True)
    assert challenger is not None
    assert challenger.predictor.sha256 == saved.sha256
    assert challenger.validated["log_loss"] > 0


@pytest.mark.parametrize("options", [(), ("--runner=ThreadRunner",)], ids=["again", "threads"])
def test_the_same_seed_gives_the_same_bytes(finished: Checkout, tmp_path: Path, options: tuple[str, ...]) -> None:
    other = Checkout.make(tmp_path / "project")
    outcome = other.run("--env", "test", *options)
    assert outcome.code == 0, outcome.errors
    models = [path.name for path in finished.file("06_models/waste_predictor_final").iterdir()]
    assert len(models) == 7
    tables = ["05_model_input/model_input.parquet", "07_model_output/test_predictions.parquet"]
    for name in [*(f"06_models/waste_predictor_final/{name}" for name in models), *tables]:
        assert other.file(name).read_bytes() == finished.file(name).read_bytes(), name
    name = "08_reporting/validation_metrics.json"
    assert other.file(name).read_text() == finished.file(name).read_text()


def test_each_pipeline_runs_on_its_own_and_validation_hangs_below_its_training(finished: Checkout) -> None:
    outcome = finished.run("--env", "test", "--pipelines", "validation")
    assert outcome.code == 0, outcome.errors
    client = MlflowClient(finished.store)
    newest, first = client.search_runs(["1"])
    assert newest.data.tags["mlflow.parentRunId"] == first.info.run_id


def validation_log(checkout: Checkout) -> list[dict[str, str]]:
    loaded: list[dict[str, str]] = json.loads(checkout.file("08_reporting/validation_log.json").read_text())
    return loaded


@pytest.mark.parametrize(
    "where",
    ["--pipelines=validation", "--from-nodes=validation.evaluate_predictions", "--nodes=validation.write_report"],
)
def test_whatever_measures_the_test_window_goes_on_record_and_into_the_report(finished: Checkout, where: str) -> None:
    before = validation_log(finished)
    outcome = finished.run("--env", "test", where)
    assert outcome.code == 0, outcome.errors
    after = validation_log(finished)
    assert len(after) == len(before) + ("write_report" not in where)
    assert after[: len(before)] == before
    assert {each["window_sha256"] for each in after} == {before[0]["window_sha256"]}
    assert {each["predictor_sha256"] for each in after} == {before[0]["predictor_sha256"]}
    said = f"The test window has been evaluated {len(after)} times, 1 predictor."
    assert said in finished.file("08_reporting/validation_report.txt").read_text()


def test_another_predictor_on_the_same_window_is_counted_and_warned_of(finished: Checkout, tmp_path: Path) -> None:
    project = Checkout(shutil.copytree(finished.folder, tmp_path / "copy"))
    outcome = project.run("--env", "test", "--pipelines", "training,validation", "--params", "training.seed=7")
    assert outcome.code == 0, outcome.errors
    first, *_, last = validation_log(project)
    assert first["window_sha256"] == last["window_sha256"]
    assert first["predictor_sha256"] != last["predictor_sha256"]
    for name in ("validation_report.txt", "validation_report.html"):
        text = project.file(f"08_reporting/{name}").read_text()
        assert "times, 2 predictors." in text
        assert "Choosing among predictors by the same window makes its metrics optimistic." in text


def test_a_verdict_goes_onto_the_training_run_and_its_registered_versions(finished: Checkout) -> None:
    """The run itself stays as it was: finished, with its own parameters."""
    client = MlflowClient(finished.store)
    training = client.get_run(json.loads(finished.file("06_models/training_run.json").read_text())["run_id"])
    assert training.data.tags["verdict"].startswith("PASS")
    outcome = finished.run("--env", "test", "--pipelines", "validation", "--params", "gates.min_auc=0.99")
    assert outcome.code == 0, outcome.errors
    judged = client.get_run(training.info.run_id)
    assert (judged.info.status, judged.info.end_time) == ("FINISHED", training.info.end_time)
    assert judged.data.params == training.data.params
    assert (judged.data.tags["verdict"], judged.data.tags["verdict_run_id"]) == (
        "FAIL",
        client.search_runs(["1"])[0].info.run_id,
    )
    assert judged.data.tags["verdict_reasons"].endswith("is below 0.99")
    assert judged.data.metrics["test.auc"] == training.data.metrics["test.auc"]
    sha256 = WastePredictor.load(finished.file("06_models/waste_predictor_final")).sha256
    for name in ("waste_risk_classifier", "waste_risk_regressor", "waste_risk_predictor"):
        (version,) = client.search_model_versions(f"name = '{name}'")
        assert (version.tags["verdict"], version.tags["verdict_predictor_sha256"]) == ("FAIL", sha256)


def versions(checkout: Checkout) -> list[tuple[str, str, str, str]]:
    """What is registered: name, number, training run, and the run that judged it."""
    found = MlflowClient(checkout.store).search_model_versions("")
    return sorted((each.name, str(each.version), each.run_id, each.tags["verdict_run_id"]) for each in found)


def test_a_run_with_nothing_left_to_do_registers_and_judges_nothing(finished: Checkout) -> None:
    before = versions(finished)
    outcome = finished.run("--env", "test", "--only-missing-outputs")
    assert (outcome.code, outcome.errors) == (0, "")
    assert versions(finished) == before


def test_a_predictor_is_registered_once_by_its_training_run(finished: Checkout) -> None:
    before = versions(finished)
    outcome = finished.run("--env", "test", "--from-nodes", "training.register_models")
    assert (outcome.code, outcome.errors) == (0, "")
    assert versions(finished) == before


def test_files_of_different_runs_are_not_mixed(finished: Checkout, tmp_path: Path) -> None:
    """A model judged beside the truth of other data would have a verdict that means nothing."""
    project = Checkout(shutil.copytree(finished.folder, tmp_path / "copy"))
    assert (
        project.run("--env", "test", "--pipelines", "data_generation", "--params", "data_generation.seed=7").code == 0
    )
    outcome = project.run("--env", "test", "--pipelines", "validation")
    assert outcome.code == 1
    assert re.fullmatch(
        r"\w+ was made from \w+ as it was before; run --pipelines data_engineering,training again\n", outcome.errors
    )
    derived = project.file("05_model_input/model_input.parquet")
    shutil.copy(derived, project.file("05_model_input/test.parquet"))
    outcome = project.run("--env", "test", "--pipelines", "validation")
    path = project.file("05_model_input/test.parquet")
    assert outcome.errors == f"{path} is not the file that a run wrote; run --pipelines training again\n"


def test_a_validation_before_any_training_says_what_to_run(tmp_path: Path) -> None:
    project = Checkout.make(tmp_path / "project")
    assert project.run("--env", "test", "--pipelines", "data_generation").code == 0
    outcome = project.run("--env", "test", "--pipelines", "validation")
    assert outcome.code == 1
    assert outcome.errors.endswith(" does not exist; run --pipelines data_engineering,training first\n")


CONSOLE_SCRIPT = "import sys; from waste_risk.__main__ import main; sys.exit(main())"  # as pip writes it


@pytest.mark.parametrize(
    ("packed", "command"), [("gztar", ("-m", "waste_risk")), ("zip", ("-c", CONSOLE_SCRIPT))], ids=["module", "script"]
)
def test_the_package_runs_wherever_its_configuration_is(tmp_path: Path, packed: str, command: tuple[str, str]) -> None:
    uv = Path(sys.executable).with_name("uv")
    build = [uv, "build", "--wheel", "--quiet", "--no-build-isolation", "--out-dir", tmp_path / "dist", ROOT]
    subprocess.run([*build, "--python", sys.executable], check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "installed", "zip")
    source = shutil.make_archive(str(tmp_path / "conf"), packed, ROOT, "conf")
    (tmp_path / "work").mkdir()
    done = subprocess.run(
        [
            sys.executable,
            *command,
            "--conf-source",
            source,
            "--env",
            "test",
            "--pipelines",
            "data_generation",
        ],
        cwd=tmp_path / "work",
        env={name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
        | {"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert pd.read_parquet(tmp_path / "work/data/test/01_raw/households.parquet").shape[0] == 300
    assert (tmp_path / "work/mlflow.db").is_file()


def test_gates_that_say_no_are_told_with_their_reason_and_exit_with_1_if_asked(finished: Checkout) -> None:
    arguments = ["--env", "test", "--pipelines", "validation", "--params", "gates.min_auc=0.99"]
    told = finished.run(*arguments)
    assert told.code == 0
    assert told.screen.splitlines()[-2] == "Verdict:      FAIL, 11 of 12 gates"
    assert "is below 0.99" in told.screen.splitlines()[-1]
    failed = finished.run(*arguments[:-1], "gates.min_auc=0.99,gates.on_failure=fail")
    assert failed.code == 1
    assert "✗ FAIL" in finished.file("08_reporting/validation_report.txt").read_text()


def test_a_horizon_that_the_labels_do_not_have_is_refused_in_one_line(finished: Checkout) -> None:
    outcome = finished.run("--env", "test", "--pipelines", "training", "--params", "observation.horizon_days=7")
    assert outcome.code == 1
    assert outcome.errors.startswith("model_input.label_known_on: must lie observation.horizon_days = 7 days")


def test_data_that_cannot_be_cut_end_in_one_line_that_says_what_is_needed(finished: Checkout) -> None:
    outcome = finished.run("--env", "test", "--pipelines", "training", "--params", "split.test_share=0.0001")
    assert outcome.code == 1
    assert "cannot be cut into 1 windows; a longer period or fewer folds are needed; in training." in outcome.errors
    assert len(outcome.errors.splitlines()) == 1


def test_a_run_that_begins_too_late_says_what_is_missing_in_one_line(finished: Checkout) -> None:
    outcome = finished.run("--env", "test", "--from-nodes", "data_engineering.build_features")
    assert outcome.code == 1
    assert outcome.errors.startswith("data_until: not kept by any run; begin at the node that makes them")
    assert len(outcome.errors.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("nonsense.key=5", "Parameter nonsense does not exist"),
        ("training.classifier.num_leafs=40", "did you mean training.classifier.num_leaves?"),
        ("split.test_share=0.9", "Parameter split.test_share: should be less than or equal to 0.5 (given 0.9)."),
        ("data_generation.n_households=many", "Parameter data_generation.n_households: should be a valid integer"),
    ],
)
def test_a_wrong_parameter_stops_the_run_before_it_starts_with_one_line(
    checkout: Checkout, setting: str, line: str
) -> None:
    outcome = checkout.run("--env", "test", "--params", setting)
    assert outcome.code == 1
    assert "[ 1/" not in outcome.screen
    assert line in outcome.errors
    assert len(outcome.errors.strip().splitlines()) == 1


def test_a_broken_input_table_stops_the_run_with_table_column_rule_and_count(finished: Checkout) -> None:
    file = finished.file("01_raw/items.parquet")
    sound = file.read_bytes()
    items = pd.read_parquet(file)
    items.loc[items.index[:3], "quantity"] = -7.25
    items.to_parquet(file)
    try:
        outcome = finished.run("--env", "test", "--pipelines", "data_engineering")
    finally:
        file.write_bytes(sound)
    assert outcome.code == 1
    assert f"items.quantity: must be at least 0.001 (3 of {len(items)} rows)" in outcome.errors
    assert "7.25" not in outcome.screen + outcome.errors


def test_a_killed_run_leaves_whole_files_and_the_next_one_goes_on(tmp_path: Path) -> None:
    project = Checkout.make(tmp_path / "project")
    process = project.start("--env", "test")
    assert process.stdout is not None
    for line in process.stdout:
        if "build_features" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    for path in project.folder.glob("data/test/*/*.parquet"):
        pd.read_parquet(path)
    resumed = project.run("--env", "test", "--from-nodes", "data_engineering.check_tables")
    assert resumed.code == 0, resumed.errors
    assert re.search(r"Verdict: +PASS.*, 12 of 12 gates", resumed.screen)


def test_another_source_is_three_small_files(finished: Checkout) -> None:
    """That of docs/new_source.md: tables from CSV files, and nobody knows the truth."""
    (finished.folder / "conf/mine").mkdir()
    (finished.folder / "exports").mkdir()
    for name, text in SWAP.items():
        (finished.folder / "conf/mine" / name).write_text(text)
    (finished.folder / "conf/mine/parameters.yml").write_text("split: {test_days: null}\n")  # as conf/test
    for table in ("items", "households", "events"):
        frame = pd.read_parquet(finished.file(f"01_raw/{table}.parquet"))
        frame.to_csv(finished.folder / f"exports/{table}.csv", index=False)
    exports = {path: (path.read_bytes(), path.stat()) for path in (finished.folder / "exports").iterdir()}
    outcome = finished.run("--env", "mine")
    assert outcome.code == 0, outcome.errors
    for path, (content, status) in exports.items():
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, status.st_mtime_ns)
    ours, theirs = (
        json.loads((finished.folder / f"data/{source}/08_reporting/validation_metrics.json").read_text())
        for source in ("test", "mine")
    )
    assert theirs["auc"]["value"] == pytest.approx(ours["auc"]["value"], abs=0.001)
    assert theirs["oracle_auc"] is None
    page = (finished.folder / "data/mine/08_reporting/validation_report.html").read_text()
    assert "What became of the items is what was recorded." in page
    assert "simulated" not in page
    tags = {found.tags["source"] for found in MlflowClient(finished.store).search_model_versions("")}
    assert tags == {"test", "mine"}
