"""Every error that ends a run as one line: what happened, where, and what to do.

The message of a library may quote the data: it is shown only where it cannot, else the error's type and place are.
The traceback is written, without messages, to the log that the line names.
"""

import errno
import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

import click
from kedro.io import DatasetError

from waste_risk.adapters.contracts import ContractBroken
from waste_risk.adapters.dataset_errors import explain as explain_dataset
from waste_risk.errors import ContractError, StudyError

OUTSPOKEN = (ContractBroken, ContractError, StudyError)  # their texts hold no value
_LONGEST_LINE = 1_200  # characters
_KEDRO = "kedro"
_QUOTED = re.compile(r"'([^']+)'")
_NOT_KEPT = "Pipeline input(s)"  # how Kedro begins when a dataset is neither made nor in the catalog
# Packages that speak of names, files and settings, and see no row.
_OF_STORES = ("mlflow", "requests", "urllib3", "sqlalchemy", "alembic", "psycopg", "sqlite3")
_REMEDIES = {
    errno.ENOSPC: "; make room, then run the same command again",
    errno.EACCES: "; give this user the right to write there",
    errno.EROFS: "; choose a place that can be written to",
    errno.EEXIST: "; a folder is needed there: move the file away",
    errno.ELOOP: "; remove the link",
    errno.ENOTDIR: "; a folder is needed there: move the file away",
    errno.EISDIR: "; a file is needed there: move the folder away",
}
_BLIND = ("kedro.", "omegaconf", "yaml", "click", "fsspec", "importlib")


class RunError(click.ClickException):
    """An error that ends a run and is reported in one line, without a traceback."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        """Set the line, and the exit code of the command."""
        super().__init__(one_line(message))
        self.exit_code = exit_code  # type: ignore[misc]

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(self.message, file=file, err=True)


def explain(error: BaseException) -> str:
    """Return an error as one line: what happened, then the notes of the hooks, which are where and what to do."""
    notes = getattr(error, "__notes__", [])
    return one_line("; ".join([_what(error), *notes]))


def one_line(text: str) -> str:
    """Return a text as one printable line of bounded length."""
    line = " ".join(text.split())
    line = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def write_traceback(error: BaseException, path: Path) -> None:
    """Append the traceback of an error to a log, without any message: it may quote the data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as log:
        log.writelines(_frames(error))


def _frames(error: BaseException) -> Iterator[str]:
    inner = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if inner is not None:
        yield from _frames(inner)
        yield "\nwhich led to\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__}\n"


def _what(error: BaseException) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, MemoryError) or "bad alloc" in str(error):
        return "The memory is exhausted: take fewer rows, or a machine with more memory"
    if is_of_store(error):
        address = os.environ.get("MLFLOW_TRACKING_URI", "")
        return f"The MLflow store failed: {without_password(innermost_reason(error), address)}"
    if isinstance(error, DatasetError):
        return _of_file(error) or explain_dataset(error)
    return _of_system(error) or _of_names(error) or f"{type(error).__name__} in {_place(error)}"


def _of_system(error: BaseException) -> str:
    if not isinstance(error, OSError) or error.errno is None:
        return ""
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror}{_REMEDIES.get(error.errno, '')}"


def _of_file(error: BaseException) -> str:
    """Return the operating system's message about a file, without those of Kedro's datasets around it."""
    inner = error.__cause__
    while isinstance(inner, DatasetError):
        inner = inner.__cause__
    return _of_system(inner) if isinstance(inner, OSError) and inner.filename else ""


def _of_names(error: BaseException) -> str:
    """Return the message of an error that this package raised, or a library that handles names and settings only."""
    frames = list(traceback.walk_tb(error.__traceback__))
    raiser = frames[-1][0].f_globals.get("__name__", "") if frames else ""
    ours = raiser.startswith("waste_risk.") and isinstance(error, ValueError)
    speaks = isinstance(error, OUTSPOKEN) or ours or raiser.startswith(_BLIND)
    text = str(error).strip("'\"") if speaks else ""
    if text.startswith(_NOT_KEPT):
        return f"{', '.join(re.findall(_QUOTED, text))}: not kept by any run; begin at the node that makes them"
    return text


def is_of_store(error: BaseException) -> bool:
    """Return whether the MLflow store failed, or the connection to it."""
    while isinstance(error, DatasetError) and error.__cause__ is not None:
        error = error.__cause__
    return type(error).__module__.partition(".")[0] in _OF_STORES


def innermost_reason(error: BaseException) -> str:
    """Return the message of the first error of a chain, such as a refused connection."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    reason = getattr(error, "strerror", None) or str(getattr(error, "orig", None) or error)
    return next(iter(reason.strip().splitlines()), "") or type(error).__name__


def without_password(text: str, address: str) -> str:
    """Return a text with the passwords of an address hidden, however they are encoded."""
    parts = urlsplit(address)
    queried = [value for name, value in parse_qsl(parts.query) if "pass" in name]
    for secret in filter(None, [parts.password, *queried]):
        for spelling in (secret, unquote(secret), quote(secret), quote_plus(secret)):
            text = text.replace(spelling, "***")
    return text


def _place(error: BaseException) -> str:
    """Return where in this package a step failed: the frames after the last one of Kedro's."""
    frames = traceback.extract_tb(error.__traceback__)
    last = max((place for place, frame in enumerate(frames) if _KEDRO in Path(frame.filename).parts), default=-1)
    ours = [frame for frame in frames[last + 1 :] if "waste_risk" in frame.filename]
    places = ", ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(ours))
    return places or "a library"
