"""Features as the matrix that the boosters read."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.features.encoding import NO_TEXT, Levels, Names, encode

Matrix = NDArray[np.float32]
Column = NDArray[np.float32]


_BLOCK_ROWS = 16_384


def to_matrix(features: pd.DataFrame, names: Names, levels: Levels = NO_TEXT) -> Matrix:
    """Convert features to the matrix that the boosters read, of shape (n_rows, n_features); a null becomes NaN.

    Args:
        features: a features table; other columns are ignored.
        names: of the matrix's columns, in their order.
        levels: of the features that hold text, see ``Encoding``.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    _refuse_missing(features, names)
    # Rows are contiguous, since boosters are fitted on some and predict single ones. By blocks, as pandas makes copies.
    X = np.empty((len(features), len(names)), np.float32)
    for start in range(0, len(features), _BLOCK_ROWS):
        block = _encode(features.iloc[start : start + _BLOCK_ROWS][list(names)], levels)
        X[start : start + _BLOCK_ROWS] = block.to_numpy(np.float32, na_value=np.nan)
    return X


def to_columns(features: pd.DataFrame, names: Names, levels: Levels = NO_TEXT) -> list[Column]:
    """Return the columns of ``to_matrix`` without copying what is in float32 already.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    _refuse_missing(features, names)
    encoded = _encode(features[list(names)], levels) if levels else features
    return [encoded[name].to_numpy(np.float32, na_value=np.nan) for name in names]


def _encode(features: pd.DataFrame, levels: Levels) -> pd.DataFrame:
    return (
        features.assign(**{name: encode(features[name], each) for name, each in levels.items()}) if levels else features
    )


def _refuse_missing(features: pd.DataFrame, names: Names) -> None:
    missing = [name for name in names if name not in features.columns]
    if missing:
        raise ValueError(f"features are missing: {', '.join(missing)}")
