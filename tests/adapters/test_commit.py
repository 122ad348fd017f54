"""Which commit a predictor is of."""

import shutil
import subprocess
from pathlib import Path

import pytest

from waste_risk.adapters.commit import CommitDataset

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git: make programs installs it")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one tracked file, in a folder named as nobody should."""
    folder = tmp_path / "an outer repository" / "pröject 100% #1"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text("one")
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=test", "-c", "user.email=test@localhost", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, file: str) -> str:
    git(folder, "init", "--quiet")
    git(folder, "add", file)
    git(folder, "commit", "--quiet", "--message", "one")
    return git(folder, "rev-parse", "HEAD")


def recorded(project: Path) -> str:
    return CommitDataset(str(project / "pyproject.toml")).load()


def test_the_commit_is_named_and_a_changed_file_is_told(project: Path) -> None:
    head = commit(project, "pyproject.toml")
    assert recorded(project) == head
    (project / "pyproject.toml").write_text("two")
    assert recorded(project) == f"{head}-dirty"


def test_a_project_in_a_folder_of_a_repository_has_its_commit(project: Path) -> None:
    head = commit(project.parent, "pröject 100% #1/pyproject.toml")
    assert recorded(project) == head


def test_a_project_that_merely_lies_in_a_repository_has_none(project: Path) -> None:
    (project.parent / "file").write_text("of somebody else")
    commit(project.parent, "file")
    assert recorded(project) == "unknown"


def test_without_git_the_commit_is_unknown(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recorded(project) == "unknown"
    commit(project, "pyproject.toml")
    monkeypatch.setenv("PATH", "")
    assert recorded(project) == "unknown"
