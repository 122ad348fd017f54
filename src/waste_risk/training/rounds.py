"""For how many rounds a booster is fitted: how many trees it has.

The number is found by early stopping on the newest part of the training rows, so that no row that a model is evaluated
on has shaped it.
"""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd

from waste_risk.features.encoding import Names
from waste_risk.model.matrix import Matrix
from waste_risk.parameters import Training
from waste_risk.training.boosting import Target, bin_rows, fit_on_older


class RoundsFound(NamedTuple):
    """The best number of boosting rounds for a number of training rows."""

    rounds: int
    n_rows: int


def find_rounds(  # noqa: PLR0917
    X: Matrix,
    rows: pd.DataFrame,
    target: Target,
    training: Training,
    feature_names: Names,
    categorical: Names = (),
) -> RoundsFound:
    """Find the best number of rounds by early stopping: fit on the older rows, evaluate on the newest.

    It is 0 if no row has the label. Arguments and errors are those of ``boosting.bin_rows``.
    """
    if rows[target.label].isna().all():
        return RoundsFound(0, len(rows))
    binned = bin_rows(X, rows, target, training, feature_names, categorical)
    return RoundsFound(fit_on_older(binned, target, training).best_iteration, binned.older.num_data())


def scale_rounds(found: Sequence[RoundsFound], *, n_rows: int) -> int:
    """Scale numbers of rounds, each found on fewer rows, to ``n_rows`` rows, and return their median.

    More rows support more rounds, though not in proportion: on simulated data the best number grew as the cube root of
    the rows, from 59 for 2,000 to 174 for 38,000. Without any round found there is none.
    """
    if not any(each.rounds for each in found):
        return 0
    return max(1, round(median(each.rounds * float(np.cbrt(n_rows / each.n_rows)) for each in found)))
