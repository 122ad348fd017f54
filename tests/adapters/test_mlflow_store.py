"""A store that cannot be used ends the run in one line before its first node; one that goes away, with whole files."""

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests
from mlflow_server import closed_port, served
from projects import Outcome, Project, finish

BEFORE_ANYTHING_RAN = ""


def refusal(project: Project, address: str) -> str:
    """What a run with this store ends in."""
    outcome = project.run("--pipelines", "logged", MLFLOW_TRACKING_URI=address)
    assert (outcome.code, outcome.screen) == (1, BEFORE_ANYTHING_RAN)
    assert outcome.errors.count("\n") == 1, outcome.errors
    return outcome.errors


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("address", ["", "nonsense", "mlruns"])
def test_what_is_no_address_is_refused_with_examples(project: Project, address: str) -> None:
    assert "MLFLOW_TRACKING_URI is no address of a store: give one such as" in refusal(project, address)


@pytest.mark.parametrize("scheme", ["http", "postgresql+psycopg"])
def test_a_server_that_is_not_there_is_told(project: Project, scheme: str) -> None:
    for place in (f"127.0.0.1:{closed_port()}", "no-such-host.invalid:5000"):
        said = refusal(project, f"{scheme}://user:s3cr3t@{place}/mlflow")
        assert said.startswith(f"The MLflow store at {scheme}://user:***@{place}/mlflow does not answer: ")
        assert said.endswith("start it, or name another one in MLFLOW_TRACKING_URI\n")
        assert "s3cr3t" not in said


@pytest.mark.parametrize("scheme", ["http", "postgresql+psycopg"])
def test_a_server_that_never_answers_is_not_waited_for(project: Project, scheme: str) -> None:
    with silent_port() as port:
        said = refusal(project, f"{scheme}://127.0.0.1:{port}/mlflow")
    assert said.startswith(f"The MLflow store at {scheme}://127.0.0.1:{port}/mlflow does not answer: ")


def make_foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE pantry (item TEXT)")


def make_half(path: Path) -> None:
    """As a command leaves it that is killed while MLflow makes its tables in place."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE experiments (name TEXT)")
        connection.execute("CREATE TABLE _alembic_tmp_tags (name TEXT)")


def make_foreign_version(path: Path) -> None:
    shutil.copy(path.with_name("mlflow.db"), path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of the future'")
        connection.commit()


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (Path.mkdir, "is a folder, and the MLflow store a file: move the folder away"),
        (lambda path: path.write_text("no database at all" * 99), "cannot be used: file is not a database; restore it"),
        (make_foreign, "is a database, but no MLflow store: name another file in MLFLOW_TRACKING_URI"),
        (make_half, "is half-made, by a command that was killed: delete it and run again"),
        (make_foreign_version, "Detected out-of-date database schema (found version of the future"),
        (lambda path: path.touch(), "is half-made, by a command that was killed: delete it and run again"),
    ],
    ids=["folder", "garbage", "foreign", "half", "version", "empty"],
)
def test_a_file_that_is_no_store_is_told_and_left_as_it_is(
    project: Project, make: Callable[[Path], object], line: str
) -> None:
    assert project.run("--pipelines", "logged").code == 0
    path = project.folder / f"{line[:9]}.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    assert line in refusal(project, f"sqlite:///{path.name}")
    assert (path.read_bytes() if path.is_file() else b"") == before
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_a_store_that_another_program_writes_to_is_told(project: Project) -> None:
    assert project.run("--pipelines", "logged").code == 0
    with closing(sqlite3.connect(project.folder / "mlflow.db")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        said = refusal(project, "sqlite:///mlflow.db")
    assert "cannot be used: database is locked; another program has been writing to it for seconds" in said


def test_two_first_runs_at_once_share_one_whole_store(new_project: Callable[[], Project]) -> None:
    project = new_project()
    together = [project.start("--pipelines", "logged", "--env", env) for env in ("local", "other")]
    assert [finish(process).code for process in together] == [0, 0]
    assert [run.info.status for run in project.runs()] == ["FINISHED", "FINISHED"]


def test_a_first_run_that_is_killed_while_it_makes_the_store_leaves_none(new_project: Callable[[], Project]) -> None:
    project = new_project()
    process = project.start("--pipelines", "logged")
    while not (project.folder / ".mlflow.db.new").exists() and process.poll() is None:
        pass
    process.kill()
    process.wait()
    assert not (project.folder / "mlflow.db").exists()
    assert project.run("--pipelines", "logged").code == 0
    assert [run.info.status for run in project.runs()] == ["FINISHED"]
    assert not (project.folder / ".mlflow.db.new").exists()


def test_a_server_that_goes_away_costs_no_file_and_the_line_says_how_to_go_on(
    new_project: Callable[[], Project], tmp_path: Path
) -> None:
    project, port = new_project(), closed_port()
    os.mkfifo(tmp_path / "pipe")
    with served(tmp_path, port) as address:
        variables = {"MLFLOW_TRACKING_URI": address, "PIPE": str(tmp_path / "pipe"), "PYTHONIOENCODING": "latin-1"}
        process = project.start("--pipelines", "waiting", **variables)
        end = (tmp_path / "pipe").open("w")
    end.close()
    outcome = finish(process)
    assert (outcome.code, outcome.errors.count("\n")) == (1, 1), outcome.errors
    assert outcome.errors.startswith(
        "The MLflow store failed: Connection refused; in measure; go on with --from-nodes "
    )
    assert [path.name for path in (project.folder / "data/simulated").glob("[!.]*")] == ["items.parquet"]
    with served(tmp_path, port), (tmp_path / "again").open("w"):
        again = project.start("--pipelines", "waiting", "--from-nodes", "wait", **variables)
        (tmp_path / "pipe").open("w").close()
        finished: Outcome = finish(again)
        assert finished.code == 0, finished.errors
        runs = requests.post(f"{address}/api/2.0/mlflow/runs/search", json={"experiment_ids": ["1"]}, timeout=9).json()
    assert [run["info"]["status"] for run in runs["runs"]] == ["FINISHED", "RUNNING"]
