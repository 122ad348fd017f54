"""Steps of table_scoring that belong to this pipeline alone."""

import numpy as np
import pandas as pd

from waste_risk.formatting import format_count, format_number
from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.scoring import score_items


def score_open_rows(scoring_champion: RegisteredPredictor, open_rows: pd.DataFrame) -> pd.DataFrame:
    """Predict the rows, with reasons for those at or above the champion's threshold, in their order.

    Raises:
        ValueError: the table has other features than the champion; the message names those that are missing.
    """
    # Rows of a table are not followed over moments: no earlier prediction counts.
    none = open_rows.iloc[:0].assign(as_of=lambda rows: rows["observed_on"], is_alert=np.array([], np.bool_))
    return score_items(scoring_champion, open_rows, none).drop(columns="alerted_on")


def summarise_table_scoring(scored_rows: pd.DataFrame, scoring_champion: RegisteredPredictor) -> list[str]:
    """Return how many rows were scored, by which version, and how many of them are alerts."""
    threshold, n_rows = format_number(scoring_champion.predictor.threshold, 3), format_count(len(scored_rows))
    return [
        f"Scored:       {n_rows} rows without a label, by version {scoring_champion.version} of the model",
        f"Alerts:       {format_count(scored_rows['is_alert'].sum())} at or above {threshold}",
    ]
