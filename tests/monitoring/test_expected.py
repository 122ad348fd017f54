"""What calibrated probabilities alone say of a scoring's performance."""

import numpy as np
import pandas as pd
import pytest
from predicted import DAY, MONDAY, PARAMS, buy, predict

from waste_risk.metrics import count_scores
from waste_risk.monitoring.expected import estimate_performance, expected_log_loss, measure, read_estimates
from waste_risk.tables.contracts import EXPECTED_METRICS, check, empty_table


def many(n_rows: int = 2_000, seed: int = 1) -> pd.DataFrame:
    return predict(list(np.random.default_rng(seed).beta(0.6, 1.6, n_rows)))


def test_the_expected_metrics_are_means_over_the_probabilities() -> None:
    predictions = predict([0.9, 0.6, 0.3, 0.1])
    (row,) = estimate_performance(predictions, buy(predictions), PARAMS).to_dict("records")
    assert row["base_rate"] == pytest.approx(1.9 / 4)
    assert row["precision"] == pytest.approx((0.9 + 0.6) / 2)
    assert row["recall"] == pytest.approx((0.9 + 0.6) / 1.9)
    assert row["precision_at_high_confidence"] == pytest.approx(0.9)
    assert row["recall_at_high_confidence"] == pytest.approx(0.9 / 1.9)
    assert row["brier_score"] == pytest.approx((0.09 + 0.24 + 0.21 + 0.09) / 4)
    p = np.array([0.9, 0.6, 0.3, 0.1])
    assert row["log_loss"] == pytest.approx(-np.mean(p * np.log(p) + (1 - p) * np.log(1 - p)))
    assert expected_log_loss(predictions["waste_probability"]) == pytest.approx(row["log_loss"])
    assert (row["n_rows"], row["n_alerts"], row["n_high_confidence"], row["alert_from"]) == (4, 2, 1, 0.6)


def test_the_table_keeps_its_contract_also_without_an_alert_and_without_a_row() -> None:
    quiet = predict([0.1, 0.2, 0.3])
    estimated = check("expected_performance", estimate_performance(quiet, buy(quiet), PARAMS))
    assert estimated[["alert_from", "precision"]].isna().to_numpy().all()
    assert estimated["recall"].tolist() == [0.0]
    nothing = estimate_performance(quiet.iloc[:0], buy(quiet), PARAMS)
    assert nothing.columns.tolist() == empty_table("expected_performance").columns.tolist()


def test_each_moment_predictor_and_kind_of_ages_is_estimated_by_itself() -> None:
    young, later = predict([0.2, 0.8]), predict([0.4, 0.6], as_of=MONDAY + 28 * DAY)
    both = pd.concat([young, later], ignore_index=True)
    rows = estimate_performance(both, buy(both, days_before=3), PARAMS)
    assert rows[["as_of", "ages", "n_rows"]].to_numpy().tolist() == [
        [MONDAY, "learned", 2],
        [MONDAY + 28 * DAY, "older", 2],
    ]


def test_an_item_of_just_the_largest_age_is_one_that_the_predictor_has_learned_from() -> None:
    predictions = predict([0.2, 0.8])
    for days, ages in ((30, "learned"), (30.01, "older")):
        assert estimate_performance(predictions, buy(predictions, days), PARAMS)["ages"].tolist() == [ages]


def test_the_intervals_hold_the_realized_values_of_calibrated_predictions() -> None:
    random, inside = np.random.default_rng(5), dict.fromkeys(EXPECTED_METRICS, 0)
    for number in range(40):
        predictions = many(400, seed=number)
        p = predictions["waste_probability"].to_numpy()
        (_, row), *_ = estimate_performance(predictions, buy(predictions), PARAMS).iterrows()
        realized = measure(count_scores(y_true=random.random(400) < p, probability=p), float(row["alert_from"]), 0.7)
        for name, estimate in read_estimates(row).items():
            assert estimate.low is not None
            assert estimate.high is not None
            inside[name] += estimate.low <= float(realized[name]) <= estimate.high
    assert min(inside.values()) >= 36


def test_too_few_households_have_no_interval() -> None:
    predictions = predict([0.2, 0.8] * 10)
    ((_, row),) = estimate_performance(predictions, buy(predictions), PARAMS).iterrows()
    assert all(estimate.low is None for estimate in read_estimates(row).values())


def test_the_order_of_the_rows_does_not_matter_and_no_input_is_changed() -> None:
    predictions, items = many(300), buy(many(300))
    before = predictions.copy(), items.copy()
    one = estimate_performance(predictions, items, PARAMS)
    other = estimate_performance(predictions.sample(frac=1, random_state=1), items.iloc[::-1], PARAMS)
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(predictions, before[0])
    pd.testing.assert_frame_equal(items, before[1])
