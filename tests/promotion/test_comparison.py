"""Two predictors on the same rows."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from waste_risk.errors import ContractError
from waste_risk.metrics import Estimate, bootstrap
from waste_risk.parameters import Promotion, load
from waste_risk.promotion import Contender, compare

PARAMS = load(Promotion, Path(__file__).parents[2] / "conf/base/parameters_promotion.yml").model_copy(
    update={"n_resamples": 100, "confidence": 0.9}
)


def draw(n_households=40, per_household=6, seed=0):
    """Rows of a true probability, with that probability in log-odds."""
    random = np.random.default_rng(seed)
    n_rows = n_households * per_household
    log_odds = random.normal(-1, 1.5, n_rows)
    observed_on = pd.Timestamp("2024-06-01") + pd.to_timedelta(random.integers(0, 90, n_rows), unit="D")
    rows = pd.DataFrame(
        {
            "item_id": np.arange(n_rows),
            "household_id": np.repeat([f"h{number}" for number in range(n_households)], per_household),
            "observed_on": observed_on,
            "label_known_on": observed_on + pd.Timedelta(days=30),
            "wasted": random.random(n_rows) < expit(log_odds),
        }
    )
    return rows, log_odds


def contender(probability, name="a", **changes):
    made = Contender(
        sha256=name * 64,
        source="simulated",
        horizon_days=30,
        feature_names=("life_used", "days_left"),
        observed_until="2024-04-30",
        probability=probability,
    )
    return replace(made, **changes)


ROWS, LOG_ODDS = draw()
NOISE = np.random.default_rng(1).normal(0, 1, len(ROWS))
GOOD, WORSE = contender(expit(LOG_ODDS), "a"), contender(expit(LOG_ODDS + NOISE), "b")


def test_the_gains_are_the_differences_of_what_scikit_learn_measures():
    comparison = compare(WORSE, GOOD, ROWS, PARAMS)
    loss = {each.sha256[0]: log_loss(ROWS["wasted"], each.probability) for each in (GOOD, WORSE)}
    auc = {each.sha256[0]: roc_auc_score(ROWS["wasted"], each.probability) for each in (GOOD, WORSE)}
    assert comparison.log_loss_gain.value == pytest.approx(loss["b"] - loss["a"])
    assert comparison.auc_gain.value == pytest.approx(auc["a"] - auc["b"])
    assert comparison.champion.log_loss.value == pytest.approx(loss["b"])
    assert comparison.challenger.auc.value == pytest.approx(auc["a"])
    gap = np.mean(WORSE.probability) - ROWS["wasted"].mean()
    assert comparison.champion.calibration_in_the_large.value == pytest.approx(gap)


def test_the_interval_resamples_whole_households_and_is_that_of_the_difference_within_each_row():
    wasted = ROWS["wasted"].to_numpy()
    losses = [-np.where(wasted, np.log(each.probability), np.log1p(-each.probability)) for each in (WORSE, GOOD)]
    gains = pd.Series(losses[0] - losses[1]).groupby(ROWS["household_id"], sort=True).agg(["sum", "size"]).to_numpy()
    expected = bootstrap(
        lambda weights: {"gain": (weights @ gains[:, 0]) / (weights @ gains[:, 1])},
        n_households=40,
        n_resamples=100,
        confidence=0.9,
        seed=PARAMS.seed,
        n_at_once=1_000,
    )["gain"]
    gain = compare(WORSE, GOOD, ROWS, PARAMS).log_loss_gain
    assert (gain.low, gain.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_what_was_compared_is_on_record():
    comparison = compare(WORSE, GOOD, ROWS, PARAMS)
    assert (comparison.champion_sha256, comparison.challenger_sha256) == ("b" * 64, "a" * 64)
    assert (comparison.n_rows, comparison.n_households, comparison.confidence) == (240, 40, 0.9)
    assert comparison.observed_from == f"{ROWS['observed_on'].min():%Y-%m-%d}"
    assert comparison.observed_until == f"{ROWS['observed_on'].max():%Y-%m-%d}"
    plain = json.loads(json.dumps(comparison.to_dict()))
    assert plain["log_loss_gain"]["low"] == comparison.log_loss_gain.low
    assert plain["champion"]["auc"]["value"] == comparison.champion.auc.value


def test_the_hash_of_the_rows_changes_with_an_outcome_and_not_with_what_is_compared():
    changed = ROWS.assign(wasted=[not ROWS["wasted"][0], *ROWS["wasted"][1:]])
    hashes = [compare(*pair, rows, PARAMS).rows_sha256 for pair, rows in (
        ((GOOD, WORSE), ROWS), ((WORSE, GOOD), ROWS), ((GOOD, WORSE), changed)
    )]  # fmt: skip
    assert hashes[0] == hashes[1] != hashes[2]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000), noise=st.floats(0.05, 2))
def test_swapped_roles_turn_the_sign_of_the_gain(seed, noise):
    rows, log_odds = draw(seed=seed)
    other = contender(expit(log_odds + noise * NOISE), "b")
    best = contender(expit(log_odds), "a")
    one, two = compare(best, other, rows, PARAMS), compare(other, best, rows, PARAMS)
    for name in ("log_loss_gain", "auc_gain"):
        forth, back = getattr(one, name), getattr(two, name)
        assert (forth.value, forth.low, forth.high) == (
            pytest.approx(-back.value), pytest.approx(-back.high), pytest.approx(-back.low)
        )  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_equal_predictions_gain_exactly_nothing(seed):
    rows, log_odds = draw(seed=seed)
    comparison = compare(contender(expit(log_odds), "a"), contender(expit(log_odds), "b"), rows, PARAMS)
    assert comparison.log_loss_gain == comparison.auc_gain == Estimate(0.0, 0.0, 0.0)


def test_the_order_of_the_rows_does_not_matter():
    order = np.random.default_rng(2).permutation(len(ROWS))
    moved = [replace(each, probability=np.asarray(each.probability)[order]) for each in (WORSE, GOOD)]
    one, two = compare(WORSE, GOOD, ROWS, PARAMS), compare(*moved, ROWS.iloc[order], PARAMS)
    assert two.log_loss_gain.low == pytest.approx(one.log_loss_gain.low)
    assert two.rows_sha256 == one.rows_sha256


def test_a_comparison_changes_nothing_and_gives_the_same_again():
    rows = ROWS.copy()
    assert compare(WORSE, GOOD, rows, PARAMS) == compare(WORSE, GOOD, rows, PARAMS)
    pd.testing.assert_frame_equal(rows, ROWS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "receipts"}, "trained on the sources simulated and receipts"),
        ({"horizon_days": 14}, "horizons of 30 and 14 days"),
        ({"feature_names": ("life_used", "price")}, r"they read different features \(days_left, price\)"),
        ({"feature_names": ("days_left", "life_used")}, r"they read different features \(in another order\)"),
    ],
)
def test_predictors_of_different_kinds_are_not_compared(changes, message):
    with pytest.raises(ContractError, match=message) as refused:
        compare(GOOD, replace(WORSE, **changes), ROWS, PARAMS)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("learnt_late", ["champion", "challenger"])
def test_rows_that_either_predictor_may_have_learnt_from_are_refused(learnt_late):
    first = ROWS["observed_on"].min()
    pair = {"champion": GOOD, "challenger": WORSE}
    until = {days: f"{first - pd.Timedelta(days=days):%Y-%m-%d}" for days in (29, 30)}
    pair[learnt_late] = replace(pair[learnt_late], observed_until=until[30])
    assert compare(**pair, rows=ROWS, params=PARAMS).n_rows == len(ROWS)
    pair[learnt_late] = replace(pair[learnt_late], observed_until=until[29])
    n_early = (ROWS["observed_on"] == first).sum()
    with pytest.raises(ContractError, match=rf"were known \({n_early} of 240 rows\)"):
        compare(**pair, rows=ROWS, params=PARAMS)


def test_labels_of_another_horizon_are_refused():
    rows = ROWS.assign(label_known_on=ROWS["observed_on"] + pd.Timedelta(days=14))
    with pytest.raises(ContractError, match=r"must lie 30 days after observed_on.*\(240 of 240 rows\)"):
        compare(GOOD, WORSE, rows, PARAMS)


def test_too_few_households_for_an_interval_are_refused():
    rows, log_odds = draw(n_households=19)
    rows["wasted"] = np.arange(len(rows)) % 2 == 0
    pair = [contender(expit(log_odds), name) for name in "ab"]
    with pytest.raises(ContractError, match="at least 20 households .* there are 19 of the rarer kind"):
        compare(*pair, rows, PARAMS)


def test_a_row_without_a_label_or_with_an_impossible_probability_is_refused():
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        compare(GOOD, WORSE, ROWS.assign(wasted=np.nan), PARAMS)
    with pytest.raises(ValueError, match="challenger is missing or outside"):
        compare(GOOD, replace(WORSE, probability=np.full(len(ROWS), 1.5)), ROWS, PARAMS)


@pytest.mark.parametrize(
    ("promised", "decayed"),
    [
        (None, False),
        (Estimate(0.1, 0.05, 0.15), True),
        (Estimate(0.1), True),
        (Estimate(0.1, 0.05, 5.0), False),
        (Estimate(5.0), False),
    ],
)
def test_the_champion_has_decayed_if_its_log_loss_lies_above_the_promise_beyond_both_intervals(promised, decayed):
    comparison = compare(replace(WORSE, promised_log_loss=promised), GOOD, ROWS, PARAMS)
    assert comparison.champion_decayed is decayed
