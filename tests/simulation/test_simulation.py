"""The simulated source: rates that are asked for, relations that must hold, bits that do not depend on neighbours."""

import numpy as np
import pandas as pd
import pytest

from waste_risk.parameters import DataGeneration
from waste_risk.reference import CATEGORIES, products, shelf_life
from waste_risk.simulation import Tables, simulate, simulate_consumption, simulate_households, simulate_shopping

RATES = {
    "dairy": 0.28,
    "produce": 0.38,
    "meat": 0.22,
    "grains": 0.12,
    "canned": 0.05,
    "frozen": 0.08,
    "beverages": 0.15,
}
PARAMS = DataGeneration(
    n_households=300,
    n_items_per_household=40,
    seed=3,
    period_days=365,
    starts_on="2023-06-15",
    scenario="usual",
)


@pytest.fixture(scope="module")
def default() -> Tables:
    return simulate()


@pytest.fixture(scope="module")
def outcomes(default: Tables) -> pd.DataFrame:
    wasted = default.events.loc[default.events["kind"] == "wasted", "item_id"]
    recorded = default.items["item_id"].isin(wasted)
    return default.items.assign(recorded=recorded, in_the_end=default.truth["wasted_in_the_end"])


def test_the_default_is_a_thousand_households_with_about_a_hundred_items_each(default: Tables) -> None:
    assert len(default.households) == 1_000
    assert len(default.items) == pytest.approx(100_000, rel=0.02)
    assert default.items["purchased_on"].min() >= pd.Timestamp("2024-01-01")
    assert default.items["purchased_on"].max() < pd.Timestamp("2024-01-01") + pd.Timedelta(days=540)


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_category_is_wasted_at_its_published_rate(outcomes: pd.DataFrame, category: str) -> None:
    rates = outcomes.loc[outcomes["category"] == category, ["recorded", "in_the_end"]].mean()
    assert rates["recorded"] == pytest.approx(RATES[category], abs=0.01)
    # What the period's end cuts off is waste too.
    assert rates["recorded"] < rates["in_the_end"] < rates["recorded"] + 0.03


def test_a_quarter_of_all_items_is_wasted(outcomes: pd.DataFrame) -> None:
    assert 0.24 <= outcomes["recorded"].mean() <= 0.25


def test_promotion_has_no_effect_on_waste(outcomes: pd.DataFrame) -> None:
    """The Mantel-Haenszel difference over products, in standard errors."""
    table = outcomes.pivot_table(values="recorded", index="product", columns="on_promotion", aggfunc=["mean", "size"])
    rate = outcomes.groupby("product")["recorded"].mean()
    weight = 1 / (1 / table["size"]).sum(axis=1)
    gap = ((table["mean"][True] - table["mean"][False]) * weight).sum()
    assert abs(gap) < 3 * np.sqrt((weight * rate * (1 - rate)).sum())


def test_a_larger_household_wastes_more_but_less_per_person(default: Tables, outcomes: pd.DataFrame) -> None:
    months = (pd.Timestamp("2025-06-24") - default.households["joined_on"]) / pd.Timedelta(days=30)
    wasted = outcomes[outcomes["recorded"]].groupby("household_id").size()
    rate = wasted.reindex(default.households["household_id"]).fillna(0).to_numpy() / months
    by_size = rate.groupby(default.households["size"].clip(1, 4)).mean()
    assert by_size[4] > by_size[1]
    assert (by_size / by_size.index).is_monotonic_decreasing


def test_every_item_is_eaten_up_or_thrown_away_to_the_last_thousandth(default: Tables) -> None:
    thousandths = (default.events["quantity"] * 1000).round().astype(np.int64)
    gone = thousandths.groupby(default.events["item_id"]).sum().reindex(default.items["item_id"], fill_value=0)
    bought = (default.items["quantity"] * 1000).round().astype(np.int64).to_numpy()
    assert (gone.to_numpy() <= bought).all()
    wasted = default.events.loc[default.events["kind"] == "wasted", "item_id"]
    assert (gone[wasted].to_numpy() == pd.Series(bought, default.items["item_id"])[wasted]).all()


def test_events_keep_the_order_of_life(default: Tables) -> None:
    events = default.events.assign(rank=default.events["kind"].map({"opened": 0, "consumed": 1, "wasted": 2}))
    pd.testing.assert_frame_equal(
        events.sort_values(["item_id", "occurred_on", "rank"], ignore_index=True), events, check_like=True
    )
    assert events.loc[events["kind"] == "opened", "item_id"].is_unique
    assert events.loc[events["kind"] == "wasted", "item_id"].is_unique
    assert events["occurred_on"].max() < pd.Timestamp("2024-01-01") + pd.Timedelta(days=540)


def test_the_same_seed_gives_the_same_tables_and_another_seed_others() -> None:
    first, again, other = (simulate(30, 20, seed=seed) for seed in (1, 1, 2))
    for name in Tables._fields:
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name))
    assert not first.truth["pace"].head(20).equals(other.truth["pace"].head(20))


