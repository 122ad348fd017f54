"""For any tables: neither the future nor the order of rows changes a feature by a bit."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from random_pantry import START, Pantry, random_pantry

from waste_risk.features import build_features

SEEDS = st.integers(0, 2**32 - 1)
PANTRIES = st.builds(
    random_pantry, SEEDS, n_households=st.integers(1, 5), n_items=st.integers(2, 60), n_events=st.integers(1, 150)
)
# Two hours, for moments within a day as well.
MOMENTS = st.integers(1, 12 * 150).map(lambda steps: pd.Timestamp(START) + pd.Timedelta(hours=2 * steps))
examples = settings(max_examples=40, derandomize=True)


def observe_everything(pantry: Pantry, moment: pd.Timestamp) -> pd.DataFrame:
    """Observe everything bought before the moment, open or not."""
    bought = pantry.items[pantry.items["purchased_on"] < moment]
    observations = bought[["item_id", "household_id"]].assign(observed_on=moment).reset_index(drop=True)
    return observations.astype({"observed_on": "datetime64[us]"})


@examples
@given(PANTRIES, MOMENTS, SEEDS)
def test_deleting_any_part_of_the_future_changes_no_feature(pantry: Pantry, moment: pd.Timestamp, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept = pantry._replace(
        items=pantry.items[(pantry.items["purchased_on"] < moment) | (rng.random(len(pantry.items)) < 0.5)],
        events=pantry.events[(pantry.events["occurred_on"] < moment) | (rng.random(len(pantry.events)) < 0.5)],
    )
    observations = observe_everything(pantry, moment)
    features, expected = (build_features(observations, *tables[1:]) for tables in (kept, pantry))
    assert_frame_equal(features, expected, check_exact=True)


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
    observations = observe_everything(pantry, moment)
    expected = build_features(observations, *pantry[1:])
    assert_frame_equal(build_features(observations, pantry.households, items, events), expected, check_exact=True)


@examples
@given(PANTRIES, SEEDS)
def test_shuffled_rows_have_the_same_features(pantry: Pantry, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = Pantry(*(table.take(rng.permutation(len(table))) for table in pantry))
    by_observation = ["item_id", "observed_on"]
    features, expected = (build_features(*tables).sort_values(by_observation) for tables in (shuffled, pantry))
    assert_frame_equal(features, expected.set_axis(features.index), check_exact=True)
