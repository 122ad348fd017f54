"""PantryPal's PostgreSQL: three entries of the catalog that share one snapshot, and one that fills an empty database.

Rows are read by ADBC, which is the fastest of the clients that were measured (docs/decisions.md), in a transaction that
the server itself keeps from writing. What goes wrong is told by the server's code and the names of tables and columns;
other texts of the server may quote a value.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date
from importlib.resources import files
from io import BytesIO
from threading import Lock
from typing import Any, NoReturn
from weakref import WeakValueDictionary

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from pydantic import TypeAdapter, ValidationError

from waste_risk.adapters.screen import LOGGER
from waste_risk.errors import ContractError
from waste_risk.parameters import PantryPal
from waste_risk.sources.pantrypal import STATEMENTS, PantryPalTables, read_pantrypal, summarise_left_out
from waste_risk.sources.pantrypal_seed import PantryPalSeed

_TABLES = ("households", "items", "events")
_VARIABLE = "PANTRYPAL_DATABASE_URL"
_WRITE_IT = "write postgresql://user:password@host:5432/database, with `%40` for an @ in the password and so on"
_CONNECT_SECONDS = "15"
_ROWS_AT_ONCE = 100_000
_CONTRACT = "deploy/postgres/pantrypal.sql says what is needed"
_REASONS = {  # by SQLSTATE; the server's message follows where it can hold nothing but names
    "42P01": ("lacks a table", _CONTRACT),
    "42703": ("lacks a column", _CONTRACT),
    "3F000": ("lacks a schema", _CONTRACT),
    "42501": ("denies this user what is needed", "grant it the right"),
}
_SILENT_REASONS = {
    "57014": "a statement was canceled, as by statement_timeout: set a longer one for this user",
    "23503": "the tables do not fit each other: an event is of an item or household that is not there",
    "23505": "an id occurs twice",
    "23514": "a value is out of the bounds of its column",
    "40001": "the server gave up the snapshot for its own work; run the same command again",
    "22003": "a number is too large for its column",
}


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
        key = (_read_address(credentials), _to_date(start_date), _to_date(end_date), _check_words(words))
        self._extraction = _SHARED.setdefault(repr(key), Extraction(*key))

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
        self._extraction.release()

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table}


class Extraction:
    """The three tables out of one transaction, kept from the first load until the last has been used."""

    def __init__(self, address: str, start: date | None, until: date | None, words: PantryPal) -> None:
        """Set the address as libpq takes it, the range, and what PantryPal's words mean."""
        self.place = _place(address)
        self._address, self._start, self._until, self._words = address, start, until, words
        self._lock = Lock()
        self._tables: PantryPalTables | None = None

    def take(self, table: str) -> pd.DataFrame:
        """Return a table; read all three unless they are there.

        Raises:
            DatasetError: the database cannot be read, or nothing is recorded in the range.
        """
        with self._lock:
            if self._tables is None:
                self._tables = self._read()
            frame: pd.DataFrame = getattr(self._tables, table)
            return frame

    def release(self) -> None:
        """Forget the tables; who loads one again gets a new snapshot."""
        with self._lock:
            self._tables = None

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
    import adbc_driver_postgresql.dbapi as adbc  # noqa: PLC0415, only this source needs it

    connection = _connect(adbc.connect, adbc.Error, address)
    with _explained(adbc.Error, address), closing(connection), connection.cursor() as cursor:
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
        self._address = _read_address(credentials)
        self.metadata = metadata

    def save(self, data: PantryPalSeed) -> None:
        """Make the tables that are missing and fill them, all in one transaction.

        Raises:
            DatasetError: a table has rows already, or the database or the connection fails; nothing was written then.
        """
        import psycopg  # noqa: PLC0415, only this needs it

        connection = _connect(psycopg.connect, psycopg.Error, self._address)
        with _explained(psycopg.Error, self._address), connection:
            connection.execute("SET LOCAL TIME ZONE 'UTC'")
            connection.execute(data.schema.encode())
            connection.execute(_statement("LOCK TABLE {} IN EXCLUSIVE MODE", *data.tables))
            for table in data.tables:
                if connection.execute(_statement("SELECT FROM {} LIMIT 1", table)).rowcount:
                    raise DatasetError(f"{_place(self._address)} is not empty ({table} has rows): seed an empty one")
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
    from psycopg import sql  # noqa: PLC0415

    return sql.SQL(text).format(sql.SQL(", ").join(map(sql.Identifier, names)))


