"""Moves by the log of promotions: whole or finished later, one at a time, and never without a champion."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import mlflow
import pytest
from kedro.io import DatasetError
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow_server import closed_port, served
from projects import HERE
from registered import NAMES, failing_after, finished_run, models, new_set, state

from waste_risk.adapters import promotion_log
from waste_risk.adapters.promotion_log import LOG, PromotionDecisionDataset, carry_out, finish_interrupted, read_log
from waste_risk.adapters.registry import find_version_sets, move, register_together, version_of_alias
from waste_risk.errors import ContractError
from waste_risk.parameters import Promotion, load
from waste_risk.promotion import LogEntry, PromotionDecision, decide_rollback
from waste_risk.promotion.log import find_open

PARAMS = load(Promotion, Path(__file__).parents[2] / "conf/base/parameters_promotion.yml")
FIRST, SECOND, THIRD = "a" * 64, "b" * 64, "c" * 64


class Place(NamedTuple):
    """A store's address, and that of the database behind it."""

    uri: str
    database: str


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "server"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A store of each kind: a file, a PostgreSQL database, and an MLflow server on one."""
    folder = tmp_path_factory.mktemp("registry")
    if request.param == "sqlite":
        yield Place(*[f"sqlite:///{folder / 'mlflow.db'}"] * 2)
        return
    from postgres_server import make_database  # noqa: PLC0415, only here

    database = make_database(request.getfixturevalue("postgresql")).render_as_string(hide_password=False)
    if request.param == "postgresql":
        yield Place(database, database)
        return
    with served(folder, closed_port(), database) as address:
        yield Place(address, database)


@pytest.fixture
def store(place: Place) -> Iterator[MlflowClient]:
    """The store with an empty registry, and a run at work in it."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(place.uri)
    client = MlflowClient()
    mlflow.start_run()
    yield client
    mlflow.end_run()
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)
    mlflow.set_tracking_uri(before)


def promote(sha256: str, champion: str | None = None, **changes: Any) -> LogEntry:
    decision = PromotionDecision("promote", ("It is better.",), sha256, champion, becomes_reference=True)
    return carry_out(replace(decision, **changes), "simulated")


def roll_back() -> LogEntry:
    return carry_out(decide_rollback(read_log("simulated"), PARAMS), "simulated")


def registered(store: MlflowClient, *sha256s: str) -> None:
    for sha256 in sha256s:
        new_set(store, sha256=sha256)


def champions() -> list[str]:
    """The SHA-256 of each model that is the champion."""
    found = [version_of_alias(name, "champion") for name in NAMES]
    return [each.tags["predictor_sha256"] for each in found if each is not None]


def everywhere(*stages: str) -> dict[str, list[str]]:
    return {name: list(stages) for name in NAMES}


def events() -> list[tuple[str, str]]:
    return [(entry.event, entry.decision["decision"]) for entry in read_log("simulated").entries]


def test_promotions_and_rollbacks_move_all_models_and_are_on_record(store: MlflowClient) -> None:
    registered(store, FIRST, SECOND, THIRD)
    promote(FIRST)
    assert state(store) == everywhere("Production champion reference", "None", "None")
    promote(SECOND, FIRST)
    promote(THIRD, SECOND, becomes_reference=False)
    assert state(store) == everywhere("Archived", "Archived previous reference", "Production champion")
    entry = roll_back()
    assert state(store) == everywhere("Archived previous", "Production champion reference", "Archived")
    assert (entry.number, entry.of, entry.decision["champion_sha256"]) == (8, 7, THIRD)
    roll_back()
    assert state(store) == everywhere("Production champion reference", "Archived", "Archived")
    with pytest.raises(ContractError, match="knows no earlier champion"):
        roll_back()
    assert events() == [(event, "promote") for _ in range(3) for event in ("intended", "done")] + [
        (event, "rollback") for _ in range(2) for event in ("intended", "done")
    ]


