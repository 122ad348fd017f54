"""Metrics of what is done with a probability: alerts, their cost and their time, and for whom they work."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from evaluating import evaluate_rows
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference
from scipy.special import expit
from sklearn import metrics as sklearn_metrics

from waste_risk.adapters.datasets import AtomicJSONDataset
from waste_risk.metrics import Estimate, alert_rate, count_scores, false_positive_rate, mean_cost
from waste_risk.metrics.decisions import pick_weekly


def sample(n_rows=600, n_households=40, seed=0):
    random = np.random.default_rng(seed)
    probability = expit(random.normal(-1, 1.5, n_rows))
    return {
        "y_true": random.random(n_rows) < probability,
        "probability": probability,
        "household_id": random.integers(n_households, size=n_rows),
    }


def measure(**columns):
    return evaluate_rows(**{"n_resamples": 30, "min_group_class": 5, "min_group_households": 2, **columns})


def test_rates_of_alerts_equal_the_confusion_matrix():
    rows = sample()
    said, tally = rows["probability"] >= 0.4, count_scores(y_true=rows["y_true"], probability=rows["probability"])
    (right_no, false_alarm), (missed, found) = sklearn_metrics.confusion_matrix(rows["y_true"], said)
    assert alert_rate(tally, threshold=0.4) == pytest.approx(said.mean())
    assert false_positive_rate(tally, threshold=0.4) == pytest.approx(false_alarm / (false_alarm + right_no))
    cost = mean_cost(tally, threshold=0.4, false_alarm=1, missed_item=3)
    assert cost == pytest.approx((false_alarm + 3 * missed) / (right_no + false_alarm + missed + found))


def test_the_trade_off_is_the_precision_and_recall_at_each_threshold():
    rows = sample()
    table = measure(**rows, trade_off_thresholds=[0.2, 0.5]).trade_off
    for line, threshold in zip(table, (0.2, 0.5), strict=True):
        said = rows["probability"] >= threshold
        assert (line.threshold, line.n_alerts) == (threshold, said.sum())
        assert line.precision.value == pytest.approx(sklearn_metrics.precision_score(rows["y_true"], said))
        assert line.recall.value == pytest.approx(sklearn_metrics.recall_score(rows["y_true"], said))
        assert line.recall.low < line.recall.value < line.recall.high


def test_costs_are_told_at_both_thresholds_and_without_alerts():
    cost = measure(
        y_true=[1, 1, 0, 0], probability=[0.8, 0.3, 0.6, 0.1], threshold=0.5, cost_threshold=0.2,
        cost_of_false_alarm=1, cost_of_missed_item=4,
    ).cost  # fmt: skip
    assert (cost.threshold, cost.precision.value, cost.recall.value) == (0.2, pytest.approx(2 / 3), 1)
    assert (cost.cost.value, cost.cost_at_threshold.value, cost.cost_without_alerts.value) == (0.25, 1.25, 2)


# Lead time


def lead_time(**columns):
    return measure(high_confidence=0.7, n_resamples=0, **columns).lead_time


def test_lead_time_counts_from_the_first_alert_of_an_item():
    found = lead_time(
        item_id=[1, 1, 1, 2, 3, 3],
        observed_on=pd.to_datetime(
            ["2024-01-03", "2024-01-01", "2024-01-02", "2024-01-01", "2024-01-01", "2024-01-02"]
        ),
        probability=[0.9, 0.2, 0.8, 0.9, 0.1, 0.3],
        y_true=[1, 1, 1, 0, 1, 1],
        days_true=[4, 6, 5, None, 3, 2],
    )
    assert (found.n_items, found.mean_days.value, found.median_days.value) == (1, 5, 5)


def test_an_alert_beyond_the_horizon_of_its_waste_is_no_warning():
    found = lead_time(
        item_id=[1, 1],
        observed_on=pd.to_datetime(["2024-01-01", "2024-02-20"]),
        probability=[0.9, 0.9],
        y_true=[0, 1],
        days_true=[None, 2],
    )
    assert found.n_items == 0
    assert math.isnan(found.mean_days.value)


def test_the_median_lead_time_is_the_middle_one_whatever_the_order():
    random = np.random.default_rng(1)
    days = random.uniform(0, 30, 101)
    found = measure(
        y_true=np.ones(101), probability=np.full(101, 0.9), days_true=days, item_id=np.arange(101),
        household_id=np.arange(101), observed_on=pd.to_datetime(["2024-01-01"] * 101),
    ).lead_time  # fmt: skip
    assert found.median_days.value == np.median(days)
    assert found.mean_days.value == pytest.approx(days.mean())
    assert found.median_days.low < found.median_days.value < found.median_days.high


# Alerts a week


def test_a_household_gets_the_most_probable_items_of_each_day_while_its_week_has_alerts_left():
    picked = pick_weekly(
        household=np.array([0, 0, 0, 0, 0, 0, 1]),
        observed_on=pd.to_datetime(
            ["2024-01-01", "2024-01-01 18:00", "2024-01-01", "2024-01-04", "2024-01-07", "2024-01-08", "2024-01-07"],
            format="ISO8601",
        ),
        probability=np.array([0.4, 0.7, 0.6, 0.55, 0.9, 0.7, 0.2]),
        per_week=3,
        threshold=0.5,
    )
    assert picked.tolist() == [False, True, True, True, False, True, False]


def test_alerts_do_not_depend_on_the_days_to_come():
    random = np.random.default_rng(0)
    rows = {
        "household": random.integers(20, size=500),
        "observed_on": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(28, size=500), unit="D"),
        "probability": random.random(500),
    }
    past = rows["observed_on"] < "2024-01-12"
    known = pick_weekly(**{name: values[past] for name, values in rows.items()}, per_week=2, threshold=0.3)
    assert (pick_weekly(**rows, per_week=2, threshold=0.3)[past] == known).all()
    assert known.any()


def test_enough_alerts_a_week_leave_all_of_them():
    rows = sample()
    days = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(600) % 20, unit="D")
    found = measure(**rows, observed_on=days, threshold=0.4, alerts_per_week=600)
    assert (found.weekly_alerts.precision, found.weekly_alerts.recall) == (found.precision, found.recall)
    few = measure(**rows, observed_on=days, threshold=0.4, alerts_per_week=1).weekly_alerts
    assert few.n_alerts < found.weekly_alerts.n_alerts
    assert few.recall.value < found.recall.value


# Baselines


def test_the_gain_over_a_baseline_is_the_difference_of_the_aucs_in_the_same_resamples():
    rows = sample()
    rule = np.clip(rows["probability"] + np.random.default_rng(2).normal(0, 0.2, 600), 0, 1)
    found = measure(**rows, baselines={"noisy": rule, "itself": rows["probability"]})
    noisy = found.baselines["noisy"]
    assert noisy.auc.value == pytest.approx(sklearn_metrics.roc_auc_score(rows["y_true"], rule))
    assert noisy.auc_gain.value == pytest.approx(found.auc.value - noisy.auc.value)
    paired, apart = noisy.auc_gain.high - noisy.auc_gain.low, (found.auc.high - found.auc.low) * math.sqrt(2)
    assert paired < apart
    assert found.baselines["itself"].auc_gain == Estimate(0, 0, 0)


# Groups


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


def test_every_fold_is_kept_with_mean_and_standard_deviation_of_each_number():
    folds = pd.DataFrame(
        {"fold": [1, 2], "auc": [0.8, 0.9], "n_test": [10, 30], "test_from": pd.to_datetime("2024-01-01")}
    )
    found = measure(**sample(), fold_metrics=folds)
    assert found.folds == ({"fold": 1, "auc": 0.8, "n_test": 10}, {"fold": 2, "auc": 0.9, "n_test": 30})
    assert found.fold_means == {"auc": pytest.approx(0.85), "n_test": 20}
    assert found.fold_stds["n_test"] == pytest.approx(math.sqrt(200))


def test_flat_numbers_name_baselines_and_gaps_and_leave_tables_out():
    flat = measure(**sample(), sensitive={"size": GROUPS}, baselines={"rule": np.full(600, 0.5)}).flat()
    assert flat["baselines.rule.auc"] == 0.5
    assert {"fairness.size.auc_difference", "fairness.size.largest_calibration_gap_high"} <= set(flat)
    assert not [name for name in flat if "groups" in name or "trade_off" in name]


def test_the_whole_record_comes_back_from_its_file(tmp_path):
    rows, random = sample(), np.random.default_rng(6)
    days = pd.Timestamp("2024-01-15") + pd.to_timedelta(np.arange(600) // 20, unit="D")
    found = measure(
        **rows, observed_on=days, item_id=np.arange(600), days_true=random.uniform(0, 30, 600),
        days_predicted=random.uniform(0, 30, 600), is_new_household=np.arange(600) < 120, anderson_darling=True,
        raw_score=rows["probability"], oracle_probability=rows["probability"], cost_threshold=0.3,
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
        measure(y_true=[0, 1, 1], probability=[0.1, 0.5, 0.9], **columns)
