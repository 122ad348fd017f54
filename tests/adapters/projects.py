"""A small Kedro project on the real settings, with a real MLflow store, run as a user runs it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

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

    def run(self, *arguments: str) -> Outcome:
        command = [sys.executable, "-m", "kedro", "run", *arguments]
        paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": paths}
        environment.pop("MLFLOW_TRACKING_URI", None)
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    @property
    def store(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.folder / 'mlflow.db'}")

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        return list(self.store.search_runs(["1"]))

    def artifacts(self, run: Run) -> list[str]:
        folder = Path(run.info.artifact_uri)
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
