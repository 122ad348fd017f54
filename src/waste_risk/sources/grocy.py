"""A database of Grocy, the pantry tracker, converted to one household, its items and their events.

Grocy books stock in ``stock_log`` and only ever adds to it, so the bookings say what was known at any moment. The
conversion takes nothing that a later booking says about an earlier day.
"""

from bisect import bisect_left
from typing import Any, NamedTuple, TypedDict

import numpy as np
import pandas as pd

from waste_risk.arrays import Mask
from waste_risk.errors import ContractError
from waste_risk.parameters import Grocy
from waste_risk.reference.vocabulary import UNKNOWN, thousandths

# What is read: columns of Grocy 4, of which all but one (the freezer) have been there since Grocy 2.6.
COLUMNS = {
    "stock_log": (
        *("id", "product_id", "amount", "best_before_date", "purchased_date", "spoiled", "stock_id"),
        *("transaction_type", "price", "undone", "opened_date", "location_id", "row_created_timestamp"),
    ),
    "products": ("id", "name", "product_group_id", "location_id", "qu_id_stock", "default_best_before_days"),
    "product_groups": ("id", "name"),
    "locations": ("id", "name", "is_freezer"),
    "quantity_units": ("id", "name"),
}
HOUSEHOLD_ID = "grocy"  # the one household; text, so that it is none of the numbered ones of another source

_PURCHASES = ("purchase", "self-production")
_TYPES = frozenset(
    {
        *(*_PURCHASES, "consume", "product-opened", "inventory-correction"),
        *("stock-edit-old", "stock-edit-new", "transfer_from", "transfer_to"),
    }
)
_NEVER = pd.Timestamp("2999-12-31")  # "never overdue"
_NO_GROUP = "(no group)"
_KEY = ["product_id", "purchased_date", "best_before_date", "price"]  # what the parts of a stock entry have in common

GrocyTables = dict[str, pd.DataFrame]


class GrocyCounts(TypedDict):
    """What a Grocy database holds, and what was left out of it: bookings and items, by reason and by the user's words.

    ``found_items`` are in the tables: stock that an inventory found, whose day of purchase is that of the inventory.
    """

    bookings: int
    undone: int
    items: int
    events: int
    found_items: int
    bookings_of_no_known_item: int
    edits_without_a_pair: int
    items_below_a_thousandth: int
    items_that_are_no_food: int
    items_in_groups_without_a_category: dict[str, int]
    items_in_locations_without_a_storage: dict[str, int]


class _Records(NamedTuple):
    households: pd.DataFrame
    items: pd.DataFrame
    events: pd.DataFrame
    counts: GrocyCounts


class _LeftOut(NamedTuple):
    is_little: Mask
    is_no_food: "pd.Series[bool]"
    groups: pd.Series
    locations: pd.Series


def count_grocy(grocy_tables: GrocyTables, grocy: Grocy) -> GrocyCounts:
    """Count what the database holds and what of it is left out, which the mappings in ``grocy`` can change.

    Raises:
        ContractError: nothing was booked yet, or a column holds something else than Grocy writes.
    """
    return _convert(grocy_tables, grocy).counts


