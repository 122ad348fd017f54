"""Promotion and rollback as a user runs them, after the main job on a small source."""

import json
from pathlib import Path
from typing import Any

import mlflow
import pytest
from checkout import Checkout
from mlflow import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path

OVERRIDE = "promotion.override=prices were wrong until May"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Two trained predictors, of which the first one was promoted before the second one was trained."""
    made = Checkout.make(tmp_path_factory.mktemp("promotion") / "project")
    for arguments in ((), ("--pipelines", "promotion"), ("--pipelines", "retrain", "--params", "training.seed=7")):
        outcome = made.run("--env", "test", *arguments)
        assert outcome.code == 0, outcome.errors
    return made


def decision(checkout: Checkout) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(checkout.file("08_reporting/promotion_decision.json").read_text())
    return found


def aliases(checkout: Checkout) -> dict[str, str]:
    found = MlflowClient(checkout.store).get_registered_model("waste_risk_predictor").aliases
    return {alias: str(version) for alias, version in found.items()}


def log(checkout: Checkout) -> list[str]:
    """What the page of MLflow shows of each entry, the first one first."""
    client = MlflowClient(checkout.store)
    found = client.search_model_versions("name = 'waste_risk_promotion_log'")
    return [str(each.description) for each in sorted(found, key=lambda each: int(each.version))]


def run(checkout: Checkout, pipeline: str, *params: str) -> list[str]:
    """Run, and return the closing lines."""
    options = ("--params", ",".join(params)) if params else ()
    outcome = checkout.run("--env", "test", "--pipelines", pipeline, *options)
    assert outcome.code == 0, outcome.errors
    return outcome.screen.splitlines()


def refused(checkout: Checkout, pipeline: str, *params: str) -> str:
    """Run, and return the one line of the error."""
    options = ("--params", ",".join(params)) if params else ()
    outcome = checkout.run("--env", "test", "--pipelines", pipeline, *options)
    assert outcome.code == 1
    (line,) = outcome.errors.splitlines()
    return line


def test_first_second_and_back(checkout: Checkout) -> None:
    """The story of a registry, in the order in which a user would tell it."""
    assert aliases(checkout) == {"champion": "1", "reference": "1", "challenger": "2"}
    told = "There is no champion to compare with, and the challenger has passed its gates."
    assert [told in entry for entry in log(checkout)] == [True, True]

    lines = run(checkout, "promotion", "promotion.dry_run=true")
    assert lines[-1].strip() == "A dry run: the decision was neither carried out nor recorded."
    assert decision(checkout)["dry_run"] is True
    compared = decision(checkout)["comparison"]
    assert compared["n_rows"] > 500
    assert compared["log_loss_gain"]["low"] < compared["log_loss_gain"]["value"] < compared["log_loss_gain"]["high"]
    assert (aliases(checkout)["champion"], len(log(checkout))) == ("1", 2)

    lines = run(checkout, "promotion", OVERRIDE)
    told = "A person promotes the challenger: prices were wrong until May. The rule alone says "
    assert any(line.strip().startswith(told) for line in lines)
    assert aliases(checkout) == {"champion": "2", "previous": "1", "reference": "1"}

    lines = run(checkout, "promotion")
    assert lines[-1].strip() == "The challenger is the champion, byte for byte."
    assert decision(checkout)["decision"] == "keep"

    lines = run(checkout, "rollback", "promotion.override=too many alerts")
    assert lines[-1].strip() == "A person returns to the former champion: too many alerts."
    assert aliases(checkout) == {"champion": "1", "reference": "1"}

    lines = run(checkout, "promotion")
    assert lines[-1].strip() == "The challenger was champion before, and was rolled back."
    line = refused(checkout, "rollback")
    assert line.startswith(
        "the log of promotions knows no earlier champion that a rollback could return to; in rollback."
    )
    assert [entry.split("**")[1] for entry in log(checkout)] == [
        *("intended: promote", "done: promote"),
        *("intended: promote", "done: promote"),  # the override
        "decided: keep",
        *("intended: rollback", "done: rollback"),
        "decided: keep",
    ]
    assert f"SHA-256 `{compared['rows_sha256']}`" in log(checkout)[3]


def test_a_promotions_run_hangs_below_the_training_and_holds_the_decision(checkout: Checkout) -> None:
    client = MlflowClient(checkout.store)
    entries = client.search_model_versions("name = 'waste_risk_promotion_log'")
    first = client.get_run(str(min(entries, key=lambda each: int(each.version)).run_id))
    trained = client.get_model_version("waste_risk_predictor", "1")
    assert first.data.tags["mlflow.parentRunId"] == trained.run_id
    folder = Path(local_file_uri_to_path(first.info.artifact_uri))
    kept = json.loads((folder / "reports/promotion_decision.json").read_text())
    assert kept["challenger_sha256"] == trained.tags["predictor_sha256"]


def test_both_ways_of_loading_find_the_champion(checkout: Checkout) -> None:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(checkout.store)
    try:
        for name in ("waste_risk_classifier", "waste_risk_regressor"):
            by_stage = mlflow.lightgbm.load_model(f"models:/{name}/Production")
            by_alias = mlflow.lightgbm.load_model(f"models:/{name}@champion")
            assert by_stage.model_to_string() == by_alias.model_to_string()
    finally:
        mlflow.set_tracking_uri(before)


def test_a_champion_of_another_source_and_a_broken_one_cost_one_line_and_move_nothing(checkout: Checkout) -> None:
    client = MlflowClient(checkout.store)
    before, entries = aliases(checkout), len(log(checkout))
    champion = client.get_model_version_by_alias("waste_risk_predictor", "champion")
    client.set_model_version_tag(champion.name, champion.version, "source", "other")
    try:
        line = refused(checkout, "promotion")
    finally:
        client.set_model_version_tag(champion.name, champion.version, "source", "test")
    assert line.startswith("champion: version 1 of waste_risk_predictor is of source other, not of test; in promotion.")
    place = Path(local_file_uri_to_path(client.get_model_version_download_uri(champion.name, champion.version)))
    path = place / "data/predictor/classifier.txt"
    kept = path.read_bytes()
    path.write_bytes(kept + b"\n")
    try:
        line = refused(checkout, "promotion")
    finally:
        path.write_bytes(kept)
    assert line.startswith(
        "champion: version 1 of waste_risk_predictor: classifier.txt is not the file that was saved:"
    )
    assert (aliases(checkout), len(log(checkout))) == (before, entries)


def test_before_any_validation_one_line_says_what_to_run(tmp_path: Path) -> None:
    line = refused(Checkout.make(tmp_path / "project"), "promotion")
    assert "run --pipelines training,validation first" in line


def test_promotion_runs_by_itself(checkout: Checkout) -> None:
    line = refused(checkout, "validation,promotion")
    assert line.startswith("promotion and rollback run by themselves: run validation first, since")
