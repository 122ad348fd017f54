"""Two projects with one empty pipeline each: a copy of ours, and Kedro with kedro-mlflow and kedro-viz alone."""

import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench_projects import ROOT, Project, environment

# A node must have an output; this one stays in memory, and no data are read or written.
_EMPTY = 'Pipeline([Node(lambda: {}, inputs=None, outputs="nothing", name="nothing")])'
_ADDED = f"""

from kedro.pipeline import Node, Pipeline

_SINGLE = (*_SINGLE, "empty")
_ours = _create


def _create(name):
    return {_EMPTY} if name == "empty" else _ours(name)
"""
_PEER = {
    "pyproject.toml": """[tool.kedro]
package_name = "empty"
project_name = "empty"
kedro_init_version = "{kedro}"
source_dir = "src"
""",
    ".telemetry": "consent: false\n",
    "conf/base/catalog.yml": "",
    "conf/base/parameters.yml": "",
    "conf/local/.gitkeep": "",
    "src/empty/__init__.py": "",
    "src/empty/settings.py": "",
    "src/empty/pipeline_registry.py": "from kedro.pipeline import Node, Pipeline\n\n\n"
    f'def register_pipelines():\n    return {{"empty": {_EMPTY}}}\n',
    "conf/base/mlflow.yml": 'server:\n  mlflow_tracking_uri: "sqlite:///mlflow.db"\n',
}


@dataclass(frozen=True)
class EmptyRun:
    """A command that runs an empty pipeline, and where."""

    command: tuple[str, ...]
    folder: Path
    environment: dict[str, str]


def make_ours(folder: Path) -> EmptyRun:
    """Copy the project, and add the empty pipeline to its registry."""
    project = Project.make(folder)
    registry = folder / "src/waste_risk/pipeline_registry.py"
    registry.write_text(registry.read_text(encoding="utf-8") + _ADDED, encoding="utf-8")
    return EmptyRun(_command(sys.executable), folder, environment(project.folder / "src"))


def make_peer(folder: Path) -> EmptyRun:
    """Make a project and an environment with Kedro and the two plugins, in the versions of ours."""
    for name, text in _PEER.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("{kedro}", version("kedro")), encoding="utf-8")
    python = folder / ".venv/bin/python"
    wanted = [f"{name}=={version(name)}" for name in ("kedro", "kedro-datasets", "kedro-mlflow", "kedro-viz", "mlflow")]
    locked = folder / "constraints.txt"
    locked.write_text(_without_hashes((ROOT / "requirements.lock").read_text(encoding="utf-8")), encoding="utf-8")
    _uv("venv", "--quiet", "--python", sys.executable, str(folder / ".venv"))
    _uv("pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), "-c", str(locked), *wanted)
    return EmptyRun(_command(str(python)), folder, environment(folder / "src"))


def _command(python: str) -> tuple[str, ...]:
    return (python, "-m", "kedro", "run", "--pipelines", "empty")


def _without_hashes(lock: str) -> str:
    lines = (line.removesuffix("\\").strip() for line in lock.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("#", "--hash"))) + "\n"


def _uv(*arguments: str) -> None:
    subprocess.run([str(Path(sys.executable).with_name("uv")), *arguments], check=True)
