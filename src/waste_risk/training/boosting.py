"""One LightGBM booster: what it predicts, and which rows it is fitted on.

Classifier and regressor differ in their ``Target`` alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from waste_risk.features.encoding import Names
from waste_risk.model.lightgbm_calls import (
    Booster,
    Dataset,
    count_threads,
    fit,
    make_bins,
    make_null_booster,
    take,
)
from waste_risk.model.matrix import Matrix
from waste_risk.parameters import LightGBM, Training
from waste_risk.training.splits import newest_window


@dataclass(frozen=True)
class Target:
    """What a booster predicts.

    Attributes:
        name: of the booster, and of its section in ``Training``.
        label: column of the label; a row without it is not learnt from.
        objective: the loss that is minimized, by LightGBM's name.
        metric: what early stopping watches, by LightGBM's name.
    """

    name: str
    label: str
    objective: str
    metric: str


# Early stopping watches the loss itself: the AUC is so flat around its maximum that its best round is noise.
# Days are skewed: fitted to absolute errors, the mean absolute error is 1 % smaller than fitted to squares.
CLASSIFIER = Target("classifier", "wasted", "binary", "binary_logloss")
REGRESSOR = Target("regressor", "days_to_waste", "regression_l1", "l1")


@dataclass(frozen=True)
class Binned:
    """Labeled rows in LightGBM's bins.

    Attributes:
        every: all of them.
        older: those whose label was known before the newest days begin.
        newest: those of the newest days, for early stopping.
    """

    every: Dataset
    older: Dataset
    newest: Dataset


def bin_rows(  # noqa: PLR0917
    X: Matrix,
    rows: pd.DataFrame,
    target: Target,
    training: Training,
    feature_names: Names,
    categorical: Names = (),
) -> Binned:
    """Bin the labeled rows, and set the newest aside for early stopping.

    Args:
        X: the features of ``rows``.
        rows: label, ``observed_on`` and ``label_known_on``.
        target: which booster; rows without its label are left out.
        training: the hyperparameters of both boosters.
        feature_names: of the columns of ``X``.
        categorical: those of them whose numbers have no order.

    Raises:
        ValueError: there are too few days, or no label is known before the newest of them.

    Of the hyperparameters only ``max_bin`` and the seed shape the bins, so boosters with any others can share them.
    """
    known, parameters = rows[rows[target.label].notna()], _parameters(target, training, len(rows))
    older, newest = newest_window(known["observed_on"], known["label_known_on"], training.early_stopping_share)
    every = _bin(X, rows, target, parameters, feature_names, categorical)
    # The bins have seen the window's features, never its labels.
    return Binned(every, *(take(every, np.flatnonzero(part), parameters) for part in (older, newest)))


def fit_on_older(binned: Binned, target: Target, training: Training) -> Booster:
    """Fit on the older rows, with early stopping on the newest; the booster predicts with its best number of rounds."""
    section: LightGBM = getattr(training, target.name)
    parameters, patience = _parameters(target, training, binned.every.num_data()), section.early_stopping_round
    return fit(parameters, binned.older, section.num_boost_round, validation=binned.newest, patience=patience)


def fit_with_rounds(  # noqa: PLR0917
    X: Matrix,
    rows: pd.DataFrame,
    target: Target,
    training: Training,
    feature_names: Names,
    categorical: Names = (),
    *,
    rounds: int,
) -> Booster:
    """Fit on all labeled rows for a given number of rounds; the other arguments as for ``bin_rows``.

    Without any round, as of days that nobody has recorded, the booster predicts null.
    """
    if not rounds:
        return make_null_booster(feature_names)
    parameters = _parameters(target, training, len(rows))
    return fit(parameters, _bin(X, rows, target, parameters, feature_names, categorical), rounds)


def _parameters(target: Target, training: Training, n_rows: int) -> dict[str, Any]:
    """Return what LightGBM is called with."""
    configured: LightGBM = getattr(training, target.name)
    section = configured.model_dump(exclude={"num_boost_round", "early_stopping_round"})
    n_threads = count_threads(training.num_threads, n_rows)
    shared = {"seed": training.seed, "device_type": training.device_type, "num_threads": n_threads}
    balance = {"is_unbalance": training.is_unbalance} if target is CLASSIFIER else {}
    # The same bytes on every run; and one binning serves both early stopping and the fit.
    fixed = {"deterministic": True, "force_row_wise": True, "feature_pre_filter": False, "verbosity": -1}
    return {"objective": target.objective, "metric": target.metric, **section, **shared, **balance, **fixed}


def _bin(  # noqa: PLR0917
    X: Matrix,
    rows: pd.DataFrame,
    target: Target,
    parameters: dict[str, Any],
    feature_names: Names,
    categorical: Names,
) -> Dataset:
    """Bin the rows that have a label."""
    labeled = rows[target.label].notna().to_numpy()
    label = rows.loc[labeled, target.label].to_numpy(dtype=float)
    X = X if labeled.all() else X[labeled]  # no copy if it can be spared
    return make_bins(X, label, parameters, list(feature_names), list(categorical))
