"""Predictions of open items: what the champion says, whether it is an alert, since when, and why."""

import pandas as pd

from waste_risk.model.predictor import RegisteredPredictor, WastePredictor
from waste_risk.model.reasons import explain_items
from waste_risk.reference.vocabulary import RISK_CLASSES
from waste_risk.tables.contracts import REASONS


def score_items(
    champion: RegisteredPredictor, features: pd.DataFrame, earlier_predictions: pd.DataFrame
) -> pd.DataFrame:
    """Predict open items at one moment, with reasons for those at or above the champion's threshold.

    Args:
        champion: whose predictions these are.
        features: of the open items, all observed at the moment.
        earlier_predictions: ``item_id``, ``as_of`` and ``is_alert`` of predictions at other moments, by whichever
            champion; only those before the moment count, so that scoring it again gives the same.

    Returns:
        the table ``predictions``, in the order of the features; ``alerted_on`` is the first moment at which the item
        was alerted, this one included.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    predictor = champion.predictor
    predicted = predictor.predict(features)
    is_alert = predicted["waste_probability"] >= predictor.threshold
    columns = {
        "as_of": features["observed_on"],
        "item_id": features["item_id"],
        "household_id": features["household_id"],
        **predicted,
        "risk_class": pd.Categorical(predicted["risk_class"], RISK_CLASSES),
        "is_alert": is_alert,
        "alerted_on": _first_alerts(features, earlier_predictions).fillna(features["observed_on"].where(is_alert)),
        **_explain_alerts(predictor, features, is_alert),
        "model_version": champion.version,
        "predictor_sha256": predictor.sha256,
    }
    text = dict.fromkeys((*REASONS, "model_version", "predictor_sha256"), "str")
    return pd.DataFrame(columns, index=features.index).astype(text)


def _first_alerts(features: pd.DataFrame, earlier_predictions: pd.DataFrame) -> pd.Series:
    """Return when each item was first alerted before it is observed here; NaT if it was not."""
    moment = features["observed_on"].min()
    is_earlier = earlier_predictions["is_alert"] & (earlier_predictions["as_of"] < moment)
    first = earlier_predictions[is_earlier].groupby("item_id")["as_of"].min()
    return pd.Series(first.reindex(features["item_id"]).to_numpy(), index=features.index)


def _explain_alerts(predictor: WastePredictor, features: pd.DataFrame, is_alert: pd.Series) -> pd.DataFrame:
    """Return a column for each reason, null where there are fewer, or no alert."""
    n, alerts = len(REASONS), features[is_alert]
    told = [[*sentences, *[None] * (n - len(sentences))] for sentences in explain_items(predictor, alerts, n)]
    return pd.DataFrame(told, index=alerts.index, columns=list(REASONS)).reindex(features.index)
