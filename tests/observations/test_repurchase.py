"""Whether a category is bought again: features are what was bought before the moment, the label what follows."""

import numpy as np
import pandas as pd
import pytest

from waste_risk.observations.repurchase import PAST_DAYS, observe_repurchases
from waste_risk.parameters import Observation
from waste_risk.simulation import simulate

OBSERVATION = Observation(horizon_days=30, max_age_days=30, per_item=1)
TABLES = simulate(n_households=30, n_items_per_household=80, seed=12)
PURCHASES, HOUSEHOLDS = TABLES.purchases, TABLES.households
KEYS = ["item_id", "household_id", "observed_on"]
LABELS = ["bought_again", "days_to_purchase"]


@pytest.fixture(scope="module")
def observed() -> pd.DataFrame:
    return observe_repurchases(PURCHASES, HOUSEHOLDS, OBSERVATION)


def test_labels_and_counts_are_those_of_a_plain_count(observed: pd.DataFrame) -> None:
    last = PURCHASES["purchased_on"].max().floor("D")
    assert len(observed) > 500
    for row in observed.iloc[::23].itertuples():
        own = PURCHASES[PURCHASES["household_id"] == row.household_id]
        own = own[own["category"] == row.category]
        days = (own["purchased_on"] - row.observed_on) / pd.Timedelta(days=1)
        later, past = days[(days >= 0) & (days < 30)], days[(days < 0) & (days >= -PAST_DAYS)]
        assert row.lines_90d == len(past) > 0
        assert row.days_since_bought == pytest.approx(-past.max(), abs=0.001)
        if row.observed_on + pd.Timedelta(days=30) > last:
            assert pd.isna(row.bought_again)
            assert np.isnan(row.days_to_purchase)
        else:
            assert row.bought_again == (len(later) > 0)
            assert row.days_to_purchase == pytest.approx(later.min(), abs=0.001, nan_ok=True)


def test_a_deleted_future_changes_no_feature(observed: pd.DataFrame) -> None:
    moment = observed["observed_on"].sort_values().iloc[len(observed) // 2]
    known = PURCHASES[PURCHASES["purchased_on"] < moment]
    again = observe_repurchases(known, HOUSEHOLDS, OBSERVATION).drop(columns=LABELS)
    earlier = observed[observed["observed_on"] < moment].drop(columns=LABELS)
    both = earlier.merge(again[KEYS], on=KEYS)
    assert len(both) == len(earlier) > 100
    pd.testing.assert_frame_equal(
        again.merge(earlier[KEYS], on=KEYS).sort_values(KEYS, ignore_index=True),
        earlier.sort_values(KEYS, ignore_index=True),
    )


def test_observations_of_a_category_are_a_horizon_apart_and_have_all_of_the_past(observed: pd.DataFrame) -> None:
    first = PURCHASES["purchased_on"].min().floor("D")
    assert observed["observed_on"].min() >= first + pd.Timedelta(days=PAST_DAYS)
    gaps = observed.sort_values(KEYS)["observed_on"].groupby(observed["item_id"]).diff().dropna()
    assert (gaps % pd.Timedelta(days=30) == pd.Timedelta(0)).all()
    assert (gaps > pd.Timedelta(0)).all()


def test_a_household_alone_is_observed_as_among_others(observed: pd.DataFrame) -> None:
    one = HOUSEHOLDS.iloc[[4]]
    own = PURCHASES[PURCHASES["household_id"].isin(one["household_id"])]
    bounds = PURCHASES[
        PURCHASES["purchased_on"].isin([PURCHASES["purchased_on"].min(), PURCHASES["purchased_on"].max()])
    ]
    few = HOUSEHOLDS[HOUSEHOLDS["household_id"].isin([*one["household_id"], *bounds["household_id"]])]
    alone = observe_repurchases(pd.concat([own, bounds]).drop_duplicates(), few, OBSERVATION)
    pick = one["household_id"].iloc[0]
    pd.testing.assert_frame_equal(
        alone[alone["household_id"] == pick].reset_index(drop=True),
        observed[observed["household_id"] == pick].reset_index(drop=True),
    )
