"""The group of figures on the search: what 100 trials cost, and what equal CPU budgets find."""

import json
import sys
from pathlib import Path
from typing import Any

from measure import KEDRO_TRAINING, in_project, run_command
from projects import ROOT, Project

CASES = Path(__file__).with_name("search_cases.py")
PEERS_PYTHON = ROOT / ".venv-bench/bin/python"
METHODS = ("defaults", "ours", "LightGBMTunerCV", "FLAML")
BUDGETS_S = (60, 180)
SEEDS = (1, 2, 3)
Figures = dict[str, Any]

_N_TRIALS = 100
_HELD_OUT_ROWS = 60_000  # the usual size


def search() -> Figures:
    """Cost at 100,000 rows, quality at the usual size."""
    return {"cost": in_project(100_000, _cost), "held_out": in_project(_HELD_OUT_ROWS, _held_out)}


def _cost(project: Project) -> Figures:
    command = (*KEDRO_TRAINING, "--params", f"tuning.n_trials={_N_TRIALS}")
    return {
        "run": run_command(project, command),
        "search": _case(project, "search", str(_N_TRIALS)),
        "naive": _case(project, "naive"),
    }


def _held_out(project: Project) -> list[Figures]:
    tasks = [("defaults", 0, 1), *((m, b, s) for s in SEEDS for b in BUDGETS_S for m in METHODS[1:])]
    return [
        {"method": m, "budget_s": b, "seed": s, **_case(project, "held_out", m, str(b), str(s))} for m, b, s in tasks
    ]


def _case(project: Project, *arguments: str) -> Figures:
    """The peers' environment holds ours as well."""
    peers = {"LightGBMTunerCV", "FLAML"} & set(arguments)
    screen = project.python(
        str(CASES), *arguments, threads=1, executable=str(PEERS_PYTHON if peers else sys.executable)
    )
    figures: Figures = json.loads(screen.splitlines()[-1])
    return figures
