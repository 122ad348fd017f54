"""A store of studies, for whoever searches: opened at any address of SQLAlchemy, with its errors in one line.

Nothing is opened, created or imported before a search needs it, and no message shows a password.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from filelock import FileLock

from waste_risk.errors import StudyError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage
    from sqlalchemy import URL

# Finished trials so far, finished trials wanted, the best value so far.
Watch = Callable[[int, int, float | None], None]


def _ignore(_finished: int, _wanted: int, _best: float | None) -> None:
    """Do nothing: the default of ``Studies.watch``."""


@dataclass(frozen=True)
class Studies:
    """A store of studies.

    Attributes:
        url: SQLAlchemy's address of the database.
        watch: called after each finished trial with the number of finished ones, of wanted ones, and the best value.
    """

    url: str = field(repr=False)
    watch: Watch = _ignore

    @contextmanager
    def open(self) -> Iterator["BaseStorage"]:
        """Open the store for a ``with`` block.

        Raises:
            StudyError: the address is wrong, or the database cannot be reached, read or written.
        """
        from optuna.exceptions import StorageInternalError  # noqa: PLC0415, only a search needs it
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

        try:
            storage = _connect(self.url)
            try:
                yield storage
            finally:
                storage.engine.dispose()
        except (SQLAlchemyError, StorageInternalError) as error:
            raise StudyError(_explain(_address(self.url), error)) from None

    def __str__(self) -> str:
        """Return the address without user and password."""
        return _place(_address(self.url))


def _connect(url: str) -> "RDBStorage":
    import optuna  # noqa: PLC0415

    address = _address(url)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        if address.drivername.startswith("sqlite") and address.database:
            _make_file(address, Path(address.database))
        return optuna.storages.RDBStorage(url)
    except (
        ImportError,
        RuntimeError,
        TypeError,
        ValueError,
        OSError,
    ) as error:  # no driver; tables of another version of Optuna
        reason = _explain(address, error)
    raise StudyError(reason)


def _make_file(address: "URL", path: Path) -> None:
    """Create the file under another name, with its tables, and rename it: a kill leaves no half-made file."""
    import optuna  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    with FileLock(path.with_name(f".{path.name}.lock")):
        if path.exists():
            return
        new.unlink(missing_ok=True)
        storage = optuna.storages.RDBStorage(address.set(database=str(new)).render_as_string(hide_password=False))
        storage.engine.dispose()
        new.replace(path)


def _address(url: str) -> "URL":
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        pass
    raise StudyError("the address of the studies is none that SQLAlchemy can read")  # it may hold a password


def _place(address: "URL") -> str:
    host = (address.host or "").rpartition("@")[2]
    port = f":{address.port}" if address.port else ""
    return f"{address.drivername}://{host}{port}/{address.database or ''}"


def _explain(address: "URL", error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    named = [str(value) for name, value in address.query.items() if "pass" in name]
    # A password with an unquoted @ in it is cut there, and its rest taken for the host.
    rest = (address.host or "").rpartition("@")[0]
    for secret in filter(None, (address.password, rest, *named)):
        for spelling in (secret, quote(secret), quote_plus(secret)):
            reason = reason.replace(spelling, "***")
    return f"the studies at {_place(address)} cannot be used: {reason}"
