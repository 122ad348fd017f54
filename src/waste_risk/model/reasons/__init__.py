"""Why an item is at risk, in words that a household understands.

SHAP values are additive, so those of the features of one topic are summed, and the topics that raise the risk most are
told. Each is told by the feature that raises it most, so that three reasons are three different things.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from waste_risk.arrays import Floats
from waste_risk.features import FEATURES
from waste_risk.formatting import to_heading, to_words
from waste_risk.model.predictor import WastePredictor
from waste_risk.model.reasons.phrasing import Wording, word_by_meaning
from waste_risk.model.reasons.wordings import WORDINGS

# Who lives in the household: no alert is explained by someone's income or children.
WITHHELD_TOPIC = "household"


@dataclass(frozen=True)
class Reason:
    """A topic that raises or lowers an item's risk.

    Attributes:
        topic: what it is about.
        feature: the feature of the topic that the sentence is about.
        sentence: the feature's value in words.
        contribution: of all features of the topic, in log-odds; above 0 it raises the risk.
    """

    topic: str
    feature: str
    sentence: str
    contribution: float

    @property
    def raises(self) -> bool:
        """Whether it raises the risk."""
        return self.contribution > 0


def explain_items(predictor: WastePredictor, features: pd.DataFrame, n: int = 3) -> list[list[str]]:
    """Return for each item the sentences that explain what raises its risk most.

    Who lives in the household is never among them.

    Args:
        predictor: whose predictions are explained.
        features: one row per item, as for ``predictor.predict``.
        n: sentences per item; there are fewer if fewer topics raise the risk.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    return [
        [each.sentence for each in row if each.raises and each.topic != WITHHELD_TOPIC][:n]
        for row in find_reasons(predictor, features)
    ]


def find_reasons(predictor: WastePredictor, features: pd.DataFrame) -> list[list[Reason]]:
    """Return for each item every topic, from the one that raises its risk most to the one that lowers it most.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    names = list(predictor.metadata.feature_names)
    contributions = predictor.explain(features)[names].to_numpy(np.float64)
    kind = object if predictor.metadata.levels else np.float64
    values = [dict(zip(names, row, strict=True)) for row in features[names].to_numpy(kind).tolist()]
    topics: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        topics.setdefault(find_wording(name).topic, []).append(column)
    return [
        sorted(
            (_tell(topic, columns, row, value) for topic, columns in topics.items()),
            key=lambda reason: -reason.contribution,
        )
        for row, value in zip(contributions, values, strict=True)
    ]


def _tell(topic: str, columns: list[int], contributions: Floats, values: Mapping[str, float | str]) -> Reason:
    total = float(contributions[columns].sum())
    strongest = max(columns, key=lambda column: contributions[column] * (1 if total > 0 else -1))
    feature = list(values)[strongest]
    return Reason(topic, feature, describe(feature, values), total)


def describe(feature: str, values: Mapping[str, float | str]) -> str:
    """Return a sentence with the value of a feature.

    Args:
        feature: its name.
        values: of all features, by name; NaN is a null.
    """
    wording = find_wording(feature)
    told = [values[name] for name in wording.parts or (feature,)]
    if isinstance(told[0], str):
        return f"{to_heading(feature)}: {told[0]}."
    return wording.null if any(math.isnan(float(value)) for value in told) else wording.tell(*told)


def find_wording(feature: str) -> Wording:
    """Return a feature's wording; without one of its own, it is worded by its meaning among the features.

    Such a feature is a topic of its own. One of the group ``household`` belongs to the topic that is
    withheld, until a wording says that it is about something else.
    """
    if feature in WORDINGS:
        return WORDINGS[feature]
    known = next((each for each in FEATURES if each.name == feature), None)
    if known is None:  # a column of someone's own table
        return word_by_meaning(to_words(feature), topic=feature)
    return word_by_meaning(known.meaning, topic=WITHHELD_TOPIC if known.group == WITHHELD_TOPIC else feature)