def test_the_page_of_mlflow_shows_who_decided_what_and_why(store: MlflowClient) -> None:
    registered(store, FIRST)
    promote(FIRST)
    intended, done = sorted(store.search_model_versions(f"name = '{LOG}'"), key=lambda each: int(each.version))
    run = mlflow.active_run()
    assert run is not None
    first, why, challenger, champion = str(done.description).split("\n\n")
    assert (first, why) == (f"**done: promote**, source simulated, by {done.tags['by']}", "It is better.")
    assert (challenger, champion) == (f"challenger: `{FIRST}`", "champion that is expected: `none`")
    assert done.run_id == run.info.run_id
    assert (done.tags["outcome"], done.tags["of_source"], done.tags["of"]) == ("promote", "simulated", "1")
    assert intended.tags["by"] == run.data.tags["mlflow.user"]
    (entry, _) = read_log("simulated").entries
    assert entry.decision["challenger_sha256"] == FIRST
    assert (entry.before.champion, entry.after.champion) == (None, entry.after.reference)


@pytest.mark.parametrize("decision", ["keep", "inconclusive"])
def test_a_decision_that_moves_nothing_is_on_record(store: MlflowClient, decision: str) -> None:
    registered(store, FIRST, SECOND)
    promote(FIRST)
    before = state(store)
    promote(SECOND, FIRST, decision=decision)
    assert state(store) == before
    assert events()[2:] == [("decided", decision)]


def test_a_dry_run_moves_nothing_and_is_in_no_log(store: MlflowClient, tmp_path: Path) -> None:
    registered(store, FIRST)
    path = tmp_path / "promotion_decision.json"
    decision = PromotionDecision("promote", ("It is better.",), FIRST, None, becomes_reference=True)
    dataset = PromotionDecisionDataset(str(path), "simulated")
    dataset.save(replace(decision, dry_run=True))
    assert (state(store), events()) == (everywhere("None"), [])
    dataset.save(decision)
    assert champions() == [FIRST] * 3
    assert dataset.load() == decision


def test_a_champion_that_was_not_decided_about_is_not_replaced(store: MlflowClient) -> None:
    registered(store, FIRST, SECOND, THIRD)
    promote(FIRST)
    promote(SECOND, FIRST)
    before = state(store)
    for champion in (FIRST, None):
        with pytest.raises(DatasetError, match="^the champion is not the one that was decided about; nothing "):
            promote(THIRD, champion)
    assert state(store) == before


def test_a_challenger_that_is_not_registered_whole_is_never_promoted(store: MlflowClient) -> None:
    killed = finished_run(store, status="KILLED")
    register_together(models(killed, sha256=FIRST)[:2], killed, killed)
    with pytest.raises(DatasetError, match="^the challenger aaaaaaaaaaaa is not registered whole; run training and"):
        promote(FIRST)
    new_set(store, source="other", sha256=SECOND)
    with pytest.raises(DatasetError, match="^the challenger bbbbbbbbbbbb is not registered as a model of source simul"):
        promote(SECOND)
    assert events() == []


def test_a_rollback_never_returns_to_a_champion_of_another_source(store: MlflowClient) -> None:
    new_set(store, source="other", sha256=FIRST)
    carry_out(PromotionDecision("promote", (), FIRST, None, becomes_reference=True), "other")
    registered(store, SECOND)
    promote(SECOND, FIRST)
    with pytest.raises(ContractError, match="knows no earlier champion"):
        roll_back()
    assert champions() == [SECOND] * 3


