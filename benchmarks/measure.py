"""The groups of figures: what is run, how often, and which of the repeats counts."""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import startup
from bench_projects import (
    FOLD_METRICS,
    MODEL_INPUT,
    PREDICTOR,
    ROOT,
    VALIDATION_METRICS,
    Project,
    environment,
    write_model_input,
)

HERE = Path(__file__).parent
Figures = dict[str, Any]

_REPEATS = 3
_TRAINED = (1_000, 10_000, 100_000)
_KEDRO = (sys.executable, "-m", "kedro", "run")
KEDRO_TRAINING = (*_KEDRO, "--pipelines", "training")
_SCORED_HOUSEHOLDS = 3_600  # of 100 items: about 240,000 observations
_VALIDATED_HOUSEHOLDS = 1_650  # of 100 items: their newest fifth has about 20,000 observations


def simulation() -> Figures:
    """Simulation and features, on one thread: nothing may hide its cost in threads."""
    with tempfile.TemporaryDirectory() as name:
        folder, growth = Path(name), {}
        for size in (100_000, 1_000_000):
            _case("prepare", size, folder)
            growth[size] = _best("features", size, folder)
            if size == 100_000:
                parquet = _case("parquet", size, folder)
        return {
            "simulation": {size: _best("simulation", size, folder) for size in (1_000, 10_000, 100_000, 1_000_000)},
            "random_numbers": {size: _best("random_numbers", size, folder) for size in (100_000, 1_000_000)},
            "features": growth,
            "parquet": {100_000: parquet},
            "one_household": {50: _case("one_household", 50, folder)},
        }


def simulation_large() -> Figures:
    """The simulation of 10 M items."""
    return {"simulation": {10_000_000: _best("simulation", 10_000_000, Path())}}


def training() -> Figures:
    """The training pipeline's work on one and two threads, and at the largest size a hand-written script's."""
    return {size: in_project(size, partial(_in_turns, by_hand=size == _TRAINED[-1])) for size in _TRAINED}


def runs() -> Figures:
    """`kedro run --pipelines training` as a command, start-up included."""
    return {size: in_project(size, _repeat_run) for size in _TRAINED}


def validation() -> Figures:
    """`kedro run --pipelines validation` on a test window of 20,000 rows: the command, and its nodes alone."""
    with tempfile.TemporaryDirectory() as name:
        project = Project.make(Path(name) / "project")
        run_command(project, (*_KEDRO, "--params", f"data_generation.n_households={_VALIDATED_HOUSEHOLDS}"))
        figures = medians([_run_nodes(project, "validation") for _ in range(_REPEATS)])
        evaluated = json.loads((project.folder / VALIDATION_METRICS).read_text(encoding="utf-8"))
        return {**figures, "rows": evaluated["n_rows"]}


def scoring() -> Figures:
    """Prediction of 200,000 items and more in one process, and a run of scoring on the default source."""
    with tempfile.TemporaryDirectory() as name:
        project = Project.make(Path(name) / "project")
        run_command(project, _KEDRO)
        cases = str(HERE / "scoring_cases.py")
        project.python(cases, "promote")
        run = medians([_run_nodes(project, "scoring") for _ in range(_REPEATS)])
        scored = _last_line(project.python(cases, "counts"))
        prediction = _last_line(project.python(cases, "predict", str(_SCORED_HOUSEHOLDS), PREDICTOR))
        return {"prediction": prediction, "run": {**run, **scored}}


def large() -> Figures:
    """One million rows: the command's memory and CPU."""
    return {"run": in_project(1_000_000, lambda project: run_command(project, KEDRO_TRAINING))}


def start() -> Figures:
    """An empty run of ours, and one of Kedro with two plugins and nothing else."""
    with tempfile.TemporaryDirectory() as name:
        ours, peer = startup.make_ours(Path(name) / "ours"), startup.make_peer(Path(name) / "peer")
        kinds = {"ours": ours, "peer": peer}
        measured: dict[str, list[Figures]] = {kind: [] for kind in kinds}
        for repeat in range(2 * _REPEATS):  # in turns, so that both meet the same machine
            for kind, empty in kinds.items():
                figures = _watch(empty.command, empty.folder, empty.environment)
                if repeat:  # the first run makes MLflow's store
                    measured[kind].append(figures)
        return {kind: medians(figures) for kind, figures in measured.items()}


