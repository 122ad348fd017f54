"""The whole record: what goes in, what comes out, and what is refused."""

import json
import math
from functools import partial

import numpy as np
import pandas as pd
import pytest
from evaluating import SETTINGS, draw_rows, evaluate_rows
from sklearn import metrics as sklearn_metrics

from waste_risk.adapters.datasets import AtomicJSONDataset
from waste_risk.metrics import (
    Estimate,
)
from waste_risk.parameters import Costs

measure = partial(evaluate_rows, **SETTINGS)  # what a test says otherwise wins
measure_groups = partial(evaluate_rows, n_resamples=30, min_group_class=5, min_group_households=2)
GROUPS = np.random.default_rng(3).choice(["1", "2", "3-4"], 600)


def test_days_are_evaluated_on_wasted_rows_with_known_days_and_the_label_on_those_it_has():
    found = measure(
        y_true=[1, 1, 1, 0],
        probability=[0.9, 0.8, 0.6, 0.1],
        days_true=pd.Series([10, 4, None, 7], dtype="Float64"),
        days_predicted=[13, 5, 9, 100],
        days_on_label=[None, 9, 3, 100],
    )
    assert found.days_mae.value == 2
    assert found.days_rmse.value == pytest.approx(math.sqrt(5))
    assert found.label_days_mae.value == 5
    assert found.days_mae_where_label.value == 1


def test_days_intervals_hold_the_estimate():
    random = np.random.default_rng(3)
    rows = draw_rows()
    found = measure(**rows, days_true=random.uniform(0, 30, 400), days_predicted=random.uniform(0, 30, 400))
    assert found.days_mae.low < found.days_mae.value < found.days_mae.high < found.days_rmse.high


def test_the_attainable_share_counts_from_a_coin_toss():
    y_true, oracle = [1, 0, 1, 0, 1, 0], [0.9, 0.1, 0.8, 0.2, 0.4, 0.5]
    found = measure(y_true=y_true, probability=[0.9, 0.1, 0.3, 0.4, 0.6, 0.5], oracle_probability=oracle)
    assert found.oracle_auc.value == pytest.approx(8 / 9)
    assert found.attainable_share.value == pytest.approx((7 / 9 - 1 / 2) / (8 / 9 - 1 / 2))


def test_the_oracle_itself_reaches_all_that_is_attainable():
    rows = draw_rows()
    found = measure(**rows, oracle_probability=rows["probability"])
    assert found.attainable_share == Estimate(1, 1, 1)
    assert found.oracle_auc == found.auc


def test_folds_are_summarised_by_mean_and_sample_standard_deviation():
    found = measure(**draw_rows(), fold_metrics=pd.DataFrame({"fold": [0, 1, 2], "auc": [0.8, 0.9, 0.85]}))
    assert (found.cv_mean_auc, found.cv_std_auc) == pytest.approx((0.85, 0.05))


def test_counts_and_settings_are_carried_along():
    found = measure(
        y_true=[1, 0, 1, 0], probability=[0.7, 0.69, 0.9, 0.1], household_id=["a", "a", "b", "b"],
        horizon_days=30, predictor_sha256="abc",
    )  # fmt: skip
    assert (found.n_rows, found.n_households, found.n_wasted, found.n_alerts) == (4, 2, 2, 2)
    assert (found.threshold, found.high_confidence, found.horizon_days) == (0.4, 0.7, 30)
    assert found.predictor_sha256 == "abc"


def test_what_was_not_asked_for_is_null():
    found = measure(**draw_rows())
    absent = (found.days_mae, found.label_days_mae, found.oracle_auc, found.cv_std_auc, found.horizon_days)
    assert absent == (None,) * 5


def test_json_holds_every_value_and_null_for_the_undefined():
    found = measure(y_true=[1, 0], probability=[0.6, 0.2])
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["auc"]["value"] == 1
    assert plain["precision_at_high_confidence"] == {"value": None, "low": None, "high": None}
    assert plain["n_rows"] == 2


def test_flat_numbers_leave_out_what_is_undefined():
    flat = measure(y_true=[1, 0] * 20, probability=[0.6, 0.2] * 20, predictor_sha256="abc", horizon_days=30).flat()
    assert (flat["auc"], flat["auc_low"], flat["auc_high"], flat["horizon_days"]) == (1, 1, 1, 30)
    assert not {"precision_at_high_confidence", "oracle_auc", "predictor_sha256"} & set(flat)
    assert all(type(value) is float for value in flat.values())


def test_inputs_are_left_as_they_were():
    rows = draw_rows()
    copies = {name: values.copy() for name, values in rows.items()}
    measure(**rows)
    assert all((rows[name] == copies[name]).all() for name in rows)


@pytest.mark.parametrize("outcome", [0, 1])
def test_of_one_class_what_needs_both_is_undefined_and_the_rest_is_not(outcome):
    found = measure(y_true=[outcome] * 4, probability=[0.1, 0.4, 0.8, 0.9])
    assert math.isnan(found.auc.value)
    assert math.isnan(found.calibration_slope.value)
    assert found.base_rate == Estimate(outcome)
    assert found.brier_score.value == pytest.approx(np.mean((outcome - np.array([0.1, 0.4, 0.8, 0.9])) ** 2))


