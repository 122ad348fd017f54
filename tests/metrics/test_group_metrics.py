"""Metrics within groups of households, and the differences between them."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from evaluating import draw_rows, evaluate_rows
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference

measure = partial(evaluate_rows, n_resamples=30, min_group_class=5, min_group_households=2)
sample = partial(draw_rows, 600, 40)
GROUPS = np.random.default_rng(3).choice(["1", "2", "3-4"], 600)


def test_fairness_equals_fairlearn():
    rows = sample()
    said = rows["probability"] >= 0.5
    found = measure(**rows, threshold=0.5, sensitive={"size": GROUPS}).fairness["size"]
    parity = demographic_parity_difference(rows["y_true"], said, sensitive_features=GROUPS)
    odds = equalized_odds_difference(rows["y_true"], said, sensitive_features=GROUPS)
    assert found.demographic_parity_difference.value == pytest.approx(parity)
    assert found.equalized_odds_difference.value == pytest.approx(odds)


def test_a_group_has_the_metrics_of_its_rows_alone():
    rows = sample()
    alone = {name: values[GROUPS == "2"] for name, values in rows.items()}
    expected = measure(**alone)
    group = next(
        each for each in measure(**rows, sensitive={"size": GROUPS}).fairness["size"].groups if each.name == "2"
    )
    assert (group.n_rows, group.n_wasted) == (expected.n_rows, expected.n_wasted)
    assert group.measured.auc.value == pytest.approx(expected.auc.value)
    assert group.measured.expected_calibration_error.value == pytest.approx(expected.expected_calibration_error.value)
    gap = expected.mean_probability.value - expected.base_rate.value
    assert group.measured.calibration_gap.value == pytest.approx(gap)


def test_gaps_are_between_the_largest_and_the_smallest_group_and_calibration_is_within():
    found = measure(**sample(), sensitive={"size": GROUPS}).fairness["size"]
    measured = [group.measured for group in found.groups]
    aucs = [each.auc.value for each in measured]
    assert found.auc_difference.value == pytest.approx(max(aucs) - min(aucs))
    gaps = [abs(each.calibration_gap.value) for each in measured]
    assert found.largest_calibration_gap.value == pytest.approx(max(gaps))
    assert 0 <= found.largest_calibration_gap.low <= found.largest_calibration_gap.value


def test_a_promise_too_high_in_one_group_alone_is_its_calibration_gap():
    rows = sample()
    raised = np.where(GROUPS == "2", np.minimum(rows["probability"] + 0.3, 1), rows["probability"])
    before = measure(**rows, sensitive={"size": GROUPS}).fairness["size"]
    after = measure(**rows | {"probability": raised}, sensitive={"size": GROUPS}).fairness["size"]
    assert after.largest_calibration_gap.value > before.largest_calibration_gap.value + 0.1
    assert [group.name for group in after.groups if group.measured.calibration_gap.low > 0.1] == ["2"]


def test_a_group_that_is_too_small_is_counted_and_not_measured():
    rows = sample()
    groups = np.where(np.arange(600) < 6, "few", "many")
    found = measure(**rows, sensitive={"kind": groups}).fairness["kind"]
    assert [(group.name, group.n_rows, group.measured is None) for group in found.groups] == [
        ("few", 6, True),
        ("many", 594, False),
    ]
    assert (found.demographic_parity_difference, found.auc_difference) == (None, None)
    assert found.largest_calibration_gap.value == abs(found.groups[1].measured.calibration_gap.value)


def test_a_group_of_one_household_is_too_small_however_many_rows_it_has():
    rows = sample()
    groups = np.where(rows["household_id"] < 20, "one", "rest")
    households = np.where(rows["household_id"] < 20, 0, rows["household_id"])
    found = measure(**rows | {"household_id": households}, sensitive={"kind": groups}).fairness["kind"]
    assert [group.measured is None for group in found.groups] == [True, False]


def test_months_and_new_households_are_measured_apart():
    rows = sample()
    days = pd.Timestamp("2024-01-15") + pd.to_timedelta(np.arange(600) // 20, unit="D")
    found = measure(**rows, observed_on=days, is_new_household=np.arange(600) < 120)
    assert [(month.name, month.n_rows) for month in found.by_month] == [("2024-01", 340), ("2024-02", 260)]
    assert [(group.name, group.n_rows) for group in found.by_known_household] == [("known", 480), ("new", 120)]
    new = {name: values[:120] for name, values in rows.items()}
    assert found.by_known_household[1].measured.auc.value == pytest.approx(measure(**new).auc.value)
