"""A predictor that is fitted in no time."""

import numpy as np
import pandas as pd

from waste_risk.model.calibration import Calibrator
from waste_risk.model.lightgbm_calls import fit as fit_booster
from waste_risk.model.lightgbm_calls import make_bins, read
from waste_risk.model.predictor import NO_PROVENANCE, Metadata, PredictorWithExample, WastePredictor
from waste_risk.parameters import Observation, RiskClasses, Training
from waste_risk.pipelines.training.nodes import register_models

# Neither in the order of the alphabet nor in that of the features table.
NAMES = ("is_meat", "age_days", "is_in_pantry")


def fit(
    _: pd.DataFrame, training: Training, risk_classes: RiskClasses, observation: Observation
) -> tuple[WastePredictor, PredictorWithExample, PredictorWithExample, PredictorWithExample]:
    rows = make_features()
    X, wasted = rows[list(NAMES)].to_numpy(), rows["wasted"].to_numpy()
    parameters = {"objective": "binary", "min_data_in_leaf": 5, "num_threads": 1, "verbose": -1}
    fitted = fit_booster(parameters, make_bins(X, wasted, parameters, list(NAMES)), 5)
    metadata = Metadata(
        versions={},
        horizon_days=observation.horizon_days,
        feature_names=NAMES,
        training=training,
        risk_classes=risk_classes,
        rounds={"classifier": 5, "regressor": 5},
        n_rows=len(rows),
        waste_ratio=0.5,
        observed_from="2024-01-01",
        observed_until="2024-02-01",
        data_hash="0",
        provenance=NO_PROVENANCE,
    )
    booster = read(fitted.model_to_string())
    predictor = WastePredictor(booster, Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0)), booster, 0.5, metadata)
    return predictor, *register_models(predictor, observation)


def make_features() -> pd.DataFrame:
    """Rows of a source, of which none may be shown; no simulated look has such an age."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "is_meat": random.integers(0, 2, 300),
            "age_days": 1000 + random.random(300),
            "is_in_pantry": random.integers(0, 2, 300),
        },
        dtype="float32",
    )
    return rows.assign(wasted=(rows["is_meat"] == 1) ^ ((rows["age_days"] > 1000.7) & (rows["is_in_pantry"] == 1)))