def test_a_move_that_the_store_interrupts_anywhere_is_finished_by_the_next_run(
    store: MlflowClient, place: Place
) -> None:
    """The store fails at the first write, or the second, and so on, until it lets a promotion pass."""
    registered(store, FIRST)
    promote(FIRST)
    champion, n_writes, has_passed = FIRST, 0, False
    step = 1 if "sqlite" in place.uri else 4  # in a file each write is met
    while not has_passed:
        challenger = f"{n_writes:064x}"
        registered(store, challenger)
        with suppress(MlflowException, DatasetError), failing_after(place.database, n_writes):
            promote(challenger, champion)
            has_passed = True
        assert len(champions()) == 3
        next_run()
        assert bool(finish_interrupted()) is (n_writes > 0 and not has_passed)
        expected = champion if n_writes == 0 else challenger  # without an intention there is nothing to finish
        assert champions() == [expected] * 3
        assert find_open(read_log("simulated").entries) == []
        stages = [each.split(" ")[0] for each in state(store)[NAMES[0]]]
        assert (stages.count("Production"), stages.count("Staging")) == (1, 0)
        champion, n_writes = expected, n_writes + step
    assert n_writes > 15


def test_finishing_that_is_interrupted_itself_is_finished_by_the_run_after(store: MlflowClient, place: Place) -> None:
    registered(store, FIRST, SECOND)
    promote(FIRST)
    with suppress(MlflowException), failing_after(place.database, 5):
        promote(SECOND, FIRST)
    n_writes, told = 0, []
    while not told:
        next_run()
        with suppress(MlflowException), failing_after(place.database, n_writes):
            told = finish_interrupted()
        assert len(champions()) == 3
        n_writes += 1 if "sqlite" in place.uri else 4
    assert champions() == [SECOND] * 3
    assert len(read_log("simulated").find_moves()) == 2
    assert find_open(read_log("simulated").entries) == []


def test_a_move_to_versions_that_are_gone_is_withdrawn_and_blocks_nobody(store: MlflowClient, place: Place) -> None:
    registered(store, FIRST, SECOND, THIRD)
    promote(FIRST)
    with suppress(MlflowException), failing_after(place.database, 1):
        promote(SECOND, FIRST)
    store.delete_model_version("waste_risk_classifier", "2")
    next_run()
    (told,) = finish_interrupted()
    assert told.endswith("is no longer whole in the registry; nothing was moved")
    assert champions() == [FIRST] * 3
    assert finish_interrupted() == []
    promote(THIRD, FIRST)
    assert champions() == [THIRD] * 3


def test_a_rollback_passes_over_a_former_champion_whose_versions_are_gone(store: MlflowClient) -> None:
    registered(store, FIRST, SECOND, THIRD)
    promote(FIRST)
    promote(SECOND, FIRST)
    promote(THIRD, SECOND, becomes_reference=False)
    store.delete_model_version("waste_risk_regressor", "2")
    roll_back()
    assert champions() == [FIRST] * 3


def test_a_rollback_replaces_a_champion_that_was_deleted(store: MlflowClient) -> None:
    registered(store, FIRST, SECOND)
    promote(FIRST)
    promote(SECOND, FIRST)
    store.delete_model_version("waste_risk_predictor", "2")
    roll_back()
    assert champions() == [FIRST] * 3


