"""Why an item is at risk, in words that a household understands.

SHAP values add up, so those of one topic are summed, and the topics that raise the risk most are told. Each is told by
the feature that raises it most, so that three reasons are three different things.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.model.predictor import WastePredictor
from waste_risk.model.reasons.wordings import WORDINGS

UNSAID = "household"


@dataclass(frozen=True)
class Reason:
    """One thing that raises or lowers an item's risk.

    Attributes:
        topic: what it is about.
        feature: which of the topic's features tells it.
        sentence: in words, with its value.
        contribution: of the topic, in log-odds: above 0 it raises the risk, below it lowers it.
    """

    topic: str
    feature: str
    sentence: str
    contribution: float

    @property
    def raises(self) -> bool:
        """Whether it raises the risk."""
        return self.contribution > 0


def reasons(predictor: WastePredictor, features: pd.DataFrame, n: int = 3) -> list[list[str]]:
    """Give for each row the ``n`` sentences that raise its risk most; fewer, if fewer topics raise it.

    Who lives in the household is never among them: nobody is warned for their income or their children.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    return [
        [each.sentence for each in row if each.raises and each.topic != UNSAID][:n]
        for row in find_reasons(predictor, features)
    ]


def find_reasons(predictor: WastePredictor, features: pd.DataFrame) -> list[list[Reason]]:
    """Give for each row every topic, from what raises its risk most to what lowers it most."""
    names = list(predictor.metadata.feature_names)
    contributions = predictor.explain(features)[names].to_numpy(np.float64)
    values = [dict(zip(names, row, strict=True)) for row in features[names].to_numpy(np.float64).tolist()]
    topics = _columns_by_topic(names)
    return [
        _rank([_tell(topic, columns, row, value) for topic, columns in topics.items()])
        for row, value in zip(contributions, values, strict=True)
    ]


def say(feature: str, values: Mapping[str, float]) -> str:
    """Tell in a sentence what a feature is, from the values of all features."""
    wording = WORDINGS[feature]
    told = [values[name] for name in wording.parts or (feature,)]
    return wording.null if any(math.isnan(value) for value in told) else wording.tell(*told)


def _columns_by_topic(names: list[str]) -> dict[str, list[int]]:
    topics: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        topics.setdefault(WORDINGS[name].topic, []).append(column)
    return topics


def _tell(topic: str, columns: list[int], contributions: NDArray[np.float64], values: Mapping[str, float]) -> Reason:
    total = float(contributions[columns].sum())
    strongest = max(columns, key=lambda column: contributions[column] * (1 if total > 0 else -1))
    feature = list(values)[strongest]
    return Reason(topic, feature, say(feature, values), total)


def _rank(told: list[Reason]) -> list[Reason]:
    return sorted(told, key=lambda reason: -reason.contribution)
