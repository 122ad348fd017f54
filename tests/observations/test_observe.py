"""Observed items: their age does not depend on the outcome, their label is known when it says."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from changed_source import run_changed
from pandas.testing import assert_frame_equal
from random_pantry import Pantry, random_pantry

from waste_risk.errors import ContractError
from waste_risk.features import build_features
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import label_items, latest_record, observe_items, open_items
from waste_risk.parameters import Observation, ObservedPeriod

ONCE = Observation(horizon_days=30, max_age_days=30, per_item=1)
FAR = pd.Timestamp("2030-01-01")
NO_EVENTS = pd.DataFrame(
    {
        "item_id": pd.Series(dtype="int64"),
        "household_id": pd.Series(dtype="int64"),
        "kind": pd.Series(dtype="str"),
        "quantity": pd.Series(dtype="float64"),
        "occurred_on": pd.Series(dtype="datetime64[us]"),
    }
)


def bought(n: int, life_days: float = 20, **columns: str) -> pd.DataFrame:
    """Items of one household, all bought in the evening of the first of March."""
    items = pd.DataFrame({"item_id": np.arange(1, n + 1), "household_id": 7, "product": "yogurt", "category": "dairy"})
    expires = pd.Timestamp("2024-03-01") + pd.Timedelta(life_days, "D")
    items = items.assign(quantity=1.0, unit="pack", purchased_on=pd.Timestamp("2024-03-01 18:30"), storage="fridge")
    return items.assign(expires_on=expires, **columns).astype({"expires_on": "datetime64[us]"})


def happening(observations: pd.DataFrame, kind: str, quantity: float, after: str) -> pd.DataFrame:
    """Return one event for each observation, so long after it."""
    happened = observations[["item_id", "household_id"]].assign(kind=kind, quantity=quantity)
    return happened.assign(occurred_on=observations["observed_on"] + pd.Timedelta(after))


def ages(observations: pd.DataFrame) -> pd.Series:
    return (observations["observed_on"] - pd.Timestamp("2024-03-01")).dt.days


def test_an_item_is_observed_between_purchase_and_its_printed_date() -> None:
    observations = observe_items(bought(3_000, life_days=8), NO_EVENTS, ONCE, FAR)
    assert len(observations) == 3_000
    assert sorted(ages(observations).unique()) == list(range(1, 9))
    assert (observations["observed_on"] == observations["observed_on"].dt.normalize()).all()


@pytest.mark.parametrize(
    ("columns", "longest"),
    [
        ({"product": "bagged salad", "category": "produce"}, 4),
        ({"product": "yogurt"}, 10),
        ({"product": "pasta dry", "category": "grains", "storage": "pantry"}, 30),
        ({"product": "kefir"}, 14),
        ({"product": "kibble", "category": "pet food"}, 30),
    ],
)
def test_without_a_printed_date_the_reference_life_bounds_the_age(columns: dict[str, str], longest: int) -> None:
    observations = observe_items(bought(8_000, life_days=np.nan, **columns), NO_EVENTS, ONCE, FAR)
    assert ages(observations).max() == longest


def test_days_before_the_observed_period_are_not_observed_and_the_others_stay_as_they_are() -> None:
    items = bought(500, life_days=20)
    everything = observe_items(items, NO_EVENTS, ONCE, FAR)
    first = date(2024, 3, 10)
    inside = observe_items(items, NO_EVENTS, ONCE, FAR, ObservedPeriod(starts_on=first))
    later = everything[everything["observed_on"] >= pd.Timestamp(first)].reset_index(drop=True)
    assert inside["observed_on"].min() == pd.Timestamp(first)
    pd.testing.assert_frame_equal(inside, later)
    endless = observe_items(items, NO_EVENTS, ONCE, FAR, ObservedPeriod(starts_on=None))
    pd.testing.assert_frame_equal(endless, everything)


def test_observations_are_skewed_to_early() -> None:
    observations = observe_items(bought(20_000, life_days=24), NO_EVENTS, ONCE, FAR)
    assert (ages(observations) <= 3).mean() == pytest.approx(0.5, abs=0.02)
    counts = ages(observations).value_counts().reindex(range(1, 25))
    assert counts.is_monotonic_decreasing or counts.rank().corr(pd.Series(range(24), index=counts.index)) < -0.95


def test_an_expired_item_is_observed_on_the_next_day() -> None:
    items = bought(50, life_days=-29)
    assert (ages(observe_items(items, NO_EVENTS, ONCE, FAR)) == 1).all()


def test_the_time_of_day_on_a_label_is_no_further_life() -> None:
    whole_days = observe_items(bought(2_000, life_days=8), NO_EVENTS, ONCE, FAR)
    assert_frame_equal(observe_items(bought(2_000, life_days=8.75), NO_EVENTS, ONCE, FAR), whole_days)


def test_when_an_item_is_observed_does_not_depend_on_what_happened_to_it() -> None:
    pantry = random_pantry(1, n_items=400, n_events=1_500)
    keys = ["item_id", "observed_on"]
    untouched = observe_items(pantry.items, NO_EVENTS, ONCE, FAR)
    observed = observe_items(pantry.items, pantry.events, ONCE, FAR)
    assert len(observed) < len(untouched) == 400
    assert len(observed.merge(untouched, on=keys)) == len(observed)


def test_an_observation_does_not_depend_on_other_rows_or_their_order() -> None:
    pantry = random_pantry(2)
    among_many = observe_items(pantry.items, pantry.events, ONCE, FAR).set_index("item_id")
    some = pantry.items.sample(40, random_state=1)
    alone = observe_items(some, pantry.events.sample(frac=1, random_state=2), ONCE, FAR).set_index("item_id")
    assert_frame_equal(alone, among_many.loc[alone.index])
    assert alone.index.tolist() == [item for item in some["item_id"] if item in among_many.index]


def test_items_with_ids_of_letters_are_observed_too() -> None:
    items = bought(2_000, life_days=8)
    observations = observe_items(items.assign(item_id="i" + items["item_id"].astype("str")), NO_EVENTS, ONCE, FAR)
    assert observations["item_id"].iloc[0] == "i1"
    assert sorted(ages(observations).unique()) == list(range(1, 9))


@pytest.mark.parametrize(
    ("kind", "after", "wasted", "days"),
    [
        ("wasted", "0s", True, 0.0),
        ("wasted", "36h", True, 1.5),
        ("wasted", "29 days 23:59:59", True, 30 - 1 / 86_400),
        ("wasted", "30 days", False, np.nan),
        ("consumed", "1 day", False, np.nan),
    ],
)
def test_the_label_says_whether_it_is_thrown_away_within_the_horizon(
    kind: str, after: str, wasted: bool, days: float
) -> None:
    items = bought(20)
    observations = observe_items(items, NO_EVENTS, ONCE, FAR)
    labelled = observe_items(items, happening(observations, kind, 1.0, after), ONCE, FAR)
    expected = observations.assign(wasted=wasted, days_to_waste=days)
    assert_frame_equal(labelled, expected)
    assert (labelled["label_known_on"] == labelled["observed_on"] + pd.Timedelta(days=30)).all()


def test_the_first_waste_after_the_observation_counts_for_its_item_alone() -> None:
    items = bought(2)
    observations = observe_items(items, NO_EVENTS, ONCE, FAR)
    first = observations.head(1)
    waste = [happening(first, "wasted", 0.1, after) for after in ("9 days", "4 days", "-1s")]
    labelled = observe_items(items, pd.concat(waste), ONCE, FAR)
    assert labelled["days_to_waste"].tolist() == [4.0, pytest.approx(np.nan, nan_ok=True)]


@pytest.mark.parametrize(
    ("removals", "is_open"),
    [
        ([("consumed", 0.999, "-1s")], True),
        ([("consumed", 1.0, "-1s")], False),
        ([("consumed", 1.0, "0s")], True),
        ([("consumed", 0.1, "-3s")] * 10, False),
        ([("wasted", 0.5, "-1s"), ("consumed", 0.5, "-2s")], False),
        ([("wasted", 0.5, "-1s")], True),
        ([("corrected", 1.0, "-1s")], False),
        ([("consumed", 1.0, "-2s"), ("corrected", -0.5, "-1s")], True),
        ([("opened", 0.0, "-1s"), ("moved", 0.0, "-1s")], True),
    ],
)
def test_only_what_is_still_open_is_observed(removals: list[tuple[str, float, str]], is_open: bool) -> None:
    items = bought(5)
    observations = observe_items(items, NO_EVENTS, ONCE, FAR)
    events = pd.concat([happening(observations, *removal) for removal in removals])
    assert len(observe_items(items, events, ONCE, FAR)) == (5 if is_open else 0)


def test_further_observations_fall_on_further_days() -> None:
    items = bought(300, life_days=6)
    once = observe_items(items, NO_EVENTS, ONCE, FAR)
    often = observe_items(items, NO_EVENTS, ONCE.model_copy(update={"per_item": 4}), FAR)
    assert not often.duplicated(["item_id", "observed_on"]).any()
    assert often.groupby("item_id").size().between(1, 4).all()
    assert len(once.merge(often)) == len(once) < len(often)
    assert often.groupby("item_id")["observed_on"].apply(lambda days: days.is_monotonic_increasing).all()


def test_no_observation_lies_after_the_data_end_and_immature_ones_are_kept() -> None:
    items = bought(500)
    until = pd.Timestamp("2024-03-05")
    observations = observe_items(items, NO_EVENTS, ONCE, until)
    every = observe_items(items, NO_EVENTS, ONCE, FAR)
    assert_frame_equal(observations, every[every["observed_on"] < until].reset_index(drop=True))
    assert (observations["label_known_on"] > until).all()


@pytest.mark.parametrize("latest", ["2024-03-02 12:00", "2024-03-08 12:00"])
def test_the_data_end_with_the_latest_purchase_or_event(latest: str) -> None:
    items = bought(200)
    event = happening(
        pd.DataFrame({"item_id": [1], "household_id": 7, "observed_on": pd.Timestamp(latest)}), "moved", 0, "0s"
    )
    assert latest_record(items, event) == pd.Timestamp(latest)
    assert_frame_equal(observe_items(items, event, ONCE), observe_items(items, event, ONCE, pd.Timestamp(latest)))


def test_no_items_are_observed_in_a_table_of_the_same_types() -> None:
    items = bought(3)
    empty = observe_items(items.head(0), NO_EVENTS, ONCE)
    assert_frame_equal(empty, observe_items(items, NO_EVENTS, ONCE, FAR).head(0))


def test_open_items_are_those_bought_before_and_not_emptied() -> None:
    items = bought(5)
    items.loc[3, "purchased_on"] = pd.Timestamp("2024-03-10 12:00")
    events = pd.DataFrame(
        {
            "item_id": [1, 2, 3],
            "household_id": 7,
            "kind": ["consumed", "wasted", "consumed"],
            "quantity": [1.0, 0.5, 1.0],
            "occurred_on": np.array(["2024-03-09", "2024-03-09", "2024-03-10T12:00"], dtype="datetime64[us]"),
        }
    )
    as_of = pd.Timestamp("2024-03-10 12:00")
    found = open_items(items, events, as_of)
    expected = pd.DataFrame({"item_id": [2, 3, 5], "household_id": 7, "observed_on": as_of})
    assert_frame_equal(found, expected.astype({"observed_on": "datetime64[us]"}))


def test_open_items_have_features() -> None:
    pantry = random_pantry(3)
    found = open_items(pantry.items, pantry.events, pd.Timestamp("2024-06-01 09:00"))
    features = build_features(found, *pantry[1:])
    assert features["item_id"].tolist() == found["item_id"].tolist()
    assert (features["share_left"] > 0).all()


@pytest.mark.parametrize(
    "function",
    [
        lambda pantry: observe_items(pantry.items, pantry.events, ONCE, FAR),
        lambda pantry: open_items(pantry.items, pantry.events, pd.Timestamp("2024-06-01")),
    ],
)
def test_arguments_stay_as_they_are(function: Callable[[Pantry], pd.DataFrame]) -> None:
    pantry, copy = random_pantry(4), random_pantry(4)
    assert_frame_equal(function(pantry), function(pantry))
    for table, before in zip(pantry, copy, strict=True):
        assert_frame_equal(table, before)


def test_an_item_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="item_id is not unique"):
        observe_items(pd.concat([bought(2), bought(1)]), NO_EVENTS, ONCE, FAR)


def assembled(until: str, households: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    pantry = random_pantry(5)
    known = pantry.items[pantry.items["household_id"].isin(pantry.households["household_id"])]
    observations = observe_items(known, pantry.events, ONCE, FAR)
    features = build_features(observations, *pantry[1:])
    table = pantry.households if households is None else households
    return observations, assemble_model_input(observations, features, table, pd.Timestamp(until))


def test_the_model_input_holds_mature_rows_in_the_order_of_time() -> None:
    until = "2024-06-15"
    observations, model_input = assembled(until)
    mature = observations[observations["label_known_on"] <= pd.Timestamp(until)]
    assert 0 < len(mature) < len(observations)
    expected = mature.sort_values(["observed_on", "item_id"], ignore_index=True)
    assert_frame_equal(model_input[expected.columns], expected)


def test_an_observation_is_mature_from_the_moment_on_which_its_label_is_known() -> None:
    observations, _ = assembled("2030-01-01")
    first = observations["label_known_on"].min()
    _, model_input = assembled(str(first))
    assert model_input["item_id"].tolist() == sorted(
        observations.loc[observations["label_known_on"] == first, "item_id"]
    )
    with pytest.raises(ContractError, match="a longer period is needed"):
        assembled(str(first - pd.Timedelta(1, "s")))


def test_rows_are_told_by_their_place_not_by_their_index() -> None:
    pantry = random_pantry(5, n_households=5)
    observations = observe_items(pantry.items, pantry.events, ONCE, FAR)
    features = build_features(observations, *pantry[1:])
    households = pantry.households.assign(household_id=range(1, len(pantry.households) + 1))
    known = observations["household_id"].isin(households["household_id"]).to_numpy()
    observations, features = observations[known].reset_index(drop=True), features[known].reset_index(drop=True)
    renamed = observations.set_axis(range(len(observations), 0, -1))
    assert_frame_equal(
        assemble_model_input(renamed, features, households, FAR),
        assemble_model_input(observations, features, households, FAR),
    )


def test_observations_of_which_no_label_is_known_are_refused() -> None:
    with pytest.raises(ContractError, match=r"must not always lie after 2020-01-01.*a longer period is needed"):
        assembled("2020-01-01")


def test_the_model_input_puts_each_label_beside_its_features() -> None:
    observations, model_input = assembled("2030-01-01")
    features = build_features(observations, *random_pantry(5)[1:]).set_index("item_id").loc[model_input["item_id"]]
    for name in features.columns.drop("observed_on"):
        assert model_input[name].tolist() == pytest.approx(features[name].tolist(), nan_ok=True), name


def test_the_model_input_says_which_sensitive_groups_a_row_belongs_to() -> None:
    households = pd.DataFrame({"household_id": range(1, 6), "size": [1, 2, 3, 4, 9], "income_band": list("abcde")})
    households["children"] = pd.array([0, None, 1, 2, 0], dtype="Int64")
    _, model_input = assembled("2030-01-01", households)
    groups = model_input.filter(like="sensitive_").assign(household=model_input["household_id"])
    assert sorted(groups.drop_duplicates().itertuples(index=False, name=None), key=lambda row: row[-1]) == [
        ("1", "0", "a", 1),
        ("2", "unknown", "b", 2),
        ("3-4", "1+", "c", 3),
        ("3-4", "1+", "d", 4),
        ("5+", "0", "e", 5),
    ]


def test_features_of_other_observations_are_refused() -> None:
    pantry = random_pantry(6)
    observations = observe_items(pantry.items, pantry.events, ONCE, FAR)
    features = build_features(observations, *pantry[1:])
    with pytest.raises(ValueError, match="the same keys in the same order"):
        assemble_model_input(observations, features.iloc[::-1], pantry.households, FAR)


WITH_NEW_ATTRIBUTE = """
import json
from waste_risk.features import build_features
from waste_risk.observations import observe_items
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.parameters import Observation, ObservedPeriod
from waste_risk.simulation import simulate
from waste_risk.tables.contracts import check

