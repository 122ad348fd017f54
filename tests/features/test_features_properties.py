"""For any tables: the future, the order of rows and other households change no feature or simulated item by a bit."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from random_pantry import START, Pantry, random_pantry

from waste_risk.features import build_features
from waste_risk.observations.observe import observe_items, open_items
from waste_risk.parameters import DataGeneration, Observation
from waste_risk.partitions import PER_HOUSEHOLD
from waste_risk.simulation import simulate_consumption, simulate_households, simulate_shopping

SEEDS = st.integers(0, 2**32 - 1)
PANTRIES = st.builds(
    random_pantry, SEEDS, n_households=st.integers(1, 5), n_items=st.integers(2, 60), n_events=st.integers(1, 150)
)
# Two hours, for moments within a day as well.
MOMENTS = st.integers(1, 12 * 150).map(lambda steps: pd.Timestamp(START) + pd.Timedelta(hours=2 * steps))
examples = settings(max_examples=40, derandomize=True)


def looks_at(pantry: Pantry, moment: pd.Timestamp) -> pd.DataFrame:
    """Look at everything bought before the moment, open or not."""
    bought = pantry.items[pantry.items["purchased_on"] < moment]
    looks = bought[["item_id", "household_id"]].assign(observed_on=moment).reset_index(drop=True)
    return looks.astype({"observed_on": "datetime64[us]"})


@examples
@given(PANTRIES, MOMENTS, SEEDS)
def test_deleting_any_part_of_the_future_changes_no_feature(pantry: Pantry, moment: pd.Timestamp, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept = pantry._replace(
        items=pantry.items[(pantry.items["purchased_on"] < moment) | (rng.random(len(pantry.items)) < 0.5)],
        events=pantry.events[(pantry.events["occurred_on"] < moment) | (rng.random(len(pantry.events)) < 0.5)],
    )
    looks = looks_at(pantry, moment)
    assert_frame_equal(build_features(looks, *kept[1:]), build_features(looks, *pantry[1:]), check_exact=True)


@examples
@given(PANTRIES, MOMENTS, SEEDS)
def test_altering_the_future_in_any_way_changes_no_feature(pantry: Pantry, moment: pd.Timestamp, seed: int) -> None:
    """What follows is put into the place of the rows of another table's future, at the moment itself or later."""
    rng = np.random.default_rng(seed)
    other = random_pantry(seed, n_households=5, n_items=len(pantry.items), n_events=len(pantry.events))
    items, events = pantry.items.copy(), pantry.events.copy()
    bought, happened = items["purchased_on"] >= moment, events["occurred_on"] >= moment
    altered = ["household_id", "product", "category", "quantity", "unit_price", "on_promotion", "storage", "expires_on"]
    items.loc[bought, altered] = other.items.loc[bought, altered]
    items.loc[bought, "purchased_on"] = moment + pd.to_timedelta(rng.integers(0, 3, bought.sum()), "D")
    events.loc[happened, ["kind", "quantity"]] = other.events.loc[happened, ["kind", "quantity"]]
    events.loc[happened, "item_id"] = rng.choice(items["item_id"], happened.sum())
    events.loc[happened, "occurred_on"] = moment + pd.to_timedelta(rng.integers(0, 3, happened.sum()), "D")
    looks = looks_at(pantry, moment)
    expected = build_features(looks, *pantry[1:])
    assert_frame_equal(build_features(looks, pantry.households, items, events), expected, check_exact=True)


@examples
@given(PANTRIES, SEEDS)
def test_shuffled_rows_have_the_same_features(pantry: Pantry, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = Pantry(*(table.take(rng.permutation(len(table))) for table in pantry))
    by_look = ["item_id", "observed_on"]
    features, expected = (build_features(*tables).sort_values(by_look) for tables in (shuffled, pantry))
    assert_frame_equal(features, expected.set_axis(features.index), check_exact=True)


def arguments(function: Any, seed: int) -> tuple[list[Any], list[Any]]:
    """Tables and other arguments for a function that works household by household."""
    params = DataGeneration(
        n_households=12, n_items_per_household=25, seed=seed, period_days=180, starts_on=_STARTS_ON, scenario="usual"
    )
    households, habits = simulate_households(params)
    if function is simulate_shopping:
        return [households], [params]
    purchases = simulate_shopping(households, params)
    if function is simulate_consumption:
        return [households, habits, purchases], [params]
    items, events, _ = simulate_consumption(households, habits, purchases, params)
    moment = pd.Timestamp("2024-03-15")
    if function is observe_items:
        return [items, events], [Observation(horizon_days=30, max_age_days=30, per_item=2), moment]
    if function is open_items:
        return [items, events], [moment]
    assert function is build_features, "a function per household that has no arguments here"
    return [open_items(items, events, moment), households, items, events], []


_STARTS_ON = pd.Timestamp("2024-01-01").date()


@pytest.mark.parametrize("function", PER_HOUSEHOLD, ids=lambda function: function.__name__)
@settings(max_examples=8, derandomize=True)
@given(seed=st.integers(0, 2**31 - 1), part_of=st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_households_in_parts_give_what_all_give_at_once(function: Any, seed: int, part_of: list[int]) -> None:
    tables, others = arguments(function, seed)
    part_of_household = pd.Series(part_of, index=range(1, 13))
    whole = as_tuple(function(*tables, *others))
    parts = [
        as_tuple(function(*(table[table["household_id"].map(part_of_household) == part] for table in tables), *others))
        for part in sorted(set(part_of))
    ]
    for table, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        together = pd.concat(pieces, ignore_index=True)
        keys = [name for name in ("item_id", "observed_on", "occurred_on", "kind", "quantity") if name in table]
        expected, joined = (one.sort_values(keys, ignore_index=True) for one in (table, together))
        assert_frame_equal(joined, expected, check_exact=True)


def test_what_is_promised_to_work_in_parts_is_tested_in_parts() -> None:
    promised = {simulate_shopping, simulate_consumption, observe_items, open_items, build_features}
    assert promised <= set(PER_HOUSEHOLD)


def as_tuple(result: Any) -> tuple[pd.DataFrame, ...]:
    return result if isinstance(result, tuple) else (result,)
