"""PantryPal's PostgreSQL: three entries of the catalog that share one snapshot, and one that fills an empty database.

Rows are read by ADBC, which is the fastest of the clients that were measured (docs/decisions.md), in a transaction that
the server itself keeps from writing.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from importlib.resources import files
from io import BytesIO
from threading import Lock
from typing import Any, NoReturn
from weakref import WeakValueDictionary

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import psycopg
from kedro.io import AbstractDataset, DatasetError
from psycopg import sql
from pyarrow import Table, csv
from pydantic import TypeAdapter, ValidationError

from waste_risk.adapters.postgres import connect, explained, place_of, read_address
from waste_risk.adapters.screen import LOGGER
from waste_risk.parameters import PantryPal
from waste_risk.sources.pantrypal import STATEMENTS, PantryPalTables, read_pantrypal, summarise_left_out
from waste_risk.sources.pantrypal_seed import PantryPalSeed

_TABLES = ("households", "items", "events")
_ROWS_AT_ONCE = 100_000  # written


class PantryPalDataset(AbstractDataset[NoReturn, pd.DataFrame]):
    """One of households, items and events, as PantryPal's tables tell them at the end of a range of days."""

    def __init__(
        self,
        table: str,
        credentials: dict[str, str | None],
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        metadata: dict[str, Any] | None = None,
        **words: Any,
    ) -> None:
        """Choose the table, the database and the range; nothing is connected yet.

        Args:
            table: of ours: households, items or events.
            credentials: ``url``, the address of the database.
            start_date: of the range. What happened before is read, too: it tells of the household's history.
            end_date: the first day after the range, in UTC: what happened from then on is not read.
            metadata: for Kedro-Viz.
            words: the fields of `parameters.PantryPal`.

        Raises:
            DatasetError: there is no such table, a word of ours is unknown, or the address is missing or malformed.
        """
        if table not in _TABLES:
            raise DatasetError(f"There is no table {table!r} of PantryPal's: choose one of {', '.join(_TABLES)}")
        self._table = table
        self.metadata = metadata
        key = (read_address(credentials), _to_date(start_date), _to_date(end_date), _check_words(words))
        self._extraction = _SHARED.setdefault(repr(key), Extraction(*key))
        self._extraction.forget_failure(table)  # of another catalog

    def load(self) -> pd.DataFrame:
        """Read the table; the first of the three that is loaded reads them all.

        Raises:
            DatasetError: the database cannot be read, or nothing is recorded in the range.
        """
        return self._extraction.take(self._table)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: a source is never written.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"{self._extraction.place} belongs to the source and is only read")

    def _release(self) -> None:
        self._extraction.release(self._table)

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table}


class Extraction:
    """The three tables out of one transaction, each kept until it is released; they also fail together."""

    def __init__(self, address: str, start: date | None, until: date | None, words: PantryPal) -> None:
        """Set the address as libpq takes it, the range, and what PantryPal's words mean."""
        self.place = place_of(address)
        self._address, self._start, self._until, self._words = address, start, until, words
        self._lock = Lock()
        self._tables: dict[str, pd.DataFrame] = {}
        self._failures: dict[str, str] = {}  # of the tables that were to be read along

    def take(self, table: str) -> pd.DataFrame:
        """Return a table; read all three unless it is there.

        Raises:
            DatasetError: the database cannot be read, or nothing is recorded in the range.
        """
        with self._lock:
            if table in self._failures:
                raise DatasetError(self._failures.pop(table))
            if table not in self._tables:
                try:
                    tables = self._read()
                except DatasetError as error:
                    self._failures = dict.fromkeys({*_TABLES} - {table}, str(error))
                    raise
                self._tables = {name: getattr(tables, name) for name in _TABLES}
            return self._tables[table]

    def release(self, table: str) -> None:
        """Forget a table; who loads it again gets all three out of a new snapshot."""
        with self._lock:
            self._tables.pop(table, None)
            self._failures.pop(table, None)

    def forget_failure(self, table: str) -> None:
        """Let the table be read anew after a reading that failed."""
        with self._lock:
            self._failures.pop(table, None)

    def _read(self) -> PantryPalTables:
        with reading(self._address, self._until) as records:
            tables = read_pantrypal(records, self._words)
        self._refuse_empty(tables)
        for line in summarise_left_out(tables.left_out):
            LOGGER.info("%s", line)
        return tables

    def _refuse_empty(self, tables: PantryPalTables) -> None:
        latest = max(tables.items["purchased_on"].max(), tables.events["occurred_on"].max())
        before = "" if self._until is None else f" before {self._until} (end_date)"
        if tables.items.empty:
            raise DatasetError(f"{self.place} holds no pantry entry that can be used{before}")
        if self._start is not None and latest < pd.Timestamp(self._start):
            raise DatasetError(
                f"{self.place} holds nothing from {self._start} (start_date) on; the latest record{before} is of"
                f" {latest:%Y-%m-%d}"
            )


