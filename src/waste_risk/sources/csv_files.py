"""A CSV file as columns of text: its encoding and separator are found where the file says them for certain."""

import codecs
import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv as pacsv

from waste_risk.errors import ContractError

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt")
_SEPARATORS = ",;\t|"
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_HEAD_BYTES, _HEAD_ROWS = 65_536, 100
_BLOCK_BYTES = 4 * 2**20  # a record must fit into one; more is a quote that is never closed
_VALUE = re.compile(r"[+-]?\d[\d.,:/\sT-]*")  # a first line with one is a row
_TRAILING = "\0"  # the name of what follows the last separator
_OWN_WORDS = "in its entry in conf/<environment>/catalog.yml"


@dataclass(frozen=True)
class CSVOptions:
    """What a CSV file may leave open; null is found out, and refused where it is not certain.

    Attributes:
        encoding: such as ``latin-1``.
        separator: between the fields.
        decimal: the mark of decimals; the other one groups thousands.
        date_format: as ``strptime`` takes it, such as ``%d/%m/%Y``.
    """

    encoding: str | None = None
    separator: str | None = None
    decimal: Literal[".", ","] | None = None
    date_format: str | None = None


@dataclass(frozen=True)
class CSVText:
    """The columns of a file as text, empty fields as null.

    Attributes:
        table: all columns.
        may_group_by_point: whether 1.500 may mean 1500: where a comma separates the fields, it does not.
    """

    table: pa.Table
    may_group_by_point: bool


def is_csv(path: Path) -> bool:
    """Return whether a file's name ends as those of CSV files do."""
    return path.name.endswith(CSV)


def read_csv(path: Path, expected: Iterable[str] | None, options: CSVOptions) -> CSVText:
    """Read a file's columns as text.

    Args:
        path: of the file, which may be compressed (gz).
        expected: the columns that it must have; if None, any.
        options: what is not left to the file.

    Raises:
        ContractError: the file is empty, not text, ragged or has other columns.
    """
    head, encoding = _read_head(path, options)
    separator = options.separator or _find_separator(path, head, expected)
    names, n_lines = _read_names(path, head, separator)
    table = _read_fields(path, encoding, separator, names, n_lines)
    if _TRAILING in names:
        n_more = len(table) - table.column(_TRAILING).null_count
        if n_more:
            raise ContractError(f"{path}: {n_more} of {len(table)} rows hold more fields than the first line has names")
        table = table.drop_columns([_TRAILING])
    if expected is not None:
        _refuse_unexpected(path, table, list(expected))
    return CSVText(table, may_group_by_point=separator != ",")


def _read_head(path: Path, options: CSVOptions) -> tuple[str, str]:
    """Return the beginning of the text, whole lines only, and its encoding."""
    fault = None
    try:
        with pa.input_stream(str(path)) as stream:
            start = stream.read(_HEAD_BYTES)
    except PermissionError:
        fault = "is closed to this user"
    except (OSError, pa.ArrowException):
        fault = "is cut off or damaged"
    if fault is not None:
        raise ContractError(f"{path} {fault}")
    encoding = options.encoding or next((name for bom, name in _BOMS.items() if start.startswith(bom)), "utf-8")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start, final=len(start) < _HEAD_BYTES)
    except LookupError:
        raise ContractError(f"{path}: there is no encoding {encoding}; correct it {_OWN_WORDS}") from None
    except UnicodeError:
        raise ContractError(_not_text(path, encoding)) from None
    if "\0" in text:
        raise ContractError(_not_text(path, encoding))
    if not text.strip():
        raise ContractError(f"{path} is empty; its first line must hold the names of the columns")
    is_cut = len(start) == _HEAD_BYTES and "\n" in text
    return (text[: text.rfind("\n") + 1] if is_cut else text), encoding


def _not_text(path: Path, encoding: str) -> str:
    return (
        f"{path} is not text in {'UTF-8' if encoding == 'utf-8' else encoding}; save it as UTF-8, or name its encoding "
        f"{_OWN_WORDS} (csv: {{encoding: latin-1}})"
    )