source = simulate(n_households=20, n_items_per_household=30, seed=1, period_days=180)
params = Observation(horizon_days=30, max_age_days=30, per_item=1)
observations = observe_items(source.items, source.events, params)
features = build_features(observations, source.households, source.items, source.events)
model_input = assemble_model_input(observations, features, source.households, observations["label_known_on"].max())
checked = check("model_input", model_input)
size = source.households.set_index("household_id")["size"].reindex(checked["household_id"])
even = [("odd", "even")[each % 2 == 0] for each in size]
broken = ""
try:
    check("model_input", model_input.assign(sensitive_parity="neither"))
except ValueError as error:
    broken = str(error).partition(" (")[0]
print(json.dumps({"is_right": checked["sensitive_parity"].tolist() == even and len(set(even)) == 2, "broken": broken}))
"""


def test_a_new_sensitive_attribute_arrives_in_the_model_input_and_its_contract(tmp_path: Path) -> None:
    list_of_them = "SENSITIVE_ATTRIBUTES = ("
    parity = 'lambda households: np.where(households["size"] % 2 == 0, "even", "odd")'
    added = f'{list_of_them}SensitiveAttribute("parity", ("odd", "even"), {parity}),'
    changes = {"reference/sensitive_attributes.py": [(f"\n{list_of_them}", f"\n{added}")]}
    found = run_changed(tmp_path, changes, WITH_NEW_ATTRIBUTE)
    assert found == {"is_right": True, "broken": "model_input.sensitive_parity: must be one of odd, even"}


def test_a_household_missing_from_the_table_has_no_sensitive_groups_and_is_refused() -> None:
    observations, _ = assembled("2030-01-01")
    n_missing = (~observations["household_id"].isin([1, 2])).sum()
    with pytest.raises(ValueError, match=f"^{n_missing} observations are of households that the households table does"):
        assembled("2030-01-01", random_pantry(5).households.head(2))


def test_labels_of_any_observations_are_those_that_they_were_observed_with() -> None:
    pantry = random_pantry(4)
    observed = observe_items(pantry.items, pantry.events, ONCE, FAR).sample(frac=0.7, random_state=1)
    labels = ["wasted", "days_to_waste", "label_known_on"]
    assert 0 < observed["wasted"].sum() < len(observed)
    labeled = label_items(observed.drop(columns=labels), pantry.items, pantry.events, ONCE.horizon_days)
    assert_frame_equal(labeled, observed)


def test_labels_follow_the_horizon_that_is_asked_for() -> None:
    items = bought(1)
    observed = observe_items(items, NO_EVENTS, ONCE, FAR)
    events = happening(observed, "wasted", 1.0, "5D")
    wasted = [label_items(observed, items, events, days)["wasted"].item() for days in (5, 6)]
    assert wasted == [False, True]


def test_an_observation_of_an_unknown_item_is_refused() -> None:
    observed = observe_items(bought(2), NO_EVENTS, ONCE, FAR)
    with pytest.raises(ValueError, match="1 observations are of items that the items table does not hold"):
        label_items(observed, bought(1), NO_EVENTS, 30)
