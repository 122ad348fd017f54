"""Measurements of training, each in a process of its own in a project: `python training_cases.py <case> …`."""

import json
import sys
import time
from pathlib import Path

# Imports are no part of what is measured, those of the last node and of MLflow's flavour included.
import mlflow.lightgbm
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
import pandas as pd
import shap  # noqa: F401
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from sklearn.metrics import log_loss, roc_auc_score

Figures = dict[str, float]


def pipeline(threads: str) -> Figures:
    """Run the training pipeline by Kedro in this process, and evaluate what it made on the test window."""
    bootstrap_project(Path.cwd())
    from waste_risk import model, pipeline_registry  # noqa: F401, PLC0415, imports again
    from waste_risk.adapters.memory import peak_bytes  # noqa: PLC0415

    parameters = {"training": {"num_threads": int(threads)}}
    started, cpu_started = time.perf_counter(), time.process_time()
    with KedroSession.create(Path.cwd(), runtime_params=parameters) as session:
        session.run(pipeline_names=["training"])
    figures = {"cpu_s": time.process_time() - cpu_started, "wall_s": time.perf_counter() - started}
    return {**figures, "peak_mb": peak_bytes() / 1e6, **_judge()}


def _judge() -> Figures:
    from waste_risk.model.predictor import WastePredictor  # noqa: PLC0415, it is found once the project is known

    data = Path("data/simulated")
    predictor = WastePredictor.load(data / "06_models/waste_predictor_final")
    test = pd.read_parquet(data / "05_model_input/test.parquet")
    probability = predictor.predict(test)["waste_probability"]
    rounds = predictor.metadata.rounds
    return {
        "rows": predictor.metadata.n_rows,
        "rounds": rounds["classifier"],
        "days_rounds": rounds["regressor"],
        "auc": roc_auc_score(test["wasted"], probability),
        "log_loss": log_loss(test["wasted"], probability),
    }


def main() -> None:
    """Run one case."""
    case, *arguments = sys.argv[1:]
    sys.stdout.write("\n" + json.dumps(globals()[case](*arguments)))


if __name__ == "__main__":
    main()
