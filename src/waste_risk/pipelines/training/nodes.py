"""Steps of training that belong to this pipeline alone."""

import math
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from waste_risk.features import FEATURE_NAMES, build_features
from waste_risk.features.encoding import Encoding
from waste_risk.model.predictor import PredictorWithExample, Provenance, WastePredictor, hash_parameters
from waste_risk.observations.observe import observe_items
from waste_risk.parameters import Calibration, Observation, RiskClasses, Split, Training, Tuning
from waste_risk.reporting.console import ObservationCounts
from waste_risk.simulation import simulate

_EXAMPLE_ROWS = 5


def simulate_example(observation: Observation, encoding: Encoding | None = None) -> pd.DataFrame:
    """Simulate the features of a few observations, to log with a model: no household's rows are ever logged.

    Of other features than ours there is one row: 0, and the first level of each text.
    """
    if encoding is not None and not set(encoding.names) <= set(FEATURE_NAMES):
        return pd.DataFrame({name: [next(iter(encoding.levels.get(name, [0.0])), "")] for name in encoding.names})
    tables = simulate(n_households=2, n_items_per_household=20, seed=0)
    observations = observe_items(tables.items, tables.events, observation).head(_EXAMPLE_ROWS)
    features = build_features(observations, tables.households, tables.items, tables.events)
    return features.drop(columns=["item_id", "household_id", "observed_on"])


def identify_training(  # noqa: PLR0917 - every section that shapes the predictor
    split: Split,
    tuned_training: Training,
    tuning: Tuning,
    observation: Observation,
    calibration: Calibration,
    risk_classes: RiskClasses,
    commit: str,
) -> Provenance:
    """Return the commit and a hash of all parameters that shape the predictor."""
    sections = (split, tuned_training, tuning, observation, calibration, risk_classes)
    return Provenance(commit=commit, parameter_hash=hash_parameters(sections))


def describe_search(
    trials: pd.DataFrame, tuned_training: Training, tuning: Tuning
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Return plots of the search, its trials as records if ``nested_runs`` is set, and the chosen hyperparameters.

    All are empty if there was no search.
    """
    if trials.empty:
        return {}, [], {}
    from waste_risk.reporting.plots.search import plot_search  # noqa: PLC0415, matplotlib is for searches only

    names = list(type(tuning.space).model_fields)
    chosen = tuned_training.classifier.model_dump(include=set(names))
    counts = {"n_finished": len(trials), "n_pruned": int((trials["state"] == "pruned").sum())}
    records = [_record(row, names) for row in trials.to_dict("records")] if tuning.nested_runs else []
    return plot_search(trials, tuning.space), records, {**chosen, **counts, "auc": float(trials["value"].max())}


def describe_training(
    observation_counts: ObservationCounts, fold_metrics: pd.DataFrame, predictor: WastePredictor
) -> dict[str, Any]:
    """Return the facts of the training run that are not among its parameters."""
    return {
        "n_samples": observation_counts["mature"],
        "n_features": len(predictor.metadata.feature_names),
        "n_folds": len(fold_metrics),
        "waste_ratio": observation_counts["mature_wasted_share"],
        "training_date": datetime.now(UTC).date().isoformat(),
        "threshold": predictor.threshold,
        "rounds": predictor.metadata.rounds,
        "versions": predictor.metadata.versions,
        "data_hash": predictor.metadata.data_hash,
        **predictor.metadata.provenance.model_dump(),
    }


def record_training(predictor: WastePredictor) -> dict[str, str]:
    """Return the hashes of the predictor and of its rows; the dataset adds the MLflow run."""
    return {"predictor_sha256": predictor.sha256, "data_hash": predictor.metadata.data_hash}


def register_models(
    predictor: WastePredictor, observation: Observation
) -> tuple[PredictorWithExample, PredictorWithExample, PredictorWithExample]:
    """Return the predictor with an input example, once for each model that is registered."""
    shown = PredictorWithExample(predictor, simulate_example(observation, predictor.metadata.encoding))
    return shown, shown, shown


def _record(row: dict[Hashable, Any], names: list[str]) -> dict[str, Any]:
    measured = {str(name): value for name, value in row.items() if name == "value" or str(name).startswith("fold_")}
    return {
        "name": f"trial {row['number']}",
        "parameters": {"state": row["state"], **{name: row[name] for name in names}},
        "metrics": {name: value for name, value in measured.items() if not math.isnan(value)},
    }
