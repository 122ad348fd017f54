"""Version sets are registered whole or never used, and move in an order that always leaves a champion."""

import warnings
from collections.abc import Iterator

import mlflow
import pytest
from kedro.io import DatasetError
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from registered import NAMES, failing_after, finished_run, models, new_set, state

from waste_risk.adapters.registry import (
    VersionSet,
    find_version_sets,
    mark_incomplete,
    move,
    register_together,
    version_of_alias,
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store of either kind; its tables are created only once, as that takes seconds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"
    from postgres_server import make_database  # noqa: PLC0415, only here

    return make_database(request.getfixturevalue("postgresql")).render_as_string(hide_password=False)


@pytest.fixture
def store(address: str) -> Iterator[MlflowClient]:
    """The store, with an empty registry."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(address)
    client = MlflowClient()
    yield client
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)
    mlflow.set_tracking_uri(before)


def everywhere(*stages: str) -> dict[str, list[str]]:
    return {name: list(stages) for name in NAMES}


class TestRegisteringTogether:
    """All three models or none."""

    def test_the_versions_of_a_training_are_one_complete_version_set(self, store: MlflowClient) -> None:
        first, second = new_set(store), new_set(store, sha256="def")
        new_set(store, source="other")
        found = find_version_sets("simulated")
        assert [each.id for each in found] == [first.id, second.id]
        assert [each.predictor_sha256 for each in found] == ["abc", "def"]
        assert [(each.is_complete, each.is_new) for each in found] == [(True, True)] * 2
        assert str(found[1]) == "waste_risk_classifier 2, waste_risk_regressor 2, waste_risk_predictor 2"

    def test_if_the_third_fails_the_first_two_are_marked_and_cannot_be_moved(
        self, store: MlflowClient, address: str
    ) -> None:
        run_id = finished_run(store)
        with pytest.raises(MlflowException), failing_after(address, 2):
            register_together(models(run_id), run_id, run_id)
        (left,) = find_version_sets("simulated")
        assert {version.tags["version_set_incomplete"] for version in left.versions.values()} == {
            f"run {run_id} has registered 2 of 3 models"
        }
        assert len(left.versions) == 2
        with pytest.raises(DatasetError, match="are an incomplete version set, and cannot be moved"):
            move(left, "Staging")
        assert mark_incomplete("simulated") == []
        assert new_set(store).is_complete

    def test_what_a_killed_run_left_is_marked_by_the_next_and_never_moved(self, store: MlflowClient) -> None:
        killed = finished_run(store, status="KILLED")
        register_together(models(killed)[:2], killed, killed)
        (left,) = find_version_sets("simulated")
        with pytest.raises(DatasetError, match="incomplete version set"):
            move(left, "Staging")
        assert mark_incomplete("other") == []
        assert [each.id for each in mark_incomplete("simulated")] == [killed]
        (marked,) = find_version_sets("simulated")
        assert marked.is_marked
        assert mark_incomplete("simulated") == []
        register_together(models(killed)[2:], killed, killed)  # too late
        (late,) = find_version_sets("simulated")
        with pytest.raises(DatasetError, match="incomplete version set"):
            move(late, "Staging")

    def test_a_run_at_work_is_left_to_finish(self, store: MlflowClient) -> None:
        run_id = finished_run(store, status="RUNNING")
        register_together(models(run_id)[:1], run_id, run_id)
        assert mark_incomplete("simulated") == []
        register_together(models(run_id)[1:], run_id, run_id)
        (complete,) = find_version_sets("simulated")
        assert complete.is_complete
        store.set_terminated(run_id)


class TestMoves:
    """None, staging, production, archived; and the alias that belongs to each."""

    def test_stages_and_aliases_of_all_models_move_together(self, store: MlflowClient) -> None:
        first, second, third = new_set(store), new_set(store), new_set(store)
        move(first, "Staging")
        assert state(store) == everywhere("Staging challenger", "None", "None")
        move(first, "Production")
        assert state(store) == everywhere("Production champion", "None", "None")
        move(second, "Staging")
        move(third, "Staging")
        assert state(store) == everywhere("Production champion", "Archived", "Staging challenger")
        move(third, "Production")
        assert state(store) == everywhere("Archived previous", "Archived", "Production champion")
        move(first, "Production")
        assert state(store) == everywhere("Production champion", "Archived", "Archived previous")

    def test_a_challenger_can_be_withdrawn(self, store: MlflowClient) -> None:
        only = new_set(store)
        move(only, "Staging")
        move(only, "Archived")
        assert state(store) == everywhere("Archived")

    def test_the_champion_leaves_only_for_another_one(self, store: MlflowClient) -> None:
        only = new_set(store)
        with pytest.raises(DatasetError, match="have never been in staging; move them there first"):
            move(only, "Production")
        move(only, "Staging")
        move(only, "Production")
        for stage in ("Staging", "Archived"):
            with pytest.raises(DatasetError, match="are the champion; move another version set to Production instead"):
                move(only, stage)
        assert state(store) == everywhere("Production champion")

    def test_both_ways_of_loading_find_the_champion(self, store: MlflowClient) -> None:
        first, second = new_set(store), new_set(store)
        for each in (first, second):
            move(each, "Staging")
            move(each, "Production")
        for name in NAMES:
            champion = version_of_alias(name, "champion")
            assert champion is not None
            assert champion.version == second.versions[name].version
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                (production,) = store.get_latest_versions(name, ["Production"])
            assert production.version == champion.version
        assert version_of_alias("waste_risk_predictor", "challenger") is None
        assert version_of_alias("waste_risk_unknown", "champion") is None

    def test_the_former_call_of_clients_keeps_working(self, store: MlflowClient) -> None:
        first, second = new_set(store), new_set(store)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            store.transition_model_version_stage(NAMES[0], first.versions[NAMES[0]].version, "Production")
        move(second, "Staging")
        move(second, "Production")
        assert state(store)[NAMES[0]] == ["Archived", "Production champion"]

    def test_a_move_says_nothing_of_stages(self, store: MlflowClient) -> None:
        only = new_set(store)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            move(only, "Staging")
            move(only, "Production")
        assert state(store)[NAMES[0]] == ["Production champion"]


@pytest.mark.parametrize("is_rollback", [False, True], ids=["promotion", "rollback"])
def test_wherever_a_move_is_interrupted_there_is_a_champion_and_repeating_it_completes_it(
    store: MlflowClient, address: str, is_rollback: bool
) -> None:
    """The store fails at the first write, the second, and so on until none is left to fail."""
    champion, other = new_set(store), new_set(store)
    for each in (other, champion):
        move(each, "Staging")
        move(each, "Production")
    n_writes, is_interrupted = 0, True
    while is_interrupted:
        if not is_rollback:
            move(other, "Staging")
        with failing_after(address, n_writes):
            is_interrupted = not moved(other)
        for name in NAMES:
            found = version_of_alias(name, "champion")
            assert found is not None
            assert found.current_stage == "Production"
        move(other, "Production")
        champion, other = other, champion
        stages = {champion.id: "Production champion", other.id: "Archived previous"}
        assert state(store) == everywhere(*(stages[each.id] for each in find_version_sets("simulated")))
        n_writes += 1
    assert n_writes > len(NAMES) * 4


def moved(version_set: VersionSet) -> bool:
    """Whether a move to production went well."""
    try:
        move(version_set, "Production")
    except MlflowException:
        return False
    return True
