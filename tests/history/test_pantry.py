"""The tables as arrays: what is computed of each use of an item."""

import pandas as pd

from waste_risk.history.pantry import read_pantry

MONDAY, HOUR = pd.Timestamp("2024-05-06"), 3_600


def test_a_use_has_its_gap_and_its_share_of_what_was_bought_and_no_more_than_all_of_it() -> None:
    households = pd.DataFrame({"household_id": [7], "size": [2], "children": [0.0], "income_band": ["low"]})
    items = pd.DataFrame(
        {
            "item_id": ["milk", "ham"],
            "household_id": 7,
            "product": ["milk", "ham"],
            "category": ["dairy", "meat"],
            "storage": "fridge",
            "quantity": [2.0, 0.5],
            "unit_price": 1.0,
            "on_promotion": 0.0,
            "purchased_on": MONDAY,
            "expires_on": MONDAY + pd.Timedelta(days=10),
        }
    )
    events = pd.DataFrame(
        {
            "item_id": ["milk", "ham", "milk", "ham"],
            "kind": ["consumed", "consumed", "consumed", "wasted"],
            "quantity": [0.5, 3.0, 1.0, 0.1],
            "occurred_on": MONDAY + pd.to_timedelta([24, 12, 60, 13], unit="h"),
        }
    )
    uses = read_pantry(households, items, events).uses
    assert uses.item.tolist() == [0, 0, 1]
    assert uses.gap.tolist() == [24 * HOUR, 36 * HOUR, 12 * HOUR]
    assert uses.gap_in_life.tolist() == [100, 150, 50]
    assert uses.share.tolist() == [250, 500, 1_000]
    assert uses.is_first.tolist() == [True, False, True]
