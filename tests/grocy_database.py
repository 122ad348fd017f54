"""A Grocy database with the tables as Grocy's migrations leave them, and a Grocy that books in it."""

import itertools
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

NEVER = "2999-12-31"
_CREATED = "row_created_timestamp DATETIME DEFAULT (datetime('now', 'localtime'))"
_ID = "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT UNIQUE"
_NAMED = f"{_ID}, name TEXT NOT NULL UNIQUE, description TEXT, {_CREATED}"

# Column for column what Grocy 4 has, whether it is read or not.
SCHEMA = f"""
CREATE TABLE migrations (migration INTEGER NOT NULL PRIMARY KEY UNIQUE, execution_time_timestamp DATETIME);
CREATE TABLE locations ({_NAMED}, is_freezer TINYINT NOT NULL DEFAULT 0, active TINYINT NOT NULL DEFAULT 1);
CREATE TABLE product_groups ({_NAMED}, active TINYINT NOT NULL DEFAULT 1);
CREATE TABLE quantity_units (
    {_NAMED}, name_plural TEXT, plural_forms TEXT, active TINYINT NOT NULL DEFAULT 1
);
CREATE TABLE products (
    {_ID}, name TEXT NOT NULL UNIQUE, description TEXT, product_group_id INTEGER,
    active TINYINT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)), location_id INTEGER NOT NULL,
    shopping_location_id INTEGER, qu_id_purchase INTEGER NOT NULL, qu_id_stock INTEGER NOT NULL,
    min_stock_amount INTEGER NOT NULL DEFAULT 0, default_best_before_days INTEGER NOT NULL DEFAULT 0,
    default_best_before_days_after_open INTEGER NOT NULL DEFAULT 0,
    default_best_before_days_after_freezing INTEGER NOT NULL DEFAULT 0,
    default_best_before_days_after_thawing INTEGER NOT NULL DEFAULT 0, picture_file_name TEXT,
    enable_tare_weight_handling TINYINT NOT NULL DEFAULT 0, tare_weight REAL NOT NULL DEFAULT 0,
    not_check_stock_fulfillment_for_recipes TINYINT DEFAULT 0, parent_product_id INT, calories INTEGER,
    cumulate_min_stock_amount_of_sub_products TINYINT DEFAULT 0, due_type TINYINT NOT NULL DEFAULT 1,
    quick_consume_amount REAL NOT NULL DEFAULT 1, hide_on_stock_overview TINYINT NOT NULL DEFAULT 0,
    default_stock_label_type INTEGER NOT NULL DEFAULT 0, should_not_be_frozen TINYINT NOT NULL DEFAULT 0,
    treat_opened_as_out_of_stock TINYINT NOT NULL DEFAULT 1, no_own_stock TINYINT NOT NULL DEFAULT 0,
    default_consume_location_id INTEGER, move_on_open TINYINT NOT NULL DEFAULT 0, {_CREATED}, qu_id_consume INTEGER,
    auto_reprint_stock_label TINYINT NOT NULL DEFAULT 0, quick_open_amount REAL NOT NULL DEFAULT 1,
    qu_id_price INTEGER, disable_open TINYINT NOT NULL DEFAULT 0, default_purchase_price_type TINYINT NOT NULL DEFAULT 1
);
CREATE INDEX ix_products_performance1 ON products (parent_product_id);
CREATE TABLE stock (
    {_ID}, product_id INTEGER NOT NULL, amount DECIMAL(15, 2) NOT NULL, best_before_date DATE, purchased_date DATE,
    stock_id TEXT NOT NULL, price DECIMAL(15, 2), open TINYINT NOT NULL DEFAULT 0, opened_date DATETIME, {_CREATED},
    location_id INTEGER, shopping_location_id INTEGER, note TEXT
);
CREATE TABLE stock_log (
    {_ID}, product_id INTEGER NOT NULL, amount DECIMAL(15, 2) NOT NULL, best_before_date DATE, purchased_date DATE,
    used_date DATE, spoiled INTEGER NOT NULL DEFAULT 0, stock_id TEXT NOT NULL, transaction_type TEXT NOT NULL,
    price DECIMAL(15, 2), undone TINYINT NOT NULL DEFAULT 0 CHECK (undone IN (0, 1)), undone_timestamp DATETIME,
    opened_date DATETIME, location_id INTEGER, recipe_id INTEGER, correlation_id TEXT, transaction_id TEXT,
    stock_row_id INTEGER, shopping_location_id INTEGER, user_id INTEGER NOT NULL, {_CREATED}, note TEXT
);
CREATE TRIGGER set_products_default_location_if_empty_stock_log AFTER INSERT ON stock_log
BEGIN
    UPDATE stock_log SET location_id = (SELECT location_id FROM products WHERE id = product_id)
    WHERE id = NEW.id AND location_id IS NULL;
END;
"""
FRIDGE, FREEZER, PANTRY = 2, 3, 4  # the ids of the locations
LOCATIONS = {"fridge": FRIDGE, "freezer": FREEZER, "pantry": PANTRY}
GROUPS = ("dairy", "produce", "meat", "grains", "canned", "frozen", "beverages")