def test_a_household_is_the_same_alone_and_among_others() -> None:
    households, habits = simulate_households(PARAMS)
    few, few_habits = simulate_households(PARAMS.model_copy(update={"n_households": 50}))
    pd.testing.assert_frame_equal(households.head(50), few)
    purchases = simulate_shopping(households, PARAMS)
    whole = (purchases, *simulate_consumption(households, habits, purchases, PARAMS))
    parts = []
    for part in (households.iloc[:1], households.iloc[1:130], households.iloc[130:]):
        bought = simulate_shopping(part, PARAMS)
        parts.append((bought, *simulate_consumption(part, habits, bought, PARAMS)))
    for table, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        pd.testing.assert_frame_equal(table, pd.concat(pieces, ignore_index=True), check_exact=True)
    assert habits.head(len(few_habits)).equals(few_habits)


def test_the_order_of_the_purchases_does_not_matter() -> None:
    households, habits = simulate_households(PARAMS)
    purchases = simulate_shopping(households, PARAMS)
    shuffled = purchases.sample(frac=1, random_state=0).reset_index(drop=True)
    for table, other in zip(
        simulate_consumption(households, habits, purchases, PARAMS),
        simulate_consumption(households, habits, shuffled, PARAMS),
        strict=True,
    ):
        keys = [name for name in ("item_id", "occurred_on", "kind", "quantity") if name in table]
        left, right = (one.sort_values(keys, ignore_index=True) for one in (table, other))
        pd.testing.assert_frame_equal(left, right, check_exact=True)


def test_a_printed_date_moves_behaviour(default: Tables) -> None:
    wasted = default.events[default.events["kind"] == "wasted"].merge(default.items, on="item_id")
    days = (wasted["occurred_on"].dt.floor("D") - wasted["expires_on"]) / pd.Timedelta(days=1)
    around = days[days.between(-3, 5)].value_counts()
    assert around.idxmax() == 1
    assert around[1] > 1.5 * around[0]


def test_meat_may_be_frozen_at_home_and_then_keeps(outcomes: pd.DataFrame) -> None:
    meat = outcomes[outcomes["category"] == "meat"]
    frozen = meat["storage"] == "freezer"
    assert 0.2 < frozen.mean() < 0.4
    assert meat.loc[frozen, "recorded"].mean() < 0.5 * meat.loc[~frozen, "recorded"].mean()


def test_freezing_is_a_habit_of_the_household(default: Tables) -> None:
    """Shares of households that bought much meat scatter far more than coins that all fall alike."""
    meat = default.items[default.items["category"] == "meat"]
    frozen = (meat["storage"] == "freezer").groupby(meat["household_id"]).agg(["mean", "size"])
    frozen = frozen[frozen["size"] >= 10]
    by_chance = frozen["mean"].mean() * (1 - frozen["mean"].mean()) / frozen["size"].mean()
    assert frozen["mean"].var() > 2 * by_chance
    assert len(frozen) > 500


def test_a_households_habits_differ_from_seed_to_seed() -> None:
    first, other = (simulate(200, 100, seed=seed).items for seed in (1, 2))
    shares = [
        (meat["storage"] == "freezer").groupby(meat["household_id"]).mean()
        for meat in (items[items["category"] == "meat"] for items in (first, other))
    ]
    assert abs(shares[0].corr(shares[1])) < 0.25


def test_no_purchases_give_empty_tables_with_the_same_columns(default: Tables) -> None:
    households, habits = simulate_households(PARAMS)
    tables = simulate_consumption(households, habits, default.purchases.iloc[:0], PARAMS)
    for table, full in zip(tables, (default.items, default.events, default.truth), strict=True):
        assert len(table) == 0
        pd.testing.assert_series_equal(table.dtypes, full.dtypes)


def test_every_product_has_a_life_and_every_category_a_product() -> None:
    table = products()
    assert set(table["category"]) == set(CATEGORIES)
    assert (table["life_min_days"] > 0).all()
    assert (table["life_max_days"] >= table["life_min_days"]).all()
    lives = shelf_life()
    assert not lives.duplicated(["product", "storage"]).any()
    assert lives["life_days"].notna().all()


def test_a_date_of_joining_far_off_adds_no_trip_outside_of_the_period() -> None:
    households, _ = simulate_households(PARAMS)
    far = households.assign(joined_on=np.resize(pd.to_datetime(["2000-01-01", "2099-12-31"]), len(households)))
    bought = simulate_shopping(far, PARAMS)
    assert set(bought["household_id"]) <= set(households["household_id"].iloc[::2])
    start = pd.Timestamp(PARAMS.starts_on)
    assert bought["purchased_on"].between(start, start + pd.Timedelta(days=PARAMS.period_days)).all()
