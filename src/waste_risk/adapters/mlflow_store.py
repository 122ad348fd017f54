"""The MLflow store: checked before anything runs, created whole or not at all, with timeouts of seconds."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from waste_risk.adapters.failures import RunError, innermost_reason, without_password

ANSWER_SECONDS = 5  # to the first request, and for the lock of a file
_SQLITE = "sqlite:///"
_SERVERS = ("http", "https")
_DATABASES = ("postgresql", "mysql", "mssql")
# MLflow's own patience is minutes. These are read at each request; who sets them otherwise keeps what they set.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "4",
}
_REMEDY = "start it, or name another one in MLFLOW_TRACKING_URI"


def open_store(address: str | None, project: Path, experiment: str) -> tuple[str, str | None]:
    """Check that the store answers, and create it if it is a file that does not exist yet.

    Args:
        address: as configured; a SQLite file is relative to the project.
        project: its folder.
        experiment: created with a new file.

    Returns:
        The absolute address, and for a SQLite file the address of the folder with its experiment's artifacts.

    Raises:
        RunError: the store cannot be used; the message tells why, and what to do.
    """
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    scheme = urlsplit(address or "").scheme.partition("+")[0]
    if not address or not scheme:
        raise RunError(
            "MLFLOW_TRACKING_URI is no address of a store: give one such as sqlite:///mlflow.db or http://host:5000, "
            "or unset it"
        )
    if scheme == "sqlite":
        return _open_file(address, project, experiment)
    if scheme in _SERVERS:
        _ask_server(address)
    if scheme in _DATABASES:
        _ask_database(address)
    return address, None


def be_brief() -> None:
    """Shorten the timeouts to a second, for a store that has failed once."""
    os.environ |= dict.fromkeys(_PATIENCE, "0") | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"}


def _open_file(address: str, project: Path, experiment: str) -> tuple[str, str]:
    path = project / address.removeprefix(_SQLITE)
    artifacts = (project / "mlruns" / experiment).as_uri()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=60):  # of other sources that start at once
        if path.exists():
            _check_file(path)
        else:
            _make_file(path, experiment, artifacts)
    return f"{_SQLITE}{path}", artifacts


def _make_file(path: Path, experiment: str, artifacts: str) -> None:
    """Create the schema in another file and rename it: an interrupted migration can be neither used nor continued."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415, for a new store only

    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    store: Any = SqlAlchemyStore(f"{_SQLITE}{new}", artifacts)  # type: ignore[no-untyped-call]
    store.create_experiment(experiment, artifacts)
    store.engine.dispose()
    SqlAlchemyStore._engine_map.clear()
    new.rename(path)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise RunError(f"{path} is a folder, and the MLflow store a file: move the folder away")
    try:
        with closing(sqlite3.connect(path, timeout=ANSWER_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            versions = connection.execute("SELECT * FROM alembic_version").fetchall() if _ALEMBIC in tables else []
    except sqlite3.Error as error:
        raise RunError(f"The MLflow store {path} cannot be used: {error}{_remedy(error)}") from None
    if "experiments" not in tables and tables - {_ALEMBIC}:
        raise RunError(f"{path} is a database, but no MLflow store: name another file in MLFLOW_TRACKING_URI")
    if not versions or any(name.startswith("_alembic_tmp") for name in tables):
        raise RunError(f"The MLflow store {path} is half-made, by a command that was killed: delete it and run again")


_ALEMBIC = "alembic_version"


def _remedy(error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return "; another program has been writing to it for seconds: run again when it is done"
    if "readonly" in str(error) or "unable to open" in str(error):
        return "; give this user the right to write to it and its folder"
    return "; restore it from a backup, or move it away to begin a new one"


def _ask_server(address: str) -> None:
    import requests  # noqa: PLC0415, MLflow has it loaded

    try:
        requests.get(f"{address.rstrip('/')}/health", timeout=ANSWER_SECONDS)
    except requests.RequestException as error:
        raise RunError(_silence(address, error)) from None


def _ask_database(address: str) -> None:
    from sqlalchemy import create_engine  # noqa: PLC0415, MLflow has it loaded
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    options = {"connect_timeout": ANSWER_SECONDS} if address.startswith(("postgresql", "mysql")) else {}
    try:
        engine = create_engine(address, connect_args=options)
        with engine.connect():
            engine.dispose()
    except (SQLAlchemyError, ImportError, ValueError, TypeError) as error:
        raise RunError(_silence(address, error)) from None


def _silence(address: str, error: Exception) -> str:
    reason = without_password(innermost_reason(error), address)
    return f"The MLflow store at {without_password(address, address)} does not answer: {reason}; {_REMEDY}"
