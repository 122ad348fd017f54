"""What is drawn once for each household: it depends on its id alone, and is spread evenly over households.

A thousand independent households differ so much from the next thousand that a category's waste rate would scatter by
a point. So each block of 1,024 household ids takes the points of a Sobol sequence, scrambled (by random matrices and a
shift: Matousek, 1998, "On the L2-discrepancy for anchored boxes") and shuffled anew for each block and seed: every
number is uniform, and every other id is not every other point.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.stats import qmc

from waste_risk.arrays import Floats
from waste_risk.random_streams import Stream, hash_ids, uniform
from waste_risk.reference import CATEGORIES

_BLOCK = 1_024

# Sobol points are spread most evenly in the first dimensions: first what moves waste most.
_DIMENSIONS = {
    name: place
    for place, name in enumerate(
        (
            *("appetite", "planning", "pace", "trips", "logging"),
            *(f"forgetting {category}" for category in CATEGORIES),
            *(f"pace {category}" for category in CATEGORIES),
            *(f"taste {category}" for category in CATEGORIES),
            *("size", "joining", "freezing", "trip count", "drift period", "drift phase"),
            *("children", "income", "weekday"),
        )
    )
}


def draw(household_id: pd.Series, seed: int, name: str) -> Floats:
    """Draw a number in the open interval (0, 1) for each household, independent of the numbers of other names."""
    place = _DIMENSIONS[name]
    if not pd.api.types.is_integer_dtype(household_id):
        return uniform(hash_ids(household_id, seed), Stream.HOUSEHOLD_TRAIT, place)
    ids = household_id.to_numpy(dtype=np.int64)
    block, row = np.divmod(ids, _BLOCK)
    of_block, blocks = pd.factorize(block)
    points = [_points(int(key))[:, place] for key in hash_ids(pd.Series(blocks), seed)]
    return np.stack(points)[of_block, row] if points else np.zeros(0)


@lru_cache(maxsize=64)
def _points(key: int) -> Floats:
    rng = np.random.default_rng(key)
    points: Floats = rng.permutation(qmc.Sobol(len(_DIMENSIONS), scramble=True, rng=rng).random(_BLOCK))
    return points.clip(2.0**-54, 1 - 2.0**-53)