def test_a_probability_may_be_zero_or_one():
    assert measure(y_true=[0, 1, 1], probability=[0, 1, 0]).brier_score.value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_true": []}, "0 rows"),
        ({"y_true": [0, 2, 1]}, "neither 0 nor 1"),
        ({"y_true": [0, np.nan, 1]}, "neither 0 nor 1"),
        ({"probability": [0.1, 0.2]}, "probability has 2 values for 3 rows"),
        ({"probability": [0.1, np.nan, 0.2]}, "probability is missing or outside"),
        ({"probability": [0.1, 1.2, 0.2]}, "probability is missing or outside"),
        ({"oracle_probability": [0.1, None, 0.2]}, "oracle_probability is missing or outside"),
        ({"household_id": ["a", None, "b"]}, "household_id is missing"),
        ({"household_id": [1, 2]}, "household_id has 2 values for 3 rows"),
        ({"days_true": [1], "days_predicted": [1, 2, 3]}, "days_true has 1 values for 3 rows"),
    ],
)
def test_a_wrong_input_is_refused_in_one_clear_line(changed, message):
    with pytest.raises(ValueError, match=message) as refusal:
        measure(**{"y_true": [0, 1, 1], "probability": [0.1, 0.5, 0.9]} | changed)
    assert "\n" not in str(refusal.value)


def test_the_gain_over_a_baseline_is_the_difference_of_the_aucs_in_the_same_resamples():
    rows = draw_rows(600, 40)
    rule = np.clip(rows["probability"] + np.random.default_rng(2).normal(0, 0.2, 600), 0, 1)
    found = measure_groups(**rows, baselines={"noisy": rule, "itself": rows["probability"]})
    noisy = found.baselines["noisy"]
    assert noisy.auc.value == pytest.approx(sklearn_metrics.roc_auc_score(rows["y_true"], rule))
    assert noisy.auc_gain.value == pytest.approx(found.auc.value - noisy.auc.value)
    paired, apart = noisy.auc_gain.high - noisy.auc_gain.low, (found.auc.high - found.auc.low) * math.sqrt(2)
    assert paired < apart
    assert found.baselines["itself"].auc_gain == Estimate(0, 0, 0)


def test_every_fold_is_kept_with_mean_and_standard_deviation_of_each_number():
    folds = pd.DataFrame(
        {"fold": [1, 2], "auc": [0.8, 0.9], "n_test": [10, 30], "test_from": pd.to_datetime("2024-01-01")}
    )
    found = measure_groups(**draw_rows(600, 40), fold_metrics=folds)
    assert found.folds == ({"fold": 1, "auc": 0.8, "n_test": 10}, {"fold": 2, "auc": 0.9, "n_test": 30})
    assert found.fold_means == {"auc": pytest.approx(0.85), "n_test": 20}
    assert found.fold_stds["n_test"] == pytest.approx(math.sqrt(200))


def test_flat_numbers_name_baselines_and_gaps_and_leave_tables_out():
    flat = measure_groups(
        **draw_rows(600, 40), sensitive={"size": GROUPS}, baselines={"rule": np.full(600, 0.5)}
    ).flat()
    assert flat["baselines.rule.auc"] == 0.5
    assert {"fairness.size.auc_difference", "fairness.size.largest_calibration_gap_high"} <= set(flat)
    assert not [name for name in flat if "groups" in name or "trade_off" in name]


def test_the_whole_record_comes_back_from_its_file(tmp_path):
    rows, random = draw_rows(600, 40), np.random.default_rng(6)
    days = pd.Timestamp("2024-01-15") + pd.to_timedelta(np.arange(600) // 20, unit="D")
    found = measure_groups(
        **rows, observed_on=days, item_id=np.arange(600), days_true=random.uniform(0, 30, 600),
        days_predicted=random.uniform(0, 30, 600), is_new_household=np.arange(600) < 120, anderson_darling=True,
        raw_score=rows["probability"], oracle_probability=rows["probability"], cost_threshold=0.3,
        costs=Costs(false_alarm=1, missed_item=2),
        baselines={"rule": rows["probability"] / 2}, sensitive={"size": np.where(np.arange(600) < 3, "few", GROUPS)},
        fold_metrics=pd.DataFrame({"fold": [1, 2], "auc": [0.8, 0.9]}),
    )  # fmt: skip
    dataset = AtomicJSONDataset(str(tmp_path / "metrics.json"), record="waste_risk.metrics.ValidationMetrics")
    dataset.save(found)
    assert dataset.load() == found
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["fairness"]["size"]["groups"][3]["measured"] is None


@pytest.mark.parametrize("columns", [{"observed_on": ["2024-01-01"]}, {"sensitive": {"size": ["1", None, "2"]}}])
def test_a_wrong_column_is_refused(columns):
    with pytest.raises(ValueError, match="1 values for 3 rows|size is missing"):
        measure_groups(y_true=[0, 1, 1], probability=[0.1, 0.5, 0.9], **columns)
