"""A copy of the project in a temporary folder, with as many rows of ``model_input`` as a measurement asks for."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from waste_risk.features import build_features
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.parameters import Observation, load
from waste_risk.simulation import simulate

ROOT = Path(__file__).parents[1]
MODEL_INPUT = "data/simulated/05_model_input/model_input.parquet"
FOLD_METRICS = "data/simulated/06_models/fold_metrics.parquet"
VALIDATION_METRICS = "data/simulated/08_reporting/validation_metrics.json"
PREDICTOR = "data/simulated/06_models/waste_predictor_final"

_ROWS_PER_HOUSEHOLD = 55  # there are about 61; some households more than needed are simulated, and cut off
_SEED = 42


@dataclass(frozen=True)
class Project:
    """A folder with the project in it, without data."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Project":
        """Copy what a run needs; compiled bytecode goes with it."""
        folder.mkdir(parents=True)
        for name in ("conf", "src"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("local"))
        (folder / "conf/local").mkdir()
        for name in ("pyproject.toml", ".telemetry"):
            shutil.copy(ROOT / name, folder)
        return cls(folder)

    @property
    def model_input(self) -> Path:
        """Where the training pipeline reads its rows."""
        return self.folder / MODEL_INPUT

    def python(self, *arguments: str, threads: int | None = None, executable: str = sys.executable) -> str:
        """Run Python in the project, on its own source, and give back what it printed."""
        done = subprocess.run(
            [executable, *arguments],
            cwd=self.folder,
            env=environment(self.folder / "src", threads),
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout


def environment(source: Path, threads: int | None = None) -> dict[str, str]:
    """This process' environment, without another store and with as many threads as are allowed."""
    pools = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return {**kept, "PYTHONPATH": str(source), **(dict.fromkeys(pools, str(threads)) if threads else {})}


def write_model_input(n_rows: int, path: Path, seed: int = _SEED) -> None:
    """Write exactly so many rows: whole households over the whole period, and a part of one."""
    rows = simulate_model_input(-(-n_rows // _ROWS_PER_HOUSEHOLD) + 3, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = _first_households(rows, n_rows)
    kept.to_parquet(path, compression="zstd")
    counts = {"observations": n_rows, "mature": n_rows, "mature_wasted_share": float(kept["wasted"].mean())}
    path.with_name("observation_counts.json").write_text(json.dumps(counts), encoding="utf-8")


def simulate_model_input(n_households: int, seed: int) -> pd.DataFrame:
    """Simulate, observe, build features and labels, as the pipelines before `training` do."""
    observation = load(Observation, ROOT / "conf/base/parameters_data_engineering.yml")
    tables = simulate(n_households=n_households, n_items_per_household=100, seed=seed)
    data_until = latest_record(tables.items, tables.events)
    observations = observe_items(tables.items, tables.events, observation, data_until)
    features = build_features(observations, tables.households, tables.items, tables.events)
    return assemble_model_input(observations, features, tables.households, data_until)


def _first_households(rows: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    by_household = rows.sort_values("household_id", kind="stable").index[:n_rows]
    if len(by_household) < n_rows:
        raise ValueError(f"{len(rows)} rows were simulated, {n_rows} are needed")
    return rows.loc[by_household.sort_values()].reset_index(drop=True)
