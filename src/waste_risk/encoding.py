"""How named features become the matrix of numbers that the boosters read, the same way in training and in serving."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.parameters import Section

OTHER = "__other__"

Matrix = NDArray[np.float32]


class Encoding(Section):
    """The features in their order, and the levels of those that are categories.

    Every vocabulary ends with ``__other__``, which stands for the levels that training has not seen.
    """

    feature_names: tuple[str, ...]
    vocabularies: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, rows: pd.DataFrame, feature_names: tuple[str, ...]) -> Self:
        """Take the vocabularies from the rows that train a model.

        The levels are sorted, so that a model's bytes do not depend on the order in which a file stores them.
        """
        categories = [name for name in feature_names if isinstance(rows[name].dtype, pd.CategoricalDtype)]
        levels = {name: (*sorted(set(rows[name].dropna()) - {OTHER}), OTHER) for name in categories}
        return cls(feature_names=feature_names, vocabularies=levels)

    def encode(self, features: pd.DataFrame) -> Matrix:
        """Make the matrix, (n_rows, n_features): a category is its position in the vocabulary, a null is NaN.

        Raises:
            ValueError: features are missing; the message names all of them.
        """
        missing = [name for name in self.feature_names if name not in features.columns]
        if missing:
            raise ValueError(f"features are missing: {', '.join(missing)}")
        numbers = [name for name in self.feature_names if name not in self.vocabularies]
        matrix = np.empty((len(features), len(self.feature_names)), dtype=np.float32)
        matrix[:, self._positions(numbers)] = features[numbers].to_numpy(np.float32, na_value=np.nan)
        for name, levels in self.vocabularies.items():
            matrix[:, self.feature_names.index(name)] = _codes(features[name], levels)
        return matrix

    def decode(self, X: Matrix) -> pd.DataFrame:
        """Give the matrix its names and categories back."""
        frame = pd.DataFrame(X, columns=list(self.feature_names), copy=False)
        categories = {
            name: pd.Categorical.from_codes(frame[name].fillna(-1).to_numpy(int), categories=pd.Index(levels))
            for name, levels in self.vocabularies.items()
        }
        return frame.assign(**categories)

    def _positions(self, names: list[str]) -> list[int]:
        return [self.feature_names.index(name) for name in names]


def _codes(column: "pd.Series[Any]", levels: tuple[str, ...]) -> Matrix:
    values = column.astype("category").cat
    positions = pd.Index(levels).get_indexer(values.categories)
    codes = np.where(positions < 0, levels.index(OTHER), positions)
    return np.append(codes, np.nan).astype(np.float32)[values.codes]  # a null has code -1: the last
