"""From tables to features: the one function that training and serving share."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.features.catalogue import FEATURE_NAMES
from waste_risk.features.category_history import category_history
from waste_risk.features.household import household, household_history
from waste_risk.features.interactions import INGREDIENTS, interactions
from waste_risk.features.observations import Looks, read_looks
from waste_risk.features.own_item import item, quantity, time
from waste_risk.features.shopping import shopping, weekdays
from waste_risk.history.pantry import read_pantry
from waste_risk.partitions import per_household

KEYS = ["item_id", "household_id", "observed_on"]

_GROUPS = (item, time, quantity, household, household_history, category_history, weekdays, shopping)


@per_household
def build_features(
    observations: pd.DataFrame, households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame
) -> pd.DataFrame:
    """Say of each observation what its household could know just before the look, and nothing else.

    Only events and purchases before `observed_on` count, and only the household's own; a feature that is not
    defined is null.

    Returns:
        item_id, household_id, observed_on and FEATURES, in the order of the observations.

    Raises:
        ValueError: an id is not unique, an observed item is missing, or was bought after the look.
    """
    pantry = read_pantry(households, items, events)
    # In the order of FEATURES, feature by observation: what becomes one block of the frame without a copy.
    numbers = np.empty((len(FEATURE_NAMES), len(observations)), dtype=np.float32)
    for looks in read_looks(observations, pantry):
        _fill(dict(zip(FEATURE_NAMES, numbers, strict=True)), looks)
    features = pd.DataFrame(numbers.T, columns=pd.Index(FEATURE_NAMES), copy=False)
    return pd.concat([observations[KEYS].reset_index(drop=True), features], axis=1)


def _fill(columns: Mapping[str, npt.NDArray[np.float32]], looks: Looks) -> None:
    """Write the features of some looks into the rows of their observations."""
    for group in _GROUPS:
        for name, values in group(looks).items():
            columns[name][looks.order] = values
    finished = {name: columns[name][looks.order] for name in INGREDIENTS}
    for name, values in interactions(finished).items():
        columns[name][looks.order] = values
