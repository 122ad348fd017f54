"""Grocy's database is read as it was at one moment, and nothing is written in it or beside it."""

import os
import shutil
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from grocy_database import Entry, GrocyDatabase
from kedro.io import DatasetError

from waste_risk.adapters.grocy import GrocyDataset
from waste_risk.sources.grocy import COLUMNS


def dataset(path: Path) -> GrocyDataset:
    return GrocyDataset(str(path), patience_seconds=0.0)


def refusal(path: Path) -> str:
    with pytest.raises(DatasetError) as refused:
        dataset(path).load()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def trace(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Bytes, time of change and inode of every file but the shared memory of those who have the database open."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.name: (b"" if path.name.endswith("-shm") else path.read_bytes(), path.stat().st_size, path.stat().st_ino)
        for path in files
    }


@pytest.fixture(params=["delete", "wal"])
def grocy(tmp_path: Path, request: pytest.FixtureRequest) -> GrocyDatabase:
    database = GrocyDatabase(tmp_path / "grocy.db", journal=request.param)
    database.add_product("Milk")
    return database


def buy(grocy: GrocyDatabase) -> Entry:
    return grocy.purchase(1, 2, "2026-03-02 18:30:00")


@pytest.mark.parametrize("is_open", [True, False])
def test_the_tables_are_read_and_nothing_is_written_whether_or_not_grocy_has_it_open(
    grocy: GrocyDatabase, is_open: bool
) -> None:
    buy(grocy)
    if not is_open:
        grocy.close()
    before = trace(grocy.path.parent)
    tables = dataset(grocy.path).load()
    assert trace(grocy.path.parent) == before
    assert {name: tuple(table) for name, table in tables.items()} == COLUMNS
    assert {name: len(table) for name, table in tables.items()} == {
        **{"stock_log": 1, "products": 1, "product_groups": 7, "locations": 3, "quantity_units": 1}
    }


def test_a_transaction_that_is_not_complete_is_not_seen_and_grocy_can_write_meanwhile(tmp_path: Path) -> None:
    grocy = GrocyDatabase(tmp_path / "grocy.db", journal="wal")
    grocy.add_product("Milk")
    milk = buy(grocy)
    grocy.connection.execute("BEGIN")
    grocy.consume(milk, 1, "2026-03-03 18:30:00")
    assert len(dataset(grocy.path).load()["stock_log"]) == 1
    grocy.connection.execute("COMMIT")
    assert len(dataset(grocy.path).load()["stock_log"]) == 2


