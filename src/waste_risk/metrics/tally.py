"""What every metric of a probability needs: how many rows and how many positives there are at each distinct score.

Rows of equal score stay together, so ties (isotonic calibration makes many) are exact. A household bootstrap
only reweights households, so the rows are sorted once and a resample is one sparse matrix product.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from waste_risk.arrays import Floats


@dataclass(frozen=True)
class Tally:
    """Rows and positives at each distinct score, of one sample or of many at once.

    Attributes:
        scores: the distinct scores, descending; shape (n_scores,).
        positives: weight of the positives at each score; shape (..., n_scores).
        totals: weight of all rows at each score; shape (..., n_scores).
    """

    scores: Floats
    positives: Floats
    totals: Floats

    @property
    def negatives(self) -> Floats:
        """Weight of the negatives at each score; shape (..., n_scores)."""
        return self.totals - self.positives


@dataclass(frozen=True)
class HouseholdTally:
    """The same counts for each household apart, from which any reweighting of households follows.

    Attributes:
        scores: the distinct scores, descending; shape (n_scores,).
        positives: positives of each household at each score; shape (n_households, n_scores).
        totals: rows of each household at each score; shape (n_households, n_scores).
    """

    scores: Floats
    positives: sparse.csr_array
    totals: sparse.csr_array

    def weighted(self, weights: Floats) -> Tally:
        """Count with each household taken ``weights`` times; weights of shape (n_samples, n_households)."""
        # The sums that follow run along the scores; row-major memory makes them several times faster.
        positives, totals = (np.ascontiguousarray(weights @ counts) for counts in (self.positives, self.totals))
        return Tally(self.scores, positives, totals)


def count_scores(*, y_true: ArrayLike, probability: ArrayLike) -> Tally:
    """Count rows and positives at each distinct score of one sample."""
    scores, position = _distinct_descending(probability)
    outcomes = np.asarray(y_true, dtype=float)
    rows = np.ones(len(position))
    return Tally(scores, sum_by(position, outcomes, len(scores)), sum_by(position, rows, len(scores)))


def count_scores_by_household(
    *, y_true: ArrayLike, probability: ArrayLike, household: NDArray[np.intp], n_households: int | None = None
) -> HouseholdTally:
    """Count rows and positives at each distinct score for each household, numbered from 0.

    ``n_households`` is how many there are if some may have no row.
    """
    scores, position = _distinct_descending(probability)
    shape = (n_households or int(household.max()) + 1, len(scores))
    cells = (household, position)
    positives = sparse.csr_array((np.asarray(y_true, dtype=float), cells), shape=shape)
    return HouseholdTally(scores, positives, sparse.csr_array((np.ones(len(position)), cells), shape=shape))


def sum_by(groups: NDArray[np.intp], values: Floats, n_groups: int) -> Floats:
    """Sum the values of each group, numbered from 0; shape (n_groups,)."""
    return np.bincount(groups, values, minlength=n_groups).astype(np.float64, copy=False)


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Divide; NaN where the denominator is zero, since the metric is undefined there."""
    above, below = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    quotient: Floats = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient


def _distinct_descending(probability: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    scores, position = np.unique(np.asarray(probability, dtype=float), return_inverse=True)
    return scores[::-1], len(scores) - 1 - position