def _find_separator(path: Path, head: str, expected: Iterable[str] | None) -> str:
    """Return the separator by which the first line holds the expected names, or all first rows as many fields."""
    if expected is not None:
        known = set(expected)
        n_known = {each: len(known & {*_header(head, each)[0]}) for each in _SEPARATORS}
        best = max(n_known, key=lambda each: n_known[each])
        if n_known[best]:
            return best
        raise ContractError(
            f"{path}: the first line holds none of the columns {', '.join(sorted(known))}; it must hold their names"
        )
    found = [each for each in _SEPARATORS if len(_header(head, each)[0]) > 1]
    even = [each for each in found if _is_even(head, each)]
    for candidates in (even, found):
        if len(candidates) == 1:
            return candidates[0]
    raise ContractError(
        f"{path}: what separates its columns is not certain; say it {_OWN_WORDS} (csv: {{separator: ;}})"
    )


def _is_even(head: str, separator: str) -> bool:
    rows = [row for row in _first_rows(head, separator) if row]
    return len({len(row) for row in rows[1:]}) <= 1


def _header(head: str, separator: str) -> tuple[list[str], int]:
    """Return the names in the first line that is not empty, and how many lines end with it."""
    reader = csv.reader(StringIO(head, newline=""), delimiter=separator)
    for row in reader:
        if any(field.strip() for field in row):
            return [name.strip() for name in row], reader.line_num
    return [], 0


def _first_rows(head: str, separator: str) -> list[list[str]]:
    reader = csv.reader(StringIO(head, newline=""), delimiter=separator)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if len(rows) == _HEAD_ROWS:
                break
    except csv.Error:  # the reader of all rows says what is wrong
        pass
    return rows


def _read_names(path: Path, head: str, separator: str) -> tuple[list[str], int]:
    names, n_lines = _header(head, separator)
    rows = [row for row in _first_rows(head, separator) if row]
    if names[-1] == "":
        names[-1] = _TRAILING
    elif len(rows) > 1 and len(rows[1]) == len(names) + 1 and rows[1][-1] == "":
        names.append(_TRAILING)
    n_values = sum(bool(_VALUE.fullmatch(name)) for name in names)
    if n_values:  # no message may show them as names
        raise ContractError(f"{path}: {n_values} fields of the first line are numbers or dates; it must hold names")
    n_unnamed, n_repeated = names.count(""), len(names) - len(set(names))
    if n_unnamed:
        raise ContractError(f"{path}: {n_unnamed} columns have no name in the first line; name or remove them")
    if n_repeated:
        raise ContractError(f"{path}: {n_repeated + 1} columns share a name in the first line; give each its own")
    return names, n_lines


def _read_fields(path: Path, encoding: str, separator: str, names: list[str], n_lines: int) -> pa.Table:
    ragged: list[int] = []

    def note(row: Any) -> Literal["skip"]:
        ragged.append(row.number - n_lines)
        return "skip"

    fault = None
    try:
        with pa.input_stream(str(path)) as stream:
            table = pacsv.read_csv(
                stream,
                # One thread, so that rows have numbers; parsing texts alone, it is no slower than pandas on any.
                pacsv.ReadOptions(
                    column_names=names,
                    skip_rows=n_lines,
                    encoding="utf8" if encoding.startswith("utf-8") else encoding,
                    use_threads=False,
                    block_size=_BLOCK_BYTES,
                ),
                pacsv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=note),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
                ),
            )
    except (UnicodeError, pa.ArrowException) as error:
        fault = _explain(path, encoding, str(error))
    if fault is not None:
        raise ContractError(fault)
    if ragged:
        raise ContractError(
            f"{path}: {len(ragged)} of {len(table) + len(ragged)} rows do not have the {len(names)} fields of the "
            f"first line, the first of them is row {ragged[0]}; a text that holds the separator needs quotes"
        )
    return table


def _explain(path: Path, encoding: str, text: str) -> str:
    if "straddling" in text or "quote" in text:
        return f"{path} has a quote that is never closed"
    if "Empty CSV" in text:
        return f"{path} is empty; its first line must hold the names of the columns"
    return _not_text(path, encoding)


def _refuse_unexpected(path: Path, table: pa.Table, expected: list[str]) -> None:
    missing = [name for name in expected if name not in table.column_names]
    n_more = len(set(table.column_names) - set(expected))
    rows = f"({len(table)} rows)"
    lines = [
        *([f"lacks the columns {', '.join(missing)} {rows}; leave empty what is not known"] if missing else []),
        *([f"has {n_more} columns that the table does not have {rows}; remove them"] if n_more else []),
    ]
    if lines:
        raise ContractError(f"{path} {', and '.join(lines)}")
