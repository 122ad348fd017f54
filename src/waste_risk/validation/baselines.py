"""Baselines that a model must beat, fitted on the development rows alone.

Each predicts a probability, so that all are evaluated by the same metrics on the same rows.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from waste_risk.arrays import Floats
from waste_risk.features.encoding import Encoding, find_encoding
from waste_risk.parameters import Baselines
from waste_risk.reference import CATEGORIES

_CATEGORIES, _DAYS_LEFT = {f"is_{category}" for category in CATEGORIES}, "days_left"


def predict_baselines(development: pd.DataFrame, test: pd.DataFrame, baselines: Baselines) -> pd.DataFrame:
    """Predict the test rows by each baseline.

    Args:
        development: rows with features and ``wasted``, which the baselines are fitted on.
        test: rows with features, which are predicted.
        baselines: parameters.

    Returns:
        one row per test row, in their order: ``category_rate`` (how often the category was wasted),
        ``household_category_rate`` (the household's own, shrunk towards it), ``days_left_clock`` (by the days left
        alone) and ``logistic_regression`` (of all features). Without the columns of categories or of the days left,
        those that need them are left out; of the first two, ``household_rate`` is then left, of all rows.
    """
    predicted = {}
    if set(development) >= _CATEGORIES:
        predicted["category_rate"] = by_category = category_rate(development, test)
        own = household_category_rate(development, test, by_category, baselines.prior_rows)
        predicted["household_category_rate"] = own
    else:
        predicted["household_rate"] = household_rate(development, test, baselines.prior_rows)
    if _DAYS_LEFT in development:
        predicted["days_left_clock"] = days_left_clock(development, test)
    return pd.DataFrame({**predicted, "logistic_regression": logistic_regression(development, test)})


def missing_baselines(rows: pd.DataFrame) -> list[str]:
    """Return the baselines that are left out for want of their columns."""
    categories = [] if set(rows) >= _CATEGORIES else ["category_rate", "household_category_rate"]
    return [*categories, *([] if _DAYS_LEFT in rows else ["days_left_clock"])]


def category_rate(development: pd.DataFrame, test: pd.DataFrame) -> Floats:
    """Predict the share wasted among the category's development rows; for a new category, among all rows."""
    rates = development["wasted"].groupby(_category(development)).mean()
    return pd.Series(_category(test)).map(rates).fillna(development["wasted"].mean()).to_numpy(np.float64)


def household_category_rate(
    development: pd.DataFrame, test: pd.DataFrame, by_category: Floats, prior_rows: float
) -> Floats:
    """Predict the share wasted among the household's own rows of the category, shrunk towards the category's.

    Args:
        development: rows that the shares are counted on.
        test: rows to predict.
        by_category: the category's share for each test row, as ``category_rate`` returns it.
        prior_rows: how many rows at the category's share are added to the household's own, so that a new household has
            the category's share.
    """
    own = development["wasted"].groupby([development["household_id"], _category(development)]).agg(["sum", "count"])
    keys = pd.MultiIndex.from_arrays([test["household_id"], _category(test)])
    known = own.reindex(keys).fillna(0)
    rate = (known["sum"].to_numpy(np.float64) + prior_rows * by_category) / (known["count"].to_numpy() + prior_rows)
    return np.asarray(rate, dtype=np.float64)


def household_rate(development: pd.DataFrame, test: pd.DataFrame, prior_rows: float) -> Floats:
    """Predict the share wasted among the household's own rows, shrunk towards that of all rows."""
    base_rate = float(development["wasted"].mean())
    own = development["wasted"].groupby(development["household_id"]).agg(["sum", "count"])
    known = own.reindex(test["household_id"]).fillna(0)
    rate = (known["sum"].to_numpy(np.float64) + prior_rows * base_rate) / (known["count"].to_numpy() + prior_rows)
    return np.asarray(rate, dtype=np.float64)


def days_left_clock(development: pd.DataFrame, test: pd.DataFrame) -> Floats:
    """Predict by the days left until expiry alone: the fewer, the more waste (isotonic regression)."""
    known = development["days_left"].notna()
    line = IsotonicRegression(increasing=False, out_of_bounds="clip")
    line.fit(development.loc[known, "days_left"].to_numpy(np.float64), development.loc[known, "wasted"])
    days = test["days_left"].to_numpy(np.float64)
    guess = line.predict(np.nan_to_num(days))
    return np.asarray(np.where(np.isnan(days), development["wasted"].mean(), guess), dtype=np.float64)


def logistic_regression(development: pd.DataFrame, test: pd.DataFrame) -> Floats:
    """Predict by a logistic regression on all features, scaled, with nulls at the median; each level of text is one."""
    model = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler(), LogisticRegression(max_iter=1_000)
    )
    encoding = find_encoding(development)
    model.fit(_to_numbers(development, encoding), development["wasted"])
    return np.asarray(model.predict_proba(_to_numbers(test, encoding))[:, 1], dtype=np.float64)


def _to_numbers(rows: pd.DataFrame, encoding: Encoding) -> Floats:
    """Return a column for each numeric feature, and one for each level of the others."""
    numbers = rows[[name for name in encoding.names if name not in encoding.levels]].to_numpy(np.float64)
    levels = [rows[name].to_numpy() == level for name, each in encoding.levels.items() for level in each]
    return np.column_stack([numbers, *levels]) if levels else numbers


def _category(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return the number of each row's category from 0; the last number is no category."""
    is_category = rows[[f"is_{category}" for category in CATEGORIES]].fillna(0).to_numpy() > 0
    return np.where(is_category.any(axis=1), is_category.argmax(axis=1), len(CATEGORIES))
