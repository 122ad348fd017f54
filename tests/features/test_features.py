"""Features: right by hand and by brute force, blind to the future, and a household's own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from changed_source import run_changed
from features_reference import reference_features
from pandas.testing import assert_frame_equal
from random_pantry import Pantry, random_pantry

from waste_risk.features import FEATURES, build_features
from waste_risk.features.definition import Values, feature_group

NAMES = [feature.name for feature in FEATURES]
CATEGORIES = ["is_dairy", "is_produce", "is_meat", "is_grains", "is_canned", "is_frozen", "is_beverages"]
STORAGES = ["is_in_fridge", "is_in_freezer", "is_in_pantry"]
BANDS = ["income_is_low", "income_is_middle", "income_is_high"]


def small_pantry() -> Pantry:
    """Observe the second milk of household 1, which wasted a salad and finished its first milk, beside household 2."""
    items = pd.DataFrame(
        [
            (10, 1, "milk (fresh)", "dairy", 1.0, 2.0, False, "2024-05-01", "fridge", "2024-05-11"),
            (11, 1, "bagged salad", "produce", 1.0, np.nan, None, "2024-05-01", "fridge", None),
            (12, 1, "milk (fresh)", "dairy", 2.0, 1.5, True, "2024-05-09", "fridge", "2024-05-19"),
            (13, 1, "pasta dry", "grains", 1.0, 1.0, False, "2024-05-09", "pantry", None),
            (20, 2, "milk (fresh)", "dairy", 9.0, 2.0, False, "2024-05-02", "fridge", "2024-05-09"),
        ],
        columns=[
            *("item_id", "household_id", "product", "category", "quantity"),
            *("unit_price", "on_promotion", "purchased_on", "storage", "expires_on"),
        ],
    )
    items["on_promotion"] = items["on_promotion"].astype("boolean")
    events = pd.DataFrame(
        [
            (10, 1, "opened", 0.0, "2024-05-02"),
            (10, 1, "consumed", 0.5, "2024-05-02"),
            (10, 1, "consumed", 0.5, "2024-05-05"),
            (11, 1, "wasted", 1.0, "2024-05-07"),
            (12, 1, "consumed", 0.5, "2024-05-10"),
            (12, 1, "consumed", 0.5, "2024-05-12"),
            (12, 1, "wasted", 1.0, "2024-05-13"),
            (20, 2, "wasted", 9.0, "2024-05-04"),
        ],
        columns=["item_id", "household_id", "kind", "quantity", "occurred_on"],
    )
    households = pd.DataFrame({"household_id": [1, 2], "size": [4, 1], "income_band": ["low", "high"]})
    households["children"] = pd.array([2, None], dtype="Int64")
    observations = pd.DataFrame({"item_id": [12], "household_id": [1], "observed_on": [pd.Timestamp("2024-05-13")]})
    for name in ("purchased_on", "expires_on"):
        items[name] = pd.to_datetime(items[name]).astype("datetime64[us]")
    events["occurred_on"] = pd.to_datetime(events["occurred_on"]).astype("datetime64[us]")
    return Pantry(observations, households, items, events)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("is_dairy", 1),
        ("is_produce", 0),
        ("is_in_fridge", 1),
        ("is_in_freezer", 0),
        ("income_is_low", 1),
        ("income_is_high", 0),
        ("line_cost", 3.0),
        ("on_promotion", 1),
        ("printed_life_days", 10),
        ("reference_life_days", 9.5),
        ("age_days", 4),
        ("days_left", 6),
        ("life_used", 0.4),
        ("days_since_opened", 3),
        ("days_since_last_touch", 1),
        ("share_left", 0.5),
        ("uses_so_far", 2),
        ("share_per_use", 0.25),
        ("mean_days_between_uses", 1.5),
        ("days_to_finish_at_pace", 4),
        ("days_to_finish_minus_days_left", -2),
        ("household_children", 2),
        ("quantity_left_per_person", 0.25),
        ("open_items", 2),
        ("open_items_in_category", 1),
        ("waste_rate", (1 + 0.25 * 8) / (2 + 8)),
        ("waste_to_usual", (1 + 2) / (0.28 + 0.38 + 2)),
        ("days_since_last_waste", 6),
        ("uses_per_day_14d", 4 / 14),
        ("category_last_wasted", 0),
        ("category_mean_days_between_uses", (1 + 3 + 1 + 2) / 4),
        ("category_gap_in_life", 0.175),
        ("purchase_weekday", 3),
        ("days_since_last_trip", 4),
        ("lines_in_trip", 2),
        ("category_share_90d", 0.5),
        ("mean_days_between_trips_90d", 8),
        ("lines_14d_to_usual", 1),
        ("cost_to_usual", 1.5),
        ("days_from_previous_in_category", 8),
        ("silence_in_life", 0.1),
        ("silence_to_usual", 1 / 1.75),
        ("expected_uses_left", 2),
        ("expected_days_to_finish", 3.5),
        ("share_left_minus_life_left", -0.1),
    ],
)
def test_each_feature_says_what_it_means(name: str, expected: float) -> None:
    assert build_features(*small_pantry())[name].iloc[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_features_are_those_of_plain_loops_over_the_past_bit_for_bit(seed: int) -> None:
    pantry = random_pantry(seed)
    features, expected = build_features(*pantry), reference_features(*pantry)
    assert set(expected) == set(NAMES)
    assert_frame_equal(features[NAMES], expected[NAMES].astype(np.float64).astype(np.float32), check_exact=True)


@pytest.mark.parametrize("seed", range(3))
def test_deleting_the_future_changes_nothing(seed: int) -> None:
    pantry = random_pantry(seed)
    for moment, observations in pantry.observations.groupby("observed_on"):
        items = pantry.items[pantry.items["purchased_on"] < moment]
        events = pantry.events[pantry.events["occurred_on"] < moment]
        expected = build_features(observations, *pantry[1:])
        assert_frame_equal(build_features(observations, pantry.households, items, events), expected, check_exact=True)


def test_altering_the_future_changes_nothing() -> None:
    pantry = random_pantry(4)
    moment = pantry.observations["observed_on"].median()
    observations = pantry.observations[pantry.observations["observed_on"] <= moment]
    items, events = pantry.items.copy(), pantry.events.copy()
    later = items["purchased_on"] >= moment
    items.loc[later, ["product", "category", "quantity", "household_id"]] = ["eggs in shell", "dairy", 50.0, 1]
    happens = events["occurred_on"] >= moment
    events.loc[happens, ["kind", "quantity"]] = ["wasted", 100.0]
    events.loc[happens, "occurred_on"] = moment
    assert later.any()
    assert happens.any()
    altered = build_features(observations, pantry.households, items, events)
    assert_frame_equal(altered, build_features(observations, *pantry[1:]), check_exact=True)


def test_the_order_of_rows_in_any_table_changes_nothing() -> None:
    pantry = random_pantry(5)
    shuffled = Pantry(*(table.sample(frac=1, random_state=place) for place, table in enumerate(pantry)))
    features = build_features(*shuffled)
    assert_frame_equal(features["item_id"].to_frame(), shuffled.observations[["item_id"]].reset_index(drop=True))
    by_observation = ["item_id", "observed_on"]
    expected = build_features(*pantry).sort_values(by_observation, ignore_index=True)
    assert_frame_equal(features.sort_values(by_observation, ignore_index=True), expected, check_exact=True)


def test_a_household_alone_has_the_features_it_has_among_many() -> None:
    pantry = random_pantry(6)
    among_many = build_features(*pantry)
    for household in pantry.observations["household_id"].unique():
        alone = build_features(*(table[table["household_id"] == household] for table in pantry))
        expected = among_many[among_many["household_id"] == household].reset_index(drop=True)
        assert_frame_equal(alone, expected, check_exact=True)


def test_tables_larger_than_what_is_read_at_once_give_the_same() -> None:
    pantry = random_pantry(7, n_households=3_000, n_items=70_000, n_events=200_000)
    among_many = build_features(*pantry)
    few = pantry.households["household_id"].iloc[1::400]
    of_few = build_features(*(table[table["household_id"].isin(few)] for table in pantry))
    expected = among_many[among_many["household_id"].isin(few)].reset_index(drop=True)
    assert_frame_equal(of_few, expected, check_exact=True)


@pytest.mark.parametrize("dtype", ["str", "object"])
def test_ids_of_letters_give_the_features_of_numbers(dtype: str) -> None:
    pantry = random_pantry(8)
    ids = ["item_id", "household_id"]
    spelled = [
        table.assign(**{name: ("x" + table[name].astype("str")).astype(dtype) for name in ids if name in table})
        for table in pantry
    ]
    features = build_features(*spelled)
    assert features["item_id"].tolist() == spelled[0]["item_id"].tolist()
    assert_frame_equal(features.drop(columns=ids), build_features(*pantry).drop(columns=ids), check_exact=True)


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
def test_the_unit_of_timestamps_changes_nothing(unit: str) -> None:
    pantry = random_pantry(9)
    never = pantry.items["expires_on"] > pd.Timestamp("2200-01-01")
    pantry = pantry._replace(
        items=pantry.items.assign(expires_on=pantry.items["expires_on"].mask(never)),
        events=pantry.events.assign(occurred_on=pantry.events["occurred_on"].dt.floor("s")),
    )
    converted = (
        table.astype(dict.fromkeys(table.select_dtypes("datetime"), f"datetime64[{unit}]")) for table in pantry
    )
    assert_frame_equal(build_features(*converted)[NAMES], build_features(*pantry)[NAMES], check_exact=True)


def test_no_feature_tells_the_year() -> None:
    pantry = random_pantry(10)
    dates = pantry.items["expires_on"]
    pantry = pantry._replace(items=pantry.items.assign(expires_on=dates.mask(dates > pd.Timestamp("2200-01-01"))))
    # After 28 years weekdays and leap days fall on the same dates again.
    years = pd.Timedelta(days=28 * 365 + 7)
    moved = (
        table.assign(**{name: table[name] + years for name in table.select_dtypes("datetime")}) for table in pantry
    )
    features, expected = build_features(*moved), build_features(*pantry)
    assert_frame_equal(features[NAMES], expected[NAMES], check_exact=True)


def test_a_long_history_is_counted_up_to_a_cap() -> None:
    n = 300
    pantry = small_pantry()
    milk = pantry.items.iloc[[0] * n].assign(item_id=np.arange(1_000, 1_000 + n), expires_on=pd.NaT)
    milk["purchased_on"] -= pd.to_timedelta(np.arange(n) % 400 + 100, unit="D").astype("timedelta64[us]")
    eaten = pantry.events.iloc[[1] * n].assign(item_id=milk["item_id"].to_numpy(), quantity=1.0)
    eaten["occurred_on"] = (milk["purchased_on"] + pd.Timedelta(days=1)).to_numpy()
    kept = milk.assign(item_id=milk["item_id"] + n)
    items = pd.concat([pantry.items, milk, kept], ignore_index=True)
    events = pd.concat([pantry.events, eaten], ignore_index=True)
    features = build_features(pantry.observations, pantry.households, items, events).iloc[0]
    assert features[["open_items", "product_open_items"]].tolist() == [200, 50]


def test_the_catalogue_lists_the_columns_in_order_with_type_group_and_meaning() -> None:
    features = build_features(*small_pantry())
    assert list(features) == ["item_id", "household_id", "observed_on", *NAMES]
    assert set(features[NAMES].dtypes) == {np.dtype("float32")}
    assert {feature.dtype for feature in FEATURES} == {"float32"}
    assert 60 <= len(NAMES) == len(set(NAMES))
    assert {feature.group for feature in FEATURES} == {
        *("item", "time", "quantity", "household", "household_history"),
        *("category_history", "weekdays", "shopping", "interactions"),
    }
    assert all(len(feature.meaning) > 10 for feature in FEATURES)


def test_no_observations_make_an_empty_table_of_the_same_types() -> None:
    pantry = small_pantry()
    empty = build_features(pantry.observations.head(0), *pantry[1:])
    assert len(empty) == 0
    assert_frame_equal(empty, build_features(*pantry).head(0))
    assert_frame_equal(build_features(*(table.head(0) for table in pantry)), empty)


@pytest.mark.parametrize(("column", "names"), [("category", CATEGORIES), ("storage", STORAGES), ("income_band", BANDS)])
def test_a_word_is_one_in_its_own_feature_and_zero_in_those_of_the_others(column: str, names: list[str]) -> None:
    for name in names:
        features = _features_with(column, name.rpartition("_")[2])
        assert features[names].tolist() == [float(name == other) for other in names]


@pytest.mark.parametrize(
    ("column", "word", "names"),
    [("category", "pet food", CATEGORIES), ("storage", "garage", STORAGES), ("income_band", "unknown", BANDS)],
)
def test_any_other_word_is_zero_in_all_of_them_and_a_missing_one_null(column: str, word: str, names: list[str]) -> None:
    assert (_features_with(column, word)[names] == 0).all()
    assert _features_with(column, None)[names].isna().all()


def _features_with(column: str, word: str | None) -> pd.Series:
    observations, households, items, events = small_pantry()
    if column in households:
        households = households.assign(**{column: word})
    else:
        items = items.assign(**{column: word})
    return build_features(observations, households, items, events).iloc[0]


def test_an_item_without_words_still_has_a_reference_life() -> None:
    pantry = small_pantry()
    nameless = pantry.items.assign(category=None, product=None, storage=None)
    features = build_features(pantry.observations, pantry.households, nameless, pantry.events).iloc[0]
    assert np.isnan(features["reference_opened_life_days"])
    assert features["reference_life_days"] > 0


def test_a_household_without_history_has_priors_and_nulls() -> None:
    pantry = small_pantry()
    first = pantry.items[pantry.items["item_id"] == 20]
    observations = pd.DataFrame({"item_id": [20], "household_id": [2], "observed_on": [pd.Timestamp("2024-05-03")]})
    features = build_features(observations, pantry.households, first, pantry.events).iloc[0]
    assert features[["waste_rate", "waste_to_usual", "uses_per_day_14d"]].tolist() == [0.25, 1, 0]
    assert features["category_waste_rate"] == pytest.approx(0.28)
    unknown = [
        "days_since_last_waste",
        "category_gap_in_life",
        "share_per_use",
        "silence_to_usual",
    ]
    assert features[[*unknown, "household_children"]].isna().all()


def test_a_household_missing_from_the_table_has_no_size_and_still_features() -> None:
    pantry = small_pantry()
    features = build_features(pantry.observations, pantry.households.tail(1), *pantry[2:]).iloc[0]
    assert features[["household_size", *BANDS, "quantity_left_per_person"]].isna().all()
    assert features["share_left"] == 0.5


def test_a_date_printed_for_the_shelf_does_not_end_the_life_of_what_is_frozen() -> None:
    pantry = small_pantry()
    frozen = pantry.items.assign(storage="freezer")
    features = build_features(pantry.observations, pantry.households, frozen, pantry.events).iloc[0]
    assert features[["printed_life_days", "life_days"]].tolist() == pytest.approx([10, 91.2])


def test_arguments_stay_as_they_are() -> None:
    pantry = random_pantry(11)
    copies = [table.copy(deep=True) for table in pantry]
    assert_frame_equal(build_features(*pantry), build_features(*pantry), check_exact=True)
    for table, copy in zip(pantry, copies, strict=True):
        assert_frame_equal(table, copy)


def test_an_observation_of_an_unknown_item_is_refused() -> None:
    pantry = small_pantry()
    with pytest.raises(ValueError, match="1 observations are of items that the items table does not hold"):
        build_features(pantry.observations.assign(item_id=99), *pantry[1:])


def test_an_observation_before_the_purchase_is_refused() -> None:
    pantry = small_pantry()
    early = pantry.observations.assign(observed_on=pd.Timestamp("2024-05-08"))
    with pytest.raises(ValueError, match="lies before its item's purchase"):
        build_features(early, *pantry[1:])


@pytest.mark.parametrize(("place", "name"), [(1, "household_id"), (2, "item_id")])
def test_an_id_that_occurs_twice_is_refused(place: int, name: str) -> None:
    tables = list(small_pantry())
    tables[place] = pd.concat([tables[place], tables[place].head(1)])
    with pytest.raises(ValueError, match=f"{name} is not unique"):
        build_features(*tables)


def test_a_group_that_computes_other_features_than_it_defines_is_refused() -> None:
    @feature_group(defined="of no matter")
    def misspelled(source: int) -> Values:
        return {"definde": np.full(1, source)}

    assert [(feature.name, feature.group) for feature in misspelled.features] == [("defined", "misspelled")]
    with pytest.raises(ValueError, match="must define and return the same features"):
        misspelled.compute(1)


ADDED = """
import json
from pages import render_features
from random_pantry import random_pantry
from waste_risk.features import FEATURE_NAMES, build_features
from waste_risk.model.matrix import to_matrix
from waste_risk.tables.contracts import check, schema

features = check("features", build_features(*random_pantry(0, n_households=3, n_items=20, n_events=30)))
column = to_matrix(features, FEATURE_NAMES)[:, FEATURE_NAMES.index("uses_per_day_7d")]
print(json.dumps({
    "largest": float(column.max()),
    "in_contracts": ["uses_per_day_7d" in schema(table).columns for table in ("features", "model_input")],
    "page": [line for line in render_features().splitlines() if "7d" in line],
}))
"""


def test_a_feature_added_to_its_group_arrives_in_table_contracts_matrix_and_docs(
    tmp_path: Path,
) -> None:
    lines = [
        'uses_per_day_14d="uses of any item on a day, over 14 days",',
        '"uses_per_day_14d": observed.household.uses.lately(14).count() / 14,',
    ]
    changes = [(line, f"{line} {line.replace('14', '7')}") for line in lines]
    found = run_changed(tmp_path, {"features/household.py": changes}, ADDED)
    assert found["largest"] > 0
    assert found["in_contracts"] == [True, True]
    assert found["page"] == ["| `uses_per_day_7d` | uses of any item on a day, over 7 days |"]
