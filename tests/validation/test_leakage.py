"""What features give away of the window that a row is of, and of what comes of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from measured import FULL
from pandas.testing import assert_frame_equal
from planted import NAMES, NUMBER, SPLIT, WHEN, plant

from waste_risk.metrics import AdversarialValidation, PurestFeature
from waste_risk.parameters import Gates, Validation, load
from waste_risk.training.splits import split_by_time
from waste_risk.validation.gates import check_gates
from waste_risk.validation.leakage import find_purest_feature, validate_adversarially

CONF = Path(__file__).parents[2] / "conf/base"
VALIDATION = load(Validation, CONF / "parameters_validation.yml").model_copy(update={"n_resamples": 200})
GATES = load(Gates, CONF / "parameters_validation.yml")
LIMIT = GATES.max_feature_precision or 0.0
LEAKING = "unit_price"


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


def test_one_household_leaves_nobody_to_evaluate_on() -> None:
    told = tell_apart(plant().assign(household_id=7))
    assert np.isnan(told.auc.value)
    assert told.features == ()


def test_the_same_seed_gives_the_same_answer_and_the_rows_stay_as_they_are() -> None:
    rows = plant()
    copy = rows.copy(deep=True)
    assert tell_apart(rows) == tell_apart(rows)
    assert_frame_equal(rows, copy)


def purest(rows: pd.DataFrame) -> PurestFeature:
    return find_purest_feature(*split_by_time(rows, SPLIT), tuple(NAMES), VALIDATION)


def leak(rows: pd.DataFrame, form: str, share: float = 0.25, seed: int = 5) -> "pd.Series[float]":
    """A feature that knows what comes of a share of the wasted rows."""
    random = np.random.default_rng(seed)
    known = rows["wasted"] & (random.random(len(rows)) < share)
    noise = random.normal(size=len(rows))
    forms = {
        "1 on them": known.astype("float32"),
        "0 on them": (~known).astype("float32"),
        "days to the waste on them, else null": rows["days_to_waste"].where(known),
        "null on them": pd.Series(noise, rows.index).mask(known),
        "in the middle of all values": pd.Series(noise + np.sign(noise), rows.index).mask(known, noise / 4),
    }
    return forms[form].astype("float32")


FORMS = [
    *("1 on them", "0 on them", "days to the waste on them, else null", "null on them", "in the middle of all values"),
]


def test_honest_features_are_never_nearly_sure_by_themselves() -> None:
    found = purest(plant(12_000))
    assert found.precision.low is not None
    assert found.precision.low < LIMIT


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_a_feature_that_knows_a_quarter_of_the_wasted_rows_turns_the_gate_red_by_name(form: str, seed: int) -> None:
    rows = plant(8_000, seed=seed)
    found = purest(rows.assign(**{LEAKING: leak(rows, form, seed=seed)}))
    decision = check_gates(replace(FULL, purest_feature=found), GATES)
    assert [gate.name for gate in decision.gates if not gate.passed] == ["purest_feature"]
    assert f"rows that {LEAKING} alone marks, at least 0.9" in decision.reasons[0]


def test_a_feature_without_a_value_marks_nothing() -> None:
    rows = plant(8_000)
    usual, without = purest(rows), purest(rows.assign(**{LEAKING: np.float32("nan")}))
    assert without == usual


@pytest.mark.parametrize("n_households", [1, 2, 30])
def test_of_a_few_households_nothing_is_said(n_households: int) -> None:
    found = purest(plant().assign(household_id=lambda rows: rows["household_id"] % n_households))
    assert np.isnan(found.precision.value)
    assert found.precision.low is None


def test_the_purest_feature_is_the_same_for_the_same_seed_and_the_rows_stay_as_they_are() -> None:
    rows = plant()
    copy = rows.copy(deep=True)
    assert purest(rows) == purest(rows)
    assert_frame_equal(rows, copy)
