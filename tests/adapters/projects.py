"""A small Kedro project on the real settings, with a real MLflow store, run as a user runs it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.file_utils import local_file_uri_to_path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHARED = ("base/globals.yml", "base/mlflow.yml", "base/run.yml", "logging.yml")


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and how it ended."""

    code: int
    screen: str
    errors: str


@dataclass(frozen=True)
class Project:
    """A folder with a Kedro project in it."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Project":
        shutil.copytree(HERE / "toy_project", folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "conf/local").mkdir()
        for name in (*SHARED, *(f"base/{path.name}" for path in (ROOT / "conf/base").glob("parameters_*.yml"))):
            shutil.copy(ROOT / "conf" / name, folder / "conf" / name)
        shutil.copy(ROOT / ".telemetry", folder)
        return cls(folder)

    def start(
        self, *arguments: str, where: str = ".", screen: int = subprocess.PIPE, **variables: str
    ) -> "subprocess.Popen[str]":
        """Start ``kedro run`` in a folder of the project; ``screen`` is a descriptor that it writes to."""
        paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": paths}
        environment.pop("MLFLOW_TRACKING_URI", None)
        return subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", *arguments],
            cwd=self.folder / where,
            env={**environment, **variables},
            stdout=screen,
            stderr=subprocess.PIPE if screen == subprocess.PIPE or not os.isatty(screen) else screen,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> Outcome:
        return finish(self.start(*arguments, **variables))

    @property
    def store(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.folder / 'mlflow.db'}")

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        return list(self.store.search_runs(["1"]))

    def artifacts(self, run: Run) -> list[str]:
        folder = Path(local_file_uri_to_path(run.info.artifact_uri))
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def finish(process: "subprocess.Popen[str]") -> Outcome:
    """Wait for a command; one that hangs is ended, and fails its test."""
    try:
        screen, errors = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Outcome(process.returncode, screen, errors)
