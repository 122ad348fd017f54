"""The steps of scoring that belong to this pipeline alone."""

import pandas as pd

from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.monitoring import estimate_performance
from waste_risk.parameters import Monitoring
from waste_risk.scoring import learned_until, score_items


def score_pantry(
    scoring_champion: RegisteredPredictor, open_features: pd.DataFrame, earlier_predictions: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the predictions twice: to be added to those of other moments, and for those who need no other moment."""
    predictions = score_items(scoring_champion, open_features, earlier_predictions)
    return predictions, predictions


def estimate_pantry(
    current_predictions: pd.DataFrame,
    scoring_items: pd.DataFrame,
    scoring_champion: RegisteredPredictor,
    monitoring: Monitoring,
) -> pd.DataFrame:
    """Estimate how right the predictions will prove to be, and store by what they are to be evaluated."""
    return estimate_performance(
        current_predictions,
        scoring_items,
        monitoring,
        horizon_days=scoring_champion.predictor.metadata.horizon_days,
        learned_until=learned_until(scoring_champion),
    )
