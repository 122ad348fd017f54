"""Turn lists, arrays and pandas columns into checked arrays: a wrong input is one clear line, not a wrong number."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from waste_risk.metrics.tally import Array


def as_outcomes(y_true: ArrayLike) -> Array:
    """Give the outcomes as 0 and 1.

    Raises:
        ValueError: there are no rows, or an outcome is neither.
    """
    outcomes = np.asarray(y_true, dtype=float)
    if not outcomes.size:
        raise ValueError("cannot judge 0 rows")
    if not np.isin(outcomes, (0, 1)).all():
        raise ValueError("an outcome is neither 0 nor 1")
    return outcomes


def as_probability(values: ArrayLike, n_rows: int, name: str) -> Array:
    """Give a column of probabilities.

    Raises:
        ValueError: wrong length, or a value is missing or outside [0, 1].
    """
    column = as_column(values, n_rows, name)
    if not ((column >= 0) & (column <= 1)).all():
        raise ValueError(f"{name} is missing or outside [0, 1] in some row")
    return column


def as_column(values: ArrayLike, n_rows: int, name: str) -> Array:
    """Give a column of numbers, NaN where missing.

    Raises:
        ValueError: wrong length.
    """
    column: Array = pd.Series(np.asarray(values)).to_numpy(dtype=np.float64, na_value=np.nan)
    if len(column) != n_rows:
        raise ValueError(f"{name} has {len(column)} values for {n_rows} rows")
    return column


def as_labels(values: ArrayLike, n_rows: int, name: str) -> NDArray[np.str_]:
    """Give a column of words, such as the group that a row belongs to.

    Raises:
        ValueError: wrong length, or a value is missing.
    """
    column = pd.Series(np.asarray(values))
    if len(column) != n_rows:
        raise ValueError(f"{name} has {len(column)} values for {n_rows} rows")
    if column.isna().any():
        raise ValueError(f"{name} is missing in some row")
    return np.asarray(column.astype(str), dtype=np.str_)


def number_households(household_id: ArrayLike, n_rows: int) -> NDArray[np.intp]:
    """Number the households from 0 in the order of their ids, so that the order of the rows does not matter.

    Raises:
        ValueError: wrong length, or an id is missing.
    """
    numbers, _ = pd.factorize(np.asarray(household_id), sort=True)
    if len(numbers) != n_rows:
        raise ValueError(f"household_id has {len(numbers)} values for {n_rows} rows")
    if (numbers < 0).any():
        raise ValueError("household_id is missing in some row")
    return numbers
