"""What a household has booked in Grocy comes out as items and events, and what is left out is counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from grocy_database import FREEZER, GROUPS, LOCATIONS, NEVER, PANTRY, Entry, GrocyDatabase, write_grocy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from waste_risk.adapters.grocy import GrocyDataset
from waste_risk.errors import ContractError
from waste_risk.parameters import Cleaning, Grocy, load
from waste_risk.simulation import simulate
from waste_risk.sources.grocy import GrocyCounts, count_grocy, read_grocy
from waste_risk.tables.checks import check_tables
from waste_risk.tables.contracts import check

CONF = Path(__file__).parents[2] / "conf"
MAPPED: dict[str, Any] = {
    "time_zone": "UTC",
    "household_size": 3,
    "children": 1,
    "income_band": "middle",
    "categories": {f"Our {name}": name for name in GROUPS},
    "storages": {"My fridge": "fridge", "My pantry": "pantry"},
}
PARAMS = Grocy.model_validate(MAPPED)
# What Grocy cannot record of our tables, beside fractions of a second and numbers as ids.
LOST = ["on_promotion"]

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, GrocyCounts]


def read(grocy: GrocyDatabase | Path, params: Grocy = PARAMS) -> Tables:
    path = grocy if isinstance(grocy, Path) else grocy.path
    tables = GrocyDataset(str(path)).load()
    before = {name: frame.copy() for name, frame in tables.items()}
    counts = count_grocy(tables, params)
    converted = *read_grocy(tables, params, counts), counts
    for name, frame in before.items():
        pd.testing.assert_frame_equal(tables[name], frame)
    for name, frame in zip(("households", "items", "events"), converted[:3], strict=True):
        pd.testing.assert_frame_equal(check(name, frame), frame)
    return converted


def told(events: pd.DataFrame) -> list[tuple[str, str, float, str]]:
    times = events["occurred_on"].dt.strftime("%m-%d %H:%M:%S")
    return list(zip(events["item_id"], events["kind"], events["quantity"], times, strict=True))


@pytest.fixture
def grocy(tmp_path: Path) -> GrocyDatabase:
    database = GrocyDatabase(tmp_path / "grocy.db")
    database.add_product("Milk", unit="Liter", default_best_before_days=7)
    return database


@pytest.mark.parametrize("time_zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def test_what_was_put_in_comes_out(tmp_path: Path, time_zone: str) -> None:
    source = simulate(n_households=1, n_items_per_household=400, seed=11)
    ids = write_grocy(tmp_path / "grocy.db", source.items, source.events, time_zone)
    params = PARAMS.model_copy(update={"time_zone": time_zone})
    households, items, events, counts = read(tmp_path / "grocy.db", params)

    wanted = source.items.assign(item_id=source.items["item_id"].map(ids), household_id="grocy")
    wanted = wanted.sort_values("item_id", key=lambda texts: texts.astype(int), ignore_index=True)
    wanted = wanted.astype({"item_id": "str", "household_id": "str"})
    pd.testing.assert_frame_equal(items.drop(columns=LOST), wanted.drop(columns=LOST))
    assert items[LOST].isna().all(axis=None)

    happened = source.events.assign(item_id=source.events["item_id"].map(ids), household_id="grocy")
    happened = happened.astype({"item_id": "str", "household_id": "str"})
    order = happened["item_id"].astype(int)
    happened = happened.assign(order=order).sort_values("order", kind="stable", ignore_index=True).drop(columns="order")
    seconds = happened.assign(occurred_on=happened["occurred_on"].dt.floor("s"))
    pd.testing.assert_frame_equal(events, seconds)

    assert households.to_dict("records") == [
        {
            "household_id": "grocy",
            "size": 3,
            "children": 1,
            "income_band": "middle",
            "joined_on": source.items["purchased_on"].min(),
        }
    ]
    assert (counts["bookings"], counts["items"]) == (len(items) + len(events), len(items))


def test_a_purchase_is_an_item_with_the_words_of_its_product(grocy: GrocyDatabase) -> None:
    grocy.purchase(1, 1.5, "2026-03-02 18:30:05", best_before_date="2026-03-09", price=1.19)
    _, items, events, counts = read(grocy)
    assert items.drop(columns=LOST).to_dict("records") == [
        {
            "item_id": "1",
            "household_id": "grocy",
            "product": "Milk",
            "category": "dairy",
            "quantity": 1.5,
            "unit": "Liter",
            "unit_price": 1.19,
            "purchased_on": pd.Timestamp("2026-03-02 18:30:05"),
            "storage": "fridge",
            "expires_on": pd.Timestamp("2026-03-09"),
        }
    ]
    assert len(events) == 0
    assert counts["items"] == counts["bookings"] == 1


def test_part_is_eaten_and_part_is_thrown_away(grocy: GrocyDatabase) -> None:
    milk = grocy.purchase(1, 2, "2026-03-02 18:30:00")
    grocy.consume(milk, 0.5, "2026-03-03 07:00:00")
    grocy.consume(milk, 0.25, "2026-03-04 07:00:00")
    grocy.consume(milk, 1.25, "2026-03-10 20:00:00", spoiled=True)
    assert told(read(grocy)[2]) == [
        ("1", "consumed", 0.5, "03-03 07:00:00"),
        ("1", "consumed", 0.25, "03-04 07:00:00"),
        ("1", "wasted", 1.25, "03-10 20:00:00"),
    ]


def test_what_was_produced_at_home_is_an_item(grocy: GrocyDatabase) -> None:
    grocy.purchase(1, 3, "2026-03-02 18:30:00", kind="self-production")
    assert read(grocy)[1]["quantity"].tolist() == [3]


@pytest.mark.parametrize("undone", ["purchase", "consume", "edit"])
def test_what_was_undone_did_not_happen(grocy: GrocyDatabase, undone: str) -> None:
    kept = grocy.purchase(1, 1, "2026-03-02 18:30:00")
    if undone == "purchase":
        grocy.purchase(1, 2, "2026-03-02 18:31:00")
        grocy.undo(2)
    elif undone == "consume":
        grocy.undo(grocy.consume(kept, 1, "2026-03-03 18:30:00", spoiled=True))
    else:
        grocy.undo(*grocy.edit(kept, "2026-03-03 18:30:00", amount=5))
    _, items, events, counts = read(grocy)
    assert (items["item_id"].tolist(), len(events)) == (["1"], 0)
    assert counts["undone"] == (2 if undone == "edit" else 1)


def test_an_inventory_takes_away_and_adds_without_saying_why(grocy: GrocyDatabase) -> None:
    """Above 0 is gone, as whoever observes the item counts."""
    milk = grocy.purchase(1, 4, "2026-03-02 18:30:00")
    grocy.consume(milk, 1, "2026-03-04 09:00:00", kind="inventory-correction")
    found = grocy.purchase(1, 2, "2026-03-05 09:00:00", kind="inventory-correction", purchased_date="2026-03-02")
    grocy.consume(found, 0.5, "2026-03-06 09:00:00")
    grocy.compact(milk, found)
    assert told(read(grocy)[2]) == [
        ("1", "corrected", 1, "03-04 09:00:00"),
        ("1", "corrected", -2, "03-05 09:00:00"),
        ("1", "consumed", 0.5, "03-06 09:00:00"),
    ]


def test_stock_that_an_inventory_found_is_an_item_and_is_counted(grocy: GrocyDatabase) -> None:
    found = grocy.purchase(1, 2, "2026-03-05 09:00:00", kind="inventory-correction")
    grocy.consume(found, 2, "2026-03-06 09:00:00", spoiled=True)
    _, items, events, counts = read(grocy)
    assert items[["item_id", "quantity"]].to_numpy().tolist() == [["1", 2]]
    assert told(events) == [("1", "wasted", 2, "03-06 09:00:00")]
    assert counts["found_items"] == 1


def test_an_edit_on_the_first_day_is_what_was_booked(grocy: GrocyDatabase) -> None:
    milk = grocy.purchase(1, 10, "2026-03-02 18:30:00", best_before_date="2062-03-09", price=119.0)
    changes = {"amount": 1, "best_before_date": "2026-03-09", "price": 1.19, "location_id": PANTRY}
    grocy.edit(milk, "2026-03-02 18:31:00", **changes)
    _, items, events, _ = read(grocy)
    (item,) = items[["quantity", "unit_price", "storage", "expires_on"]].to_numpy().tolist()
    assert item == [1, 1.19, "pantry", pd.Timestamp("2026-03-09")]
    assert len(events) == 0


def test_a_later_edit_corrects_the_amount_and_tells_nothing_of_the_days_before(grocy: GrocyDatabase) -> None:
    milk = grocy.purchase(1, 4, "2026-03-02 18:30:00", best_before_date="2026-03-09", price=1.19)
    before = read(grocy)[1]
    changes = {"amount": 3, "best_before_date": "2026-04-09", "price": 2.0, "location_id": FREEZER}
    grocy.edit(milk, "2026-03-05 18:30:00", **changes, opened_date="2026-03-05")
    grocy.edit(milk, "2026-03-06 18:30:00", amount=3.5)
    _, items, events, _ = read(grocy)
    pd.testing.assert_frame_equal(items, before)
    assert told(events) == [
        ("1", "corrected", 1, "03-05 18:30:00"),
        ("1", "moved", 0, "03-05 18:30:00"),
        ("1", "opened", 0, "03-05 18:30:00"),
        ("1", "corrected", -0.5, "03-06 18:30:00"),
    ]


def test_half_an_edit_is_counted_and_changes_nothing(grocy: GrocyDatabase) -> None:
    milk = grocy.purchase(1, 4, "2026-03-02 18:30:00")
    _, new = grocy.edit(milk, "2026-03-05 18:30:00", amount=1)
    grocy.undo(new)
    _, _, events, counts = read(grocy)
    assert (len(events), counts["edits_without_a_pair"]) == (0, 1)


def test_a_transfer_moves_and_leaves_the_storage_of_the_first_day_and_the_printed_date(grocy: GrocyDatabase) -> None:
    milk = grocy.purchase(1, 4, "2026-03-02 18:30:00", best_before_date="2026-03-09")
    frozen = grocy.transfer(milk, 3, FREEZER, "2026-03-05 18:30:00", best_before_date="2026-09-01")
    grocy.consume(frozen, 3, "2026-08-05 18:30:00")
    _, items, events, _ = read(grocy)
    assert items[["storage", "expires_on"]].to_numpy().tolist() == [["fridge", pd.Timestamp("2026-03-09")]]
    assert told(events) == [("1", "moved", 0, "03-05 18:30:00"), ("1", "consumed", 3, "08-05 18:30:00")]


def test_the_rest_of_what_was_opened_belongs_to_its_purchase(grocy: GrocyDatabase) -> None:
    """Grocy gives the rest a new stock_id, and books nothing of it."""
    other = grocy.purchase(1, 6, "2026-03-01 18:30:00", best_before_date="2026-03-20")
    milk = grocy.purchase(1, 6, "2026-03-02 18:30:00", best_before_date="2026-03-09", price=1.0)
    rest = grocy.open(milk, 1, "2026-03-03 08:00:00")
    assert rest is not None
    last = grocy.open(rest, 2, "2026-03-04 08:00:00")
    assert last is not None
    grocy.consume(last, 3, "2026-03-10 08:00:00", spoiled=True)
    grocy.consume(rest, 2, "2026-03-10 08:00:00", spoiled=True)
    grocy.consume(other, 6, "2026-03-11 08:00:00")
    _, items, events, counts = read(grocy)
    assert items["quantity"].tolist() == [6, 6]
    assert told(events) == [
        ("1", "consumed", 6, "03-11 08:00:00"),
        ("2", "opened", 0, "03-03 08:00:00"),
        ("2", "opened", 0, "03-04 08:00:00"),
        ("2", "wasted", 5, "03-10 08:00:00"),
    ]
    assert counts["bookings_of_no_known_item"] == 0


def test_a_rest_is_found_though_the_opening_was_undone(grocy: GrocyDatabase) -> None:
    milk = grocy.purchase(1, 6, "2026-03-02 18:30:00")
    rest = grocy.open(milk, 1, "2026-03-03 08:00:00")
    assert rest is not None
    grocy.undo(2)
    grocy.consume(rest, 5, "2026-03-10 08:00:00")
    assert told(read(grocy)[2]) == [("1", "consumed", 5, "03-10 08:00:00")]


def test_bookings_of_what_nobody_booked_in_are_counted(grocy: GrocyDatabase) -> None:
    grocy.purchase(1, 6, "2026-03-02 18:30:00")
    grocy.consume(Entry(1, 2.0, NEVER, "2026-01-01", "ab", None, PANTRY), 1, "2026-03-03 08:00:00")
    _, _, events, counts = read(grocy)
    assert (len(events), counts["bookings_of_no_known_item"]) == (0, 1)


def test_purchases_in_one_stock_entry_are_one_item_and_later_ones_correct_it(grocy: GrocyDatabase) -> None:
    first = grocy.purchase(1, 1, "2026-03-02 18:30:00")
    grocy.compact(first, grocy.purchase(1, 2, "2026-03-02 18:31:00"))
    grocy.compact(first, grocy.purchase(1, 4, "2026-03-04 18:30:00", purchased_date="2026-03-02"))
    grocy.consume(first, 7, "2026-03-05 18:30:00")
    _, items, events, _ = read(grocy)
    assert items[["item_id", "quantity"]].to_numpy().tolist() == [["1", 3]]
    assert told(events) == [("1", "corrected", -4, "03-04 18:30:00"), ("1", "consumed", 7, "03-05 18:30:00")]


@pytest.mark.parametrize(
    ("date", "default_days", "expected"),
    [
        ("2026-03-09", 7, "2026-03-09"),
        (NEVER, 7, None),
        (None, 7, "2026-03-08"),
        (None, -1, None),
        (None, 0, None),
        ("", 3, "2026-03-04"),
        ("2026-03-09 00:00:00", 0, "2026-03-09"),
    ],
)
def test_the_printed_date_is_the_booked_one_or_follows_from_the_products_days(
    tmp_path: Path, date: str | None, default_days: int, expected: str | None
) -> None:
    grocy = GrocyDatabase(tmp_path / "grocy.db")
    product = grocy.add_product("Milk", default_best_before_days=default_days)
    grocy.purchase(product, 1, "2026-03-02 18:30:00", best_before_date=date, purchased_date="2026-03-01")
    assert read(grocy)[1]["expires_on"].tolist() == [pd.NaT if expected is None else pd.Timestamp(expected)]


@pytest.mark.parametrize(
    ("time_zone", "purchased_date", "expected"),
    [
        ("UTC", "2026-03-02", "2026-03-02 18:30:00"),
        ("Europe/Berlin", "2026-03-02", "2026-03-02 17:30:00"),
        ("America/Los_Angeles", "2026-03-02", "2026-03-03 02:30:00"),
        ("Europe/Berlin", "2026-02-27", "2026-02-27 11:00:00"),
        ("Pacific/Auckland", "2026-02-27", "2026-02-26 23:00:00"),
        ("UTC", "2026-03-05", "2026-03-02 18:30:00"),
        ("UTC", "", "2026-03-02 18:30:00"),
    ],
)
def test_a_purchase_happened_when_it_was_booked_or_at_noon_of_an_earlier_day(
    grocy: GrocyDatabase, time_zone: str, purchased_date: str, expected: str
) -> None:
    milk = grocy.purchase(1, 1, "2026-03-02 18:30:00")
    grocy.connection.execute("UPDATE stock_log SET purchased_date = ?", [purchased_date])
    grocy.consume(milk, 1, "2026-03-09 18:30:00")
    items = read(grocy, PARAMS.model_copy(update={"time_zone": time_zone}))[1]
    assert items["purchased_on"].tolist() == [pd.Timestamp(expected)]


def test_local_times_are_converted_over_a_change_of_clocks(grocy: GrocyDatabase) -> None:
    """In Berlin, 2:00 to 3:00 is skipped on 2026-03-29 and happens twice on 2026-10-25."""
    milk = grocy.purchase(1, 20, "2026-03-28 12:00:00")
    local = [
        *("2026-03-29 01:59:59", "2026-03-29 02:30:00", "2026-03-29 03:00:00"),
        *("2026-10-25 01:59:59", "2026-10-25 02:30:00", "2026-10-25 02:50:00", "2026-10-25 02:10:00"),
        *("2026-10-25 02:40:00", "2026-10-25 03:00:00"),
    ]
    for at in local:
        grocy.consume(milk, 1, at)
    events = read(grocy, PARAMS.model_copy(update={"time_zone": "Europe/Berlin"}))[2]
    assert events["occurred_on"].dt.strftime("%m-%d %H:%M:%S").tolist() == [
        *("03-29 00:59:59", "03-29 01:00:00"),  # the skipped time is the end of the gap
        *("10-24 23:59:59", "10-25 00:30:00", "10-25 00:50:00", "10-25 01:10:00", "10-25 01:40:00", "10-25 02:00:00"),
    ]
    assert events["quantity"].tolist() == [1, 2, 1, 1, 1, 1, 1, 1]


def test_what_has_no_mapping_is_left_out_and_counted_by_the_users_words(grocy: GrocyDatabase) -> None:
    group = grocy.insert("product_groups", name="Snacks ")
    soap = grocy.insert("product_groups", name="Household")
    shed = grocy.insert("locations", name="Shed")
    products = [
        grocy.add_product("Chips", product_group_id=group),
        grocy.add_product("Soap", product_group_id=soap),
        grocy.add_product("Thing", product_group_id=None),
        grocy.add_product("Apples", "produce", location_id=shed),
    ]
    for product, location in zip([1, *products], [2, 2, 2, 2, shed], strict=True):
        entry = grocy.purchase(product, 1, "2026-03-02 18:30:00", location_id=location)
        grocy.consume(entry, 1, "2026-03-03 18:30:00")
    grocy.purchase(products[0], 1, "2026-03-02 18:30:00")
    _, items, events, counts = read(
        grocy, PARAMS.model_copy(update={"categories": {**MAPPED["categories"], "Household": None}})
    )
    assert items["product"].tolist() == ["Milk"]
    assert told(events) == [("1", "consumed", 1, "03-03 18:30:00")]
    assert counts["items_in_groups_without_a_category"] == {"(no group)": 1, "Snacks": 2}
    assert counts["items_in_locations_without_a_storage"] == {"Shed": 1}
    assert counts["items_that_are_no_food"] == 1


def test_if_nothing_is_mapped_one_line_says_what_to_do_and_shows_no_word_of_the_user(grocy: GrocyDatabase) -> None:
    grocy.purchase(1, 1, "2026-03-02 18:30:00")
    with pytest.raises(ContractError) as refusal:
        read(grocy, PARAMS.model_copy(update={"categories": {}}))
    text = str(refusal.value)
    assert text.startswith("grocy: no item of this database has both a category and a storage; name its product groups")
    assert "conf/grocy/parameters.yml" in text
    assert "Our" not in text
    assert "\n" not in text


def test_a_location_is_a_freezer_if_grocy_says_so_and_that_of_the_product_without_one(grocy: GrocyDatabase) -> None:
    peas = grocy.add_product("Peas", "frozen", location_id=FREEZER)
    grocy.purchase(peas, 1, "2026-03-02 18:30:00", location_id=FREEZER)
    grocy.connection.execute("DROP TRIGGER set_products_default_location_if_empty_stock_log")
    grocy.purchase(peas, 1, "2026-03-02 18:30:00", location_id=None)  # type: ignore[arg-type]
    assert read(grocy)[1]["storage"].tolist() == ["freezer", "freezer"]


def test_what_a_product_lacks_is_unknown_and_a_database_may_have_no_groups(grocy: GrocyDatabase) -> None:
    grocy.purchase(1, 1, "2026-03-02 18:30:00")
    grocy.connection.execute("DELETE FROM quantity_units")
    assert read(grocy)[1]["unit"].tolist() == ["unknown"]
    grocy.connection.execute("DELETE FROM product_groups")
    tables = GrocyDataset(str(grocy.path)).load()
    assert count_grocy(tables, PARAMS)["items_in_groups_without_a_category"] == {"(no group)": 1}
    grocy.connection.execute("DELETE FROM locations")
    assert count_grocy(GrocyDataset(str(grocy.path)).load(), PARAMS)["items"] == 0
    mapped = PARAMS.model_copy(update={"categories": {"(no group)": "dairy"}, "storages": {"unknown": "pantry"}})
    grocy.connection.execute("DELETE FROM products")
    assert read(grocy, mapped)[1][["product", "unit"]].to_numpy().tolist() == [["unknown", "unknown"]]


def test_crumbs_of_rounding_are_no_events(grocy: GrocyDatabase) -> None:
    milk = grocy.purchase(1, 1, "2026-03-02 18:30:00")
    grocy.consume(milk, 1 - 1e-7, "2026-03-03 18:30:00")
    grocy.consume(milk, 1e-7, "2026-03-04 18:30:00")
    grocy.purchase(1, 1e-9, "2026-03-04 18:30:00")
    _, items, events, counts = read(grocy)
    assert (len(items), events["kind"].tolist(), counts["items_below_a_thousandth"]) == (1, ["consumed"], 1)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("amount", "two", "stock_log.amount: must be a number (1 of 2 rows)"),
        ("purchased_date", "secret", "stock_log.purchased_date: must be a date (1 of 2 rows)"),
        ("row_created_timestamp", None, "stock_log.row_created_timestamp: must be a time (1 of 2 rows)"),
        ("transaction_type", "secret", "stock_log.transaction_type: must be one of consume, inventory-correction,"),
    ],
)
def test_a_column_that_holds_something_else_is_told_in_one_line(
    grocy: GrocyDatabase, column: str, value: str | None, reason: str
) -> None:
    grocy.consume(grocy.purchase(1, 1, "2026-03-02 18:30:00"), 1, "2026-03-03 18:30:00")
    grocy.connection.execute(f"UPDATE stock_log SET {column} = ? WHERE id = 2", [value])
    with pytest.raises(ContractError) as refusal:
        read(grocy)
    assert str(refusal.value).startswith(reason)
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_database_in_which_nothing_was_booked_is_refused_in_one_line(grocy: GrocyDatabase) -> None:
    with pytest.raises(ContractError, match=r"^stock_log: must not be empty \(0 rows\); nothing has been booked"):
        read(grocy)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"categories": {"Our dairy": "milk"}}, "Input should be 'dairy', 'produce'"),
        ({"storages": {"My fridge": "cold"}}, "Input should be 'fridge', 'freezer' or 'pantry'"),
        ({"time_zone": "Berlin"}, "should be the name of a time zone such as UTC or Europe/Berlin"),
        ({"time_zone": "../etc/passwd"}, "should be the name of a time zone"),
        ({"household_size": 0}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_parameter_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Grocy.model_validate(MAPPED | change)


def test_the_projects_own_mapping_is_valid() -> None:
    assert load(Grocy, CONF / "grocy/parameters.yml").time_zone == "UTC"


class Diary:
    """Books at random in a Grocy, and writes down in our words what happened."""

    def __init__(self, path: Path, draw: Callable[[Any], Any]) -> None:
        self.grocy, self.draw = GrocyDatabase(path), draw
        self.grocy.connection.execute("BEGIN")
        self.products = [self.grocy.add_product(name, "dairy") for name in ("Milk", "Cheese")]
        self.now = pd.Timestamp("2026-01-05 08:00:00")
        self.items: dict[int, dict[str, Any]] = {}
        self.events: list[tuple[int, str, float, pd.Timestamp]] = []
        self.item_of: dict[str, int] = {}
        self.ages: dict[int, pd.Timestamp] = {}

    @property
    def at(self) -> str:
        return f"{self.now:%Y-%m-%d %H:%M:%S}"

    def note(self, entry: Entry, kind: str, quantity: float) -> None:
        self.events.append((self.item_of[entry.stock_id], kind, quantity, self.now))

    def is_first_day(self, entry: Entry) -> bool:
        return self.ages[self.item_of[entry.stock_id]].date() == self.now.date()

    def step(self) -> None:
        self.now += pd.Timedelta(self.draw(st.sampled_from(["0s", "7min", "5h", "20h", "3D"])))
        acts = [self.buy, self.buy]
        if self.grocy.entries:
            acts += [self.use, self.use, self.correct, self.open, self.transfer, self.edit, self.regret, self.compact]
        self.draw(st.sampled_from(acts))()

    def pick(self) -> Entry:
        entry: Entry = self.draw(st.sampled_from(range(len(self.grocy.entries))).map(self.grocy.entries.__getitem__))
        return entry

    def part(self, entry: Entry) -> float:
        """A part whose sums are exact, and which is no crumb."""
        return entry.amount * float(self.draw(st.sampled_from([0.25, 0.5, 1.0] if entry.amount > 0.1 else [1.0])))

    def buy(self) -> None:
        kind = self.draw(st.sampled_from(["purchase", "self-production", "inventory-correction"]))
        days, price = self.draw(st.sampled_from([5, 30, None])), self.draw(st.sampled_from([1.5, None]))
        date = NEVER if days is None else f"{self.now + pd.Timedelta(days=days):%Y-%m-%d}"
        place = self.draw(st.sampled_from(list(LOCATIONS.values())))
        amount = float(self.draw(st.sampled_from([1, 2, 8])))
        product = self.draw(st.sampled_from(self.products))
        entry = self.grocy.purchase(
            product, amount, self.at, kind=kind, best_before_date=date, price=price, location_id=place
        )
        number = self.grocy.connection.execute("SELECT MAX(id) FROM stock_log").fetchone()[0]
        self.item_of[entry.stock_id], self.ages[number] = number, self.now
        self.items[number] = {"quantity": amount, "date": date, "price": price, "place": place, "at": self.now}

    def use(self) -> None:
        entry, spoiled = self.pick(), self.draw(st.booleans())
        part = self.part(entry)
        self.grocy.consume(entry, part, self.at, spoiled=spoiled)
        self.note(entry, "wasted" if spoiled else "consumed", part)

    def correct(self) -> None:
        entry = self.pick()
        part = self.part(entry)
        self.grocy.consume(entry, part, self.at, kind="inventory-correction")
        self.note(entry, "corrected", part)

    def open(self) -> None:
        entry = self.pick()
        if entry.opened_date is None:
            rest = self.grocy.open(entry, self.part(entry), self.at)
            self.note(entry, "opened", 0)
            if rest:
                self.item_of[rest.stock_id] = self.item_of[entry.stock_id]

    def transfer(self) -> None:
        entry = self.pick()
        places = [place for place in LOCATIONS.values() if place != entry.location_id]
        self.grocy.transfer(entry, self.part(entry), self.draw(st.sampled_from(places)), self.at)
        self.note(entry, "moved", 0)

    def edit(self) -> None:
        entry, date = self.pick(), f"{self.now + pd.Timedelta(days=9):%Y-%m-%d}"
        more = float(self.draw(st.sampled_from([0, 1, 2])))
        item = self.items[self.item_of[entry.stock_id]]
        if self.is_first_day(entry):
            item |= {"quantity": item["quantity"] + more, "date": date, "price": 9.0, "place": entry.location_id}
        elif more:
            self.note(entry, "corrected", -more)
        self.grocy.edit(entry, self.at, amount=entry.amount + more, best_before_date=date, price=9.0)

    def regret(self) -> None:
        """Eat and undo it, or buy and undo that."""
        entry = self.pick()
        if self.draw(st.booleans()):
            amount = entry.amount
            self.grocy.undo(self.grocy.consume(entry, amount / 4, self.at))
            entry.amount = amount
        else:
            self.buy()
            gone = self.grocy.entries.pop()
            number = self.item_of.pop(gone.stock_id)
            self.grocy.undo(number)
            del self.items[number]

    def compact(self) -> None:
        """Buy once more of what was just bought, which Grocy merges."""
        entry = self.pick()
        is_new = self.item_of[entry.stock_id] in self.items and entry.opened_date is None
        if is_new and self.ages[self.item_of[entry.stock_id]] == self.now:
            same = {"best_before_date": entry.best_before_date, "price": entry.price, "location_id": entry.location_id}
            added = self.grocy.purchase(entry.product_id, 2, self.at, **same)  # type: ignore[arg-type]
            self.grocy.compact(entry, added)
            self.items[self.item_of[entry.stock_id]]["quantity"] += 2.0

    def close(self) -> None:
        self.grocy.connection.execute("COMMIT")
        self.grocy.close()

    def expected_events(self) -> list[tuple[str, str, float, pd.Timestamp]]:
        totals: dict[tuple[int, str, pd.Timestamp], float] = {}
        for item, kind, quantity, at in self.events:
            totals[item, kind, at] = totals.get((item, kind, at), 0) + quantity
        kept = {key: total for key, total in totals.items() if total or key[1] in {"opened", "moved"}}
        order = sorted(kept, key=lambda key: (key[0], key[2]))
        return [(str(item), kind, kept[item, kind, at], at) for item, kind, at in order]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_bookings_are_read_as_they_happened(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    diary = Diary(tmp_path_factory.mktemp("diary") / "grocy.db", data.draw)
    diary.buy()
    for _ in range(data.draw(st.integers(0, 25))):
        diary.step()
    diary.close()
    households, items, events, _ = read(diary.grocy)
    storage = {number: name for name, number in LOCATIONS.items()}
    assert list(zip(items["item_id"], items["quantity"], items["storage"], items["purchased_on"], strict=True)) == [
        (str(number), item["quantity"], storage[item["place"]], item["at"])
        for number, item in sorted(diary.items.items())
    ]
    dates = [pd.NaT if item["date"] == NEVER else pd.Timestamp(item["date"]) for _, item in sorted(diary.items.items())]
    pd.testing.assert_series_equal(items["expires_on"], pd.Series(dates, dtype="datetime64[us]"), check_names=False)
    prices = [np.nan if item["price"] is None else item["price"] for _, item in sorted(diary.items.items())]
    np.testing.assert_array_equal(items["unit_price"], np.array(prices, dtype=float))
    happened = list(zip(events["item_id"], events["kind"], events["quantity"], events["occurred_on"], strict=True))
    assert happened == diary.expected_events()
    rules = load(Cleaning, CONF / "base/parameters_data_engineering.yml")
    counts = check_tables(households, items, events, rules)[3]
    assert counts["repaired"] == {}
    assert set(counts["dropped"]) <= {
        "items_outside_the_period",
        "events_outside_the_period",
        "events_of_dropped_items",
    }
