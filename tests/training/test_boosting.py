"""One booster: which rows it is fitted on, for how many rounds, on how many threads."""

import re

import numpy as np
import pandas as pd
import pytest
from planted import NAMES, TRAINING, plant
from sklearn.metrics import log_loss

from waste_risk.model.lightgbm_calls import count_threads
from waste_risk.training.boosting import CLASSIFIER, REGRESSOR, bin_rows, fit_on_older, fit_with_rounds
from waste_risk.training.rounds import RoundsFound, find_rounds, scale_rounds

ROWS = plant(1_000)
X = ROWS[NAMES].to_numpy()
TARGETS = pytest.mark.parametrize("target", [CLASSIFIER, REGRESSOR], ids=["classifier", "regressor"])


def written(booster, name: str) -> str:
    """A parameter in LightGBM's text of a booster."""
    return re.search(rf"\[{name}: (.*)\]", booster.model_to_string()).group(1)


def with_leaves_of(n_rows: int):
    booster = TRAINING.classifier.model_copy(update={"min_data_in_leaf": n_rows})
    return TRAINING.model_copy(update={"classifier": booster, "regressor": booster})


@pytest.mark.parametrize(
    ("found", "n_rows", "rounds"),
    [
        ([RoundsFound(10, 1_000)], 1_000, 10),
        ([RoundsFound(10, 1_000)], 8_000, 20),
        ([RoundsFound(10, 8_000)], 1_000, 5),
        ([RoundsFound(90, 1_000), RoundsFound(10, 1_000), RoundsFound(40, 1_000)], 1_000, 40),
        ([RoundsFound(1, 1_000)], 1, 1),
    ],
    ids=["as many rows", "eight times as many", "an eighth", "the median", "never none"],
)
def test_rounds_grow_as_the_cube_root_of_the_rows(found, n_rows, rounds):
    assert scale_rounds(found, n_rows=n_rows) == rounds


@pytest.mark.parametrize(
    ("n_rows", "n_threads"), [(0, 1), (99_999, 1), (100_000, 2), (199_999, 2), (200_000, 3), (10_000_000, 3)]
)
def test_a_further_thread_waits_for_a_hundred_thousand_rows(n_rows, n_threads):
    assert count_threads(3, n_rows) == n_threads


@TARGETS
def test_the_newest_days_are_set_aside_and_rows_without_a_label_are_left_out(target):
    labeled = ROWS[ROWS[target.label].notna()]
    labels = labeled[target.label].astype("float32").tolist()
    binned = bin_rows(X, ROWS, target, TRAINING, NAMES)
    n_older, n_newest = binned.older.num_data(), binned.newest.num_data()
    begins = labeled["observed_on"].iloc[-n_newest]
    assert binned.every.num_data() == len(labeled)
    assert len(labeled) * 0.19 < n_newest <= len(labeled) * 0.2
    assert (labeled["observed_on"] < begins).sum() == len(labeled) - n_newest
    assert n_older == (labeled["label_known_on"] <= begins).sum()
    assert binned.every.get_label().tolist() == labels
    assert binned.older.get_label().tolist() == labels[:n_older]
    assert binned.newest.get_label().tolist() == labels[-n_newest:]


def test_the_rounds_found_have_the_lowest_loss_on_the_newest_days():
    found = find_rounds(X, ROWS, CLASSIFIER, TRAINING, NAMES)
    binned = bin_rows(X, ROWS, CLASSIFIER, TRAINING, NAMES)
    booster = fit_on_older(binned, CLASSIFIER, TRAINING)
    n_newest = binned.newest.num_data()
    losses = [
        log_loss(ROWS["wasted"].tail(n_newest), booster.predict(X[-n_newest:], num_iteration=rounds))
        for rounds in range(1, booster.current_iteration() + 1)
    ]
    assert found == RoundsFound(1 + int(np.argmin(losses)), binned.older.num_data())


@TARGETS
def test_the_number_of_trees_is_as_asked(target):
    assert fit_with_rounds(X, ROWS, target, TRAINING, NAMES, rounds=7).num_trees() == 7


def test_rows_without_a_label_change_nothing():
    wasted = ROWS["wasted"].to_numpy()
    on_all = fit_with_rounds(X, ROWS, REGRESSOR, TRAINING, NAMES, rounds=5)
    on_labeled = fit_with_rounds(X[wasted], ROWS[wasted], REGRESSOR, TRAINING, NAMES, rounds=5)
    assert on_all.model_to_string() == on_labeled.model_to_string()


@TARGETS
def test_each_booster_minimizes_its_own_loss_on_every_row_in_the_same_order_of_sums(target):
    booster = fit_with_rounds(X, ROWS, target, TRAINING, NAMES, rounds=1)
    names = ("objective", "metric", "seed", "deterministic", "force_row_wise", "num_threads", "max_bin")
    assert [written(booster, name) for name in names] == [target.objective, target.metric, "7", "1", "1", "1", "63"]


@pytest.mark.parametrize(("target", "is_unbalance"), [(CLASSIFIER, "1"), (REGRESSOR, "0")])
def test_only_the_classifier_can_balance_its_classes(target, is_unbalance):
    training = TRAINING.model_copy(update={"is_unbalance": True})
    assert written(fit_with_rounds(X, ROWS, target, training, NAMES, rounds=1), "is_unbalance") == is_unbalance


@TARGETS
def test_boosters_with_smaller_leaves_share_the_bins(target):
    shared = bin_rows(X, ROWS, target, with_leaves_of(100), NAMES)
    own = bin_rows(X, ROWS, target, with_leaves_of(5), NAMES)
    one, other = (fit_on_older(binned, target, with_leaves_of(5)) for binned in (shared, own))
    assert one.model_to_string() == other.model_to_string()


def test_a_booster_that_finds_no_split_prints_nothing(capfd):
    constant = np.zeros_like(X)
    booster = fit_with_rounds(constant, ROWS, CLASSIFIER, TRAINING, NAMES, rounds=2)
    assert booster.predict(constant[:1]) == pytest.approx(ROWS["wasted"].mean())
    assert capfd.readouterr() == ("", "")


def test_the_arguments_stay_as_they_are():
    rows, matrix = ROWS.copy(), X.copy()
    fit_with_rounds(matrix, rows, REGRESSOR, TRAINING, NAMES, rounds=2)
    find_rounds(matrix, rows, REGRESSOR, TRAINING, NAMES)
    pd.testing.assert_frame_equal(rows, ROWS)
    assert np.array_equal(matrix, X)