def in_project(n_rows: int, measure: Callable[[Project], Figures]) -> Figures:
    """Measure in a copy of the project with so many rows of model_input and an MLflow store that is there already."""
    with tempfile.TemporaryDirectory() as name:
        project = Project.make(Path(name) / "project")
        _write_apart(1_000, project.model_input)
        run_command(project, KEDRO_TRAINING)
        _write_apart(n_rows, project.model_input)
        return measure(project)


def _write_apart(n_rows: int, path: Path) -> None:
    """Simulate in a process of its own: what a command is said to have held begins with what this one ever held."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(write_model_input, n_rows, path).result()


def work(project: Project, *, threads: int) -> Figures:
    """CPU and wall time of the training pipeline's nodes in one process, imports left out."""
    return _last_line(project.python(str(HERE / "training_cases.py"), "pipeline", str(threads), threads=threads))


def run_command(project: Project, command: Sequence[str]) -> Figures:
    """Wall and CPU time and peak memory of a command in a project."""
    return _watch(command, project.folder, environment(project.folder / "src"))


def medians(repeats: list[Figures]) -> Figures:
    """The median of each figure over the repeats."""
    return {name: statistics.median(one[name] for one in repeats) for name in repeats[0]}


def _run_nodes(project: Project, pipeline: str) -> Figures:
    """The command of a pipeline, and its nodes alone."""
    figures = run_command(project, (*_KEDRO, "--pipelines", pipeline))
    (nodes_s,) = re.findall(r" nodes in ([\d.]+) s", (project.folder / "screen.txt").read_text(encoding="utf-8"))
    return {**figures, "nodes_s": float(nodes_s)}


def _in_turns(project: Project, *, by_hand: bool) -> Figures:
    cases = {f"ours_{threads}": partial(work, project, threads=threads) for threads in (1, 2)}
    if by_hand:
        cases |= {f"by_hand_{threads}": partial(_by_hand, project, threads=threads) for threads in (1, 2)}
    measured: dict[str, list[Figures]] = {name: [] for name in cases}
    for _ in range(_REPEATS):  # in turns, so that all meet the same machine
        for name, case in cases.items():
            measured[name].append(case())
    return {name: medians(figures) for name, figures in measured.items()}


def _by_hand(project: Project, *, threads: int) -> Figures:
    return _last_line(project.python(str(HERE / "handwritten.py"), MODEL_INPUT, str(threads), threads=threads))


def _repeat_run(project: Project) -> Figures:
    repeats = medians([run_command(project, KEDRO_TRAINING) for _ in range(_REPEATS)])
    metadata = json.loads((project.folder / PREDICTOR / "metadata.json").read_text(encoding="utf-8"))
    folds = pd.read_parquet(project.folder / FOLD_METRICS)
    return {**repeats, "features": len(metadata["feature_names"]), "folds": len(folds)}


def _watch(command: Sequence[str], folder: Path, variables: dict[str, str]) -> Figures:
    """Run a command; memory is that of the largest process in it."""
    with (folder / "screen.txt").open("w") as screen:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=screen, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{(folder / 'screen.txt').read_text()[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss * unit / 1e6}


def _best(case: str, size: int, folder: Path) -> Figures:
    """The run with the least CPU time: what else the machine does only adds to it."""
    return min(
        (_case(case, size, folder) for _ in range(_REPEATS)),
        key=lambda one: one.get("cpu_s", one.get("uniform_cpu_s", 0)),
    )


def _case(case: str, size: int, folder: Path) -> Figures:
    command = [sys.executable, str(HERE / "cases.py"), case, str(size), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(ROOT / "src", 1))
    return _last_line(done.stdout)


def _last_line(text: str) -> Figures:
    figures: Figures = json.loads(text.splitlines()[-1])
    return figures
