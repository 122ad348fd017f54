"""A verdict reaches the training run and the versions of the very bytes that were judged, and no others.

Who passes becomes the challenger, unless a run was killed before all of its models were registered.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from kedro.io import DatasetError
from mlflow import MlflowClient
from projects import Project, finish
from registered import NAMES, models, new_set, state
from sqlalchemy import create_engine, text

from waste_risk.adapters.registry import find_version_sets, move, register_together
from waste_risk.adapters.registry_hooks import publish, stage
from waste_risk.validation.gates import GateDecision

REFUSED = GateDecision(False, (), ("AUC 0.8000 is below 0.85", "ECE is undefined"), "abc")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MlflowClient]:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    yield MlflowClient()
    mlflow.set_tracking_uri(before)


def finished_run(store: MlflowClient) -> str:
    run = store.create_run("0")
    store.log_metric(run.info.run_id, "test.auc", 0.9)
    store.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def version(store: MlflowClient, name: str, run_id: str, predictor_sha256: str) -> None:
    store.create_registered_model(name)
    store.create_model_version(name, "file:///nowhere", run_id, {"predictor_sha256": predictor_sha256})


def test_another_runs_metrics_and_verdict_go_onto_the_finished_training_run(store: MlflowClient) -> None:
    training = finished_run(store)
    publish(REFUSED, {"auc": 0.8, "n_rows": 12.0}, training, judged_by="judge")
    run = store.get_run(training)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"test.auc": 0.8, "test.n_rows": 12.0})
    assert {name: value for name, value in run.data.tags.items() if name.startswith("verdict")} == {
        "verdict": "FAIL",
        "verdict_reasons": "AUC 0.8000 is below 0.85; ECE is undefined",
        "verdict_predictor_sha256": "abc",
        "verdict_run_id": "judge",
    }


def test_a_run_that_judges_what_it_trained_logs_its_metrics_once(store: MlflowClient) -> None:
    training = finished_run(store)
    publish(REFUSED, {"auc": 0.8}, training, judged_by=training)
    assert [each.value for each in store.get_metric_history(training, "test.auc")] == [0.9]


def test_versions_of_other_bytes_and_of_other_runs_stay_as_they_are(store: MlflowClient) -> None:
    training, other = finished_run(store), finished_run(store)
    version(store, "judged", training, "abc")
    version(store, "other_bytes", training, "xyz")
    version(store, "other_run", other, "abc")
    publish(REFUSED, {}, training, judged_by="judge")
    tagged = {found.name: found.tags.get("verdict") for found in store.search_model_versions("")}
    assert tagged == {"judged": "FAIL", "other_bytes": None, "other_run": None}


def test_a_store_that_does_not_know_the_training_run_is_named_in_one_line(store: MlflowClient) -> None:
    with pytest.raises(DatasetError, match="^the verdict cannot go onto training run gone: ") as refusal:
        publish(REFUSED, {"auc": 0.8}, "gone", judged_by=finished_run(store))
    assert "\n" not in str(refusal.value)


def verdict(sha256: str, *, approved: bool = True) -> GateDecision:
    return GateDecision(approved, (), (), sha256)


def everywhere(*stages: str) -> dict[str, list[str]]:
    return dict.fromkeys(NAMES, [*stages])


def test_who_passes_becomes_the_challenger_unless_it_is_the_champion(store: MlflowClient) -> None:
    first, second = new_set(store, sha256="abc"), new_set(store, sha256="def")
    assert stage(verdict("xyz"), second.training_run_id) == "the predictor is not registered whole"
    assert state(store) == everywhere("None", "None")
    for _ in range(2):
        assert stage(verdict("def"), second.training_run_id) == f"{second} are the challenger"
        assert state(store) == everywhere("None", "Staging challenger")
    move(second, "Production")
    assert stage(verdict("def"), second.training_run_id) == f"{second} are the champion"
    stage(verdict("abc"), first.training_run_id)
    assert state(store) == everywhere("Staging challenger", "Production champion")


def test_who_passes_again_after_a_later_challenger_is_the_challenger_again(store: MlflowClient) -> None:
    first, second = new_set(store, sha256="abc"), new_set(store, sha256="def")
    for sha256, each in (("abc", first), ("def", second), ("abc", first)):
        stage(verdict(sha256), each.training_run_id)
    assert state(store) == everywhere("Staging challenger", "Archived")


def test_who_fails_later_is_no_longer_the_challenger(store: MlflowClient) -> None:
    only = new_set(store)
    stage(verdict("abc"), only.training_run_id)
    told = stage(verdict("abc", approved=False), only.training_run_id)
    assert told == f"{only} are no longer the challenger"
    assert state(store) == everywhere("Archived")


def test_who_fails_is_not_the_challenger_and_leaves_the_other_one_alone(store: MlflowClient) -> None:
    first, second = new_set(store, sha256="abc"), new_set(store, sha256="def")
    stage(verdict("abc"), first.training_run_id)
    stage(verdict("def", approved=False), second.training_run_id)
    assert state(store) == everywhere("Staging challenger", "None")


def test_a_predictor_of_another_source_than_the_champions_does_not_become_the_challenger(store: MlflowClient) -> None:
    champion, other = new_set(store), new_set(store, source="other", sha256="def")
    move(champion, "Staging")
    move(champion, "Production")
    told = stage(verdict("def"), other.training_run_id)
    assert told == f"{other} are not the challenger: the champion is of source simulated"
    assert state(store) == everywhere("Production champion", "None")


def test_an_incomplete_version_set_does_not_become_the_challenger(store: MlflowClient) -> None:
    training = finished_run(store)
    register_together(models(training)[:2], training, training)
    assert stage(verdict("abc"), training) == "the predictor is not registered whole"
    assert [each.current_stage for each in store.search_model_versions("")] == ["None", "None"]


BLOCKING = """CREATE FUNCTION block() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name = 'waste_risk_predictor' THEN PERFORM pg_advisory_xact_lock(1); END IF;
    RETURN NEW;
