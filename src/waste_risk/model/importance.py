"""Feature importance of the classifier, over a sample of its training rows."""

import pandas as pd

from waste_risk.features import FEATURES
from waste_risk.formatting import to_words
from waste_risk.model.predictor import WastePredictor


def explain(predictor: WastePredictor, development: pd.DataFrame) -> pd.DataFrame:
    """Rank the features by their mean absolute SHAP value on ``training.explain_rows`` randomly drawn rows.

    The values are those of shap's TreeExplainer, which gets them from LightGBM, as this does without importing shap.

    Returns:
        ``feature``, ``mean_abs_shap`` (log-odds), ``gain`` (decrease of the loss by its splits), ``meaning``; all
        features, the most important first.
    """
    contributions = predictor.explain(draw_rows(predictor, development)).drop(columns="base_value")
    meanings = {feature.name: feature.meaning for feature in FEATURES}
    importance = pd.DataFrame(
        {
            "feature": contributions.columns,
            "mean_abs_shap": contributions.abs().mean().to_numpy(),
            "gain": predictor.classifier.feature_importance("gain"),
            "meaning": [meanings.get(name, to_words(str(name))) for name in contributions.columns],
        }
    )
    return importance.sort_values(["mean_abs_shap", "feature"], ascending=[False, True], ignore_index=True)


def draw_rows(predictor: WastePredictor, rows: pd.DataFrame) -> pd.DataFrame:
    """Draw ``training.explain_rows`` rows at random, with ``training.seed``; all of them if there are fewer."""
    training = predictor.metadata.training
    return rows.sample(n=min(training.explain_rows, len(rows)), random_state=training.seed)