def test_what_a_client_enters_twice_since_it_missed_the_answer_counts_once(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(store, FIRST)
    create = MlflowClient.create_model_version

    def twice(*arguments: Any, **options: Any) -> Any:
        create(*arguments, **options)
        return create(*arguments, **options)

    monkeypatch.setattr(MlflowClient, "create_model_version", twice)
    promote(FIRST)
    log = read_log("simulated")
    assert [(entry.number, entry.event) for entry in log.entries] == [(1, "intended"), (3, "done")]
    assert champions() == [FIRST] * 3


def test_of_two_runs_that_find_a_move_interrupted_one_finishes_it(store: MlflowClient, place: Place) -> None:
    registered(store, FIRST, SECOND)
    promote(FIRST)
    with suppress(MlflowException), failing_after(place.database, 5):
        promote(SECOND, FIRST)
    next_run()
    (open_,) = find_open(read_log("simulated").entries)
    what = promotion_log._Move(open_.before, open_.after, open_.decision, open_.source)
    promotion_log._append("resumed", what, of=open_.number)  # this run is at work on it
    assert finish_interrupted() == []
    next_run()
    assert len(finish_interrupted()) == 1
    assert champions() == [SECOND] * 3


def test_a_challenger_that_was_never_staged_leaves_the_standing_one_alone(store: MlflowClient) -> None:
    registered(store, FIRST, SECOND)
    (_, second) = find_version_sets("simulated")
    move(second, "Staging")
    promote(FIRST)
    assert state(store) == everywhere("Production champion reference", "Staging challenger")


def test_versions_of_the_log_that_somebody_else_has_made_are_passed_over(store: MlflowClient) -> None:
    registered(store, FIRST)
    promote(FIRST)
    run = mlflow.active_run()
    assert run is not None
    store.create_model_version(LOG, f"runs:/{run.info.run_id}/reports", run.info.run_id)
    assert len(read_log("simulated").entries) == 2


@pytest.mark.parametrize("n_writes", [1, 8])
def test_a_promoting_process_that_is_killed_is_finished_by_the_next_run(
    store: MlflowClient, place: Place, n_writes: int
) -> None:
    registered(store, FIRST, SECOND)
    promote(FIRST)
    process = start("promote_and_die.py", place.uri, SECOND, FIRST, str(n_writes))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert len(champions()) == 3
    (left,) = find_open(read_log("simulated").entries)
    assert finish_interrupted() == []  # as far as the store knows, the run is at work
    with pytest.raises(DatasetError) as refusal:
        promote(SECOND, FIRST)
    told = f"the promotion of {left.at} by {left.by} is at work on the registry; nothing was moved, run again"
    assert str(refusal.value) == told
    store.set_terminated(left.run_id, "KILLED")  # as the next run of the source does
    assert finish_interrupted() == [
        f"the promotion of {left.at} by {left.by} had been interrupted, and was carried out"
    ]
    assert champions() == [SECOND] * 3
    assert state(store) == everywhere("Archived previous", "Production champion reference")


def test_a_move_that_began_long_ago_is_finished_whatever_its_run_says(
    store: MlflowClient, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(store, FIRST)
    start("promote_and_die.py", place.uri, FIRST, "", "1").communicate()
    monkeypatch.setattr(promotion_log, "ABANDONED_AFTER", 0)
    assert len(finish_interrupted()) == 1
    assert champions() == [FIRST] * 3


def test_an_interrupted_move_is_withdrawn_if_the_champion_is_another_one_by_now(
    store: MlflowClient, place: Place
) -> None:
    registered(store, FIRST, SECOND, THIRD)
    promote(FIRST)
    with suppress(MlflowException), failing_after(place.database, 1):
        promote(SECOND, FIRST)
    (by_hand,) = [each for each in find_version_sets("simulated") if each.predictor_sha256 == THIRD]
    move(by_hand, "Staging")
    move(by_hand, "Production")
    (left,) = find_open(read_log("simulated").entries)
    next_run()
    told = f"the promotion of {left.at} by {left.by} had been interrupted, and was withdrawn: "
    assert finish_interrupted() == [f"{told}the champion is another one by now"]
    assert champions() == [THIRD] * 3


def test_of_promotions_at_once_one_wins_and_the_others_are_told(store: MlflowClient, place: Place) -> None:
    registered(store, FIRST, SECOND, THIRD)
    promote(FIRST)
    processes = [start("promote_and_die.py", place.uri, sha256, FIRST, "1000") for sha256 in (SECOND, THIRD, SECOND)]
    outcomes = {process: process.communicate()[1] for process in processes}
    codes = sorted(process.returncode for process in processes)
    assert codes == [0, 1, 1], outcomes
    refusals = [text.splitlines()[-1] for process, text in outcomes.items() if process.returncode]
    assert all(line.endswith("nothing was moved, run again") for line in refusals), refusals
    assert champions() in ([SECOND] * 3, [THIRD] * 3)
    assert len(read_log("simulated").find_moves()) == 2
    assert find_open(read_log("simulated").entries) == []


def next_run() -> None:
    mlflow.end_run("FAILED")
    mlflow.start_run()


def start(script: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