@dataclass
class Entry:
    """A row of Grocy's table of what is there now."""

    product_id: int
    amount: float
    best_before_date: str | None
    purchased_date: str | None
    stock_id: str
    price: float | None
    location_id: int
    opened_date: str | None = None


@dataclass
class GrocyDatabase:
    """A database and the bookings that Grocy's user interface makes in it; times are local, as Grocy writes them."""

    path: Path
    journal: str = "delete"
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = itertools.count(1)
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.connection.execute(f"PRAGMA journal_mode = {self.journal}")
        self.connection.executescript(SCHEMA)
        for name, number in LOCATIONS.items():
            self.insert("locations", id=number, name=f"My {name}", is_freezer=int(number == FREEZER))
        for number, name in enumerate(GROUPS, start=1):
            self.insert("product_groups", id=number, name=f"Our {name}")

    def insert(self, table: str, **values: Any) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        done = self.connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))
        return int(done.lastrowid or 0)

    def add_product(self, name: str, category: str = "dairy", unit: str = "Piece", **more: Any) -> int:
        known = self.connection.execute("SELECT id FROM quantity_units WHERE name = ?", [unit]).fetchone()
        unit_id = known[0] if known else self.insert("quantity_units", name=unit)
        columns = {"product_group_id": GROUPS.index(category) + 1, "location_id": FRIDGE} | more
        return self.insert("products", name=name, qu_id_purchase=unit_id, qu_id_stock=unit_id, **columns)

    def book(self, entry: Entry, kind: str, amount: float, at: str, **more: Any) -> int:
        """Append a row to the log."""
        state = {name: value for name, value in vars(entry).items() if name != "amount"}
        columns = {**state, "amount": amount, "transaction_type": kind, "row_created_timestamp": at, **more}
        return self.insert("stock_log", user_id=1, **columns)

    def purchase(
        self,
        product_id: int,
        amount: float,
        at: str,
        *,
        kind: str = "purchase",
        best_before_date: str | None = NEVER,
        purchased_date: str | None = None,
        price: float | None = None,
        location_id: int = FRIDGE,
    ) -> Entry:
        stock_id = f"{next(self.numbers):013x}"
        bought_on = purchased_date or at[:10]
        entry = Entry(product_id, amount, best_before_date, bought_on, stock_id, price, location_id)
        self.book(entry, kind, amount, at)
        self.entries.append(entry)
        return entry

    def consume(self, entry: Entry, amount: float, at: str, *, spoiled: bool = False, kind: str = "consume") -> int:
        booking = self.book(entry, kind, -amount, at, spoiled=int(spoiled), used_date=at[:10])
        self._take(entry, amount)
        return booking

    def open(self, entry: Entry, amount: float, at: str) -> Entry | None:
        """Open a part: the rest gets a new stock_id, and nothing is booked of it."""
        rest = None
        self.book(entry, "product-opened", amount, at, opened_date=at[:10])
        if amount < entry.amount:
            state = vars(entry) | {"amount": entry.amount - amount, "stock_id": f"{next(self.numbers):013x}"}
            rest = Entry(**state)
            self.entries.append(rest)
        entry.amount, entry.opened_date = amount, at[:10]
        return rest

    def transfer(self, entry: Entry, amount: float, to: int, at: str, best_before_date: str | None = None) -> Entry:
        """Move a part to another location: it keeps its stock_id."""
        pair = {"correlation_id": f"c{next(self.numbers)}"}
        date = best_before_date or entry.best_before_date
        self.book(entry, "transfer_from", -amount, at, **pair)
        self.book(entry, "transfer_to", amount, at, **pair | {"location_id": to, "best_before_date": date})
        moved = Entry(**vars(entry) | {"amount": amount, "location_id": to, "best_before_date": date})
        self._take(entry, amount)
        self.entries.append(moved)
        return moved

    def edit(self, entry: Entry, at: str, **changes: Any) -> tuple[int, int]:
        pair = {"correlation_id": f"c{next(self.numbers)}"}
        old = self.book(entry, "stock-edit-old", entry.amount, at, **pair)
        for name, value in changes.items():
            setattr(entry, name, value)
        return old, self.book(entry, "stock-edit-new", entry.amount, at, **pair)

    def compact(self, keep: Entry, merge: Entry) -> None:
        """Merge two equal entries, which also rewrites the log."""
        keep.amount += merge.amount
        self.connection.execute("UPDATE stock_log SET stock_id = ? WHERE stock_id = ?", [keep.stock_id, merge.stock_id])
        self.entries.remove(merge)

    def undo(self, *bookings: int) -> None:
        for booking in bookings:
            self.connection.execute("UPDATE stock_log SET undone = 1 WHERE id = ?", [booking])

    def close(self) -> Path:
        self.connection.close()
        return self.path

    def _take(self, entry: Entry, amount: float) -> None:
        entry.amount -= amount
        if entry.amount <= 1e-9:
            self.entries.remove(entry)


