"""What features give away of the window that a row is of."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from planted import NAMES, NUMBER, SPLIT, WHEN, plant

from waste_risk.leakage import validate_adversarially
from waste_risk.metrics.parts import AdversarialValidation
from waste_risk.parameters import Validation, load
from waste_risk.splits import split_by_time

CONF = Path(__file__).parents[1] / "conf/base"
VALIDATION = load(Validation, CONF / "parameters_validation.yml").model_copy(update={"n_resamples": 200})


def tell_apart(rows: pd.DataFrame) -> AdversarialValidation:
    return validate_adversarially(*split_by_time(rows, SPLIT), tuple(NAMES), VALIDATION)


def day_number(rows: pd.DataFrame) -> "pd.Series[float]":
    return (rows["observed_on"] - rows["observed_on"].min()).dt.days.astype("float32")


def test_windows_that_look_alike_are_not_told_apart() -> None:
    auc = tell_apart(plant()).auc
    assert auc.low is not None
    assert auc.high is not None
    assert auc.low < 0.5 < auc.high


@pytest.mark.parametrize("noise", [0.0, 60.0])
def test_a_feature_that_is_a_clock_tells_them_apart_and_is_named_first(noise: float) -> None:
    rows = plant()
    spread = np.random.default_rng(3).normal(0, noise, len(rows)).astype("float32")
    told = tell_apart(rows.assign(**{WHEN: day_number(rows) + spread}))
    assert told.auc.value > 0.9
    assert told.features[0] == WHEN
    assert len(told.features) == 3


def test_two_features_that_are_a_clock_only_together_tell_them_apart() -> None:
    rows = plant()
    shift = np.random.default_rng(4).integers(-400, 400, len(rows)).astype("float32")
    together = tell_apart(rows.assign(**{WHEN: day_number(rows) + shift, NUMBER: shift}))
    assert together.auc.value > 0.8
    assert set(together.features[:2]) == {WHEN, NUMBER}


def test_one_household_leaves_nobody_to_be_judged_on() -> None:
    told = tell_apart(plant().assign(household_id=7))
    assert np.isnan(told.auc.value)
    assert told.features == ()


def test_the_same_seed_gives_the_same_answer_and_the_rows_stay_as_they_are() -> None:
    rows = plant()
    copy = rows.copy(deep=True)
    assert tell_apart(rows) == tell_apart(rows)
    assert_frame_equal(rows, copy)
