"""How many items must be left without an alert to see what alerts change."""

import numpy as np
import pandas as pd
import pytest
from predicted import DAY, MONDAY, PARAMS, buy, predict
from scipy.stats import norm

from waste_risk.monitoring.alert_effect import count_needed, plan_alert_effect
from waste_risk.monitoring.expected import name_ages


def plan(predictions: pd.DataFrame):
    return plan_alert_effect(predictions, name_ages(predictions, buy(predictions), PARAMS), PARAMS)


def test_the_number_is_that_of_a_test_of_two_shares() -> None:
    """Worked by hand: 0.5 against 0.45, nine alerted items for each other."""
    assert count_needed(0.5, PARAMS) == int(np.ceil(2.801585**2 * (0.25 + 0.2475 / 9) / 0.0025))


def test_so_many_items_show_the_effect_as_often_as_the_power_says() -> None:
    rate, changed, needed = 0.6, 0.54, count_needed(0.6, PARAMS)
    random = np.random.default_rng(1)
    others, alerted = (
        random.binomial(needed, rate, 4_000) / needed,
        random.binomial(9 * needed, changed, 4_000) / (9 * needed),
    )
    error = np.sqrt(others * (1 - others) / needed + alerted * (1 - alerted) / (9 * needed))
    assert np.mean(np.abs(others - alerted) / error > norm.ppf(0.975)) == pytest.approx(0.8, abs=0.03)


def test_rarer_waste_needs_more_items() -> None:
    assert count_needed(0.3, PARAMS) > count_needed(0.5, PARAMS) > count_needed(0.7, PARAMS)


def test_an_alert_that_is_repeated_counts_once() -> None:
    first, again = predict([0.9, 0.6, 0.1]), predict([0.9, 0.6, 0.1], as_of=MONDAY + 7 * DAY)
    again["alerted_on"] = first["alerted_on"]
    effect = plan(pd.concat([first, again], ignore_index=True))
    assert effect.expected_waste_rate == pytest.approx(0.75)
    assert effect.new_alerts_per_week == 1.0
    assert effect.weeks == effect.never_alerted_items * 10


def test_without_an_alert_there_is_nothing_to_plan() -> None:
    assert plan(predict([0.1, 0.2])) is None