def write_grocy(path: Path, items: pd.DataFrame, events: pd.DataFrame, time_zone: str = "UTC") -> dict[Any, str]:
    """Write one household's items and events as Grocy would have booked them, in the order of time.

    Returns:
        the id of the first booking of each item, by the item's id.
    """
    grocy, ids, stocked = GrocyDatabase(path), {}, {}
    products = items.drop_duplicates("product").set_index("product")
    known = {name: grocy.add_product(name, row["category"], row["unit"]) for name, row in products.iterrows()}
    bought = items.assign(at=items["purchased_on"], is_event=False)
    told = events.assign(at=events["occurred_on"], is_event=True).merge(items[["item_id"]], on="item_id")
    rows = pd.concat([bought, told]).sort_values(["at", "is_event"], kind="stable")
    local = rows["at"].dt.tz_localize("UTC").dt.tz_convert(time_zone).dt.strftime("%Y-%m-%d %H:%M:%S")
    grocy.connection.execute("BEGIN")
    for at, row in zip(local, rows.to_dict("records"), strict=True):
        if not row["is_event"]:
            date = NEVER if pd.isna(row["expires_on"]) else f"{row['expires_on']:%Y-%m-%d}"
            price = None if pd.isna(row["unit_price"]) else row["unit_price"]
            where = {"best_before_date": date, "price": price, "location_id": LOCATIONS[row["storage"]]}
            stocked[row["item_id"]] = grocy.purchase(known[row["product"]], row["quantity"], at, **where)
            ids[row["item_id"]] = str(grocy.connection.execute("SELECT MAX(id) FROM stock_log").fetchone()[0])
        elif row["kind"] == "opened":
            grocy.open(stocked[row["item_id"]], stocked[row["item_id"]].amount, at)
        else:
            grocy.consume(stocked[row["item_id"]], row["quantity"], at, spoiled=row["kind"] == "wasted")
    grocy.connection.execute("COMMIT")
    grocy.close()
    return ids