def _copy(cursor: Any, table: str, rows: pd.DataFrame) -> None:
    """Write rows as CSV, some at a time."""
    from psycopg import sql  # noqa: PLC0415
    from pyarrow import Table, csv  # noqa: PLC0415

    columns = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), columns)
    with cursor.copy(into) as copy:
        for batch in Table.from_pandas(rows, preserve_index=False).to_batches(_ROWS_AT_ONCE):
            text = BytesIO()
            csv.write_csv(batch, text, csv.WriteOptions(include_header=False))
            copy.write(text.getvalue())


def _read_address(credentials: dict[str, str | None]) -> str:
    """Return the address as libpq takes it, which also waits no longer for an answer than it needs."""
    from psycopg import ProgrammingError, conninfo  # noqa: PLC0415

    url = credentials.get("url")
    if not url:
        raise DatasetError(f"{_VARIABLE} is not set: {_WRITE_IT}")
    parts: dict[str, Any] = {}
    with suppress(ProgrammingError):  # its text quotes the address
        parts = conninfo.conninfo_to_dict(re.sub(r"^postgresql\+\w+://", "postgresql://", url))
    if not parts or "@" in str(parts.get("host", "")):
        raise DatasetError(f"{_VARIABLE} is no address of PostgreSQL's: {_WRITE_IT}")
    return conninfo.make_conninfo(**{"connect_timeout": _CONNECT_SECONDS, **parts})


def _place(address: str) -> str:
    from psycopg import conninfo  # noqa: PLC0415

    parts = conninfo.conninfo_to_dict(address)
    return f"PantryPal at {parts.get('host', 'this machine')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _to_date(day: date | str | None) -> date | None:
    return None if day is None else TypeAdapter(date).validate_python(day)


def _check_words(words: dict[str, Any]) -> PantryPal:
    try:
        return PantryPal.model_validate(words)
    except ValidationError as errors:
        first = errors.errors()[0]
        fault = f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Input ')}"
    raise DatasetError(fault)


def _connect(connect: Callable[[str], Any], kind: type[Exception], address: str) -> Any:
    try:
        return connect(address)
    except kind as error:
        text = str(error).partition("\n")[0]
    reason = re.sub(r"^.*(?:failed|connect):\s+|^.*FATAL:\s+", "", text).removeprefix("FATAL:").strip()
    raise DatasetError(f"{_place(address)} cannot be reached: {reason}; check {_VARIABLE}")


@contextmanager
def _explained(kind: type[Exception], address: str) -> Iterator[None]:
    """Turn an error of a client into one line: by its code, since its text may quote the rows."""
    try:
        yield
    except kind as error:
        raise DatasetError(f"{_place(address)}: {_explain(error)}") from None
    except ContractError as error:
        raise DatasetError(f"{_place(address)}: {error}") from None


def _explain(error: Exception) -> str:
    code = getattr(error, "sqlstate", None)
    if code in _REASONS:
        fault, remedy = _REASONS[code]
        return f"{fault} ({_primary(str(error))}); {remedy}"
    if code in _SILENT_REASONS:
        return _SILENT_REASONS[code]
    if code is None or code.startswith(("08", "57P")):
        return "the connection was cut; run the same command again"
    return f"the server refused ({type(error).__name__}, SQLSTATE {code}); the log of the server says why"


def _primary(text: str) -> str:
    """Return the server's message about a name, without the statement that it quotes."""
    line = text.partition("\n")[0]
    return re.sub(r"^.*(?:ERROR|FATAL):\s+", "", line)
