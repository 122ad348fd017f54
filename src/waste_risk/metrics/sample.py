"""The judged rows as every measure needs them: outcomes, probabilities, and whose row it is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from waste_risk.metrics.bootstrap import Estimate, Measure, Norm, Resampling
from waste_risk.metrics.tally import (
    Array,
    HouseholdTally,
    Tally,
    count_scores,
    count_scores_by_household,
    ratio,
    sum_by,
)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """Checked columns of equal length.

    Attributes:
        wasted: 0 or 1.
        probability: the model's, in [0, 1].
        household: numbered from 0; every number occurs.
        resampling: how intervals are made.
    """

    wasted: Array
    probability: Array
    household: NDArray[np.intp]
    resampling: Resampling

    def estimate(
        self,
        measure: Measure,
        norms: Mapping[str, Norm] | None = None,
        n_behind: Mapping[str, int] | None = None,
    ) -> dict[str, Estimate]:
        """Estimate metrics, each with its interval if it rests on enough households: by default, of either outcome."""
        known, usual = n_behind or {}, self.count_households_of_either_outcome()
        return self.resampling.estimate(
            measure,
            n_columns=len(self.wasted),
            norms=norms,
            n_behind=lambda name: known.get(name, usual),
        )

    def count_households(self, rows: Mask) -> int:
        """Count the households that have any of some rows."""
        return len(np.unique(self.household[rows]))

    def count_households_of_either_outcome(self, rows: Mask | None = None) -> int:
        """Count the households with a wasted row and those with another among some rows, and return the smaller."""
        rows = np.ones(len(self.wasted), dtype=np.bool_) if rows is None else rows
        return min(self.count_households(rows & (self.wasted == outcome)) for outcome in (0, 1))

    def tally(self) -> Tally:
        """Count the rows at each probability."""
        return count_scores(y_true=self.wasted, probability=self.probability)

    def count(self, scores: Array | None = None, rows: Mask | None = None) -> HouseholdTally:
        """Count some of the rows at each probability, or at each of other scores, household by household."""
        rows = np.ones(len(self.wasted), dtype=np.bool_) if rows is None else rows
        return count_scores_by_household(
            y_true=self.wasted[rows],
            probability=(self.probability if scores is None else scores)[rows],
            household=self.household[rows],
            n_households=self.resampling.n_households,
        )

    def share(self, part: ArrayLike, whole: ArrayLike) -> "Share":
        """Sum two columns by household, to divide one by the other in every resample."""
        return Share(self._sum(part), self._sum(whole))

    def _sum(self, values: ArrayLike) -> Array:
        return sum_by(self.household, np.asarray(values, dtype=np.float64), self.resampling.n_households)


@dataclass(frozen=True)
class Share:
    """Two sums for each household; shape (n_households,) each."""

    part: Array
    whole: Array

    def __call__(self, weights: Array) -> Array:
        """Divide the weighted sums; weights of shape (n_samples, n_households)."""
        return ratio(weights @ self.part, weights @ self.whole)
