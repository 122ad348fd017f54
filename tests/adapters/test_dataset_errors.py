"""A table that cannot be read is named with its file and the reason, without a value of it or Kedro's own words."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from checkout import SWAP, Checkout
from kedro.io import DataCatalog, DatasetError

from waste_risk.adapters.dataset_errors import explain
from waste_risk.adapters.sources import protect
from waste_risk.simulation import simulate

MARKER = "Müller4711"
TEXT = f"item_id,household_id,purchased_on\n1,{MARKER},2025-01-01\n2,{MARKER},2025-01-02\n"
DATES = {"parse_dates": ["purchased_on"]}
CSV, PARQUET, EXCEL = "pandas.CSVDataset", "pandas.ParquetDataset", "pandas.ExcelDataset"
OWN = "waste_risk.adapters.datasets.AtomicParquetDataset"
SEPARATOR = "; check the first line, and the separator (load_args: {sep: …})"
CHECK = "; check type and load_args of its entry in the catalog"
ENCODING = "is not text in UTF-8; say what it is (load_args: {encoding: …})"
DAMAGED = "is cut off or damaged, or not of the kind that its entry in the catalog says"


def parquet() -> bytes:
    return pd.DataFrame({"household_id": [MARKER] * 99}).to_parquet()


def nothing(_: Path) -> None: ...


def folder(path: Path) -> None:
    path.mkdir()


def content(data: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


BROKEN: dict[str, tuple[str, dict[str, Any], Callable[[Path], None], str]] = {
    "missing": (CSV, DATES, nothing, "does not exist"),
    "a folder": (CSV, DATES, folder, "is a folder and not a file"),
    "empty": (CSV, DATES, content(b""), "is empty"),
    "another separator": (
        CSV,
        DATES,
        content(TEXT.replace(",", ";").encode()),
        f"lacks the column purchased_on, a date in load_args{SEPARATOR}",
    ),
    "no header": (
        CSV,
        DATES,
        content(TEXT.partition("\n")[2].encode()),
        f"lacks the column purchased_on, a date in load_args{SEPARATOR}",
    ),
    "no such columns": (CSV, {"usecols": ["price"]}, content(TEXT.encode()), "lacks the columns 'price' of load_args"),
    "Latin-1": (CSV, DATES, content(TEXT.encode("latin-1")), ENCODING),
    "UTF-16": (CSV, DATES, content(TEXT.encode("utf-16")), ENCODING),
    "ragged": (
        CSV,
        DATES,
        content(f"{TEXT}3,{MARKER},{MARKER},4,5\n".encode()),
        f"is ragged: Expected 3 fields in line 4, saw 5{SEPARATOR}",
    ),
    "an open quote": (CSV, DATES, content(f'{TEXT}3,"{MARKER}'.encode()), "has a quote that is never closed, after"),
    "a text for a number": (
        CSV,
        {"dtype": {"household_id": "float"}},
        content(TEXT.encode()),
        f"cannot be read (ValueError){CHECK}",
    ),
    "half a gzip file": (CSV, {"compression": "gzip"}, content(gzip.compress(TEXT.encode())[:-20]), DAMAGED),
    "no gzip file": (CSV, {"compression": "gzip"}, content(TEXT.encode()), DAMAGED),
    "half a zip file": (CSV, {"compression": "zip"}, content(b"PK\x03\x04"), DAMAGED),
    "half an xz file": (CSV, {"compression": "xz"}, content(b"\xfd7zXZ\x00"), DAMAGED),
    "half a Parquet file": (PARQUET, {}, content(parquet()[:-9]), DAMAGED),
    "no Parquet file": (PARQUET, {}, content(TEXT.encode()), DAMAGED),
    "half a Parquet file of our own type": (OWN, {}, content(parquet()[:-9]), "cannot be read as a Parquet table: "),
    "a missing file of our own type": (OWN, {}, nothing, "does not exist"),
    "an unknown argument": (CSV, {"parse_date": []}, content(TEXT.encode()), "cannot be read: got an unexpected keyw"),
    "an unknown encoding": (
        CSV,
        {"encoding": "utf9"},
        content(TEXT.encode()),
        "cannot be read: unknown encoding: utf9",
    ),
    "no workbook": (EXCEL, {}, content(TEXT.encode()), "cannot be read"),
}


def load(tmp_path: Path, kind: str, arguments: dict[str, Any], *, is_protected: bool) -> str:
    """What is said when the table is loaded, as the boundary shows it."""
    entry: dict[str, Any] = {"type": kind, "filepath": str(tmp_path / "items.table")}
    entries = {"items": {**entry, "load_args": arguments} if arguments else entry}
    if is_protected:
        entries = protect(entries, tmp_path / "project", "mine")
    with pytest.raises(DatasetError) as refused:
        DataCatalog.from_config(entries).load("items")
    message = str(refused.value)
    if is_protected:
        assert explain(refused.value) == message
    return explain(refused.value)


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("is_protected", [True, False], ids=["a source's", "the project's"])
def test_a_table_that_cannot_be_read_is_said_in_one_line(
    tmp_path: Path, case: tuple[str, dict[str, Any], Callable[[Path], None], str], is_protected: bool
) -> None:
    kind, arguments, make, reason = case
    make(tmp_path / "items.table")
    line = load(tmp_path, kind, arguments, is_protected=is_protected)
    assert re.fullmatch(rf"items: ({re.escape(str(tmp_path))}/items\.table )?{re.escape(reason)}.*", line)
    assert (f"{tmp_path}/items.table" in line) == (is_protected or kind == OWN)
    for kedros in ("Dataset(", "PosixPath", "Failed while", MARKER, MARKER[1:3]):
        assert kedros not in line


def test_no_value_stands_behind_the_error_of_a_source(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(TEXT)
    entry = {"type": CSV, "filepath": str(tmp_path / "items.csv"), "load_args": {"dtype": {"household_id": "float"}}}
    with pytest.raises(DatasetError) as refused:
        DataCatalog.from_config(protect({"items": entry}, tmp_path, "mine")).load("items")
    error: BaseException | None = refused.value
    while error is not None:
        assert MARKER not in f"{error} {error.args}"
        error = error.__cause__ or error.__context__


ENTRIES = {
    "an unknown argument": ({"type": CSV, "filpath": "a.csv"}, "got an unexpected keyword argument 'filpath'"),
    "an unknown type": ({"type": "pandas.CVSDataset", "filepath": "a.csv"}, "CVSDataset"),
    "an unknown module": ({"type": "panda.CSVDataset", "filepath": "a.csv"}, "No module named 'panda'"),
    "no dataset": ({"type": "pandas.DataFrame"}, "DataFrame"),
}


@pytest.mark.parametrize(("entry", "reason"), ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("is_protected", [True, False])
def test_a_wrong_entry_is_said_in_one_line(
    tmp_path: Path, entry: dict[str, Any], reason: str, is_protected: bool
) -> None:
    entries = protect({"items": entry}, tmp_path, "mine") if is_protected else {"items": entry}
    with pytest.raises(DatasetError) as refused:
        DataCatalog.from_config(entries).load("items")
    line = explain(refused.value)
    assert len(line.splitlines()) == 1
    assert reason in line
    assert "'items'" in line
    assert "Dataset(" not in line


@pytest.mark.parametrize("kind", [CSV, OWN])
def test_a_table_that_cannot_be_written_is_said_in_one_line(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("")
    entry = {"type": kind, "filepath": str(tmp_path / "file/items.csv")}
    with pytest.raises((DatasetError, OSError)) as refused:
        DataCatalog.from_config({"items": entry}).save("items", pd.DataFrame({"household_id": [MARKER]}))
    if isinstance(refused.value, DatasetError):
        assert explain(refused.value).startswith("items: cannot be written (")


def test_a_version_that_is_not_there_shows_nothing_of_kedros(tmp_path: Path) -> None:
    entry = {"type": CSV, "filepath": str(tmp_path / "items.csv"), "versioned": True}
    with pytest.raises(DatasetError) as refused:
        DataCatalog.from_config({"items": entry}).load("items")
    assert explain(refused.value) == "items: cannot be used (VersionNotFoundError)"


def test_the_command_ends_with_the_line_and_exit_code_1(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "project")
    for name in ("conf/mine", "exports"):
        (checkout.folder / name).mkdir()
    for name, text in SWAP.items():
        (checkout.folder / "conf/mine" / name).write_text(text)
    tables = simulate(n_households=5, n_items_per_household=10, seed=1)
    for name in ("households", "items", "events"):
        getattr(tables, name).to_csv(checkout.folder / f"exports/{name}.csv", index=False)
    items = checkout.folder / "exports/items.csv"
    items.write_text(items.read_text().partition("\n")[2])
    outcome = checkout.run("--env", "mine")
    assert outcome.code == 1
    assert re.match(
        rf"items: {re.escape(str(items))} lacks the column (purchased_on|expires_on), \w+, a date in load_args; "
        r"check the first line, and the separator \(load_args: \{sep: …\}\); in data_engineering.check_tables "
        r"\(traceback: ",
        outcome.errors,
    )
    assert outcome.errors.count("\n") == 1
