"""From tables to features: the one function that training and serving share."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.features.category_history import category_history
from waste_risk.features.household import household, household_history
from waste_risk.features.interactions import INGREDIENTS, interactions
from waste_risk.features.observed_items import ObservedItems, read_observed_items
from waste_risk.features.own_item import item, quantity, time
from waste_risk.features.shopping import shopping, weekdays
from waste_risk.history.pantry import read_pantry

KEYS = ["item_id", "household_id", "observed_on"]

# In the order of the columns; the interactions are computed from the features of all groups before them.
GROUPS = (item, time, quantity, household, household_history, category_history, weekdays, shopping)
FEATURES = tuple(feature for group in (*GROUPS, interactions) for feature in group.features)
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)


def build_features(
    observations: pd.DataFrame, households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame
) -> pd.DataFrame:
    """Compute what a household could know about each observed item just before the observation.

    Only events and purchases before `observed_on` count, and only the household's own, so a household's features do
    not depend on the other households in the tables. A feature that is not defined is null.

    Returns:
        item_id, household_id, observed_on and FEATURES, in the order of the observations.

    Raises:
        ValueError: an id is not unique, or an observed item is missing or was bought after the observation.
    """
    pantry = read_pantry(households, items, events)
    # In the order of FEATURES, feature by observation: what becomes one block of the frame without a copy.
    numbers = np.empty((len(FEATURE_NAMES), len(observations)), dtype=np.float32)
    for observed in read_observed_items(observations, pantry):
        _fill(dict(zip(FEATURE_NAMES, numbers, strict=True)), observed)
    features = pd.DataFrame(numbers.T, columns=pd.Index(FEATURE_NAMES), copy=False)
    return pd.concat([observations[KEYS].reset_index(drop=True), features], axis=1)


def _fill(columns: Mapping[str, npt.NDArray[np.float32]], observed: ObservedItems) -> None:
    """Write the features of some observations into their rows."""
    for group in GROUPS:
        for name, values in group.compute(observed).items():
            columns[name][observed.order] = values
    finished = {name: columns[name][observed.order] for name in INGREDIENTS}
    for name, values in interactions.compute(finished).items():
        columns[name][observed.order] = values
