"""The baselines are fitted on development rows alone, and each does what its name says."""

import numpy as np
import pandas as pd
import pytest
from planted import plant
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from waste_risk.features import FEATURE_NAMES
from waste_risk.parameters import Baselines
from waste_risk.reference import CATEGORIES
from waste_risk.validation.baselines import (
    category_rate,
    days_left_clock,
    household_category_rate,
    logistic_regression,
    predict_baselines,
)

SETTINGS = Baselines(prior_rows=10)


def of_categories(categories: list[str | None], **columns: list[object]) -> pd.DataFrame:
    indicators = {
        f"is_{each}": [np.nan if category is None else float(category == each) for category in categories]
        for each in CATEGORIES
    }
    return pd.DataFrame({**indicators, **columns})


def test_a_category_has_the_rate_of_its_development_rows_and_a_new_one_that_of_all() -> None:
    development = of_categories(["dairy", "dairy", "meat", "meat"], wasted=[True, False, True, True])
    test = of_categories(["meat", "dairy", "canned", None])
    assert category_rate(development, test).tolist() == [1, 0.5, 0.75, 0.75]


def test_a_household_is_shrunk_towards_its_category_by_so_many_rows() -> None:
    development = of_categories(["dairy"] * 4, wasted=[True, True, False, False], household_id=["a", "a", "b", "b"])
    test = of_categories(["dairy"] * 3, household_id=["a", "b", "new"])
    rates = household_category_rate(development, test, category_rate(development, test), prior_rows=2)
    assert rates.tolist() == [(2 + 1) / 4, (0 + 1) / 4, 0.5]


def test_the_clock_falls_with_the_days_left_and_says_the_base_rate_without_them() -> None:
    development = pd.DataFrame({"days_left": [0, 1, 2, 3, np.nan], "wasted": [True, False, True, False, False]})
    test = pd.DataFrame({"days_left": [-5, 1.5, 9, np.nan]})
    assert days_left_clock(development, test).tolist() == [1, 0.5, 0, 0.4]


def test_the_logistic_regression_equals_one_on_columns_scaled_by_hand() -> None:
    development, test = plant(6_000), plant(3_000, seed=2)
    names = list(FEATURE_NAMES)
    mean, std = development[names].astype(float).mean(), development[names].astype(float).std(ddof=0)
    model = LogisticRegression(max_iter=1_000).fit(
        ((development[names] - mean) / std).to_numpy(), development["wasted"]
    )
    expected = model.predict_proba(((test[names] - mean) / std).to_numpy())[:, 1]
    assert logistic_regression(development, test) == pytest.approx(expected, abs=1e-3)
    assert roc_auc_score(test["wasted"], logistic_regression(development, test)) > 0.8


def test_nothing_of_the_test_rows_but_their_features_counts() -> None:
    development, test = plant(1_000), plant(300, seed=2)
    blind = test.drop(columns=["wasted", "days_to_waste", "label_known_on"])
    pd.testing.assert_frame_equal(
        predict_baselines(development, test, SETTINGS), predict_baselines(development, blind, SETTINGS)
    )


def test_a_feature_that_is_always_null_is_no_obstacle() -> None:
    development, test = (plant(500, seed=seed).assign(unit_price=np.nan) for seed in (1, 2))
    predicted = predict_baselines(development, test, SETTINGS)
    assert list(predicted) == ["category_rate", "household_category_rate", "days_left_clock", "logistic_regression"]
    assert predicted.to_numpy().min() >= 0
    assert predicted.to_numpy().max() <= 1
