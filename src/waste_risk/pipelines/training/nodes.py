"""Steps of training that belong to this pipeline alone."""

import math
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from waste_risk.features import build_features
from waste_risk.model.predictor import PredictorWithExample, Provenance, WastePredictor, hash_parameters
from waste_risk.observations.observe import observe_items
from waste_risk.parameters import Calibration, Observation, RiskClasses, Split, Training, Tuning
from waste_risk.reporting.console import ObservationCounts
from waste_risk.simulation import simulate

_EXAMPLE_ROWS = 5


def simulate_example(observation: Observation) -> pd.DataFrame:
    """Features of a few simulated looks, to log with a model: no household's rows ever go there."""
    tables = simulate(n_households=2, n_items_per_household=20, seed=0)
    looks = observe_items(tables.items, tables.events, observation).head(_EXAMPLE_ROWS)
    features = build_features(looks, tables.households, tables.items, tables.events)
    return features.drop(columns=["item_id", "household_id", "observed_on"])


def identify_training(  # noqa: PLR0917 - every section that training reads
    split: Split,
    tuned_training: Training,
    tuning: Tuning,
    observation: Observation,
    calibration: Calibration,
    risk_classes: RiskClasses,
    commit: str,
) -> Provenance:
    """Say which code and which parameters this training is of."""
    sections = (split, tuned_training, tuning, observation, calibration, risk_classes)
    return Provenance(commit=commit, parameter_hash=hash_parameters(sections))


def describe_search(
    trials: pd.DataFrame, tuned_training: Training, tuning: Tuning
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Figures of the search, its trials as records if runs of their own are wanted, and the values it chose.

    All are empty if there was no search.
    """
    if trials.empty:
        return {}, [], {}
    from waste_risk.reporting.plots.search import plot_search  # noqa: PLC0415, matplotlib is for searches only

    knobs = list(type(tuning.space).model_fields)
    chosen = tuned_training.classifier.model_dump(include=set(knobs))
    counts = {"n_finished": len(trials), "n_pruned": int((trials["state"] == "pruned").sum())}
    records = [_record(row, knobs) for row in trials.to_dict("records")] if tuning.nested_runs else []
    return plot_search(trials, tuning.space), records, {**chosen, **counts, "auc": float(trials["value"].max())}


def describe_training(
    observation_counts: ObservationCounts, fold_metrics: pd.DataFrame, predictor: WastePredictor
) -> dict[str, Any]:
    """Facts of the training run that no parameter says."""
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
    """Which bytes were trained on which rows; the dataset adds in which run."""
    return {"predictor_sha256": predictor.sha256, "data_hash": predictor.metadata.data_hash}


def register_boosters(
    predictor: WastePredictor, observation: Observation
) -> tuple[PredictorWithExample, PredictorWithExample]:
    """Hand the predictor to two datasets: one registers its classifier, the other its regressor."""
    shown = PredictorWithExample(predictor, simulate_example(observation))
    return shown, shown


def _record(row: dict[Hashable, Any], knobs: list[str]) -> dict[str, Any]:
    measured = {str(name): value for name, value in row.items() if name == "value" or str(name).startswith("fold_")}
    return {
        "name": f"trial {row['number']}",
        "parameters": {"state": row["state"], **{knob: row[knob] for knob in knobs}},
        "metrics": {name: value for name, value in measured.items() if not math.isnan(value)},
    }