_SHARED: "WeakValueDictionary[str, Extraction]" = WeakValueDictionary()  # as long as a catalog's entries live


@contextmanager
def reading(address: str, until: date | None) -> Iterator[Iterator[pd.DataFrame]]:
    """Offer what the statements in ``sources/sql`` return, out of one transaction that cannot write.

    Raises:
        DatasetError: in one line, what is wrong with the database or the connection.
    """
    connection = connect(adbc.connect, adbc.Error, address)
    with explained(adbc.Error, address), closing(connection), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        cursor.execute("SELECT set_config('waste_risk.until', $1, true)", (str(until or "infinity"),))
        cursor.fetchall()
        yield (_fetch(cursor, name) for name in STATEMENTS)


class PantryPalDatabaseDataset(AbstractDataset[PantryPalSeed, NoReturn]):
    """An empty database of PantryPal's, which can be filled once."""

    def __init__(self, credentials: dict[str, str | None], metadata: dict[str, Any] | None = None) -> None:
        """Set the address of the database; nothing is connected yet.

        Raises:
            DatasetError: it is missing or malformed.
        """
        self._address = read_address(credentials)
        self.metadata = metadata

    def save(self, data: PantryPalSeed) -> None:
        """Make the tables that are missing and fill them, all in one transaction.

        Raises:
            DatasetError: a table has rows already, or the database or the connection fails; nothing was written then.
        """
        connection = connect(psycopg.connect, psycopg.Error, self._address)
        with explained(psycopg.Error, self._address), connection:
            connection.execute("SET LOCAL TIME ZONE 'UTC'")
            connection.execute(data.schema.encode())
            connection.execute(_statement("LOCK TABLE {} IN EXCLUSIVE MODE", *data.tables))
            for table in data.tables:
                if connection.execute(_statement("SELECT FROM {} LIMIT 1", table)).rowcount:
                    raise DatasetError(f"{place_of(self._address)} is not empty ({table} has rows): seed an empty one")
            for table, rows in data.tables.items():
                _copy(connection.cursor(), table, rows)

    def load(self) -> NoReturn:
        """Raise an error: what the database holds is read by `PantryPalDataset`.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("PantryPal's tables are read with --env postgres")

    def _describe(self) -> dict[str, Any]:
        return {}


def _fetch(cursor: Any, name: str) -> pd.DataFrame:
    cursor.execute(files("waste_risk.sources").joinpath(f"sql/{name}.sql").read_text(encoding="utf-8"))
    # Each column of Arrow is given back once it is pandas'.
    frame: pd.DataFrame = cursor.fetch_arrow_table().to_pandas(split_blocks=True, self_destruct=True)
    return frame


def _statement(text: str, *names: str) -> Any:
    return sql.SQL(text).format(sql.SQL(", ").join(map(sql.Identifier, names)))


def _copy(cursor: Any, table: str, rows: pd.DataFrame) -> None:
    """Write rows as CSV, some at a time."""
    columns = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), columns)
    with cursor.copy(into) as copy:
        for batch in Table.from_pandas(rows, preserve_index=False).to_batches(_ROWS_AT_ONCE):
            text = BytesIO()
            csv.write_csv(batch, text, csv.WriteOptions(include_header=False))
            copy.write(text.getvalue())


def _to_date(day: date | str | None) -> date | None:
    return None if day is None else TypeAdapter(date).validate_python(day)


def _check_words(words: dict[str, Any]) -> PantryPal:
    try:
        return PantryPal.model_validate(words)
    except ValidationError as errors:
        first = errors.errors()[0]
        fault = f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Input ')}"
    raise DatasetError(fault)
