"""Features as the matrix that the boosters read."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Column = NDArray[np.float32]
Names = tuple[str, ...]

_BLOCK_ROWS = 16_384


def to_matrix(features: pd.DataFrame, names: Names) -> Matrix:
    """Convert features to the matrix that the boosters read, of shape (n_rows, n_features); a null becomes NaN.

    Args:
        features: a features table; other columns are ignored.
        names: of the matrix's columns, in their order.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    _refuse_missing(features, names)
    # Rows are contiguous, since boosters are fitted on some and predict single ones. By blocks, as pandas makes copies.
    X = np.empty((len(features), len(names)), np.float32)
    for start in range(0, len(features), _BLOCK_ROWS):
        block = features.iloc[start : start + _BLOCK_ROWS][list(names)]
        X[start : start + _BLOCK_ROWS] = block.to_numpy(np.float32, na_value=np.nan)
    return X


def to_columns(features: pd.DataFrame, names: Names) -> list[Column]:
    """Return the columns of ``to_matrix`` without copying what is in float32 already.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    _refuse_missing(features, names)
    return [features[name].to_numpy(np.float32, na_value=np.nan) for name in names]


def _refuse_missing(features: pd.DataFrame, names: Names) -> None:
    missing = [name for name in names if name not in features.columns]
    if missing:
        raise ValueError(f"features are missing: {', '.join(missing)}")
