"""A counter-based random generator: what is drawn for an id does not depend on the order or the neighbors of its row.

An id and a seed are hashed to a key; a key and a stream give a number. SplitMix64 (Steele, Lea and Flood, 2014, "Fast
splittable pseudorandom number generators") on 64-bit keys.
"""

from enum import Enum, IntEnum, unique

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.arrays import Floats, Integers

Keys = npt.NDArray[np.uint64]

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


@unique
class FixedSeed(IntEnum):
    """Seeds of what must not change with the user's seed, which is below 2**31."""

    PRODUCTS = 0  # a product costs the same under every seed
    OBSERVATIONS = 2**40


@unique
class Stream(Enum):
    """What is drawn: the kind of key, the number of the stream, and for a series of streams how many there may be.

    Two draws from one key and one number are equal, so every number in use is listed here and no two series overlap.
    """

    HOUSEHOLD_TRAIT = "household", 0, 1_000
    HOUSEHOLD_TRIP = "household", 1_000, 2**31  # a key for each trip

    TRIP_WEEK = "trip", 1
    TRIP_WEEKDAY = "trip", 2
    TRIP_IS_ON_FAVORITE_WEEKDAY = "trip", 3
    TRIP_EXPECTED_LINES = "trip", 4
    TRIP_LINES = "trip", 5
    TRIP_LINE = "trip", 1_000, 2**31  # a key for each line

    LINE_CATEGORY = "line", 6
    LINE_PRODUCT = "line", 7
    LINE_IS_PROMOTED = "line", 8
    LINE_UNITS = "line", 9
    LINE_PRICE = "line", 10

    PRODUCT_PRICE = "product", 1

    ITEM_IS_FROZEN = "item", 41
    ITEM_HAS_PRINTED_DATE = "item", 42
    ITEM_LIFE = "item", 43
    ITEM_PORTIONS = "item", 44
    ITEM_USE_DAYS = "item", 45
    ITEM_FORGETTING = "item", 47
    ITEM_PRINTED_DAYS = "item", 48
    ITEM_IS_FORGOTTEN = "item", 61
    ITEM_SPOILS_ONCE_OPENED = "item", 62
    ITEM_SPOILS = "item", 63
    ITEM_IS_DISCARDED_BY_DATE = "item", 64
    ITEM_FLAW = "item", 71
    ITEM_USE = "item", 200, 1_000  # a key for each use

    USE_DAY = "use", 1
    USE_IS_FORGOTTEN = "use", 2

    OBSERVATION_AGE = "observation", 0, 1_000  # a number for each observation of an item

    def __init__(self, key: str, first: int, count: int = 1) -> None:
        self.key, self.first, self.count = key, first, count


def hash_ids(ids: pd.Series, seed: int) -> Keys:
    """Return a 64-bit key for each id (integer or string), different for every seed."""
    return _mix(pd.util.hash_array(ids.to_numpy(), categorize=False), int(seed))


def derive(keys: Keys, stream: Stream, index: int | Integers = 0) -> Keys:
    """Return a key for each key, independent between streams.

    Args:
        keys: of the stream's kind.
        stream: what the keys are for.
        index: which of the streams of a series, from 0; one for all keys, or one for each.
    """
    if isinstance(index, int):
        return _mix(keys, stream.first + index)
    return _mix(keys, index.astype(np.uint64) + np.uint64(stream.first))


def uniform(keys: Keys, stream: Stream, index: int = 0) -> Floats:
    """Return a number in the open interval (0, 1) for each key; for the arguments see `derive`."""
    draw = (derive(keys, stream, index) >> np.uint64(11)).astype(np.float64)
    draw += 0.5
    draw *= 2.0**-53
    return draw


def _mix(keys: Keys, number: int | Keys) -> Keys:
    step = np.uint64(((number + 1) * _GOLDEN) & _MASK) if isinstance(number, int) else (number + 1) * np.uint64(_GOLDEN)
    mixed = keys + step
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
