"""Features as the matrix that boosters read."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Names = tuple[str, ...]

_BLOCK_ROWS = 16_384


def to_matrix(features: pd.DataFrame, names: Names) -> Matrix:
    """Make the matrix that boosters read, (n_rows, n_features) in the order of the names; a null is NaN.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    missing = [name for name in names if name not in features.columns]
    if missing:
        raise ValueError(f"features are missing: {', '.join(missing)}")
    # Row by row: trees are fitted on some rows and asked about single ones. Block by block: pandas makes copies.
    X = np.empty((len(features), len(names)), np.float32)
    for start in range(0, len(features), _BLOCK_ROWS):
        block = features.iloc[start : start + _BLOCK_ROWS][list(names)]
        X[start : start + _BLOCK_ROWS] = block.to_numpy(np.float32, na_value=np.nan)
    return X
