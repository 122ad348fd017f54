"""A Grocy database: the tables that we read, all as they were at one moment, and never written."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from waste_risk.sources.grocy import COLUMNS, GrocyTables

_PATIENCE_SECONDS = 5.0  # Grocy's own writes take far less
_TRIES = 3
_DAMAGED = "is cut off or damaged"


class GrocyDataset(AbstractDataset[NoReturn, GrocyTables]):
    """The tables and columns of ``waste_risk.sources.grocy.COLUMNS``, read in one transaction that cannot write.

    Nothing is written, not even beside the database: no journal, no lock that outlasts the reading.
    """

    def __init__(
        self, filepath: str | None, patience_seconds: float = _PATIENCE_SECONDS, metadata: dict[str, Any] | None = None
    ) -> None:
        """Set the database.

        Args:
            filepath: the SQLite file; null if the parameter that names it was not given.
            patience_seconds: how long to wait for somebody who has locked it.
            metadata: for Kedro-Viz.

        Raises:
            DatasetError: no file was named.
        """
        if not filepath:
            raise DatasetError("the Grocy database is not named; add --params grocy_db=PATH, its SQLite file")
        self._filepath = Path(filepath)
        self._patience_seconds = patience_seconds
        self.metadata = metadata

    def load(self) -> GrocyTables:
        """Read the tables.

        Raises:
            DatasetError: there is no such file, it is no sound Grocy database, or somebody has locked it; the message
                is one line.
        """
        if not self._filepath.is_file():
            raise DatasetError(f"{self._filepath} {'is a folder' if self._filepath.exists() else 'does not exist'}")
        for _ in range(_TRIES):
            tables = self._read_quietly()
            if tables is not None:
                return tables
        raise DatasetError(f"{self._filepath} is written too often to be read; try again when Grocy is idle")

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: the database is Grocy's.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"{self._filepath} is only read: it belongs to Grocy")

    def _read_quietly(self) -> GrocyTables | None:
        """Read the tables; null if somebody wrote while no lock could be held."""
        if not self._uses_wal() or self._beside("-shm").exists():
            with _connected(self._filepath, self._patience_seconds) as connection:
                return _read_tables(connection, self._filepath)
        # Nobody has it open. Even to read it, SQLite would make files beside it: so beside a copy.
        before = self._stamp()
        with TemporaryDirectory() as folder:
            copy = Path(folder) / self._filepath.name
            for suffix in ("", "-wal"):
                if self._beside(suffix).exists():
                    shutil.copyfile(self._beside(suffix), f"{copy}{suffix}")
            with _connected(copy, self._patience_seconds, shown=self._filepath) as connection:
                tables = _read_tables(connection, self._filepath)
        return tables if self._stamp() == before else None

    def _uses_wal(self) -> bool:
        with self._filepath.open("rb") as file:
            return file.read(20)[18:] == b"\x02\x02"  # write and read version of the file format

    def _beside(self, suffix: str) -> Path:
        return self._filepath.with_name(f"{self._filepath.name}{suffix}")

    def _stamp(self) -> list[tuple[int, int]]:
        statuses = [path.stat() for suffix in ("", "-wal", "-shm") if (path := self._beside(suffix)).exists()]
        return [(status.st_mtime_ns, status.st_size) for status in statuses]

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


@contextmanager
def _connected(path: Path, patience_seconds: float, shown: Path | None = None) -> Iterator[sqlite3.Connection]:
    """Open a transaction that cannot write; errors name ``shown`` in place of the path."""
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=patience_seconds, isolation_level=None)
        try:
            connection.text_factory = _decode
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()
        return
    except sqlite3.Error as error:
        reason = _explain(error)
    raise DatasetError(f"{shown or path} {reason}")


def _read_tables(connection: sqlite3.Connection, path: Path) -> GrocyTables:
    known = {name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")} for name in COLUMNS}
    if not known["stock_log"]:
        raise DatasetError(f"{path} is not a database of Grocy: it has no table stock_log")
    missing = [f"{table}.{name}" for table, names in COLUMNS.items() for name in names if name not in known[table]]
    if missing:
        raise DatasetError(
            f"{path} lacks {', '.join(missing)}: an older Grocy made it; open it once with Grocy 4, which adds them"
        )
    if any(connection.execute(f"PRAGMA quick_check({table})").fetchone()[0] != "ok" for table in COLUMNS):
        raise DatasetError(f"{path} {_DAMAGED}; restore a backup, or let sqlite3 recover it")
    return {table: _read_table(connection, table, names) for table, names in COLUMNS.items()}


def _read_table(connection: sqlite3.Connection, table: str, names: tuple[str, ...]) -> pd.DataFrame:
    rows = connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY id").fetchall()
    return pd.DataFrame(rows, columns=list(names))


def _decode(text: bytes) -> str:
    return text.decode("utf-8", errors="replace")  # sqlite3's own error would show the text


def _explain(error: sqlite3.Error) -> str:
    """Return a predicate of the file; SQLite's own texts may quote a value."""
    name = str(getattr(error, "sqlite_errorname", None))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
        return "is locked by another program; close that, or try again"
    if name.startswith("SQLITE_NOTADB"):
        return "is not a SQLite database"
    if name.startswith("SQLITE_CORRUPT"):
        return f"{_DAMAGED}; restore a backup, or let sqlite3 recover it"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return "cannot be opened: it is closed to this user, or a write was interrupted; start Grocy once to mend that"
    return f"cannot be read ({name})"
