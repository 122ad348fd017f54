"""The splits by time: which rows train, and which a model is evaluated on."""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from waste_risk.errors import ContractError
from waste_risk.parameters import Split
from waste_risk.training import splits
from waste_risk.training.splits import PurgedTimeSeriesSplit, count_pool, newest_window, split_by_time

HORIZON = pd.Timedelta(days=2)


def observe(*days: float) -> pd.DataFrame:
    observed_on = pd.Timestamp("2024-01-01") + pd.to_timedelta(list(days), unit="D")
    return pd.DataFrame(
        {
            "item_id": range(len(days)),
            "wasted": [place % 2 == 0 for place in range(len(days))],
            "observed_on": observed_on,
            "label_known_on": observed_on + HORIZON,
        }
    )


def days_of(rows: pd.DataFrame) -> list[int]:
    return ((rows["observed_on"] - pd.Timestamp("2024-01-01")) // pd.Timedelta(days=1)).tolist()


def test_the_newest_days_are_the_test_window_and_unknown_labels_are_left_out():
    rows = observe(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    development, test = split_by_time(rows, Split(test_share=0.2, n_folds=5, test_days=None))
    assert days_of(development) == [0, 1, 2, 3, 4, 5, 6]  # day 6 is known on day 8, the first of the test window
    assert days_of(test) == [8, 9]
    assert development.index.tolist() == list(range(7))
    assert test.index.tolist() == [0, 1]
    assert list(development) == list(test) == list(rows)


def test_a_day_is_never_divided():
    development, test = split_by_time(
        observe(0, 1, 2, 3, 4, 5, 8.1, 8.2, 8.9, 9), Split(test_share=0.4, n_folds=5, test_days=None)
    )
    assert days_of(test) == [8, 8, 8, 9]
    development, test = split_by_time(
        observe(0, 1, 2, 3, 4, 5, 8.1, 8.2, 8.9, 9), Split(test_share=0.3, n_folds=5, test_days=None)
    )
    assert days_of(test) == [9]
    assert days_of(development) == [0, 1, 2, 3, 4, 5]


def test_days_of_the_test_window_count_back_from_the_newest_row():
    rows = observe(0, 1, 2, 3, 4, 5.5, 8.1, 8.2, 8.9, 9.5)
    development, test = split_by_time(rows, Split(test_share=0.1, n_folds=5, test_days=2))
    assert days_of(test) == [8, 8, 8, 9]
    assert days_of(development) == [0, 1, 2, 3, 4, 5]
    development, test = split_by_time(rows, Split(test_share=0.1, n_folds=5, test_days=4))  # days 6 and 7 have no rows
    assert days_of(test) == [8, 8, 8, 9]
    assert days_of(development) == [0, 1, 2, 3, 4]  # day 5.5 is known on day 7.5, after day 6 begins


def test_a_test_window_longer_than_the_rows_is_refused():
    with pytest.raises(ContractError, match=r"2023-12-25.*newest 17 days.*smaller split\.test_days is needed$"):
        split_by_time(observe(*range(10)), Split(test_share=0.2, n_folds=5, test_days=17))
    with pytest.raises(ContractError, match="no label is known on 2024-01-02, when the newest 9 days of rows begin"):
        split_by_time(observe(*range(10)), Split(test_share=0.2, n_folds=5, test_days=9))


def test_a_label_known_later_on_the_first_of_the_newest_days_does_not_train():
    older, newest = newest_window(observe(0, 5.5, 8, 9)["observed_on"], observe(0, 6.5, 8, 9)["label_known_on"], 0.5)
    assert older.tolist() == [True, False, False, False]
    assert newest.tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("days", "share", "message"),
    [
        ((0, 1, 9, 9, 9), 0.5, "5 rows on 3 days cannot be cut into 1 windows"),
        ((7, 7, 7, 8), 0.3, "no label is known on 2024-01-09, when the newest 30% of the rows begin"),
    ],
)
def test_days_that_cannot_be_split_are_refused(days, share, message):
    with pytest.raises(ValueError, match=message):
        split_by_time(observe(*days), Split(test_share=share, n_folds=2, test_days=None))


def test_folds_train_on_what_is_known_and_validate_on_blocks_of_about_equal_size():
    observed_on = observe(*range(15))["observed_on"]
    folds = list(PurgedTimeSeriesSplit(n_splits=3, horizon_days=1).split(observed_on, groups=observed_on))
    assert [(train.tolist(), validation.tolist()) for train, validation in folds] == [
        ([0, 1, 2, 3, 4, 5], [6, 7, 8]),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11]),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [12, 13, 14]),
    ]


