"""Why a dataset of Kedro's or a source's could not be read or written, in one line that shows no value of it.

Messages of exceptions may quote the data, so only those known not to are shown; of the others, the type.
"""

import re
import zlib
from gzip import BadGzipFile
from lzma import LZMAError
from traceback import walk_tb
from zipfile import BadZipFile

from kedro.io import DatasetError
from pandas.errors import EmptyDataError

_CHECK = "check type and load_args of its entry in the catalog"
_SEPARATOR = "check the first line, and the separator (load_args: {sep: …})"
_DAMAGED = "is cut off or damaged, or not of the kind that its entry in the catalog says"
_BY_TYPE: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (FileNotFoundError, "does not exist"),
    (IsADirectoryError, "is a folder and not a file"),
    (PermissionError, "is closed to this user"),
    (EmptyDataError, "is empty"),
    ((UnicodeDecodeError, UnicodeError), "is not text in UTF-8; say what it is (load_args: {encoding: …})"),
    ((BadGzipFile, BadZipFile, LZMAError, zlib.error, EOFError), _DAMAGED),
    (MemoryError, "does not fit into the memory"),
)
_BY_TEXT = (
    (r".*(Expected \d+ fields in line \d+, saw \d+)\s*", r"is ragged: \1; " + _SEPARATOR),
    (r".*(EOF inside string) starting at row (\d+)", r"has a quote that is never closed, after line \2"),
    (r"Missing column provided to 'parse_dates': '(.*)'", r"lacks the column \1, a date in load_args; " + _SEPARATOR),
    (r"Usecols do not match columns.* not found: \[(.*)\].*", r"lacks the columns \1 of load_args; " + _SEPARATOR),
    (r".*(got an unexpected keyword argument '\w+')", r"cannot be read: \1; " + _CHECK),
    (r"(unknown encoding: \S+)", r"cannot be read: \1"),
    (r".*(Missing optional dependency '[\w.-]+').*", r"cannot be read: \1"),
    (r"(No module named '[\w.-]+')", r"cannot be read: \1"),
)
_KEDROS = re.compile(
    r"(?s)(?:(?P<name>\w+): )?Failed (?:while|during) (?P<verb>loading|saving|exists|release)\b.*? dataset .*"
)
_REPRESENTATION = re.compile(r"\w*Dataset\(\w+=")
_PAST = {"loading": "read", "saving": "written", "exists": "looked for", "release": "closed"}


def explain(error: DatasetError) -> str:
    """Return a dataset's error in one line.

    Kedro wraps the original exception with the dataset's representation and the original text; here the original one
    is explained. An error about an entry of the catalog keeps its text, on one line.
    """
    text = str(error)
    wrapped = _KEDROS.fullmatch(text)
    if wrapped:
        name, verb = wrapped["name"] or "a dataset", wrapped["verb"]
        reason = why_unreadable(error) if verb == "loading" else _why_not(error, _PAST[verb])
        return f"{name}: {reason}"
    if _REPRESENTATION.search(text):
        return f"{text.partition(':')[0]}: {_why_not(error, 'used')}"
    return " ".join(re.split(r"\nHint:|\.?\nFailed to instantiate dataset", text)[0].split())


def why_unreadable(error: Exception) -> str:
    """Return why a table cannot be read, as a predicate of its file: ``is empty``."""
    root = _root(error)
    text = str(root).partition("\n")[0]
    frames = list(walk_tb(root.__traceback__))
    raiser = frames[-1][0].f_globals["__name__"] if frames else ""
    if isinstance(root, DatasetError) and raiser.startswith("waste_risk."):
        return text  # messages of this package's datasets show no value
    for types, reason in _BY_TYPE:
        if isinstance(root, types):
            return reason
    for pattern, reason in _BY_TEXT:
        found = re.fullmatch(pattern, text)
        if found:
            return found.expand(reason)
    if type(root).__module__.startswith("pyarrow"):
        return _DAMAGED
    return f"{_why_not(root, 'read')}; {_CHECK}"


def _why_not(error: Exception, verb: str) -> str:
    root = _root(error)
    system = root.strerror if isinstance(root, OSError) else None
    return f"cannot be {verb} ({system or type(root).__name__})"


def _root(error: Exception) -> Exception:
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    return error
