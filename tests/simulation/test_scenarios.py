"""Each scenario keeps its promise in the data, and the truth, which the oracle reads, knows of it."""

from functools import cache
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from waste_risk.errors import ContractError
from waste_risk.features import FEATURE_NAMES, build_features
from waste_risk.model.matrix import to_matrix
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.parameters import Cleaning, DataGeneration, Observation, Scenario, Split, Training, load
from waste_risk.reference import behaviour
from waste_risk.simulation import Tables, oracle_probability, simulate, simulate_consumption, simulate_shopping
from waste_risk.tables.checks import check_tables
from waste_risk.tables.contracts import check
from waste_risk.training.boosting import CLASSIFIER, fit_with_rounds
from waste_risk.training.splits import split_by_time

CONF = Path(__file__).parents[2] / "conf/base"
OBSERVATION = load(Observation, CONF / "parameters_data_engineering.yml")
SPLIT, TRAINING = (load(section, CONF / "parameters_training.yml") for section in (Split, Training))
SCENARIOS = get_args(Scenario)
CHOSEN = behaviour()["scenarios"]
STARTS, DAY = pd.Timestamp("2024-01-01"), pd.Timedelta(days=1)
LATE_FROM = STARTS + 0.75 * 540 * DAY


class Judged(NamedTuple):
    """A quick model and the oracle on a test window in time."""

    model: float
    oracle: float
    test: pd.DataFrame


@cache
def tables(scenario: Scenario) -> Tables:
    return simulate(300, 60, seed=11, scenario=scenario)


@cache
def judge(scenario: Scenario) -> Judged:
    source = tables(scenario)
    observations = observe_items(source.items, source.events, OBSERVATION)
    features = build_features(observations, source.households, source.items, source.events)
    until = latest_record(source.items, source.events)
    development, test = split_by_time(assemble_model_input(observations, features, source.households, until), SPLIT)
    X = to_matrix(development, FEATURE_NAMES)
    booster = fit_with_rounds(X, development, CLASSIFIER, TRAINING, FEATURE_NAMES, rounds=40)
    score = booster.predict(to_matrix(test, FEATURE_NAMES))
    oracle = oracle_probability(test, source.items, source.events, source.truth, OBSERVATION.horizon_days)
    test = test.assign(score=score, oracle=oracle["probability"])
    return Judged(roc_auc_score(test["wasted"], score), roc_auc_score(test["wasted"], test["oracle"]), test)


