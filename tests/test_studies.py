"""The store of studies: opened when it is needed, and told of in one line without a password."""

import sqlite3
from pathlib import Path

import optuna
import pytest

from waste_risk.studies import Studies, StudyError


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


def test_what_fails_for_another_reason_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="mine"), Studies(f"sqlite:///{tmp_path / 'studies.db'}").open():
        raise KeyError("mine")