def test_all_tables_are_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grocy books a new product after the first table was read: neither is seen."""
    grocy = GrocyDatabase(tmp_path / "grocy.db", journal="wal")
    grocy.add_product("Milk")
    buy(grocy)
    read = pd.DataFrame

    def write_meanwhile(*arguments: object, **more: object) -> pd.DataFrame:
        monkeypatch.setattr(pd, "DataFrame", read)
        grocy.purchase(grocy.add_product("Butter"), 1, "2026-03-02 18:30:00")
        return read(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(pd, "DataFrame", write_meanwhile)
    tables = dataset(grocy.path).load()
    assert (len(tables["stock_log"]), len(tables["products"])) == (1, 1)
    again = dataset(grocy.path).load()
    assert (len(again["stock_log"]), len(again["products"])) == (2, 2)


def test_a_copy_with_its_write_ahead_log_is_read_whole(tmp_path: Path) -> None:
    grocy = GrocyDatabase(tmp_path / "grocy.db", journal="wal")
    grocy.add_product("Milk")
    buy(grocy)
    copy = tmp_path / "backup"
    copy.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{grocy.path}{suffix}", copy)
    before = trace(copy)
    assert len(dataset(copy / "grocy.db").load()["stock_log"]) == 1
    assert trace(copy) == before


def test_saving_is_refused(grocy: GrocyDatabase) -> None:
    with pytest.raises(DatasetError, match="is only read: it belongs to Grocy$"):
        dataset(grocy.path).save({})  # type: ignore[arg-type]


def test_without_the_parameter_the_line_says_which() -> None:
    with pytest.raises(DatasetError) as refused:
        GrocyDataset(None)
    assert str(refused.value) == "the Grocy database is not named; add --params grocy_db=PATH, its SQLite file"


def test_a_missing_file_is_told_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "grocy.db"
    assert refusal(path) == f"{path} does not exist"
    assert not dataset(path).exists()
    assert list(tmp_path.iterdir()) == []
    assert refusal(tmp_path) == f"{tmp_path} is a folder"


@pytest.mark.parametrize("content", [b"", b"not a database, though long enough to hold a header " * 40])
def test_what_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "grocy.db"
    path.write_bytes(content)
    reason = "is not a SQLite database" if content else "is not a database of Grocy: it has no table stock_log"
    assert refusal(path) == f"{path} {reason}"


def test_another_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (id INTEGER)")
    connection.close()
    assert refusal(path) == f"{path} is not a database of Grocy: it has no table stock_log"


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ("ALTER TABLE stock_log DROP COLUMN opened_date", "stock_log.opened_date"),
        ("ALTER TABLE locations DROP COLUMN is_freezer", "locations.is_freezer"),
        ("DROP TABLE product_groups", "product_groups.id, product_groups.name"),
    ],
)
def test_an_older_grocy_is_told_by_what_it_lacks(grocy: GrocyDatabase, change: str, missing: str) -> None:
    grocy.connection.execute("DROP TRIGGER set_products_default_location_if_empty_stock_log")
    grocy.connection.execute(change)
    said = "an older Grocy made it; open it once with Grocy 4, which adds them"
    assert refusal(grocy.path) == f"{grocy.path} lacks {missing}: {said}"


def test_a_database_that_somebody_has_locked_is_told(tmp_path: Path) -> None:
    grocy = GrocyDatabase(tmp_path / "grocy.db")
    grocy.add_product("Milk")
    grocy.connection.execute("BEGIN EXCLUSIVE")
    assert refusal(grocy.path) == f"{grocy.path} is locked by another program; close that, or try again"
    grocy.connection.execute("ROLLBACK")
    assert len(dataset(grocy.path).load()["products"]) == 1


def test_a_write_that_was_interrupted_is_told_and_left_to_grocy(tmp_path: Path) -> None:
    grocy = GrocyDatabase(tmp_path / "grocy.db")
    grocy.add_product("Milk")
    grocy.connection.execute("PRAGMA cache_size = 1")
    grocy.connection.execute("BEGIN")
    for _ in range(500):
        buy(grocy)
    killed = tmp_path / "killed"
    killed.mkdir()
    for suffix in ("", "-journal"):
        shutil.copy(f"{grocy.path}{suffix}", killed)
    before = trace(killed)
    assert "or a write was interrupted; start Grocy once to mend that" in refusal(killed / "grocy.db")
    assert trace(killed) == before


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    grocy = GrocyDatabase(tmp_path / "grocy.db")
    grocy.add_product("Milk")
    for _ in range(500):
        buy(grocy)
    path = grocy.close()
    content = bytearray(path.read_bytes())
    pages = range(4096 * 4, len(content), 4096)
    for start in pages:
        content[start : start + 64] = os.urandom(64)
    path.write_bytes(content)
    assert refusal(path) == f"{path} is cut off or damaged; restore a backup, or let sqlite3 recover it"
    path.write_bytes(content[: 4096 * 5])
    assert refusal(path) == f"{path} is cut off or damaged; restore a backup, or let sqlite3 recover it"


def test_text_that_is_no_utf8_is_read_and_not_shown_in_an_error(grocy: GrocyDatabase) -> None:
    grocy.connection.execute("UPDATE products SET name = CAST(x'4D696CFF' AS TEXT)")
    assert dataset(grocy.path).load()["products"]["name"].tolist() == ["Mil\ufffd"]
