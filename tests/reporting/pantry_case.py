"""Predictions at a moment, made up, and the items that they are of."""

import numpy as np
import pandas as pd
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant
from predicted import PARAMS

from waste_risk.model.calibration import Calibrator
from waste_risk.model.predictor import RegisteredPredictor, classify_risk
from waste_risk.parameters import Scoring
from waste_risk.reporting.pantry import render_pantry
from waste_risk.tables.contracts import check
from waste_risk.training.fit import fit_predictor

AS_OF = pd.Timestamp("2025-06-23T18:00")
THRESHOLD = 0.4
FOLDS = pd.DataFrame({"n_train": [1_000], "rounds_classifier": [5], "rounds_regressor": [5]})
CALIBRATOR = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
# Item, household, category, probability, days, product.
ROWS = (
    (901, 77_001, "dairy", 0.90, 2.0, "milk"),
    (902, 77_001, "produce", 0.50, 3.4, "<b>bananas</b>"),
    (903, 77_001, "produce", 0.39, 5.0, "apples"),
    (904, 77_002, "meat", 0.70, 0.1, "ham"),
    (905, 77_002, "canned", 0.10, 9.0, "beans"),
    (906, 77_003, "produce", 0.40, 3.0, "kale"),
    (907, 77_004, "grains", 0.01, 25.0, "rice"),
)


def make_champion() -> RegisteredPredictor:
    """It has learned from what happened until 2025-02-05 at the latest."""
    predictor = fit_predictor(plant(1_000), FOLDS, CALIBRATOR, THRESHOLD, TRAINING, RISK_CLASSES, OBSERVATION)
    return RegisteredPredictor(predictor, "12", "simulated", {})


def items() -> pd.DataFrame:
    frame = pd.DataFrame(ROWS, columns=["item_id", "household_id", "category", "p", "days", "product"])
    return frame[["item_id", "household_id", "category", "product"]].assign(
        purchased_on=pd.Timestamp("2025-06-20"),
        expires_on=[pd.Timestamp("2025-06-27"), *[pd.NaT] * 6],
    )


def predictions(as_of: pd.Timestamp = AS_OF) -> pd.DataFrame:
    frame = pd.DataFrame(ROWS, columns=["item_id", "household_id", "category", "p", "days", "product"])
    is_alert = frame["p"] >= THRESHOLD
    alerted_on = pd.Series(as_of, index=frame.index).where(is_alert)
    alerted_on[0] = as_of - pd.Timedelta(days=3)
    made = pd.DataFrame(
        {
            "as_of": as_of,
            "item_id": frame["item_id"],
            "household_id": frame["household_id"],
            "waste_probability": frame["p"],
            "days_to_waste": frame["days"],
            "risk_class": classify_risk(frame["p"].to_numpy(), RISK_CLASSES),
            "is_alert": is_alert,
            "alerted_on": alerted_on,
            "reason_1": np.where(is_alert, "You bought 3 of it.", None),
            "reason_2": np.where(frame["p"] > 0.8, "It has gone unused for 9 days.", None),
            "reason_3": None,
            "model_version": "12",
            "predictor_sha256": "0" * 64,
        }
    )
    return check("predictions", made)


def page(champion: RegisteredPredictor, page_households: int = 200, as_of: pd.Timestamp = AS_OF, rows: int = 7) -> str:
    """Render the page of the first rows."""
    scoring = Scoring(as_of=None, champion_source=None, page_households=page_households)
    return render_pantry(predictions(as_of).head(rows), items(), as_of, champion, PARAMS, scoring)