def test_the_first_fold_waits_for_three_horizons_of_days():
    observed_on = observe(*range(12))["observed_on"]
    folds = list(PurgedTimeSeriesSplit(n_splits=2, horizon_days=2).split(observed_on, groups=observed_on))
    assert [(train.tolist(), validation.tolist()) for train, validation in folds] == [
        ([0, 1, 2, 3, 4], [6, 7, 8]),
        ([0, 1, 2, 3, 4, 5, 6, 7], [9, 10, 11]),
    ]


def test_rows_may_come_in_any_order():
    observed_on = observe(*range(30))["observed_on"]
    shuffled = observed_on.sample(frac=1, random_state=3)
    splitter = PurgedTimeSeriesSplit(n_splits=4, horizon_days=2)
    for straight, mixed in zip(
        splitter.split(observed_on, groups=observed_on), splitter.split(shuffled, groups=shuffled), strict=True
    ):
        for positions, mixed_positions in zip(straight, mixed, strict=True):
            assert sorted(shuffled.iloc[mixed_positions]) == observed_on.iloc[positions].tolist()


@settings(max_examples=200)
@given(
    hours=st.lists(st.integers(0, 24 * 60), min_size=2, max_size=80),
    n_splits=st.integers(2, 5),
    horizon_days=st.integers(1, 20),
)
def test_no_training_label_is_known_after_the_first_validation_day_begins(hours, n_splits, horizon_days):
    observed_on = pd.Timestamp("2024-01-01") + pd.to_timedelta(hours, unit="h")
    try:
        folds = list(PurgedTimeSeriesSplit(n_splits, horizon_days).split(observed_on, groups=observed_on))
    except ValueError:
        return
    last = pd.Timestamp.min
    for train, validation in folds:
        first = observed_on[validation].min().floor("D")
        assert (observed_on[train] + pd.Timedelta(days=horizon_days)).max() <= first
        assert first > last
        last = observed_on[validation].max()
    assert len(folds) == n_splits
    validated = np.concatenate([validation for _, validation in folds])
    assert len(set(validated)) == len(validated)
    assert set(validated) == set(np.flatnonzero(observed_on >= observed_on[folds[0][1]].min().floor("D")))


def test_it_is_a_splitter_of_scikit_learn():
    random = np.random.default_rng(0)
    X, observed_on = random.normal(size=(300, 2)), pd.Timestamp("2024-01-01") + pd.to_timedelta(range(300), unit="D")
    y = X[:, 0] > 0
    splitter = PurgedTimeSeriesSplit(n_splits=5, horizon_days=30)
    scores = cross_val_score(LogisticRegression(), X, y, groups=observed_on, cv=splitter, scoring="roc_auc")
    assert splitter.get_n_splits(X, y, observed_on) == 5
    assert (scores > 0.99).all()
    assert len(scores) == 5


@pytest.mark.parametrize(
    ("y", "groups", "message"),
    [
        (None, None, "groups must hold the time of observation"),
        (
            None,
            pd.date_range("2024-01-01", periods=12, freq="h"),
            "the rows end before 2024-01-07, but 6 days only train",
        ),
        (None, pd.to_datetime(["2024-01-01"] * 11 + ["2024-01-08"]), "12 rows on 2 days cannot be cut into 2 windows"),
        ([0] * 6 + [1] * 6, pd.date_range("2024-01-01", periods=12), "fold 1: the training rows hold one class only"),
        (
            [0, 1] * 4 + [1] * 4,
            pd.date_range("2024-01-01", periods=12),
            "fold 2: the validation rows hold one class only",
        ),
    ],
)
def test_folds_that_say_nothing_are_refused(y, groups, message):
    with pytest.raises(ValueError, match=message):
        list(PurgedTimeSeriesSplit(n_splits=2, horizon_days=2).split(range(12), y, groups))


