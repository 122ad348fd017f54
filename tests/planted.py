"""Rows of model_input with a signal that we planted: two features say whether an item is wasted, a third when."""

import numpy as np
import pandas as pd

from waste_risk.features import FEATURE_NAMES
from waste_risk.parameters import LightGBM, Observation, RiskClasses, Split, Training

NAMES = list(FEATURE_NAMES)
NUMBER, INDICATOR, WHEN = "life_used", "is_produce", "days_left"

BOOSTER = LightGBM(
    num_boost_round=60,
    early_stopping_round=10,
    num_leaves=7,
    learning_rate=0.1,
    feature_fraction=0.8,
    bagging_fraction=0.8,
    bagging_freq=1,
    max_depth=-1,
    min_data_in_leaf=20,
    lambda_l1=0.0,
    lambda_l2=0.1,
    max_bin=63,
)
TRAINING = Training(
    classifier=BOOSTER,
    regressor=BOOSTER,
    is_unbalance=False,
    seed=7,
    num_threads=1,
    device_type="cpu",
    early_stopping_share=0.2,
    explain_rows=200,
)
OBSERVATION = Observation(horizon_days=30, max_age_days=30, per_item=1)
SPLIT = Split(test_share=0.2, n_folds=3, test_days=None)
RISK_CLASSES = RiskClasses(medium_from=0.3, high_from=0.7)


def plant(n_rows: int = 3_000, seed: int = 1, n_days: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    features = {name: random.normal(size=n_rows).astype("float32") for name in NAMES}
    features[INDICATOR] = random.choice([0, 0, 1], n_rows).astype("float32")
    log_odds = 1.5 * features[NUMBER] + 1.5 * features[INDICATOR] - 1.5
    wasted = random.random(n_rows) < 1 / (1 + np.exp(-log_odds))
    days = np.clip(10 + 5 * features[WHEN] + random.normal(size=n_rows), 0, 29)
    observed_on = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(random.integers(0, n_days, n_rows)), unit="D")
    rows = {
        "item_id": np.arange(n_rows),
        "household_id": random.integers(0, 50, n_rows),
        "observed_on": observed_on.astype("datetime64[us]"),
        **features,
        "wasted": wasted,
        "days_to_waste": np.where(wasted, days, np.nan),
        "label_known_on": (observed_on + pd.Timedelta(days=OBSERVATION.horizon_days)).astype("datetime64[us]"),
    }
    return pd.DataFrame(rows)
