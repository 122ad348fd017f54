"""The store of studies: opened when it is needed, and told of in one line without a password."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial

from waste_risk.errors import StudyError
from waste_risk.training.tuning.studies import Studies

SOURCE = str(Path(__file__).parents[3] / "src")


def refusal(url: str) -> str:
    """What is said when a study is made there."""
    with pytest.raises(StudyError) as error, Studies(url).open() as storage:
        optuna.create_study(storage=storage, study_name="any")
    return str(error.value)


def test_a_study_is_found_again_in_a_folder_that_was_not_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new/studies.db'}"
    with Studies(url).open() as storage:
        optuna.create_study(storage=storage, study_name="any")
    with Studies(url).open() as storage:
        assert optuna.get_all_study_names(storage) == ["any"]


@pytest.mark.parametrize(
    "content", [b"no database, but long enough to be taken for one" * 40, b"SQLite format 3\0" * 99]
)
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "studies.db"
    path.write_bytes(content)
    said = refusal(f"sqlite:///{path}")
    assert said.startswith(f"the studies at sqlite:///{path} cannot be used: ")
    assert said.endswith(("file is not a database", "database disk image is malformed"))


def test_a_locked_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "studies.db"
    with Studies(f"sqlite:///{path}").open():
        pass
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert refusal(f"sqlite:///{path}?timeout=0.05").endswith("database is locked")
    finally:
        holder.close()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refusal(f"sqlite:///{tmp_path / 'file/studies.db'}")
    assert said.startswith(f"the studies at sqlite:///{tmp_path / 'file/studies.db'} cannot be used: ")
    assert "\n" not in said


SECRET = "s3cr3t/word"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/studies",
        "postgresql+psycopg://me:before@s3cr3t@127.0.0.1:1/studies",
        "postgresql+psycopg://me:s3cr3t@127.0.0.1:port/studies",
        "nonsense://me:s3cr3t@127.0.0.1/studies",
        "s3cr3t",
        "postgresql+psycopg://me@127.0.0.1:1/studies?password=s3cr3t",
    ],
)
def test_no_password_is_ever_shown(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = refusal(url)
    assert "s3cr3t" not in said + repr(Studies(url))
    assert "\n" not in said


def test_a_server_is_named_by_its_address_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/studies"
    assert str(Studies(url)) == "postgresql+psycopg://127.0.0.1:1/studies"
    assert refusal(url).startswith("the studies at postgresql+psycopg://127.0.0.1:1/studies cannot be used: ")


WRITER = """
import sys
import optuna
from waste_risk.training.tuning.studies import Studies
space = {name: optuna.distributions.FloatDistribution(0, 1) for name in "abcdefgh"}
with Studies(sys.argv[1]).open() as storage:
    study = optuna.load_study(storage=storage, study_name="any")
    for number in range(int(sys.argv[2])):
        params = dict.fromkeys(space, number / 1000)
        values = {"value": 0.5, "intermediate_values": {1: 0.4, 2: 0.6}}
        study.add_trial(optuna.create_trial(params=params, distributions=space, **values))
        print(number, flush=True)
"""


def start_writer(url: str, n_trials: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, url, str(n_trials)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": SOURCE}, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def shared(tmp_path: Path) -> str:
    """The address of a store with an empty study."""
    url = f"sqlite:///{tmp_path / 'studies.db'}?timeout=60"
    with Studies(url).open() as storage:
        optuna.create_study(storage=storage, study_name="any")
    return url


def read(url: str) -> list[FrozenTrial]:
    with Studies(url).open() as storage:
        return optuna.load_study(storage=storage, study_name="any").trials


def test_a_writer_that_is_killed_leaves_whole_trials_and_no_lock(shared: str) -> None:
    process = start_writer(shared, 1000)
    assert process.stdout is not None
    for line in process.stdout:
        if line == "20\n":
            break
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    trials = read(shared.replace("timeout=60", "timeout=0.05"))
    assert 21 <= len(trials) < 1000
    assert [trial.params["h"] for trial in trials] == [number / 1000 for number in range(len(trials))]
    assert all(trial.intermediate_values == {1: 0.4, 2: 0.6} for trial in trials)


def test_processes_that_write_at_once_lose_nothing(shared: str) -> None:
    writers = [start_writer(shared, 15) for _ in range(3)]
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    trials = read(shared)
    assert [trial.number for trial in trials] == list(range(45))
    assert sorted(trial.params["a"] for trial in trials) == sorted([number / 1000 for number in range(15)] * 3)


def test_what_fails_for_another_reason_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="mine"), Studies(f"sqlite:///{tmp_path / 'studies.db'}").open():
        raise KeyError("mine")
