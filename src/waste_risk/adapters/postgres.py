"""A PostgreSQL server: its address, the connection, and what goes wrong with either, in one line without a password.

An error is told by the server's code, and by its text only where that can hold nothing but names: it may quote a row.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kedro.io import DatasetError
from psycopg import ProgrammingError, conninfo

from waste_risk.errors import ContractError

_VARIABLE = "PANTRYPAL_DATABASE_URL"
_WRITE_IT = "write postgresql://user:password@host:5432/database, with `%40` for an @ in the password and so on"
_CONNECT_SECONDS = "15"
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


def read_address(credentials: dict[str, str | None]) -> str:
    """Return the address as libpq takes it, with a limit on how long it waits for an answer.

    Raises:
        DatasetError: it is missing, or no address of PostgreSQL's.
    """
    url = credentials.get("url")
    if not url:
        raise DatasetError(f"{_VARIABLE} is not set: {_WRITE_IT}")
    parts: dict[str, Any] = {}
    with suppress(ProgrammingError):  # its text quotes the address
        parts = conninfo.conninfo_to_dict(re.sub(r"^postgresql\+\w+://", "postgresql://", url))
    if not parts or "@" in str(parts.get("host", "")):
        raise DatasetError(f"{_VARIABLE} is no address of PostgreSQL's: {_WRITE_IT}")
    return conninfo.make_conninfo(**{"connect_timeout": _CONNECT_SECONDS, **parts})


def place_of(address: str) -> str:
    """Return host, port and name of the database."""
    parts = conninfo.conninfo_to_dict(address)
    return f"PantryPal at {parts.get('host', 'this machine')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def connect(client: Callable[[str], Any], kind: type[Exception], address: str) -> Any:
    """Return a client's connection.

    Raises:
        DatasetError: the server cannot be reached, or refuses the user or the database.
    """
    try:
        return client(address)
    except kind as error:
        text = str(error).partition("\n")[0]
    reason = re.sub(r"^.*(?:failed|connect):\s+|^.*FATAL:\s+", "", text).removeprefix("FATAL:").strip()
    raise DatasetError(f"{place_of(address)} cannot be reached: {reason}; check {_VARIABLE}")


@contextmanager
def explained(kind: type[Exception], address: str) -> Iterator[None]:
    """Turn an error of a client, or of the tables that are read, into one line.

    Raises:
        DatasetError: that line.
    """
    try:
        yield
    except kind as error:
        raise DatasetError(f"{place_of(address)}: {_explain(error)}") from None
    except ContractError as error:
        raise DatasetError(f"{place_of(address)}: {error}") from None


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
