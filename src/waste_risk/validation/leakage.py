"""Look for leaks: features that tell which window a row is from, or what becomes of it.

A small LightGBM model learns each on half of the households, and is evaluated on the other half.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from waste_risk.arrays import Floats, Mask
from waste_risk.features.encoding import NO_TEXT, Encoding, Levels, Names
from waste_risk.metrics import (
    FEWEST_HOUSEHOLDS,
    AdversarialValidation,
    Estimate,
    EvaluationRows,
    PurestFeature,
    Resampling,
    number_households,
    roc_auc,
)
from waste_risk.model.lightgbm_calls import fit, make_bins, predict
from waste_risk.model.matrix import Matrix, to_matrix
from waste_risk.parameters import Validation

MAX_ROWS = 20_000
N_NAMED = 3
_FIXED = {"objective": "binary", "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
_BOOSTER = _FIXED | {"num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 50}
_ROUNDS = 100
# A single tree whose leaves are ranges of one feature, or where it is null.
_TREE = _FIXED | {"num_leaves": 64, "learning_rate": 1.0, "min_data_in_leaf": 10}


class Half(NamedTuple):
    """The rows of half of the households, which are numbered from 0."""

    X: Matrix
    is_test: Floats
    wasted: Floats
    household: NDArray[np.intp]


def validate_adversarially(
    development: pd.DataFrame, test: pd.DataFrame, names: Names, validation: Validation, levels: Levels = NO_TEXT
) -> AdversarialValidation:
    """Fit a model that tells the test window from development, and compute its AUC on unseen households.

    At 0.5 the windows are alike. Far above it some features are a clock, by which trees learn the end of development.
    At most ``MAX_ROWS`` rows are drawn.

    Args:
        development: rows of the past, with ``wasted`` and ``household_id``.
        test: rows of the test window, likewise.
        names: the features.
        validation: seed, resamples and confidence of the interval.
        levels: of the features that hold text.

    Returns:
        the AUC, NaN if a half lacks a window, and the ``N_NAMED`` features with the largest gain.
    """
    learnt, unseen = _draw_halves(development, test, Encoding(names, levels), validation.seed)
    if min(len(np.unique(half.is_test)) for half in (learnt, unseen)) < 2:
        return AdversarialValidation(Estimate(np.nan), ())
    booster = fit(_BOOSTER, make_bins(learnt.X, learnt.is_test, _BOOSTER, list(names)), _ROUNDS)
    gain = booster.feature_importance("gain")
    strongest = [int(place) for place in np.argsort(-gain, kind="stable")[:N_NAMED] if gain[place] > 0]
    n_households = int(unseen.household.max()) + 1
    resampling = Resampling(n_households, validation.n_resamples, validation.confidence, validation.seed)
    rows = EvaluationRows(unseen.is_test, predict(booster, unseen.X), unseen.household, resampling)
    counts = rows.count()
    auc = rows.estimate(lambda weights: {"auc": roc_auc(counts.weighted(weights))})["auc"]
    return AdversarialValidation(auc, tuple(names[place] for place in strongest))


def find_purest_feature(
    development: pd.DataFrame, test: pd.DataFrame, names: Names, validation: Validation, levels: Levels = NO_TEXT
) -> PurestFeature:
    """Find the feature of which one range holds hardly any but wasted rows, on unseen households.

    A tree of each feature alone learns the ranges. No honest feature is nearly sure by itself; one that knows what
    becomes of some rows is, even if it says nothing of the others. What marks the rows that are *not* wasted is
    ignored: some features do so honestly. At most ``MAX_ROWS`` rows are drawn. See ``validate_adversarially`` for the
    arguments.

    Returns:
        the feature whose share wasted has the highest lower end of its interval; NaN if no range holds rows of
        ``FEWEST_HOUSEHOLDS`` households. The binomial interval (Clopper and Pearson 1934) is for all features at once
        (Bonferroni), since the purest of many is so by chance, too.
    """
    learnt, unseen = _draw_halves(development, test, Encoding(names, levels), validation.seed)
    nothing = PurestFeature("", Estimate(np.nan), 0)
    if not len(learnt.wasted):
        return nothing
    tail = (1 - validation.confidence) / 2 / len(names)
    found = (_purest_range(name, place, learnt, unseen, tail) for place, name in enumerate(names))
    return max(found, key=lambda each: -1 if each.precision.low is None else each.precision.low, default=nothing)


def _purest_range(name: str, place: int, learnt: Half, unseen: Half, tail: float) -> PurestFeature:
    tree = fit(_TREE, make_bins(learnt.X[:, [place]], learnt.wasted, _TREE, [name]), 1)
    # Leaves that predict the same are one range.
    leaf = np.unique(predict(tree, unseen.X[:, [place]]), return_inverse=True)[1]
    n_rows, n_wasted = np.bincount(leaf), np.bincount(leaf, unseen.wasted)
    n_households = pd.Series(unseen.household).groupby(leaf).nunique().to_numpy()
    low = np.where(n_wasted > 0, beta.ppf(tail, n_wasted, n_rows - n_wasted + 1), 0.0)
    high = np.where(n_wasted < n_rows, beta.ppf(1 - tail, n_wasted + 1, n_rows - n_wasted), 1.0)
    best = int(np.where(n_households >= FEWEST_HOUSEHOLDS, low, -1.0).argmax())
    if n_households[best] < FEWEST_HOUSEHOLDS:
        return PurestFeature(name, Estimate(np.nan), 0)
    precision = Estimate(float(n_wasted[best] / n_rows[best]), float(low[best]), float(high[best]))
    return PurestFeature(name, precision, int(n_rows[best]))


def _draw_halves(development: pd.DataFrame, test: pd.DataFrame, encoding: Encoding, seed: int) -> tuple[Half, Half]:
    random = np.random.default_rng(seed)
    columns = [*encoding.names, "wasted", "household_id"]
    rows = pd.concat([development[columns], test[columns]])
    drawn = np.sort(random.permutation(len(rows))[:MAX_ROWS])
    is_test, rows = (drawn >= len(development)).astype(np.float64), rows.iloc[drawn]
    household = number_households(rows["household_id"], len(rows))
    n_households = int(household.max()) + 1
    is_learnt = (random.permutation(n_households) < n_households // 2)[household]

    def half(mask: Mask) -> Half:
        numbers = number_households(household[mask], int(mask.sum()))
        X = to_matrix(rows[mask], encoding.names, encoding.levels)
        return Half(X, is_test[mask], rows["wasted"].to_numpy(np.float64)[mask], numbers)

    return half(is_learnt), half(~is_learnt)
