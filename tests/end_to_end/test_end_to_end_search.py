"""A search as a user runs it, on a small source, in a folder of its own."""

import json
from pathlib import Path

import pandas as pd
import pytest
from checkout import Checkout, Outcome
from mlflow import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path
from searching import finished

QUICK = "training.classifier.num_boost_round=30,training.regressor.num_boost_round=30"
SEARCH = ("--env", "test", "--params", f"tuning.n_trials=3,tuning.nested_runs=true,{QUICK}")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.make(tmp_path_factory.mktemp("search") / "project")


@pytest.fixture(scope="module")
def done(checkout: Checkout) -> Outcome:
    outcome = checkout.run("--pipelines", "data_generation,data_engineering,training", *SEARCH)
    assert outcome.code == 0, outcome.errors
    return outcome


@pytest.fixture(scope="module")
def trials(checkout: Checkout, done: Outcome) -> pd.DataFrame:
    assert "tune_hyperparameters" in done.screen
    return pd.read_parquet(checkout.file("06_models/trials.parquet"))


def test_the_predictor_is_made_with_the_best_values(checkout: Checkout, trials: pd.DataFrame) -> None:
    metadata = json.loads(checkout.file("06_models/waste_predictor_final/metadata.json").read_text())
    best = trials.loc[trials["value"].idxmax()]
    for name in ("num_leaves", "learning_rate", "max_depth", "lambda_l2"):
        assert metadata["training"]["classifier"][name] == best[name]
    assert metadata["training"]["regressor"]["num_leaves"] == 31


def test_the_run_has_the_values_the_table_the_plots_and_a_run_for_each_trial(
    checkout: Checkout, trials: pd.DataFrame
) -> None:
    client = MlflowClient(checkout.store)
    *children, run = client.search_runs(["1"])
    best = trials.loc[trials["value"].idxmax()]
    assert float(run.data.params["tuned.learning_rate"]) == best["learning_rate"]
    assert run.data.params["training.classifier.learning_rate"] == "0.03"
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {run.info.run_id}
    assert sorted(child.data.metrics["value"] for child in children) == sorted(trials["value"])
    folder = Path(local_file_uri_to_path(run.info.artifact_uri))
    assert (folder / "tables/trials.parquet").exists()
    assert {path.name for path in (folder / "plots").glob("search_*")} == {
        *("search_history.png", "search_slices.png", "search_importances.png"),
    }


def test_in_postgresql_the_trials_are_the_same_and_the_password_is_written_nowhere(
    checkout: Checkout, trials: pd.DataFrame, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.file("06_models/trials.parquet").unlink()
    monkeypatch.setenv("OPTUNA_STORAGE", database)
    outcome = checkout.run("--nodes", "training.tune_hyperparameters", "--pipelines", "training", *SEARCH)
    assert (outcome.code, outcome.errors) == (0, "")
    pd.testing.assert_frame_equal(pd.read_parquet(checkout.file("06_models/trials.parquet")), trials)
    assert len(finished(database)) == 3
    assert "s3cr3t" in database
    assert "s3cr3t" not in outcome.screen
    files = [path for path in checkout.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cr3t" in path.read_bytes()]


def test_a_broken_study_ends_the_run_in_one_line(checkout: Checkout, trials: pd.DataFrame) -> None:
    assert len(trials) == 3
    file = checkout.file("06_models/studies.db")
    file.write_bytes(b"no database" * 500)
    outcome = checkout.run("--from-nodes", "training.tune_hyperparameters", "--pipelines", "training", *SEARCH)
    assert outcome.code == 1
    assert outcome.errors.startswith(
        f"the studies at sqlite:///{file} cannot be used: file is not a database; "
        "in training.tune_hyperparameters (traceback: "
    )
    assert outcome.errors.count("\n") == 1
