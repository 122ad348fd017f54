"""The step of scoring that belongs to this pipeline alone."""

import pandas as pd

from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.scoring import score_items


def score_pantry(
    scoring_champion: RegisteredPredictor, open_features: pd.DataFrame, earlier_predictions: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the predictions twice: to be added to those of other moments, and for those who need no other moment."""
    predictions = score_items(scoring_champion, open_features, earlier_predictions)
    return predictions, predictions
