"""Monitoring as a user runs it: after scorings of some weeks, with the champion of the registry."""

import json

import mlflow
import pandas as pd
import pytest
from checkout import Checkout, Outcome
from mlflow import MlflowClient

from waste_risk.adapters.registry import find_version_sets, move

MOMENTS = ("2025-04-21", "2025-04-23", "2025-04-28", "2025-06-16")  # of two in one week the newer one counts


def run(checkout: Checkout, pipeline: str, *parameters: str) -> Outcome:
    settings = ["--params", ",".join(parameters)] if parameters else []
    return checkout.run("--env", "test", "--pipelines", pipeline, *settings)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The project with a champion, and without predictions."""
    checkout = Checkout.make(tmp_path_factory.mktemp("monitoring") / "project")
    outcome = checkout.run("--env", "test")
    assert outcome.code == 0, outcome.errors
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(checkout.store)
    try:
        (version_set,) = find_version_sets("test")
        move(version_set, "Production")
    finally:
        mlflow.set_tracking_uri(before)
    return checkout


@pytest.fixture(scope="module")
def before_scoring(project: Checkout) -> Outcome:
    return run(project, "monitoring")


@pytest.fixture(scope="module")
def of_one_moment(project: Checkout, before_scoring: Outcome) -> Outcome:
    assert before_scoring.code == 1
    assert run(project, "scoring", "scoring.as_of=2025-06-16").code == 0
    outcome = run(project, "monitoring")
    assert outcome.code == 0, outcome.errors
    return outcome


@pytest.fixture(scope="module")
def monitored(project: Checkout, of_one_moment: Outcome) -> Outcome:
    assert of_one_moment.code == 0
    for moment in MOMENTS[:-1]:
        outcome = run(project, "scoring", f"scoring.as_of={moment}")
        assert outcome.code == 0, outcome.errors
    outcome = run(project, "monitoring")
    assert outcome.code == 0, outcome.errors
    return outcome


@pytest.fixture(scope="module")
def metrics(project: Checkout, monitored: Outcome) -> "dict[str, object]":
    assert monitored.code == 0
    loaded: dict[str, object] = json.loads(project.file("08_reporting/monitoring_metrics.json").read_text())
    return loaded


def test_without_predictions_one_line_says_what_to_run(before_scoring: Outcome) -> None:
    (line,) = before_scoring.errors.splitlines()
    assert line.startswith("predictions: there are none yet; run kedro run --pipelines scoring")


def test_without_a_mature_week_one_line_says_when_there_will_be_one(of_one_moment: Outcome) -> None:
    *_, told, alarms = of_one_moment.screen.splitlines()
    assert told.startswith("Monitored:    No week is mature yet")
    assert told.endswith("the first labels are known on 2025-07-16.")
    assert alarms == "Alarms:       none"


def test_the_newest_moment_of_each_week_is_followed_and_mature_ones_have_outcomes(
    metrics: "dict[str, list[dict]]",
) -> None:
    weeks = [(week["number"], week["as_of"][:10], week["realized"] is not None) for week in metrics["weeks"]]
    assert weeks == [(0, "2025-04-23", True), (1, "2025-04-28", True), (8, "2025-06-16", False)]


def test_the_realized_base_rate_is_that_of_the_events(project: Checkout, metrics: "dict[str, list[dict]]") -> None:
    (path,) = project.file("07_model_output/predictions").glob("2025-04-28_*.parquet")
    predictions = pd.read_parquet(path)
    items, events = (pd.read_parquet(project.file(f"02_intermediate/{name}.parquet")) for name in ("items", "events"))
    bought = items.set_index("item_id")["purchased_on"].reindex(predictions["item_id"]).to_numpy()
    learned = predictions[predictions["as_of"] - bought <= pd.Timedelta(days=365)]
    end = pd.Timestamp("2025-05-28")
    within = events[
        (events["kind"] == "wasted") & (events["occurred_on"] >= "2025-04-28") & (events["occurred_on"] < end)
    ]
    week = metrics["weeks"][1]
    assert week["n_rows"] == len(learned)
    assert week["realized"]["metrics"]["base_rate"] == learned["item_id"].isin(within["item_id"]).mean()
    assert week["expected"]["base_rate"]["value"] == pytest.approx(learned["waste_probability"].mean())


def test_an_estimate_is_stored_beside_each_scoring_and_stands(project: Checkout, monitored: Outcome) -> None:
    assert monitored.code == 0
    folder = project.file("07_model_output/expected_performance")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert before.keys() == {path.name for path in project.file("07_model_output/predictions").iterdir()}
    again = run(project, "scoring", "scoring.as_of=2025-04-28", "monitoring.n_resamples=2000")
    assert again.code == 0, again.errors
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_mlflow_has_a_step_for_each_week_and_the_reports(project: Checkout, monitored: Outcome) -> None:
    assert monitored.code == 0
    client = MlflowClient(project.store)
    found = [run for run in client.search_runs(["1"]) if "monitoring.expected.auc" in run.data.metrics]
    history = client.get_metric_history(found[0].info.run_id, "monitoring.expected.auc")
    assert [each.step for each in history] == [0, 1, 8]
    names = {each.path for each in client.list_artifacts(found[0].info.run_id, "reports")}
    assert names == {"reports/monitoring_report.txt", "reports/monitoring_report.html"}
    assert len(client.list_artifacts(found[0].info.run_id, "plots")) == 3


def test_the_reports_show_what_the_terminal_says(project: Checkout, monitored: Outcome) -> None:
    told = "2 of 3 weeks mature"
    assert told in monitored.screen
    for name in ("monitoring_report.txt", "monitoring_report.html"):
        assert told in project.file(f"08_reporting/{name}").read_text(encoding="utf-8")


def test_what_scoring_did_in_hindsight_is_left_out(project: Checkout, monitored: Outcome) -> None:
    assert monitored.code == 0
    assert run(project, "scoring", "scoring.as_of=2024-10-07").code == 0
    assert run(project, "monitoring").code == 0
    weeks = json.loads(project.file("08_reporting/monitoring_metrics.json").read_text())["weeks"]
    assert [week["as_of"][:10] for week in weeks] == ["2025-04-23", "2025-04-28", "2025-06-16"]
