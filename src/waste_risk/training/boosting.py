"""One LightGBM booster: what it learns, from which rows, and for how many rounds.

Classifier and regressor differ in their ``Target`` alone. The number of rounds is chosen on the newest part of the
training rows, so that no row that judges a model has shaped it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.model.lightgbm_calls import Booster, Dataset, fit, make_bins, take
from waste_risk.model.matrix import Matrix, Names
from waste_risk.parameters import LightGBM, Training
from waste_risk.training.splits import newest_window

Mask = NDArray[np.bool_]

ROWS_PER_THREAD = 100_000


@dataclass(frozen=True)
class Target:
    """What a booster predicts: the column of its label, and LightGBM's words for loss and metric."""

    name: str
    label: str
    objective: str
    metric: str

    def knobs(self, training: Training) -> LightGBM:
        """Pick this booster's section of the parameters."""
        section: LightGBM = getattr(training, self.name)
        return section


# Rounds are chosen by the loss itself: the AUC is so flat around its best that its best round is noise.
# Days are skewed: fitted to absolute errors, the mean absolute error is 1 % smaller than fitted to squares.
CLASSIFIER = Target("classifier", "wasted", "binary", "binary_logloss")
REGRESSOR = Target("regressor", "days_to_waste", "regression_l1", "l1")


class Probe(NamedTuple):
    """The best number of rounds for so many rows."""

    rounds: int
    n_rows: int


@dataclass(frozen=True)
class Binned:
    """Labelled rows in LightGBM's bins: all of them, the older ones, and the newest, which choose the rounds."""

    every: Dataset
    older: Dataset
    newest: Dataset


def find_rounds(X: Matrix, rows: pd.DataFrame, target: Target, training: Training, feature_names: Names) -> Probe:
    """Find the number of rounds on the newest labelled rows that is best for a booster of the older ones.

    Args:
        X: the features of ``rows``.
        rows: label, ``observed_on`` and ``label_known_on``.
        target: which booster; rows without its label are left out.
        training: the knobs of both boosters.
        feature_names: of the columns of ``X``.

    Raises:
        ValueError: too few days, or no label known before the newest rows.
    """
    binned = bin_rows(X, rows, target, training, feature_names)
    return Probe(fit_on_older(binned, target, training).best_iteration, binned.older.num_data())


def bin_rows(X: Matrix, rows: pd.DataFrame, target: Target, training: Training, feature_names: Names) -> Binned:
    """Bin the labelled rows, and set their newest aside to choose the number of rounds; arguments and errors as above.

    Of the knobs only ``max_bin`` and the seed shape the bins, so any others may be fitted on them.
    """
    labelled = rows[target.label].notna().to_numpy()
    known, parameters = rows[labelled], _parameters(target, training, len(rows))
    older, newest = newest_window(known["observed_on"], known["label_known_on"], training.early_stopping_share)
    every = _bin(_where(X, labelled), known[target.label], parameters, feature_names)
    # The bins have seen the window's features, never its labels.
    return Binned(every, *(take(every, np.flatnonzero(part), parameters) for part in (older, newest)))


def fit_on_older(binned: Binned, target: Target, training: Training) -> Booster:
    """Fit on the older rows until the newest say that more rounds do not help; it predicts with the best number."""
    knobs = target.knobs(training)
    parameters, patience = _parameters(target, training, binned.every.num_data()), knobs.early_stopping_round
    return fit(parameters, binned.older, knobs.num_boost_round, judged=binned.newest, patience=patience)


def fit_with_rounds(
    X: Matrix, rows: pd.DataFrame, target: Target, training: Training, feature_names: Names, *, rounds: int
) -> Booster:
    """Fit on all labelled rows for a number of rounds that was found before."""
    labelled = rows[target.label].notna().to_numpy()
    parameters = _parameters(target, training, len(rows))
    data = _bin(_where(X, labelled), rows.loc[labelled, target.label], parameters, feature_names)
    return fit(parameters, data, rounds)


def carry_over(probes: Sequence[Probe], *, n_rows: int) -> int:
    """Carry numbers of rounds over to more rows: they bear more rounds, though not in proportion; the median of all.

    On simulated data the best number grew as the cube root of the rows: 59 for 2,000, 174 for 38,000.
    """
    return max(1, round(median(probe.rounds * float(np.cbrt(n_rows / probe.n_rows)) for probe in probes)))


def count_threads(training: Training, n_rows: int) -> int:
    """How many threads one booster is worth.

    Threads wait for each other at every split of every tree, and burn the processor meanwhile: on two busy cores a
    second one made 40,000 rows ten times slower. The trees are the same.
    """
    return min(training.num_threads, 1 + n_rows // ROWS_PER_THREAD)


def _parameters(target: Target, training: Training, n_rows: int) -> dict[str, Any]:
    knobs = target.knobs(training).model_dump(exclude={"num_boost_round", "early_stopping_round"})
    n_threads = count_threads(training, n_rows)
    shared = {"seed": training.seed, "device_type": training.device_type, "num_threads": n_threads}
    balance = {"is_unbalance": training.is_unbalance} if target is CLASSIFIER else {}
    # The same bytes on every run; and one binning serves both the choice of rounds and the fit.
    fixed = {"deterministic": True, "force_row_wise": True, "feature_pre_filter": False, "verbosity": -1}
    return {"objective": target.objective, "metric": target.metric, **knobs, **shared, **balance, **fixed}


def _where(X: Matrix, rows: Mask) -> Matrix:
    return X if rows.all() else X[rows]


def _bin(X: Matrix, label: "pd.Series[Any]", parameters: dict[str, Any], feature_names: Names) -> Dataset:
    return make_bins(X, label.to_numpy(dtype=float), parameters, list(feature_names))
