"""Scoring as a user runs it: the open items of a source, with the champion of its registry."""

import shutil
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from checkout import SWAP, Checkout, Outcome
from mlflow import MlflowClient

from waste_risk.adapters.registry import find_version_sets, move
from waste_risk.features import build_features
from waste_risk.model.predictor import WastePredictor
from waste_risk.observations.observe import latest_record, open_items

RAW = ("households", "items", "events")


def score(checkout: Checkout, *parameters: str) -> Outcome:
    settings = ["--params", ",".join(parameters)] if parameters else []
    return checkout.run("--env", "test", "--pipelines", "scoring", *settings)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def made_by_others(checkout: Checkout) -> dict[str, tuple[bytes, int]]:
    """Every file of the source but what scoring makes, and what runs keep about themselves."""
    own = (
        "07_model_output/predictions/",
        "07_model_output/expected_performance/",
        "08_reporting/pantry_risk.html",
        ".",
    )
    return {name: each for name, each in contents(checkout.file("")).items() if not name.startswith(own)}


def copy_of(checkout: Checkout, folder: Path) -> Checkout:
    return Checkout(shutil.copytree(checkout.folder, folder))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The project after its main job: there is a challenger, and no champion."""
    checkout = Checkout.make(tmp_path_factory.mktemp("scoring") / "project")
    outcome = checkout.run("--env", "test")
    assert outcome.code == 0, outcome.errors
    return checkout


@pytest.fixture(scope="module")
def before_promotion(trained: Checkout) -> Outcome:
    return score(trained)


@pytest.fixture(scope="module")
def project(trained: Checkout, before_promotion: Outcome) -> Checkout:
    """The project with a champion."""
    assert before_promotion.code == 1
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(trained.store)
    try:
        (version_set,) = find_version_sets("test")
        move(version_set, "Production")
    finally:
        mlflow.set_tracking_uri(before)
    return trained


@pytest.fixture(scope="module")
def scored(project: Checkout) -> Outcome:
    before = made_by_others(project), len(MlflowClient(project.store).search_model_versions(""))
    outcome = score(project)
    assert outcome.code == 0, outcome.errors
    assert (made_by_others(project), len(MlflowClient(project.store).search_model_versions(""))) == before
    return outcome


def test_without_a_champion_one_line_says_what_to_run(before_promotion: Outcome, trained: Checkout) -> None:
    (line,) = before_promotion.errors.splitlines()
    said = "there is no champion yet: run kedro run, then kedro run --pipelines promotion; in scoring.take_champion"
    assert line.startswith(said)
    assert "open_items" not in before_promotion.screen
    assert trained.file("07_model_output").exists()


def test_the_closing_lines_say_what_was_scored_and_how_many_alerts_there_are(scored: Outcome) -> None:
    *_, first, second, last = scored.screen.splitlines()
    assert first.startswith("Scored: ")
    assert first.endswith("by version 1 of the model")
    assert second.startswith("Alerts: ")
    assert last.startswith("Older: ")


def test_predictions_are_those_of_the_champion_for_the_features_of_the_moment(
    project: Checkout, scored: Outcome
) -> None:
    assert scored.code == 0
    (path,) = project.file("07_model_output/predictions").iterdir()
    predictions = pd.read_parquet(path)
    households, items, events = (pd.read_parquet(project.file(f"02_intermediate/{name}.parquet")) for name in RAW)
    as_of = latest_record(items, events)
    features = build_features(open_items(items, events, as_of), households, items, events)
    champion = WastePredictor.load(project.file("06_models/waste_predictor_final"))
    wanted = champion.predict(features)
    assert len(predictions) == len(features) > 100
    assert set(predictions["as_of"]) == {as_of}
    assert predictions["item_id"].tolist() == features["item_id"].tolist()
    np.testing.assert_array_equal(predictions["waste_probability"], wanted["waste_probability"])
    np.testing.assert_array_equal(predictions["days_to_waste"], wanted["days_to_waste"])
    assert path.name == f"{as_of.isoformat().replace(':', '')}_{champion.sha256[:12]}.parquet"


def test_the_page_shows_the_moment_and_is_not_logged(project: Checkout, scored: Outcome) -> None:
    assert scored.code == 0
    page = project.file("08_reporting/pantry_risk.html").read_text()
    assert "What is at risk in the pantries" in page
    (run,) = MlflowClient(project.store).search_runs(["1"], max_results=1)
    logged = [each.path for each in MlflowClient(project.store).list_artifacts(run.info.run_id)]
    assert logged == ["logs"]


def test_other_moments_are_added_and_the_same_moment_again_changes_nothing(project: Checkout, tmp_path: Path) -> None:
    checkout = copy_of(project, tmp_path / "copy")
    folder = checkout.file("07_model_output/predictions")
    for moment in ("2025-05-01", "2025-04-28", "2025-05-02T06:00"):
        assert score(checkout, f"scoring.as_of={moment}").code == 0
    before, raw = contents(folder), contents(checkout.file("01_raw"))
    assert len([name for name in before if name.startswith("2025-0")]) >= 3
    again = score(checkout, "scoring.as_of=2025-05-01")
    assert again.code == 0, again.errors
    assert contents(folder) == before
    assert contents(checkout.file("01_raw")) == raw
    tables = {path.name.partition("_")[0]: pd.read_parquet(path) for path in folder.iterdir()}
    older, newer = tables["2025-04-28"].set_index("item_id"), tables["2025-05-02T060000"].set_index("item_id")
    assert set(older.loc[older["is_alert"], "alerted_on"]) == {pd.Timestamp("2025-04-28")}
    both = newer.index.intersection(older.index[older["is_alert"]])
    assert len(both) > 10
    assert set(newer.loc[both, "alerted_on"]) == {pd.Timestamp("2025-04-28")}
    assert (newer["alerted_on"] == pd.Timestamp("2025-05-02T06:00")).any()


def test_records_that_were_changed_afterwards_do_not_replace_a_prediction(project: Checkout, tmp_path: Path) -> None:
    checkout = copy_of(project, tmp_path / "copy")
    assert score(checkout, "scoring.as_of=2025-05-01").code == 0
    before = contents(checkout.file("07_model_output/predictions"))
    file = checkout.file("01_raw/events.parquet")
    events = pd.read_parquet(file)
    events[(events["occurred_on"] < pd.Timestamp("2025-05-01")) | (events["item_id"] % 2 == 0)].to_parquet(file)
    assert score(checkout, "scoring.as_of=2025-05-01").code == 0  # what is recorded later has no part in it
    assert contents(checkout.file("07_model_output/predictions")) == before
    events[events["occurred_on"] >= pd.Timestamp("2025-01-01")].to_parquet(file)
    outcome = score(checkout, "scoring.as_of=2025-05-01")
    assert outcome.code == 1
    (line,) = outcome.errors.splitlines()
    assert "holds other predictions by this predictor" in line
    assert contents(checkout.file("07_model_output/predictions")) == before


def test_a_moment_after_the_latest_record_is_refused_in_one_line(project: Checkout, scored: Outcome) -> None:
    assert scored.code == 0
    before = contents(project.file("07_model_output/predictions"))
    outcome = score(project, "scoring.as_of=2031-01-01")
    assert outcome.code == 1
    (line,) = outcome.errors.splitlines()
    assert line.startswith("scoring.as_of is 2031-01-01 00:00:00, after the latest record of the source at 2025-")
    assert contents(project.file("07_model_output/predictions")) == before


def test_a_past_moment_says_that_the_model_knows_what_came_after(project: Checkout, tmp_path: Path) -> None:
    outcome = score(copy_of(project, tmp_path / "copy"), "scoring.as_of=2024-10-01")
    assert outcome.code == 0, outcome.errors
    assert outcome.screen.splitlines()[-1].startswith("Hindsight:    the model has learned from what happened until")


def test_the_champion_of_another_source_is_refused_in_one_line(project: Checkout, tmp_path: Path) -> None:
    checkout = copy_of(project, tmp_path / "copy")
    (checkout.folder / "conf/mine").mkdir()
    (checkout.folder / "exports").mkdir()
    for name, text in SWAP.items():
        (checkout.folder / "conf/mine" / name).write_text(text)
    for table in RAW:
        frame = pd.read_parquet(checkout.file(f"01_raw/{table}.parquet"))
        frame.to_csv(checkout.folder / f"exports/{table}.csv", index=False)
    outcome = checkout.run("--env", "mine", "--pipelines", "scoring")
    assert outcome.code == 1
    (line,) = outcome.errors.splitlines()
    assert line.startswith("the champion, version 1 of waste_risk_predictor, is of source test, not of mine; to score")
    assert "set scoring.champion_source=test" in line


def test_a_registry_that_is_away_is_told_in_one_line(project: Checkout, tmp_path: Path) -> None:
    checkout = copy_of(project, tmp_path / "copy")
    settings = checkout.folder / "conf/base/mlflow.yml"
    settings.write_text(settings.read_text().replace("'sqlite:///mlflow.db'", "'http://127.0.0.1:9'"))
    outcome = score(checkout)
    assert outcome.code == 1
    (line,) = outcome.errors.splitlines()
    assert "127.0.0.1" in line
    assert "[1/9]" not in outcome.screen


def test_a_champion_whose_files_are_gone_is_told_in_one_line(project: Checkout, tmp_path: Path) -> None:
    checkout = copy_of(project, tmp_path / "copy")
    client = MlflowClient(checkout.store)
    version = client.get_model_version_by_alias("waste_risk_predictor", "champion")
    place = client.get_model_version_download_uri("waste_risk_predictor", version.version).removeprefix("file://")
    kept = shutil.move(place, tmp_path / "kept")
    try:
        outcome = score(checkout)
    finally:
        shutil.move(kept, place)
    assert outcome.code == 1
    (line,) = outcome.errors.splitlines()
    assert line.startswith("any_champion: version 1 of waste_risk_predictor: its files are gone from the store")
