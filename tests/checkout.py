"""The project in a folder of its own, run as a user runs it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

# The source that docs/new_source.md adds, file by file.
SWAP = dict(
    re.findall(
        r"```yaml\n# conf/mine/(\S+)\n(.*?)```", (ROOT / "docs/new_source.md").read_text(encoding="utf-8"), re.DOTALL
    )
)


@dataclass(frozen=True)
class Outcome:
    code: int
    screen: str
    errors: str


@dataclass(frozen=True)
class Checkout:
    """The project in a folder of its own, without data."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Checkout":
        folder.mkdir()
        for name in ("conf", "deploy", "src"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "local"))
        for name in ("pyproject.toml", ".telemetry"):
            shutil.copy(ROOT / name, folder)
        (folder / "conf/local").mkdir()
        return cls(folder)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "src")}
        environment.pop("MLFLOW_TRACKING_URI", None)
        return subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> Outcome:
        process = self.start(*arguments)
        screen, errors = process.communicate(timeout=300)
        return Outcome(process.returncode, screen, errors)

    def file(self, name: str) -> Path:
        return self.folder / "data/test" / name

    @property
    def store(self) -> str:
        return f"sqlite:///{self.folder / 'mlflow.db'}"