END $$"""
BLOCKED = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


def test_a_run_that_is_killed_between_two_models_is_told_of_by_the_next_one(
    new_project: Callable[[], Project], database: str
) -> None:
    """The store waits before it creates the version of the third model, and meanwhile the run is killed."""
    project, variables = new_project(), {"MLFLOW_TRACKING_URI": database}
    assert project.run("--pipelines", "logged", **variables).code == 0
    engine = create_engine(database, isolation_level="AUTOCOMMIT")
    with closing(engine.connect()) as lock:
        for statement in (
            BLOCKING,
            "CREATE TRIGGER block BEFORE INSERT ON model_versions FOR EACH ROW EXECUTE FUNCTION block()",
            "SELECT pg_advisory_lock(1)",
        ):
            lock.exec_driver_sql(statement)
        process = project.start("--pipelines", "models", **variables)
        while not lock.execute(BLOCKED).scalar() and process.poll() is None:
            pass
        process.kill()
        finish(process)
        lock.exec_driver_sql("SELECT pg_advisory_unlock(1)")
    engine.dispose()
    outcome = project.run("--pipelines", "logged", **variables)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(database)
    try:
        (left,) = find_version_sets("simulated")
    finally:
        mlflow.set_tracking_uri(before)
    names = "waste_risk_classifier 1, waste_risk_regressor 1"
    line = f"Registry:     {names} were left incomplete by run {left.id}; they are never promoted"
    assert (outcome.code, outcome.screen.splitlines()[0]) == (0, line)
    assert left.is_marked
    assert {version.tags["verdict"] for version in left.versions.values()} == {"NONE: the run was killed"}
    again = project.run("--pipelines", "models", **variables)
    assert (again.code, "incomplete" in again.screen) == (0, False)