def read_grocy(
    grocy_tables: GrocyTables, grocy: Grocy, grocy_counts: GrocyCounts
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Convert the bookings of a Grocy database to our tables.

    An item is a stock entry: what was purchased or produced, or found by an inventory, with all that was split off it.
    Its id is that of its first booking, which Grocy never changes. Printed date, price and place are those booked on
    the first day: a later edit, freezing or opening tells of days after it. 2999-12-31 is no date; a missing one
    follows from the product's default days. Amounts that an edit or an inventory changes later become `corrected`,
    above 0 if something is gone; they do not say why. Undone bookings do not count. Times are converted to UTC.

    Args:
        grocy_tables: the tables and columns of ``COLUMNS``, all from one moment.
        grocy: the time zone, the household, and the mappings of the user's words.
        grocy_counts: by which nothing is left out unseen.

    Returns:
        households (one), items in the order of their bookings, and events in the order of items and time.

    Raises:
        ContractError: as in ``count_grocy``; or every item is left out.
    """
    if not grocy_counts["items"]:
        raise ContractError(
            "grocy: no item of this database has both a category and a storage; name its product groups and locations "
            "in grocy.categories and grocy.storages (conf/grocy/parameters.yml). The file of the dataset grocy_counts "
            "lists those that are missing"
        )
    records = _convert(grocy_tables, grocy)
    return records.households, records.items, records.events


def _convert(tables: GrocyTables, grocy: Grocy) -> _Records:
    log = _read_log(tables["stock_log"], grocy.time_zone)
    log = log.assign(item=_find_items(log))
    is_live = ~log["is_undone"]
    live = log[is_live & (log["item"] >= 0)]
    edits, n_unpaired = _pair_edits(live)
    entries = _first_bookings(live, edits)
    items, left_out = _items(entries, tables, grocy)
    events = _events(live, edits, items["item_id"], entries)
    counts = GrocyCounts(
        bookings=len(log),
        undone=int(log["is_undone"].sum()),
        items=len(items),
        events=len(events),
        found_items=int(entries.loc[items["item_id"].astype("int64"), "is_found"].sum()),
        bookings_of_no_known_item=int((is_live & (log["item"] < 0)).sum()),
        edits_without_a_pair=n_unpaired,
        items_below_a_thousandth=int(left_out.is_little.sum()),
        items_that_are_no_food=int(left_out.is_no_food.sum()),
        items_in_groups_without_a_category=_count(left_out.groups),
        items_in_locations_without_a_storage=_count(left_out.locations),
    )
    return _Records(_household(items, grocy), items, events, counts)


def _read_log(stock_log: pd.DataFrame, time_zone: str) -> pd.DataFrame:
    """Return the bookings in the order in which they were made, typed, with local day and moment in UTC."""
    if stock_log.empty:
        raise ContractError("stock_log: must not be empty (0 rows); nothing has been booked in this Grocy yet")
    log = stock_log.sort_values("id", ignore_index=True)
    kind = log["transaction_type"].astype("str")
    made_at = _read_column(log, "row_created_timestamp", "must be a time", _to_times, nullable=False)
    unknown = ~kind.isin(_TYPES)
    if unknown.any():
        known = ", ".join(sorted(_TYPES))
        raise ContractError(f"stock_log.transaction_type: must be one of {known} ({_share(unknown)})")
    numbers = {
        name: _read_column(log, name, "must be a number", _to_numbers, nullable=name in {"price", "location_id"})
        for name in ("product_id", "amount", "spoiled", "price", "undone", "location_id")
    }
    dates = {
        name: _read_column(log, name, "must be a date", _to_times, nullable=True).dt.normalize()
        for name in ("best_before_date", "purchased_date", "opened_date")
    }
    return pd.DataFrame(
        {
            "id": log["id"].astype("int64"),
            "kind": kind,
            "stock_id": log["stock_id"].astype("str"),
            **numbers,
            **dates,
            "is_undone": numbers["undone"] == 1,
            "booked_day": made_at.dt.normalize(),
            "moment": _to_utc(made_at, time_zone),
        }
    )


def _read_column(table: pd.DataFrame, name: str, rule: str, convert: Any, *, nullable: bool) -> pd.Series:
    values = table[name].replace("", None)
    converted: pd.Series = convert(values)
    broken = converted.isna() & (values.notna() | (not nullable))
    if broken.any():
        raise ContractError(f"stock_log.{name}: {rule} ({_share(broken)})")
    return converted


def _to_numbers(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").astype("float64")


def _to_times(values: pd.Series) -> pd.Series:
    texts = values.astype("str").where(values.notna())
    return pd.to_datetime(texts, format="ISO8601", errors="coerce").astype("datetime64[us]")


def _share(broken: pd.Series) -> str:
    return f"{int(broken.sum())} of {len(broken)} rows"


def _to_utc(local: pd.Series, time_zone: str) -> pd.Series:
    """Convert local times, in the order of the bookings, to naive UTC.

    An hour that the clocks repeat is taken for the first one until a booking is earlier than one before it. A time
    that the clocks skip becomes the end of the gap.
    """

    def convert(in_first: bool) -> pd.Series:
        is_first = np.full(len(local), in_first)
        zoned = local.dt.tz_localize(time_zone, ambiguous=is_first, nonexistent="shift_forward")
        utc: pd.Series = zoned.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
        return utc

    first, second = convert(True), convert(False)
    twofold = first[first != second]
    day = local.dt.normalize().loc[twofold.index]
    goes_back = (twofold < twofold.groupby(day).cummax()).astype("int8").groupby(day).cummax() == 1
    moments: pd.Series = first.mask(goes_back.reindex(local.index, fill_value=False), second)
    return moments


def _find_items(log: pd.DataFrame) -> "pd.Series[int]":
    """Return for each booking the id of the first booking of its item, -1 where there is none.

    Where a part of a stock entry is opened, Grocy gives the rest a new ``stock_id`` and books nothing. Such a rest is
    recognized by the opening before it, of the same product, with the dates and the price of the rest.
    """
    is_arrival = log["kind"].isin(_PURCHASES) | ((log["kind"] == "inventory-correction") & (log["amount"] > 0))
    arrivals = log[is_arrival]
    item = arrivals[~arrivals["is_undone"]].groupby("stock_id")["id"].min().to_dict()
    undone = set(arrivals["stock_id"]) - set(item)
    rests = log[~log["stock_id"].isin([*item, *undone])].drop_duplicates("stock_id")
    openings = log[log["kind"] == "product-opened"]
    ids_of: dict[tuple[str, ...], list[int]] = {}
    for key, booking in zip(_keys(openings), openings["id"], strict=True):
        ids_of.setdefault(key, []).append(booking)
    stock_of = dict(zip(openings["id"], openings["stock_id"], strict=True))
    for key, booking, stock in zip(_keys(rests), rests["id"], rests["stock_id"], strict=True):
        before = ids_of.get(key, [])[: bisect_left(ids_of.get(key, []), booking)]
        whole = next((item[stock_of[each]] for each in reversed(before) if stock_of[each] in item), None)
        if whole is not None:
            item[stock] = whole
    first_booking: pd.Series[int] = log["stock_id"].map(item).fillna(-1).astype("int64")
    return first_booking


def _keys(bookings: pd.DataFrame) -> list[tuple[str, ...]]:
    return [tuple(map(str, key)) for key in bookings[_KEY].itertuples(index=False)]  # as text, null equals null


def _pair_edits(live: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return edits, what was beside what became of it (``_old``, ``_new``), and the number of bookings without a pair.

    Grocy books what was and then at once what is now.
    """
    edits = live[live["kind"].isin(["stock-edit-old", "stock-edit-new"])]
    of_stock = edits.groupby("stock_id")
    is_old = edits["kind"] == "stock-edit-old"
    old = edits[is_old & (of_stock["kind"].shift(-1) == "stock-edit-new")]
    new = edits[~is_old & (of_stock["kind"].shift(1) == "stock-edit-old")]
    later = of_stock["id"].shift(-1).loc[old.index].astype("int64")
    pairs = old.assign(new_id=later).merge(new, left_on="new_id", right_on="id", suffixes=("_old", "_new"))
    return pairs, len(edits) - 2 * len(pairs)


def _first_bookings(live: pd.DataFrame, edits: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each item, by the id of its first booking, as it was booked and edited on that day.

    The amount includes what was purchased into the same stock entry on that day.
    """
    first = live[live["id"] == live["item"]].set_index("id")
    day = first["booked_day"]
    same_day = edits[edits["booked_day_new"] == day.reindex(edits["item_old"]).to_numpy()]
    added = live[live["kind"].isin(_PURCHASES) & (live["id"] != live["item"])]
    added = added[added["booked_day"] == day.reindex(added["item"]).to_numpy()]
    amount = first["amount"].add(added.groupby("item")["amount"].sum(), fill_value=0)
    change = same_day["amount_new"].abs() - same_day["amount_old"].abs()
    amount = amount.add(change.groupby(same_day["item_old"]).sum(), fill_value=0)
    last = same_day.drop_duplicates("item_old", keep="last").set_index("item_old")
    edited = {
        name: first[name].mask(first.index.isin(last.index), last[f"{name}_new"].reindex(first.index))
        for name in ("best_before_date", "purchased_date", "price", "location_id")
    }
    return first.assign(**edited, amount=amount, is_found=first["kind"] == "inventory-correction")


def _items(entries: pd.DataFrame, tables: GrocyTables, grocy: Grocy) -> "tuple[pd.DataFrame, _LeftOut]":
    """Return the items table, and what is left out of it."""
    words = _words(entries, tables)
    category = words["group"].map(grocy.categories)
    storage = words["location"].map(grocy.storages).mask(words["is_freezer"] == 1, "freezer")
    is_no_food = words["group"].isin([name for name, known in grocy.categories.items() if known is None])
    left_out = _LeftOut(
        is_little=thousandths(entries["amount"]) < 1,
        is_no_food=is_no_food,
        groups=words.loc[category.isna() & ~is_no_food, "group"],
        locations=words.loc[storage.isna() & category.notna(), "location"],
    )
    items = pd.DataFrame(
        {
            "item_id": entries.index.astype("str"),
            "household_id": pd.Series(HOUSEHOLD_ID, index=entries.index, dtype="str"),
            "product": words["product"],
            "category": category.astype("str"),
            "quantity": entries["amount"],
            "unit": words["unit"],
            "unit_price": entries["price"],
            "on_promotion": pd.array([pd.NA] * len(entries), dtype="boolean"),
            "purchased_on": _purchased_at(entries, grocy.time_zone),
            "storage": storage.astype("str"),
            "expires_on": _expiry(entries, words["default_days"]),
        }
    )
    return items[category.notna() & storage.notna() & ~left_out.is_little].reset_index(drop=True), left_out


def _words(entries: pd.DataFrame, tables: GrocyTables) -> pd.DataFrame:
    """Return what the user calls each item, its group, its unit and its first place, which is else the product's."""
    product = tables["products"].set_index("id").reindex(entries["product_id"].to_numpy()).set_axis(entries.index)
    place = entries["location_id"].fillna(_ids(product["location_id"])).to_numpy()
    locations = tables["locations"].set_axis(_ids(tables["locations"]["id"]))
    words = {
        "product": product["name"].astype("str").to_numpy(),
        "group": _names(tables["product_groups"]).reindex(_ids(product["product_group_id"])).to_numpy(),
        "unit": _names(tables["quantity_units"]).reindex(_ids(product["qu_id_stock"])).to_numpy(),
        "location": _names(tables["locations"]).reindex(place).to_numpy(),
        "is_freezer": _ids(locations["is_freezer"]).reindex(place).to_numpy(),
        "default_days": product["default_best_before_days"].to_numpy(),
    }
    missing = {**dict.fromkeys(("product", "unit", "location"), UNKNOWN), "group": _NO_GROUP}
    return pd.DataFrame(words, index=entries.index).fillna(missing)


def _names(table: pd.DataFrame) -> pd.Series:
    """Return the names of a table by id."""
    return table["name"].astype("str").str.strip().set_axis(_ids(table["id"]))


def _ids(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").astype("float64")  # null where the user chose none


def _count(names: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in names.value_counts().sort_index().items()}


def _purchased_at(entries: pd.DataFrame, time_zone: str) -> pd.Series:
    """Return when an item was purchased: when it was booked, or at noon of an earlier day that the user gave."""
    noon = entries["purchased_date"] + pd.Timedelta(hours=12)
    is_earlier = entries["purchased_date"] < entries["booked_day"]
    given = _to_utc(noon.where(is_earlier, entries["booked_day"]), time_zone)
    return entries["moment"].mask(is_earlier, given)


def _expiry(entries: pd.DataFrame, default_days: pd.Series) -> pd.Series:
    """Return the printed date; without one, that of the product's default days, which are below 1 for none."""
    days = pd.to_numeric(default_days, errors="coerce")
    bought_on = entries["purchased_date"].fillna(entries["booked_day"])
    by_default = bought_on + pd.to_timedelta(days.where(days > 0), unit="D")
    date = entries["best_before_date"].fillna(by_default).astype("datetime64[us]")
    return date.mask(date >= _NEVER)


def _events(live: pd.DataFrame, edits: pd.DataFrame, item_ids: pd.Series, entries: pd.DataFrame) -> pd.DataFrame:
    """Return the events of the items, one for each item, kind and moment: Grocy may book it for each part."""
    kind, amount = live["kind"], live["amount"]
    is_correction = (kind == "inventory-correction") | kind.isin(_PURCHASES)
    is_later = live["id"] != live["item"]
    first_day = entries["booked_day"].reindex(live["item"]).to_numpy()
    is_of_first_day = kind.isin(_PURCHASES) & (live["booked_day"] == first_day)
    is_use = kind == "consume"
    taken = pd.concat(
        [
            _event(live[is_use & (live["spoiled"] != 1)], "consumed", -amount),
            _event(live[is_use & (live["spoiled"] == 1)], "wasted", -amount),
            _event(live[is_correction & is_later & ~is_of_first_day], "corrected", -amount),
            _event(live[kind == "product-opened"], "opened", amount * 0),
            _event(live[kind == "transfer_to"], "moved", amount * 0),
            *_edit_events(edits, entries),
        ]
    )
    taken = taken[taken["item"].isin(item_ids.astype("int64"))].sort_values(["item", "occurred_on", "id"])
    grouped = taken.groupby(["item", "kind", "occurred_on"], sort=False, as_index=False)
    events = grouped.agg(quantity=("quantity", "sum"), id=("id", "min"))
    is_kept = (thousandths(events["quantity"]) != 0) | events["kind"].isin(["opened", "moved"])
    events = events[is_kept].sort_values(["item", "occurred_on", "id"], ignore_index=True)
    events = events.assign(item_id=events["item"].astype("str"), household_id=HOUSEHOLD_ID)
    types = {"item_id": "str", "household_id": "str", "kind": "str", "quantity": "float64"}
    typed: pd.DataFrame = events.astype({**types, "occurred_on": "datetime64[us]"})[[*types, "occurred_on"]]
    return typed


def _edit_events(edits: pd.DataFrame, entries: pd.DataFrame) -> list[pd.DataFrame]:
    """Return what edits say that happened: the amount of a later day, another place, an opening."""
    rows = edits.rename(columns={"id_new": "id", "item_old": "item", "moment_new": "moment"})
    is_later: Mask = (edits["booked_day_new"] != entries["booked_day"].reindex(edits["item_old"]).to_numpy()).to_numpy()
    gone = rows["amount_old"].abs() - rows["amount_new"].abs()
    is_moved = rows["location_id_old"] != rows["location_id_new"]
    is_opened = rows["opened_date_old"].isna() & rows["opened_date_new"].notna()
    nothing = gone * 0
    return [
        _event(rows[is_later & (gone != 0)], "corrected", gone),
        _event(rows[is_later & is_moved], "moved", nothing),
        _event(rows[is_opened], "opened", nothing),
    ]


def _event(bookings: pd.DataFrame, kind: str, quantity: pd.Series) -> pd.DataFrame:
    columns = {
        "id": bookings["id"],
        "item": bookings["item"],
        "kind": pd.Series(kind, index=bookings.index, dtype="str"),
        "quantity": quantity.loc[bookings.index],
        "occurred_on": bookings["moment"],
    }
    return pd.DataFrame(columns)


def _household(items: pd.DataFrame, grocy: Grocy) -> pd.DataFrame:
    """Return the one household; Grocy knows nothing about it but what it bought."""
    return pd.DataFrame(
        {
            "household_id": pd.Series([HOUSEHOLD_ID], dtype="str"),
            "size": grocy.household_size,
            "children": pd.array([grocy.children], dtype="Int64"),
            "income_band": pd.Series([grocy.income_band], dtype="str"),
            "joined_on": items["purchased_on"].dt.normalize().min(),
        }
    )
