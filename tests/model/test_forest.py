"""A forest predicts what LightGBM does, to the last bit, and knows what it does not know."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from planted import NAMES, OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.model.calibration import Calibrator
from waste_risk.model.forest import Forest, UnknownBoosterError
from waste_risk.model.lightgbm_calls import Booster, fit, make_bins, predict, read
from waste_risk.model.predictor import MANY_ROWS, WastePredictor
from waste_risk.training.fit import fit_predictor

OBJECTIVES = ("binary", "regression", "regression_l1")


def draw(n_rows: int, seed: int, nulls: float = 0.1) -> NDArray[np.float32]:
    """Columns of numbers, counts, flags and shares, each with nulls, and one of nulls alone."""
    random = np.random.default_rng(seed)
    numbers, counts = random.normal(size=(n_rows, 3)), random.poisson(2, (n_rows, 2))
    flags, shares = random.integers(0, 2, (n_rows, 2)), random.random((n_rows, 2)).round(1)
    X = np.column_stack([numbers, counts, flags, shares, np.full(n_rows, np.nan)]).astype(np.float32)
    X[random.random(X.shape) < nulls] = np.nan
    return X


def train(objective: str, X: NDArray[np.float32], rounds: int = 20, **more: Any) -> Booster:
    random = np.random.default_rng(5)
    signal = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 3]) * np.nan_to_num(X[:, 5], nan=2.0)
    noisy = signal + random.normal(size=len(X))
    label = (noisy > 1).astype(float) if objective == "binary" else noisy
    parameters = {"objective": objective, "num_threads": 1, "verbosity": -1, "seed": 3, "min_data_in_leaf": 5} | more
    names = [f"column_{number}" for number in range(X.shape[1])]
    return read(fit(parameters, make_bins(X, label, parameters, names), rounds).model_to_string())


def assert_equal(booster: Booster, X: NDArray[np.float32]) -> None:
    columns = [np.ascontiguousarray(column) for column in X.T]
    np.testing.assert_array_equal(Forest.read(booster.model_to_string()).predict(columns), predict(booster, X))


@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 1_000, 70_001])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_predicts_as_lightgbm_does(objective: str, n_rows: int) -> None:
    assert_equal(train(objective, draw(2_000, seed=1)), draw(n_rows, seed=2))


@pytest.mark.parametrize(
    "more",
    [
        {"num_leaves": 2},
        {"num_leaves": 300, "min_data_in_leaf": 1},
        {"max_depth": 1},
        {"bagging_fraction": 0.5, "bagging_freq": 1, "feature_fraction": 0.5},
        {"use_missing": False},
        {"is_unbalance": True},
        {"min_data_in_leaf": 10_000},  # no tree has a node
    ],
    ids=str,
)
def test_whatever_its_trees_look_like(more: dict[str, Any]) -> None:
    assert_equal(train("binary", draw(2_000, seed=1), **more), draw(500, seed=2))


def test_a_null_where_training_saw_none_goes_where_lightgbm_sends_it() -> None:
    seen = np.nan_to_num(draw(2_000, seed=1, nulls=0.0), nan=1.0)
    assert_equal(train("binary", seen), draw(500, seed=2, nulls=0.5))


@settings(max_examples=25)
@given(
    objective=st.sampled_from(OBJECTIVES),
    seed=st.integers(0, 10_000),
    n_leaves=st.integers(2, 64),
    nulls=st.sampled_from([0.0, 0.05, 0.6]),
)
def test_any_booster_on_any_rows(objective: str, seed: int, n_leaves: int, nulls: float) -> None:
    booster = train(objective, draw(400, seed, nulls), rounds=5, num_leaves=n_leaves)
    assert_equal(booster, draw(200, seed + 1, nulls))


def test_a_value_at_a_threshold_and_the_next_above_it_are_told_apart() -> None:
    booster = train("binary", draw(2_000, seed=1))
    tests = Forest.read(booster.model_to_string()).tests
    X = np.zeros((2 * len(tests), 10), np.float32)
    for row, test in enumerate(tests):
        X[2 * row, test.column] = test.threshold
        X[2 * row + 1, test.column] = np.nextafter(test.threshold, np.float32(np.inf))
    assert_equal(booster, X)


@pytest.mark.filterwarnings("ignore:categorical_feature keyword")
@pytest.mark.parametrize(
    ("objective", "more"),
    [
        ("binary", {"zero_as_missing": True}),
        ("binary", {"linear_tree": True}),
        ("binary", {"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}),
        ("binary", {"sigmoid": 2.0}),
        ("binary", {"categorical_feature": [3], "min_data_per_group": 1}),
        ("regression", {"reg_sqrt": True}),
        ("quantile", {}),
    ],
    ids=str,
)
def test_what_it_does_not_know_is_refused(objective: str, more: dict[str, Any]) -> None:
    booster = train(objective, np.abs(draw(2_000, seed=1, nulls=0.0)), **more)
    with pytest.raises(UnknownBoosterError):
        Forest.read(booster.model_to_string())


@pytest.fixture(scope="module")
def predictor() -> WastePredictor:
    folds = plant(100).head(1)[[]].assign(n_train=1_000, rounds_classifier=30, rounds_regressor=30)
    calibrator = Calibrator("isotonic", (0.0, 0.4, 1.0), (0.01, 0.5, 0.99))
    return fit_predictor(plant(1_000), folds, calibrator, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)


def test_many_rows_are_predicted_as_few_are(predictor: WastePredictor) -> None:
    features = plant(MANY_ROWS + 100, seed=2)[NAMES]
    together = predictor.predict(features)
    for start in (0, MANY_ROWS - 50, MANY_ROWS):
        part = features.iloc[start : start + 100]
        assert predictor.predict(part).equals(together.iloc[start : start + 100])
    assert predictor.predict(features.astype("Float64")).equals(together)


def test_many_rows_without_a_feature_are_refused_by_its_name(predictor: WastePredictor) -> None:
    features = plant(MANY_ROWS, seed=2)[NAMES].drop(columns="life_used")
    with pytest.raises(ValueError, match="^features are missing: life_used$"):
        predictor.predict(features)


def test_a_predictor_whose_booster_it_does_not_know_predicts_by_lightgbm(predictor: WastePredictor) -> None:
    known = plant(1_000)
    booster = train("regression", known[NAMES].to_numpy(), reg_sqrt=True)
    features = plant(MANY_ROWS, seed=2)[NAMES]
    days = replace(predictor, regressor=booster).predict(features)["days_to_waste"]
    np.testing.assert_array_equal(days, np.clip(predict(booster, features.to_numpy()), 0, 30))
    assert days.nunique() > 100
