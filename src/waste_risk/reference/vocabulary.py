"""The words and quantities that items, events and households come with, and numbers for them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.arrays import Integers

CATEGORIES = ("dairy", "produce", "meat", "grains", "canned", "frozen", "beverages")
STORAGES = ("fridge", "freezer", "pantry")
EVENT_KINDS = ("opened", "consumed", "wasted", "moved", "corrected")
INCOME_BANDS = ("low", "middle", "high")
RISK_CLASSES = ("low", "medium", "high")
UNKNOWN = "unknown"  # where a household does not say

# Thousandths of items that are usually wasted, between published figures for the UK (WRAP 2012) and the US (Yu &
# Jaenicke 2020); the simulator is calibrated to them.
USUAL_WASTE_PERMILLE = dict(zip(CATEGORIES, (280, 380, 220, 120, 50, 80, 150), strict=True))
USUAL_WASTE_PERMILLE_OF_ALL = 245


def codes(words: pd.Series, vocabulary: tuple[str, ...]) -> Integers:
    """Return the place of each word in the vocabulary; the place after its last for any other word, -1 for null.

    A table that is looked up by codes so has two entries more than the vocabulary.
    """
    of_unique, uniques = pd.factorize(words)
    place = {word: code for code, word in enumerate(vocabulary)}
    of_word = [place.get(word, len(vocabulary)) for word in uniques]
    return np.array([*of_word, -1], dtype=np.int64)[of_unique]


def indicators(prefix: str, code: Integers, vocabulary: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """Return an array for each word: 1 where the code is the word's, 0 where it is another's, NaN for null."""
    is_null = code < 0
    return {f"{prefix}{word}": np.where(is_null, np.nan, code == place) for place, word in enumerate(vocabulary)}


def usual_waste_permille(category: Integers) -> Integers:
    """Return the thousandths of items that are usually wasted, for category codes: fixed levels, nothing learned."""
    of_others = USUAL_WASTE_PERMILLE_OF_ALL
    return np.array([*USUAL_WASTE_PERMILLE.values(), of_others, of_others])[category]


def thousandths(quantities: pd.Series) -> Integers:
    """Return quantities as whole thousandths, so that sums of them are exact."""
    whole: Integers = np.rint(quantities.to_numpy(np.float64) * 1000).astype(np.int64)
    return whole
