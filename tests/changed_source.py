"""A copy of the package that was changed in one place, to see where the change arrives."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def run_changed(folder: Path, changes: dict[str, list[tuple[str, str]]], script: str) -> Any:
    """Return what a script finds in a copy of the package.

    Args:
        folder: where the copy is made.
        changes: for each module that is changed, texts that stand in it once and what stands there instead.
        script: Python that prints JSON, and imports the package and what documents it.
    """
    source = folder / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    for name, replacements in changes.items():
        module = source / "waste_risk" / name
        text = module.read_text(encoding="utf-8")
        for old, new in replacements:
            assert text.count(old) == 1, f"{name} holds {text.count(old)} times {old}"
            text = text.replace(old, new)
        module.write_text(text, encoding="utf-8")
    path = os.pathsep.join(
        map(str, (source, ROOT / "docs", ROOT / "experiments", ROOT / "tests", ROOT / "tests/tables"))
    )
    environment = {**os.environ, "PYTHONPATH": path}
    finished = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)
