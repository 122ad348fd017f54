"""Randomness that belongs to an id: the same draw whatever the order, the partition or the neighbours of a row.

SplitMix64 (Steele, Lea and Flood, 2014, "Fast splittable pseudorandom number generators") on 64-bit keys.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.floating[Any]]

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


def hash_ids(ids: pd.Series, seed: int = 0) -> Keys:
    """One 64-bit key for each id (integer or string), different for every seed."""
    return derive(pd.util.hash_array(ids.to_numpy(), categorize=False), seed)


def derive(keys: Keys, stream: int | Keys) -> Keys:
    """A key for each key, independent from stream to stream; a stream is a number or one number for each key."""
    step = np.uint64(((stream + 1) * _GOLDEN) & _MASK) if isinstance(stream, int) else (stream + 1) * np.uint64(_GOLDEN)
    mixed = keys + step
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def uniform(keys: Keys, stream: int) -> Floats:
    """One number in the open interval (0, 1) for each key."""
    draw = (derive(keys, stream) >> np.uint64(11)).astype(np.float64)
    draw += 0.5
    draw *= 2.0**-53
    return draw
