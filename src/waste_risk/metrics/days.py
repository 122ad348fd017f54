"""How far predicted days lie from true days, given that an item was wasted within the horizon.

Errors are summed for each household, so that reweighting the households needs no second pass over the rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from waste_risk.arrays import Floats
from waste_risk.metrics.tally import ratio, sum_by


@dataclass(frozen=True)
class HouseholdErrors:
    """Errors of one prediction summed for each household; shape (n_households,) each.

    Attributes:
        absolute: sum of the absolute errors, in days.
        squared: sum of the squared errors, in days².
        rows: number of rows with an error.
    """

    absolute: Floats
    squared: Floats
    rows: Floats

    @property
    def n_households(self) -> int:
        """Number of households with at least one error."""
        return int((self.rows > 0).sum())

    def mean_absolute(self, weights: Floats) -> Floats:
        """Compute the mean absolute error in days; weights of shape (n_samples, n_households)."""
        return ratio(weights @ self.absolute, weights @ self.rows)

    def root_mean_squared(self, weights: Floats) -> Floats:
        """Compute the root mean squared error in days; weights of shape (n_samples, n_households)."""
        return np.sqrt(ratio(weights @ self.squared, weights @ self.rows))


def sum_errors(*, true: ArrayLike, predicted: ArrayLike, household: NDArray[np.intp]) -> HouseholdErrors:
    """Sum absolute and squared errors for each household over the rows where both numbers are known."""
    errors = np.asarray(predicted, dtype=float) - np.asarray(true, dtype=float)
    known = np.isfinite(errors)
    n_households = int(household.max()) + 1
    household, errors = household[known], errors[known]
    return HouseholdErrors(
        absolute=sum_by(household, np.abs(errors), n_households),
        squared=sum_by(household, errors**2, n_households),
        rows=sum_by(household, np.ones(len(errors)), n_households),
    )
