"""What features give away that they must not: which window a row is of.

A small LightGBM model learns it on half of the households, and is judged on the other half.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.boosting import Matrix, Names, to_matrix
from waste_risk.lightgbm_calls import fit, make_bins, predict
from waste_risk.metrics import Estimate, Resampling, roc_auc
from waste_risk.metrics.inputs import number_households
from waste_risk.metrics.parts import AdversarialValidation
from waste_risk.metrics.sample import Sample
from waste_risk.parameters import Validation

MAX_ROWS = 20_000
N_NAMED = 3
_FIXED = {"objective": "binary", "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
_BOOSTER = _FIXED | {"num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 50}
_ROUNDS = 100


class Half(NamedTuple):
    """Rows of half of the households, which are numbered from 0."""

    X: Matrix
    is_test: NDArray[np.float64]
    wasted: NDArray[np.float64]
    household: NDArray[np.intp]


def validate_adversarially(
    development: pd.DataFrame, test: pd.DataFrame, names: Names, validation: Validation
) -> AdversarialValidation:
    """Learn to tell the test window from development, and measure that by its AUC on households not learnt from.

    At 0.5 the windows look alike. Far above it some features are a clock, by which trees learn the end of development.
    At most ``MAX_ROWS`` rows are drawn.

    Returns:
        the AUC, NaN if a half lacks a window, and the ``N_NAMED`` features with the largest gain.
    """
    learnt, judged = _draw_halves(development, test, names, validation.seed)
    if min(len(np.unique(half.is_test)) for half in (learnt, judged)) < 2:
        return AdversarialValidation(Estimate(np.nan), ())
    booster = fit(_BOOSTER, make_bins(learnt.X, learnt.is_test, _BOOSTER, list(names)), _ROUNDS)
    gain = booster.feature_importance("gain")
    strongest = [int(place) for place in np.argsort(-gain, kind="stable")[:N_NAMED] if gain[place] > 0]
    n_households = int(judged.household.max()) + 1
    resampling = Resampling(n_households, validation.n_resamples, validation.confidence, validation.seed)
    sample = Sample(judged.is_test, predict(booster, judged.X), judged.household, resampling)
    counts = sample.count()
    auc = sample.estimate(lambda weights: {"auc": roc_auc(counts.weighted(weights))})["auc"]
    return AdversarialValidation(auc, tuple(names[place] for place in strongest))


def _draw_halves(development: pd.DataFrame, test: pd.DataFrame, names: Names, seed: int) -> tuple[Half, Half]:
    random = np.random.default_rng(seed)
    columns = [*names, "wasted", "household_id"]
    rows = pd.concat([development[columns], test[columns]])
    drawn = np.sort(random.permutation(len(rows))[:MAX_ROWS])
    is_test, rows = (drawn >= len(development)).astype(np.float64), rows.iloc[drawn]
    household = number_households(rows["household_id"], len(rows))
    n_households = int(household.max()) + 1
    is_learnt = (random.permutation(n_households) < n_households // 2)[household]

    def half(mask: NDArray[np.bool_]) -> Half:
        numbers = number_households(household[mask], int(mask.sum()))
        return Half(to_matrix(rows[mask], names), is_test[mask], rows["wasted"].to_numpy(np.float64)[mask], numbers)

    return half(is_learnt), half(~is_learnt)
