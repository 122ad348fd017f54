"""The matrix that the boosters read."""

import numpy as np
import pandas as pd
import pytest

from waste_risk.encoding import Encoding

NAMES = ("days", "word", "share")
TRAINING_ROWS = pd.DataFrame(
    {"word": pd.Categorical(["b", "a", None, "a"], categories=["unused", "b", "a"]), "days": 1.0, "share": 0.5}
)


def test_the_vocabulary_holds_what_occurs_in_order_and_the_others():
    encoding = Encoding.read(TRAINING_ROWS, NAMES)
    assert encoding.feature_names == NAMES
    assert encoding.vocabularies == {"word": ("a", "b", "__other__")}


@pytest.mark.parametrize("dtype", ["category", "str", "object"])
def test_a_word_is_its_place_an_unknown_word_other_and_a_null_nan(dtype):
    features = pd.DataFrame(
        {
            "share": [0.25, None, 1.0, 0.0, 0.5],
            "word": pd.Series(["b", "a", "new", None, "__other__"], dtype=dtype),
            "days": [1, 2, 3, 4, 5],
        }
    )
    matrix = Encoding.read(TRAINING_ROWS, NAMES).encode(features)
    expected = [[1, 1, 0.25], [2, 0, np.nan], [3, 2, 1.0], [4, np.nan, 0.0], [5, 2, 0.5]]
    np.testing.assert_array_equal(matrix, np.array(expected, dtype=np.float32))
    assert matrix.dtype == np.float32


def test_decoding_gives_names_and_words_back():
    encoding = Encoding.read(TRAINING_ROWS, NAMES)
    decoded = encoding.decode(encoding.encode(TRAINING_ROWS))
    assert decoded.columns.tolist() == list(NAMES)
    assert decoded["word"].cat.categories.tolist() == ["a", "b", "__other__"]
    assert decoded["word"].astype("object").where(decoded["word"].notna(), None).tolist() == ["b", "a", None, "a"]


def test_nullable_numbers_are_read_with_their_nulls():
    features = pd.DataFrame({"days": pd.array([1, None], "Int64"), "share": [0.5, 0.5], "word": ["a", "b"]})
    matrix = Encoding.read(TRAINING_ROWS, NAMES).encode(features)
    np.testing.assert_array_equal(matrix[:, 0], np.array([1, np.nan], dtype=np.float32))


def test_a_model_keeps_its_own_features_when_there_are_more():
    encoding = Encoding.read(TRAINING_ROWS, ("days",))
    assert encoding.encode(TRAINING_ROWS.assign(new_feature=3.0)).tolist() == [[1.0]] * 4
