"""PantryPal's records become our tables; what has no place in them is counted, and nothing is guessed."""

from typing import Any
from uuid import UUID

import pandas as pd
import pytest
from pantry_database import SCHEMA, WORDS, from_uuid

from waste_risk.errors import ContractError
from waste_risk.simulation import simulate
from waste_risk.sources.pantrypal import STATEMENTS, PantryPalTables, read_pantrypal, summarise_left_out
from waste_risk.sources.pantrypal_seed import seed_pantrypal, to_uuid
from waste_risk.tables.contracts import check

HOUSEHOLD = {"household_id": "h1", "size": 2, "currency": "EUR", "joined_on": "2024-01-01T08:30"}
ENTRY = {
    "item_id": "i1",
    "household_id": "h1",
    "product": "milk",
    "category": "dairy",
    "quantity": 1.5,
    "unit": "l",
    "price_cents": 300.0,
    "purchased_on": "2024-01-02",
    "storage": "refrigerator",
    "expires_on": "2024-01-09",
    "opened_at": None,
}
LOG = {"item_id": "i1", "household_id": "h1", "quantity": 0.5, "occurred_on": "2024-01-03T07:15:00.000001"}
TIMES = ("joined_on", "purchased_on", "expires_on", "opened_at", "occurred_on")
COLUMNS = dict(zip(STATEMENTS, (HOUSEHOLD, ENTRY, LOG, LOG), strict=True))


def frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a statement returns them."""
    table = pd.DataFrame(rows, columns=list(COLUMNS[name]))
    table = table.assign(**{time: pd.to_datetime(table[time], format="ISO8601") for time in TIMES if time in table})
    texts = {column: "str" for column, value in COLUMNS[name].items() if isinstance(value, str) and column not in TIMES}
    return table.astype(texts | ({"quantity": "float64"} if "quantity" in table else {}))


def convert(words: Any = WORDS, **rows: list[dict[str, Any]]) -> PantryPalTables:
    given = {"households": [HOUSEHOLD], "entries": [ENTRY], "consumption": [], "waste": [], **rows}
    return read_pantrypal((frame(name, given[name]) for name in STATEMENTS), words)


def test_an_entry_becomes_an_item_with_the_price_of_a_unit() -> None:
    tables = convert()
    item = check("items", tables.items).iloc[0]
    assert item.dropna().to_dict() == {
        "item_id": "i1",
        "household_id": "h1",
        "product": "milk",
        "category": "dairy",
        "quantity": 1.5,
        "unit": "l",
        "unit_price": 2.0,
        "purchased_on": pd.Timestamp("2024-01-02"),
        "storage": "fridge",
        "expires_on": pd.Timestamp("2024-01-09"),
    }
    assert item.index[item.isna()].tolist() == ["on_promotion"]
    household = check("households", tables.households).iloc[0]
    assert household.dropna().to_dict() == {
        "household_id": "h1",
        "size": 2,
        "income_band": "unknown",
        "joined_on": pd.Timestamp("2024-01-01T08:30"),
    }
    assert tables.left_out == {}


def test_opening_consumption_and_waste_become_events_in_the_order_of_time() -> None:
    tables = convert(
        entries=[{**ENTRY, "opened_at": "2024-01-03T07:00"}],
        consumption=[{**LOG, "occurred_on": "2024-01-04"}, LOG],
        waste=[{**LOG, "quantity": 0.25, "occurred_on": "2024-01-05"}],
    )
    events = check("events", tables.events)
    assert events["kind"].tolist() == ["opened", "consumed", "consumed", "wasted"]
    assert events["quantity"].tolist() == [0.0, 0.5, 0.5, 0.25]
    assert events["occurred_on"].tolist() == [
        pd.Timestamp(text) for text in ("2024-01-03T07:00", "2024-01-03T07:15:00.000001", "2024-01-04", "2024-01-05")
    ]
    assert set(events["item_id"]) == {"i1"}
    assert set(events["household_id"]) == {"h1"}


@pytest.mark.parametrize(
    ("storage", "ours"),
    [
        ("refrigerator", "fridge"),
        ("freezer", "freezer"),
        ("pantry", "pantry"),
        ("counter", "pantry"),
        ("other", "pantry"),
    ],
)
def test_every_storage_of_pantrypals_has_one_of_ours(storage: str, ours: str) -> None:
    assert convert(entries=[{**ENTRY, "storage": storage}]).items["storage"].tolist() == [ours]


def test_words_are_compared_without_case_and_surrounding_blanks() -> None:
    tables = convert(entries=[{**ENTRY, "category": " Vegetables "}])
    assert tables.items["category"].tolist() == ["produce"]


def test_what_has_no_place_is_left_out_and_counted_with_its_reason() -> None:
    entries = [
        ENTRY,
        {**ENTRY, "item_id": "i2", "category": None, "product": None},
        {**ENTRY, "item_id": "i3", "category": "Snacks"},
        {**ENTRY, "item_id": "i4", "category": "Pets"},
        {**ENTRY, "item_id": "i5", "category": "Snacks"},
        {**ENTRY, "item_id": "i6", "storage": "cellar"},
        {**ENTRY, "item_id": "i7", "quantity": 0.0},
        {**ENTRY, "item_id": "i8", "quantity": None},
    ]
    waste = [
        LOG,
        {**LOG, "item_id": None},
        {**LOG, "item_id": "i3"},
        {**LOG, "item_id": "deleted"},
        {**LOG, "quantity": 0.0004},
        {**LOG, "household_id": "deleted"},
    ]
    tables = convert(entries=entries, consumption=[{**LOG, "item_id": "i2"}], waste=waste)
    assert tables.items["item_id"].tolist() == ["i1"]
    assert tables.events[["item_id", "kind"]].to_numpy().tolist() == [["i1", "wasted"]]
    assert summarise_left_out(tables.left_out) == [
        "Left out:     pantry entries without an item of the catalog: 1",
        "Left out:     pantry entries of categories without a mapping ('Snacks' 2, 'Pets' 1): 3",
        "Left out:     pantry entries of storages without a mapping ('cellar' 1): 1",
        "Left out:     pantry entries of less than a thousandth: 2",
        "Left out:     records of consumption of pantry entries that are deleted or left out: 1",
        "Left out:     records of waste that name no pantry entry: 1",
        "Left out:     records of waste of pantry entries that are deleted or left out: 3",
        "Left out:     records of waste of less than a thousandth: 1",
    ]


def test_at_most_ten_words_without_a_mapping_are_named() -> None:
    entries = [{**ENTRY, "item_id": f"i{number:02}", "category": f"c{number:02}"} for number in range(13)]
    (reason,) = convert(entries=entries).left_out
    assert reason.endswith("'c08' 1, 'c09' 1, and 3 others)")


def test_the_order_of_the_records_changes_nothing() -> None:
    households = [HOUSEHOLD, {**HOUSEHOLD, "household_id": "h2", "size": 5}]
    entries = [
        {**ENTRY, "opened_at": "2024-01-03"},
        {**ENTRY, "item_id": "i2", "household_id": "h2", "opened_at": "2024-01-02"},
        {**ENTRY, "item_id": "i3", "price_cents": None},
    ]
    log = [{**LOG, "item_id": item, "quantity": share} for item in ("i1", "i3") for share in (0.5, 0.25)]
    log.append({**LOG, "item_id": "i2", "household_id": "h2"})
    rows = {"households": households, "entries": entries, "consumption": log, "waste": log[::2]}
    straight, backwards = convert(**rows), convert(**{name: table[::-1] for name, table in rows.items()})
    for one, other in zip(straight[:3], backwards[:3], strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert straight.items["item_id"].tolist() == ["i1", "i2", "i3"]
    assert straight.events["household_id"].tolist() == ["h1"] * 4 + ["h2"] * 3 + ["h1"] * 3


def test_prices_in_several_currencies_are_refused_unless_one_is_chosen() -> None:
    households = [HOUSEHOLD, {**HOUSEHOLD, "household_id": "h2", "currency": "USD"}]
    entries = [ENTRY, {**ENTRY, "item_id": "i2", "household_id": "h2"}]
    with pytest.raises(
        ContractError, match=r"^households\.currency: must be one, is EUR, USD; choose one as `currency`"
    ):
        convert(households=households, entries=entries)
    chosen = WORDS.model_copy(update={"currency": "USD"})
    prices = convert(words=chosen, households=households, entries=entries).items["unit_price"]
    assert prices.isna().tolist() == [True, False]


def test_a_price_per_unit_comes_back_to_the_last_bit() -> None:
    prices = pd.Series(range(1, 2_000)) / 100
    for quantity in (1.0, 3.0, 7.0):
        cents = (prices * quantity * 100).round()
        rows = [{**ENTRY, "item_id": f"{n:04}", "quantity": quantity, "price_cents": c} for n, c in enumerate(cents)]
        assert convert(entries=rows).items["unit_price"].tolist() == prices.tolist()


def test_an_integer_id_can_be_recovered_from_its_uuid() -> None:
    ids = pd.Series([0, 1, 17_000_003, 2**48 - 1], name="item_id")
    uuids = to_uuid("pantry_entries", ids)
    assert uuids.tolist()[1] == "00000000-0000-8003-8000-000000000001"
    assert [str(UUID(text)) for text in uuids] == uuids.tolist()
    assert from_uuid(uuids).tolist() == ids.tolist()


@pytest.mark.parametrize("ids", [[-1], [2**48], ["a"], [1.5]])
def test_an_id_that_no_uuid_could_hold_is_refused(ids: list[Any]) -> None:
    with pytest.raises(ContractError, match=r"^item_id: must be integers from 0 to 2\^48 - 1"):
        to_uuid("pantry_entries", pd.Series(ids, name="item_id"))


def test_events_that_pantrypal_does_not_record_are_refused_when_seeding() -> None:
    source = simulate(n_households=2, n_items_per_household=20, seed=1)
    events = source.events.assign(kind=source.events["kind"].where(source.events.index > 0, "moved"))
    with pytest.raises(ContractError, match=rf"opened, consumed, wasted only \(1 of {len(events)} rows\)"):
        seed_pantrypal(source.households, source.items, events, SCHEMA)
