"""The words that categorical features know, and numbers for them."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.simulation import reference

OTHER = "__other__"
CATEGORIES = (*reference.CATEGORIES, OTHER)
STORAGES = (*reference.STORAGES, OTHER)
INCOME_BANDS = ("low", "middle", "high", "unknown", OTHER)
VOCABULARIES = {"category": CATEGORIES, "storage": STORAGES, "income_band": INCOME_BANDS}

# Thousandths of items wasted in the end, by category, other and unknown ones last: the levels that the simulator is
# calibrated to too, between published figures for the UK (WRAP 2012) and the US (Yu & Jaenicke 2020).
_USUAL_WASTE = np.array([280, 380, 220, 120, 50, 80, 150, 245, 245])


def codes(words: pd.Series, vocabulary: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """The place of each word in the vocabulary; its last place (`__other__`) for an unknown word, -1 for null."""
    of_unique, uniques = pd.factorize(words)
    place = {word: code for code, word in enumerate(vocabulary)}
    of_word = [place.get(word, len(vocabulary) - 1) for word in uniques]
    return np.array([*of_word, -1], dtype=np.int64)[of_unique]


def usual_waste_permille(category: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Thousandths of items usually wasted, for category codes: fixed levels, nothing learned."""
    return _USUAL_WASTE[category]
