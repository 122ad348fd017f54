"""The rows that are evaluated: checked columns, and the estimates that follow from them.

Lists, arrays and pandas columns become arrays; a wrong input is one clear line, not a wrong number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from waste_risk.arrays import Floats, Mask
from waste_risk.metrics.bootstrap import Estimate, Measure, Norm, Resampling
from waste_risk.metrics.tally import (
    HouseholdTally,
    Tally,
    count_scores,
    count_scores_by_household,
    ratio,
    sum_by,
)


@dataclass(frozen=True)
class EvaluationRows:
    """Outcomes, probabilities and households of the rows that are evaluated; shape (n_rows,) each.

    Attributes:
        wasted: 0 or 1.
        probability: the model's, in [0, 1].
        household: numbered from 0; every number occurs.
        resampling: how intervals are computed.
    """

    wasted: Floats
    probability: Floats
    household: NDArray[np.intp]
    resampling: Resampling

    def estimate(
        self,
        measure: Measure,
        norms: Mapping[str, Norm] | None = None,
        n_behind: Mapping[str, int] | None = None,
    ) -> dict[str, Estimate]:
        """Estimate metrics, each with its interval if enough households support it.

        Args:
            measure: maps weights of the households to metrics, see ``bootstrap``.
            norms: by name, what maps differences to the metric, see ``bootstrap``.
            n_behind: by name, the number of households that support the metric; by default those of the rarer outcome.
        """
        known, usual = n_behind or {}, self.count_households_of_either_outcome()
        return self.resampling.estimate(
            measure,
            n_columns=len(self.wasted),
            norms=norms,
            n_behind=lambda name: known.get(name, usual),
        )

    def count_households(self, rows: Mask) -> int:
        """Count the households with at least one of the marked rows."""
        return len(np.unique(self.household[rows]))

    def count_households_of_either_outcome(self, rows: Mask | None = None) -> int:
        """Count, among the marked rows, households with a wasted row and those with another; return the smaller."""
        rows = np.ones(len(self.wasted), dtype=np.bool_) if rows is None else rows
        return min(self.count_households(rows & (self.wasted == outcome)) for outcome in (0, 1))

    def tally(self) -> Tally:
        """Count the rows at each probability."""
        return count_scores(y_true=self.wasted, probability=self.probability)

    def count(self, scores: Floats | None = None, rows: Mask | None = None) -> HouseholdTally:
        """Count the marked rows at each probability, or at each of other scores, household by household."""
        rows = np.ones(len(self.wasted), dtype=np.bool_) if rows is None else rows
        return count_scores_by_household(
            y_true=self.wasted[rows],
            probability=(self.probability if scores is None else scores)[rows],
            household=self.household[rows],
            n_households=self.resampling.n_households,
        )

    def share(self, part: ArrayLike, whole: ArrayLike) -> "Share":
        """Sum two columns by household, to divide one by the other in every resample."""
        columns = (np.asarray(column, dtype=np.float64) for column in (part, whole))
        return Share(*(sum_by(self.household, column, self.resampling.n_households) for column in columns))


@dataclass(frozen=True)
class Share:
    """Two sums for each household; shape (n_households,) each."""

    part: Floats
    whole: Floats

    def __call__(self, weights: Floats) -> Floats:
        """Divide the weighted sums; weights of shape (n_samples, n_households)."""
        return ratio(weights @ self.part, weights @ self.whole)


def as_outcomes(y_true: ArrayLike) -> Floats:
    """Return the outcomes as 0 and 1.

    Raises:
        ValueError: there are no rows, or an outcome is neither.
    """
    outcomes = np.asarray(y_true, dtype=float)
    if not outcomes.size:
        raise ValueError("cannot evaluate 0 rows")
    if not np.isin(outcomes, (0, 1)).all():
        raise ValueError("an outcome is neither 0 nor 1")
    return outcomes


def as_probability(values: ArrayLike, n_rows: int, name: str) -> Floats:
    """Return a column of probabilities.

    Raises:
        ValueError: wrong length, or a value is missing or outside [0, 1].
    """
    column = as_column(values, n_rows, name)
    if not ((column >= 0) & (column <= 1)).all():
        raise ValueError(f"{name} is missing or outside [0, 1] in some row")
    return column


def as_column(values: ArrayLike, n_rows: int, name: str) -> Floats:
    """Return a column of numbers, NaN where missing.

    Raises:
        ValueError: wrong length.
    """
    column: Floats = pd.Series(np.asarray(values)).to_numpy(dtype=np.float64, na_value=np.nan)
    if len(column) != n_rows:
        raise ValueError(f"{name} has {len(column)} values for {n_rows} rows")
    return column


def as_dates(values: ArrayLike, n_rows: int, name: str) -> pd.DatetimeIndex:
    """Return a column of dates.

    Raises:
        ValueError: wrong length, or a value is missing.
    """
    column = pd.DatetimeIndex(np.asarray(values))
    if len(column) != n_rows:
        raise ValueError(f"{name} has {len(column)} values for {n_rows} rows")
    if column.hasnans:
        raise ValueError(f"{name} is missing in some row")
    return column


def as_labels(values: ArrayLike, n_rows: int, name: str) -> NDArray[np.str_]:
    """Return a column of words, such as the group that a row belongs to.

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
