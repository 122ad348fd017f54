"""The figures on the search: what 100 trials cost, and what equal CPU budgets find."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from bench_projects import ROOT, Project
from measure import KEDRO_TRAINING, in_project, run_command

CASES = Path(__file__).with_name("search_cases.py")
PEERS_PYTHON = ROOT / ".venv-bench/bin/python"
METHODS = ("defaults", "ours", "LightGBMTunerCV", "FLAML")
BUDGETS_S = (60, 180)
SEEDS = (1, 2, 3)
Figures = dict[str, Any]

_N_TRIALS = 100
_N_LANES = 2
_HELD_OUT_ROWS = 60_000  # the usual size


def cost() -> Figures:
    """What 100 trials cost at 100,000 rows."""
    return in_project(100_000, _cost)


def held_out() -> Figures:
    """What equal budgets find at the usual size; two at once, on one thread each."""
    lanes = [(METHODS[0], 0, SEEDS[0]), *product(METHODS[1:], BUDGETS_S, SEEDS)]
    with ThreadPoolExecutor(_N_LANES) as pool:
        return {"found": list(pool.map(lambda lane: in_project(_HELD_OUT_ROWS, partial(_find, lane)), lanes))}


def _find(lane: tuple[str, int, int], project: Project) -> Figures:
    method, budget_s, seed = lane
    figures = _case(project, "held_out", method, str(budget_s), str(seed))
    return {"method": method, "budget_s": budget_s, "seed": seed, **figures}


def _cost(project: Project) -> Figures:
    command = (*KEDRO_TRAINING, "--params", f"tuning.n_trials={_N_TRIALS}")
    return {
        "run": run_command(project, command),
        "search": _case(project, "search", str(_N_TRIALS)),
        "naive": _case(project, "naive"),
    }


def _case(project: Project, *arguments: str) -> Figures:
    """The peers' environment holds ours as well."""
    peers = {"LightGBMTunerCV", "FLAML"} & set(arguments)
    screen = project.python(
        str(CASES), *arguments, threads=1, executable=str(PEERS_PYTHON if peers else sys.executable)
    )
    figures: Figures = json.loads(screen.splitlines()[-1])
    return figures
