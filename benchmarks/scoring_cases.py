"""Measurements of scoring, each in a process of its own in a project: `python scoring_cases.py <case> …`."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from bench_projects import ROOT

from waste_risk.adapters.registry import find_version_sets, move
from waste_risk.features import build_features
from waste_risk.model.lightgbm_calls import predict as predict_by_lightgbm
from waste_risk.model.matrix import to_matrix
from waste_risk.model.predictor import WastePredictor
from waste_risk.observations.observe import observe_items
from waste_risk.parameters import Observation, load
from waste_risk.simulation import simulate

_PREDICTIONS = Path("data/simulated/07_model_output/predictions")
_REPEATS = 5
_SEED = 77  # no source from which the predictor has learned


def promote() -> dict[str, Any]:
    """Make the newest version set the champion."""
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    version_set = find_version_sets("simulated")[-1]
    for stage in ("Staging", "Production"):
        move(version_set, stage)  # type: ignore[arg-type]
    return {}


def predict(n_households: str, folder: str) -> dict[str, Any]:
    """Predict the features of simulated items as the predictor does, and by LightGBM alone, on one thread."""
    predictor, features = WastePredictor.load(folder), _features(int(n_households))
    X = to_matrix(features, predictor.metadata.feature_names)
    ours = _fastest(lambda: predictor.predict(features))
    raw = _fastest(lambda: [predict_by_lightgbm(booster, X) for booster in (predictor.classifier, predictor.regressor)])
    scores = predictor.calibrator.transform(predict_by_lightgbm(predictor.classifier, X))
    is_equal = np.array_equal(predictor.predict(features)["waste_probability"], scores)
    return {"rows": len(features), "ours": ours, "lightgbm": raw, "equal": is_equal}


def counts() -> dict[str, Any]:
    """Count what the last run has scored."""
    predictions = pd.read_parquet(_PREDICTIONS)
    items = pd.read_parquet("data/simulated/01_raw/items.parquet", columns=["item_id"])
    return {"items": len(items), "open_items": len(predictions), "alerts": int(predictions["is_alert"].sum())}


def _features(n_households: int) -> pd.DataFrame:
    observation = load(Observation, ROOT / "conf/base/parameters_data_engineering.yml")
    tables = simulate(n_households=n_households, n_items_per_household=100, seed=_SEED)
    observations = observe_items(tables.items, tables.events, observation)
    return build_features(observations, tables.households, tables.items, tables.events)


def _fastest(work: Callable[[], object]) -> dict[str, float]:
    """Wall and CPU time, each at its least: what else the machine does only adds to them."""
    repeats = []
    for _ in range(_REPEATS):
        started, cpu_started = time.perf_counter(), time.process_time()
        work()
        repeats.append((time.perf_counter() - started, time.process_time() - cpu_started))
    walls, cpus = zip(*repeats, strict=True)
    return {"wall_s": min(walls), "cpu_s": min(cpus)}


def main() -> None:
    """Run one case."""
    case, *arguments = sys.argv[1:]
    sys.stdout.write("\n" + json.dumps(globals()[case](*arguments)))


if __name__ == "__main__":
    main()
