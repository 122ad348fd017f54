"""Metrics of alerts: trade-off, cost, lead time, alerts a week."""

import math
from functools import partial

import numpy as np
import pandas as pd
import pytest
from evaluating import draw_rows, evaluate_rows
from sklearn import metrics as sklearn_metrics

from waste_risk.metrics import alert_rate, count_scores, false_positive_rate, mean_cost
from waste_risk.metrics.decisions import pick_weekly
from waste_risk.parameters import Costs

measure = partial(evaluate_rows, n_resamples=30, min_group_class=5, min_group_households=2)
sample = partial(draw_rows, 600, 40)


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
        costs=Costs(false_alarm=1, missed_item=4),
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


def test_an_alert_beyond_the_horizon_of_its_waste_is_none():
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
