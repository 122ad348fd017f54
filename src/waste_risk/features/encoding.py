"""Which columns of a model input are features, and how those that hold text are read as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.features.build import FEATURE_NAMES, KEYS

LABELS = ["wasted", "days_to_waste", "label_known_on"]
SENSITIVE = "sensitive_"  # begins the columns by which fairness is evaluated

Names = tuple[str, ...]
Levels = Mapping[str, Names]

NO_TEXT: Levels = {}


@dataclass(frozen=True)
class Encoding:
    """The features that a model reads, in their order, and the levels of those that hold text.

    A level is read as its number from 1, and a null as 0; a level that is not among them as NaN, which belongs to no
    set of levels that a tree asks for.

    Attributes:
        names: of all features.
        levels: of the features that hold text, by name.
    """

    names: Names
    levels: Levels = field(default_factory=dict)

    @property
    def categorical(self) -> Names:
        """The features whose numbers have no order."""
        return tuple(name for name in self.names if name in self.levels)

    @property
    def contract(self) -> Names:
        """What two predictors have in common that can take each other's place: the names, those of text marked."""
        return tuple(f"{name} (text)" if name in self.levels else name for name in self.names)


def find_encoding(rows: pd.DataFrame) -> Encoding:
    """Return the encoding of a model input's features: the levels of its texts are those in these rows.

    The features are all columns but keys, labels and sensitive attributes; those of `FEATURES` come in their order.
    """
    no_features, order = {*KEYS, *LABELS}, {name: place for place, name in enumerate(FEATURE_NAMES)}
    columns = [name for name in map(str, rows) if name not in no_features and not name.startswith(SENSITIVE)]
    names = tuple(sorted(columns, key=lambda name: order.get(name, len(order))))
    texts = [name for name in names if not pd.api.types.is_numeric_dtype(rows[name])]
    return Encoding(names, {name: tuple(sorted(map(str, rows[name].dropna().unique()))) for name in texts})


def encode(values: "pd.Series[Any]", levels: Names) -> NDArray[np.float32]:
    """Return the number of each text's level from 1, 0 of a null, NaN of what is no level."""
    texts = values.astype("str")
    number = pd.Index(levels, dtype="str").get_indexer(pd.Index(texts)).astype(np.float32)
    return np.where(values.isna(), np.float32(0), np.where(number < 0, np.float32(np.nan), number + 1))
