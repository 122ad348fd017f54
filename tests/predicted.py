"""Predictions whose probabilities are true, made without a model, and the items that they are of."""

import numpy as np
import pandas as pd

from waste_risk.parameters import Monitoring

PARAMS = Monitoring(
    max_age_days=30,
    high_confidence=0.7,
    n_bins=10,
    n_resamples=1_000,
    confidence=0.95,
    seed=1,
    reference_weeks=6,
    recent_weeks=4,
    alarm_confidence=0.99,
    min_calibration_gap=0.01,
    min_log_loss_excess=0.01,
    min_expected_decay=0.03,
    min_psi=0.1,
    never_alerted_share=0.1,
    alert_effect=0.1,
    power=0.8,
)
MONDAY = pd.Timestamp("2024-06-03")
DAY = pd.Timedelta(days=1)


def predict(
    probability: list[float], *, as_of: pd.Timestamp = MONDAY, first_item: int = 0, version: str = "1"
) -> pd.DataFrame:
    """Predictions at one moment: items numbered on, five to a household, alerts from 0.5."""
    n = len(probability)
    items = first_item + np.arange(n)
    is_alert = np.asarray(probability) >= 0.5
    columns = {
        "as_of": np.full(n, as_of.to_datetime64(), dtype="datetime64[us]"),
        "item_id": items,
        "household_id": items // 5,
        "waste_probability": np.asarray(probability, dtype=float),
        "days_to_waste": 5.0,
        "risk_class": "low",
        "is_alert": is_alert,
        "alerted_on": pd.Series([as_of if alert else pd.NaT for alert in is_alert], dtype="datetime64[us]"),
        "model_version": version,
        "predictor_sha256": version * 64,
    }
    return pd.DataFrame(columns)


def buy(predictions: pd.DataFrame, days_before: float = 3) -> pd.DataFrame:
    """The items of predictions, each bought some days before it was first predicted."""
    first = predictions.drop_duplicates("item_id")
    return pd.DataFrame(
        {
            "item_id": first["item_id"].to_numpy(),
            "household_id": first["household_id"].to_numpy(),
            "quantity": 1.0,
            "purchased_on": (first["as_of"] - days_before * DAY).to_numpy().astype("datetime64[us]"),
        }
    )


def waste(items: list[int], on: pd.Timestamp) -> pd.DataFrame:
    """Events: the items are thrown away on a day."""
    return pd.DataFrame(
        {
            "item_id": np.array(items, dtype=np.int64),
            "household_id": np.array(items, dtype=np.int64) // 5,
            "kind": "wasted",
            "quantity": 1.0,
            "occurred_on": np.full(len(items), on.to_datetime64(), dtype="datetime64[us]"),
        }
    )
