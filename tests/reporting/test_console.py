"""The closing lines of a run."""

import pandas as pd
from measured import LIMITS, MEASURED
from planted import OBSERVATION

from waste_risk.reporting.console import (
    count_observations,
    summarise_grocy,
    summarise_observations,
    summarise_pool,
    summarise_source,
    summarise_verdict,
)
from waste_risk.sources.grocy import GrocyCounts
from waste_risk.validation.gates import check_gates


def test_the_source_is_its_size_and_what_was_wasted_of_it() -> None:
    items = pd.DataFrame({"item_id": [1, 2, 3, 4], "category": ["dairy", "dairy", "meat", "meat"]})
    events = pd.DataFrame({"item_id": [1, 3, 4, 2], "kind": ["wasted", "wasted", "wasted", "consumed"]})
    assert summarise_source(pd.DataFrame(index=range(1_000)), items, events) == [
        "Source:       1,000 households, 4 items, 4 events",
        "Items:        75.0 % wasted so far (meat 100.0 %, dairy 50.0 %)",
    ]


def test_all_observations_stand_beside_those_whose_label_is_known() -> None:
    counts = count_observations(pd.DataFrame(index=range(5)), pd.DataFrame({"wasted": [True, False, False, False]}))
    assert counts == {"observations": 5, "mature": 4, "mature_wasted_share": 0.25}
    assert summarise_observations(counts, OBSERVATION) == [
        "Observations: 5 of open items, 4 with a known label, 25.0 % wasted within 30 days"
    ]


def test_a_refused_model_ends_in_its_reasons() -> None:
    strict = LIMITS.model_copy(update={"min_auc": 0.88})
    assert summarise_verdict(MEASURED, check_gates(MEASURED, strict)) == [
        "Model:        AUC 0.8723, of 0.9312 with latent states known; expected calibration error 0.0567",
        "Verdict:      FAIL, 3 of 4 gates",
        "              AUC 0.8723 is below 0.88",
    ]


NOTHING_LEFT_OUT = GrocyCounts(
    bookings=1_200,
    undone=3,
    items=2,
    events=2,
    found_items=0,
    bookings_of_no_known_item=0,
    edits_without_a_pair=0,
    items_below_a_thousandth=0,
    items_that_are_no_food=0,
    items_in_groups_without_a_category={},
    items_in_locations_without_a_storage={},
)


def test_a_grocy_database_says_how_little_it_holds_and_what_was_left_out_without_the_users_words() -> None:
    items = pd.DataFrame({"item_id": ["1", "2"]})
    events = pd.DataFrame({"item_id": ["1", "1", "2"], "kind": ["wasted", "wasted", "consumed"]})
    held = "Grocy:        2 items of one household, 1 thrown away; 1,200 bookings, 3 undone"
    assert summarise_grocy(NOTHING_LEFT_OUT, items, events) == [held]
    more = NOTHING_LEFT_OUT | {
        "found_items": 1,
        "bookings_of_no_known_item": 2,
        "edits_without_a_pair": 1,
        "items_that_are_no_food": 5,
        "items_in_groups_without_a_category": {"Snacks": 7, "(no group)": 1},
    }
    assert summarise_grocy(more, items, events) == [  # type: ignore[arg-type]
        held,
        "Found:        1 item by an inventory, taken as bought then",
        "Left out:     8 items in 2 product groups without a category",
        "Left out:     5 items that are no food",
        "Left out:     3 bookings of items that nobody booked in",
        "              The file of grocy_counts names what conf/grocy/parameters.yml could map",
    ]


def test_pooled_rows_are_told_and_their_absence_is_not() -> None:
    assert summarise_pool({"own": 90, "own_wasted": 12, "pooled": 0}) == []
    assert summarise_pool({"own": 90, "own_wasted": 12, "pooled": 12_526}) == [
        "Learned from: 90 own observations (12 wasted) and 12,526 of another source; evaluated on own ones alone"
    ]
