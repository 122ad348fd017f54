"""The words that items and households come with, and numbers for them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.reference import CATEGORIES, STORAGES

__all__ = ["CATEGORIES", "INCOME_BANDS", "STORAGES", "codes", "indicators", "usual_waste_permille"]

INCOME_BANDS = ("low", "middle", "high")

# Thousandths of items wasted in the end, by category, other and unknown ones last: the levels that the simulator is
# calibrated to too, between published figures for the UK (WRAP 2012) and the US (Yu & Jaenicke 2020).
_USUAL_WASTE = np.array([280, 380, 220, 120, 50, 80, 150, 245, 245])


def codes(words: pd.Series, vocabulary: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """The place of each word in the vocabulary; the place after its last for any other word, -1 for null.

    A table that is looked up by codes so has two entries more than the vocabulary.
    """
    of_unique, uniques = pd.factorize(words)
    place = {word: code for code, word in enumerate(vocabulary)}
    of_word = [place.get(word, len(vocabulary)) for word in uniques]
    return np.array([*of_word, -1], dtype=np.int64)[of_unique]


def indicators(prefix: str, code: npt.NDArray[np.int64], vocabulary: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """A feature for each word: 1 where the code is the word's, 0 where it is another's, NaN for null."""
    is_null = code < 0
    return {f"{prefix}{word}": np.where(is_null, np.nan, code == place) for place, word in enumerate(vocabulary)}


def usual_waste_permille(category: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Thousandths of items usually wasted, for category codes: fixed levels, nothing learned."""
    return _USUAL_WASTE[category]