def test_the_example_of_the_documentation_is_right():
    (example,) = doctest.DocTestFinder().find(PurgedTimeSeriesSplit, globs=vars(splits), module=splits)[:1]
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def own_rows(n_days: int = 100) -> pd.DataFrame:
    """A row a day of one household, in the columns that the split reads."""
    observed_on = pd.date_range("2026-01-01", periods=n_days, unit="us")
    return pd.DataFrame(
        {
            "item_id": pd.Series([f"{number:03}" for number in range(n_days)], dtype="str"),
            "household_id": pd.Series("own", index=range(n_days), dtype="str"),
            "observed_on": observed_on,
            "wasted": [number % 3 == 0 for number in range(n_days)],
            "label_known_on": observed_on + pd.Timedelta(days=30),
            "worth": np.arange(n_days, dtype=float),
        }
    )


def rows_of_others(n: int = 40) -> pd.DataFrame:
    """Rows of a later time, with ids that own rows have, too."""
    observed_on = pd.date_range("2031-05-01", periods=n, unit="us")
    return own_rows(n).assign(
        item_id=np.arange(n) // 2 + 7,
        household_id=np.arange(n) % 3,
        observed_on=observed_on,
        label_known_on=observed_on + pd.Timedelta(days=30),
        worth=-1.0 - np.arange(n),
    )


SPLIT = Split(test_share=0.2, test_days=None, n_folds=3)


def test_pooled_rows_are_learned_from_and_never_evaluated() -> None:
    own, others = own_rows(), rows_of_others()
    before = own.copy(), others.copy()
    alone, window = split_by_time(own, SPLIT)
    development, test = split_by_time(own, SPLIT, others)
    pd.testing.assert_frame_equal(test, window)
    is_pooled = development["worth"] < 0
    pd.testing.assert_frame_equal(development[~is_pooled].reset_index(drop=True), alone)
    assert sorted(development.loc[is_pooled, "worth"]) == sorted(others["worth"])
    assert count_pool(development, others) == {
        "own": len(alone),
        "own_wasted": int(alone["wasted"].sum()),
        "pooled": len(others),
    }
    pd.testing.assert_frame_equal(own, before[0])
    pd.testing.assert_frame_equal(others, before[1])


def test_the_newest_pooled_label_is_known_when_the_test_window_begins_and_gaps_stay() -> None:
    development, test = split_by_time(own_rows(), SPLIT, rows_of_others())
    pooled = development[development["worth"] < 0].sort_values("worth", ascending=False)
    assert pooled["label_known_on"].max() == test["observed_on"].min()
    assert set(pooled["observed_on"].diff().dropna()) == {pd.Timedelta(days=1)}
    assert set(pooled["label_known_on"] - pooled["observed_on"]) == {pd.Timedelta(days=30)}
    assert development["observed_on"].is_monotonic_increasing


@pytest.mark.parametrize("kind", ["str", "int64"])
def test_no_pooled_row_has_the_id_of_an_own_one_and_its_equals_stay_equal(kind: str) -> None:
    own = own_rows()
    own = own.assign(item_id=own["item_id"].astype(kind))
    if kind == "int64":
        own = own.assign(household_id=5)
    development, _ = split_by_time(own, SPLIT, rows_of_others())
    is_pooled = development["worth"] < 0
    for name, n_different in (("item_id", 20), ("household_id", 3)):
        ids = development.loc[is_pooled, name]
        assert ids.nunique() == n_different
        assert not ids.isin(own[name]).any()
        assert development[name].dtype == own[name].dtype


def test_with_pooled_rows_own_ones_may_have_one_outcome_and_without_any_nothing_changes() -> None:
    dull = own_rows().assign(wasted=False)
    with pytest.raises(ContractError, match="is always false"):
        split_by_time(dull, SPLIT)
    assert split_by_time(dull, SPLIT, rows_of_others())[0]["wasted"].any()
    alone, _ = split_by_time(own_rows(), SPLIT)
    pd.testing.assert_frame_equal(split_by_time(own_rows(), SPLIT, rows_of_others().iloc[:0])[0], alone)
