"""A predictor that is fitted in no time."""

import lightgbm as lgb
import numpy as np
import pandas as pd

from waste_risk.calibration import Calibrator
from waste_risk.encoding import Encoding
from waste_risk.model import Metadata, WastePredictor
from waste_risk.parameters import RiskClasses, Training

# Neither the names of the categories nor their levels are in the order of the alphabet.
ENCODING = Encoding(
    feature_names=("age", "storage", "category"),
    vocabularies={"storage": ("pantry", "fridge", "__other__"), "category": ("produce", "dairy", "meat", "__other__")},
)


def fit(_: pd.DataFrame, training: Training, risk_classes: RiskClasses) -> tuple[WastePredictor, ...]:
    rows = make_features()
    data = lgb.Dataset(ENCODING.encode(rows), rows["wasted"], categorical_feature=[1, 2])
    fitted = lgb.train({"objective": "binary", "min_data_in_leaf": 5, "num_threads": 1, "verbose": -1}, data, 5)
    metadata = Metadata(
        versions={},
        horizon_days=30,
        encoding=ENCODING,
        training=training,
        risk_classes=risk_classes,
        rounds={"classifier": 5, "regressor": 5},
        n_rows=len(rows),
        waste_ratio=0.5,
        observed_from="2024-01-01",
        observed_until="2024-02-01",
        data_hash="0",
    )
    booster = lgb.Booster(model_str=fitted.model_to_string())
    predictor = WastePredictor(booster, Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0)), booster, 0.5, metadata)
    return predictor, predictor, predictor


def make_features() -> pd.DataFrame:
    """Rows whose own category codes are not those of the vocabulary: dairy is 1 here, as it is there, but meat is 0."""
    random = np.random.default_rng(0)
    age = random.random(300).astype("float32")
    storage = pd.Categorical(random.choice(["fridge", "pantry"], 300), categories=["fridge", "pantry"])
    category = pd.Categorical(random.choice(["dairy", "meat"], 300), categories=["meat", "dairy"])
    wasted = (category == "meat") ^ ((age > 0.7) & (storage == "pantry"))
    return pd.DataFrame({"age": age, "storage": storage, "category": category, "wasted": wasted})