def wasted_in_the_end(scenario: Scenario, *, late: bool) -> float:
    source = tables(scenario)
    return source.truth.loc[(source.items["purchased_on"] >= LATE_FROM) == late, "wasted_in_the_end"].mean()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_table_keeps_the_contract_of_its_form(scenario: Scenario) -> None:
    for name, table in tables(scenario)._asdict().items():
        pd.testing.assert_frame_equal(check(name, table), table, check_dtype=name != "truth")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_household_is_the_same_alone_and_among_others(scenario: Scenario) -> None:
    source = tables(scenario)
    params = DataGeneration(
        n_households=300, n_items_per_household=60, seed=11, period_days=540, starts_on="2024-01-01", scenario=scenario
    )
    few = source.households.iloc[40:50].reset_index(drop=True)
    purchases = simulate_shopping(few, params)
    alone = (purchases, *simulate_consumption(few, source.habits, purchases, params))
    among = (source.purchases, source.items, source.events, source.truth)
    for table, whole in zip(alone, among, strict=True):
        part = whole[whole["household_id"].isin(few["household_id"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(table, part, check_exact=True)


def test_usual_is_what_there_is_without_a_scenario() -> None:
    for table, default in zip(tables("usual"), simulate(300, 60, seed=11), strict=True):
        pd.testing.assert_frame_equal(table, default, check_exact=True)


@pytest.mark.parametrize("scenario", ["usual", "drift", "noise", "new_households", "no_printed_dates"])
def test_the_truth_is_calibrated_and_no_model_beats_it(scenario: Scenario) -> None:
    judged = judge(scenario)
    error = np.sqrt((judged.test["oracle"] * (1 - judged.test["oracle"])).sum()) / len(judged.test)
    assert judged.test["wasted"].mean() == pytest.approx(judged.test["oracle"].mean(), abs=3 * error)
    assert judged.model < judged.oracle + 0.02


def test_drift_lets_more_go_to_waste_late_in_the_period_and_nothing_before() -> None:
    assert wasted_in_the_end("drift", late=False) == wasted_in_the_end("usual", late=False)
    assert wasted_in_the_end("drift", late=True) > wasted_in_the_end("usual", late=True) + 0.05


def test_a_model_from_before_the_drift_predicts_too_little() -> None:
    usual, drifted = (judge(scenario).test[["wasted", "score"]].mean() for scenario in ("usual", "drift"))
    assert usual["score"] == pytest.approx(usual["wasted"], abs=0.03)
    assert drifted["score"] < drifted["wasted"] - 0.05


def test_a_leak_sets_the_price_of_waste_and_the_model_passes_the_oracle() -> None:
    source = tables("leak")
    wasted = source.items["item_id"].isin(source.events.loc[source.events["kind"] == "wasted", "item_id"])
    assert set(source.items.loc[wasted, "unit_price"]) == {CHOSEN["leak"]["price"]}
    pd.testing.assert_frame_equal(source.items[~wasted], tables("usual").items[~wasted])
    assert judge("leak").model > judge("leak").oracle + 0.02


def test_noise_has_one_probability_for_all_and_teaches_nothing() -> None:
    judged = judge("noise")
    assert len(set(judged.test["oracle"])) == 1
    assert judged.model == pytest.approx(0.5, abs=0.05)


def test_noise_wastes_at_the_rate_of_the_two_clocks() -> None:
    use, spoil = 1 / CHOSEN["noise"]["use_days"], 1 / CHOSEN["noise"]["life_days"]
    assert tables("noise").truth["wasted_in_the_end"].mean() == pytest.approx(spoil / (use + spoil), abs=0.01)


def test_new_households_have_no_long_history_and_log_as_much_as_others() -> None:
    source = tables("new_households")
    joined = source.households.set_index("household_id")["joined_on"]
    stay = source.items["purchased_on"] - source.items["household_id"].map(joined)
    assert stay.min() >= 0 * DAY
    assert stay.max() < CHOSEN["new_households"]["stay_days"] * DAY
    assert len(source.items) / 300 == pytest.approx(60, rel=0.1)
    assert source.items["purchased_on"].max() > STARTS + 520 * DAY


def test_without_printed_dates_nothing_is_thrown_away_for_its_date() -> None:
    source = tables("no_printed_dates")
    assert source.items["expires_on"].isna().all()
    assert source.truth["date_discard_days"].isna().all()
    same = ["item_id", "portions", "pace", "life_days"]
    pd.testing.assert_frame_equal(source.truth[same], tables("usual").truth[same])
    assert source.truth["wasted_in_the_end"].mean() < tables("usual").truth["wasted_in_the_end"].mean()


def test_dirty_records_are_few_and_of_every_kind() -> None:
    source, clean = tables("dirty"), tables("usual")
    events = source.events.merge(source.items[["item_id", "quantity", "purchased_on"]], on="item_id", how="left")
    eaten = events[events["kind"] == "consumed"].groupby("item_id")["quantity_x"].sum()
    bought = source.items.set_index("item_id")["quantity"]
    doubled = source.events.duplicated(keep=False)
    flawed_items = {
        "expired before purchase": source.items.loc[
            source.items["expires_on"] < source.items["purchased_on"], "item_id"
        ],
        "used before purchase": events.loc[events["occurred_on"] < events["purchased_on"], "item_id"],
        "unknown": events.loc[events["purchased_on"].isna(), "item_id"],
        "more eaten than bought": pd.Series(eaten.index[eaten > 2 * bought.reindex(eaten.index)]),
        "recorded twice": source.events.loc[doubled, "item_id"],
    }
    share = CHOSEN["dirty"]["share_of_items_for_each"]
    for kind, ids in flawed_items.items():
        assert 0.3 * share < ids.nunique() / len(source.items) < 2 * share, kind
    pd.testing.assert_frame_equal(source.truth, clean.truth)
    touched = pd.concat(list(flawed_items.values())).abs()
    for table, other in ((source.items, clean.items), (source.events, clean.events)):
        untouched = (one[~one["item_id"].abs().isin(touched)].reset_index(drop=True) for one in (table, other))
        pd.testing.assert_frame_equal(*untouched)


def test_dirty_records_are_dropped_or_repaired_as_the_policy_says() -> None:
    source = tables("dirty")
    cleaning = load(Cleaning, CONF / "parameters_data_engineering.yml")
    *checked, counts = check_tables(source.households, source.items, source.events, cleaning)
    again = check_tables(*checked, cleaning)[-1]
    assert set(counts["dropped"]) | set(counts["repaired"]) >= {
        *("items_expiring_before_purchase", "items_eaten_more_than_bought", "events_of_unknown_items"),
        "duplicate_events",
    }
    assert not again["dropped"]
    assert not again["repaired"]


def test_dirty_records_are_refused_where_the_policy_says_so() -> None:
    source = tables("dirty")
    cleaning = load(Cleaning, CONF / "parameters_data_engineering.yml")
    strict = cleaning.model_copy(update={"events_of_unknown_items": "reject"})
    with pytest.raises(ContractError, match=r"events\.item_id: must be an item"):
        check_tables(source.households, source.items, source.events, strict)
