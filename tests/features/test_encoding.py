"""Which columns are features, and how text becomes numbers."""

import numpy as np
import pandas as pd
import pytest

from waste_risk.features import FEATURE_NAMES
from waste_risk.features.encoding import encode, find_encoding


def test_all_columns_but_keys_labels_and_sensitive_attributes_are_features() -> None:
    rows = pd.DataFrame(columns=["household_id", "plan", "usage", "wasted", "days_to_waste", "sensitive_region"])
    assert find_encoding(rows.astype({"usage": float})).names == ("plan", "usage")


def test_our_features_come_in_their_order_whatever_that_of_the_table() -> None:
    rows = pd.DataFrame(columns=[*FEATURE_NAMES[::-1], "own"], dtype=float)
    assert find_encoding(rows).names == (*FEATURE_NAMES, "own")


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_a_level_is_its_number_a_null_is_0_and_another_text_is_unknown(dtype: str) -> None:
    values = pd.Series(["pro", None, "basic", "unseen"], dtype=dtype)
    np.testing.assert_array_equal(encode(values, ("basic", "pro")), np.float32([2, 0, 1, np.nan]))
    assert find_encoding(pd.DataFrame({"plan": values})).levels == {"plan": ("basic", "pro", "unseen")}


def test_only_texts_have_levels() -> None:
    rows = pd.DataFrame({"plan": ["a", "b"], "usage": [1.0, 2.0], "active": [True, False]})
    encoding = find_encoding(rows)
    assert encoding.names == ("plan", "usage", "active")
    assert encoding.categorical == ("plan",)
    assert encoding.contract == ("plan (text)", "usage", "active")
