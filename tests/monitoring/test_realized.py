"""What became of predicted items, beside what was expected of them."""

import numpy as np
import pandas as pd
import pytest
from predicted import DAY, MONDAY, PARAMS, buy, predict, waste

from waste_risk.errors import ContractError
from waste_risk.monitoring.expected import estimate_performance
from waste_risk.monitoring.realized import (
    choose_weekly,
    leave_out_hindsight,
    match_outcomes,
    measure_groups,
    measure_recent,
    measure_weeks,
)
from waste_risk.tables.contracts import empty_table

SUNDAY = MONDAY + 6 * DAY


def drawn(n_weeks: int, *, shift: float = 0.0, n_rows: int = 2_000) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Predictions of so many weeks, their items, and events in which a share of the probability, shifted, is wasted."""
    random, tables, events = np.random.default_rng(3), [], []
    for week in range(n_weeks):
        as_of = MONDAY + 7 * week * DAY
        tables.append(predict(list(random.uniform(0.1, 0.9, n_rows)), as_of=as_of, first_item=week * n_rows))
        is_wasted = random.random(n_rows) < tables[-1]["waste_probability"] + shift
        events.append(waste(tables[-1].loc[is_wasted, "item_id"].tolist(), as_of + 5 * DAY))
    predictions = pd.concat(tables, ignore_index=True)
    return predictions, buy(predictions), pd.concat(events, ignore_index=True)


def test_of_a_week_and_predictor_the_newest_moment_counts() -> None:
    moments = [predict([0.5], as_of=at) for at in (MONDAY, SUNDAY, SUNDAY + DAY)]
    other = predict([0.7], as_of=MONDAY, version="2")
    chosen = choose_weekly(pd.concat([*moments, other], ignore_index=True))
    assert sorted(zip(chosen["model_version"], chosen["as_of"], chosen["week"], strict=True)) == [
        ("1", SUNDAY, MONDAY),
        ("1", SUNDAY + DAY, SUNDAY + DAY),
        ("2", MONDAY, MONDAY),
    ]


def test_waste_counts_from_the_moment_on_for_the_horizon() -> None:
    predictions = predict([0.5, 0.5, 0.5])
    events = pd.concat([waste([0], MONDAY), waste([1], MONDAY + 30 * DAY), waste([2], MONDAY - DAY)])
    outcomes = match_outcomes(predictions, buy(predictions), events, 30, PARAMS)
    assert outcomes["wasted"].tolist() == [True, False, False]
    assert outcomes["is_mature"].all()


def test_labels_are_mature_when_the_horizon_lies_within_the_record() -> None:
    predictions = predict([0.5])
    for end, is_mature in ((30 * DAY, True), (30 * DAY - pd.Timedelta(seconds=1), False)):
        outcomes = match_outcomes(predictions, buy(predictions), waste([0], MONDAY + end), 30, PARAMS)
        assert outcomes["is_mature"].tolist() == [is_mature]


def test_predictions_of_items_that_are_gone_are_left_out() -> None:
    predictions = predict([0.5, 0.6])
    outcomes = match_outcomes(predictions, buy(predictions).iloc[1:], waste([1], MONDAY), 30, PARAMS)
    assert outcomes["item_id"].tolist() == [1]


def test_expected_and_realized_stand_beside_each_other() -> None:
    predictions, items, events = drawn(3)
    expected = estimate_performance(predictions, items, PARAMS)
    outcomes = match_outcomes(predictions, items, events, 14, PARAMS)
    *mature, last = measure_weeks(outcomes, expected, PARAMS)
    assert [week.number for week in (*mature, last)] == [0, 1, 2]
    assert last.realized is None
    for number, week in enumerate(mature[:1]):
        rows = outcomes[outcomes["as_of"] == MONDAY + 7 * number * DAY]
        assert week.realized is not None
        assert week.realized.metrics["base_rate"] == pytest.approx(rows["wasted"].mean())
        assert week.realized.metrics["precision"] == pytest.approx(rows.loc[rows["is_alert"], "wasted"].mean())
        gap = rows["waste_probability"].mean() - rows["wasted"].mean()
        assert week.realized.calibration_in_the_large.value == pytest.approx(gap)
        assert week.unexpected == []


def test_what_lies_outside_of_the_interval_is_named() -> None:
    predictions, items, events = drawn(1, shift=0.1)
    later = pd.concat([events, waste([0], MONDAY + 60 * DAY)])
    expected = estimate_performance(predictions, items, PARAMS)
    (week,) = measure_weeks(match_outcomes(predictions, items, later, 30, PARAMS), expected, PARAMS)
    assert {"base_rate", "precision"} <= set(week.unexpected)


def test_a_moment_without_an_estimate_is_refused_in_one_line() -> None:
    predictions, items, events = drawn(1)
    outcomes = match_outcomes(predictions, items, events, 30, PARAMS)
    with pytest.raises(ContractError, match=r"expected_performance: has no estimate for the predictions of 2024-06-03"):
        measure_weeks(outcomes, empty_table("expected_performance"), PARAMS)


@pytest.mark.parametrize("shift", [-0.05, 0.0, 0.05])
def test_the_newest_mature_weeks_are_evaluated_together(shift: float) -> None:
    predictions, items, events = drawn(7, shift=shift)
    recent = measure_recent(match_outcomes(predictions, items, events, 7, PARAMS), PARAMS)
    assert recent is not None
    assert (recent.n_weeks, recent.n_rows) == (4, 8_000)
    assert recent.last_as_of[:10] == "2024-07-08"  # the week after it is not mature
    assert recent.gap.value == pytest.approx(-shift, abs=0.012)
    assert recent.gap.low < recent.gap.value < recent.gap.high  # type: ignore[operator]


def test_the_excess_is_the_realized_less_the_expected_log_loss() -> None:
    predictions, items, events = drawn(1, shift=0.05)
    later = pd.concat([events, waste([0], MONDAY + 60 * DAY)])
    outcomes = match_outcomes(predictions, items, later, 30, PARAMS)
    p, y = outcomes["waste_probability"], outcomes["wasted"]
    realized, expected = (-np.mean(t * np.log(p) + (1 - t) * np.log1p(-p)) for t in (y, p))
    recent = measure_recent(outcomes, PARAMS)
    assert recent is not None
    assert recent.log_loss_excess.value == pytest.approx(realized - expected)


def test_a_probability_of_0_that_comes_true_makes_no_infinite_number() -> None:
    predictions = predict([0.0, 1.0] * 100)
    later = waste([0], MONDAY + 60 * DAY)
    outcomes = match_outcomes(predictions, buy(predictions), later, 90, PARAMS).assign(is_mature=True)
    recent = measure_recent(outcomes, PARAMS)
    assert recent is not None
    assert np.isfinite(recent.log_loss_excess.value)


def test_nothing_is_recent_before_a_week_is_mature() -> None:
    predictions = predict([0.5])
    assert measure_recent(match_outcomes(predictions, buy(predictions), waste([0], MONDAY), 30, PARAMS), PARAMS) is None


def test_alerted_items_others_and_older_ones_stand_apart() -> None:
    predictions = predict([0.9, 0.8, 0.2, 0.6])
    items = buy(predictions).assign(
        purchased_on=lambda frame: frame["purchased_on"] - [0 * DAY, 0 * DAY, 0 * DAY, 40 * DAY]
    )
    events = pd.concat([waste([0], MONDAY + DAY), waste([3], MONDAY + 60 * DAY)])
    groups = measure_groups(match_outcomes(predictions, items, events, 30, PARAMS), PARAMS)
    assert [(group.name, group.n_rows, group.base_rate) for group in groups] == [
        ("alerted", 2, 0.5),
        ("not alerted", 1, 0.0),
        ("older", 1, 0.0),
    ]
    assert groups[0].gap.value == pytest.approx(0.35)


def test_an_item_that_was_alerted_once_stays_alerted() -> None:
    before, now = predict([0.9]), predict([0.1], as_of=MONDAY + 7 * DAY)
    now["alerted_on"] = before["alerted_on"]
    both = pd.concat([before, now], ignore_index=True)
    outcomes = match_outcomes(both, buy(both), waste([0], MONDAY + 60 * DAY), 30, PARAMS)
    assert [(group.name, group.n_rows) for group in measure_groups(outcomes, PARAMS)] == [("alerted", 2)]


def test_what_a_predictor_could_know_is_left_out_and_that_of_others_is_not() -> None:
    early, late = predict([0.5]), predict([0.5], as_of=MONDAY + 10 * DAY)
    other = predict([0.5], version="2")
    kept = leave_out_hindsight(pd.concat([early, late, other]), "1" * 64, MONDAY + 10 * DAY)
    assert list(zip(kept["model_version"], kept["as_of"], strict=True)) == [("1", MONDAY + 10 * DAY), ("2", MONDAY)]


@pytest.mark.parametrize(
    ("predictions", "told"),
    [(empty_table("predictions"), "there are none yet; run kedro run"), (predict([0.5]), "all are of moments before")],
)
def test_without_predictions_to_follow_one_line_says_what_to_do(predictions: pd.DataFrame, told: str) -> None:
    with pytest.raises(ContractError, match=f"^predictions: {told}"):
        leave_out_hindsight(predictions, "1" * 64, MONDAY + DAY)
