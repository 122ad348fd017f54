"""Columns of text as numbers, times, true or false: what a CSV file leaves open is decided by whole columns.

A value that has two readings is read only where another one of the file decides; else the column is refused.
"""

from collections.abc import Mapping
from typing import Literal, NoReturn

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from waste_risk.errors import ContractError
from waste_risk.sources.csv_files import CSVOptions

Kind = Literal["identifier", "text", "number", "truth value", "time"]
Decimal = Literal[".", ","]

_ENTRY = "in its entry in conf/<environment>/catalog.yml"
_NULLS = ["", "na", "nan", "n/a", "null", "none", "\\n", "nat", "<na>"]  # of numbers, times and truth values
_TRUE, _FALSE = ["true", "1", "yes", "t", "y", "1.0"], ["false", "0", "no", "f", "n", "0.0"]

_INTEGER, _CANONICAL = r"[+-]?\d+(?:[eE][+-]?\d+)?", r"-?[1-9]\d{0,18}|0"  # an id such as 007 is text
_SPACES = r"[\s\x{00a0}\x{202f}'’]"  # between groups of thousands
_SPACED = rf"[+-]?\d{{1,3}}(?:{_SPACES}\d{{3}})+"
_PADDED = r"[+-]?0\d+"


def _fraction(mark: str) -> str:
    return rf"[+-]?(?:\d+{mark}\d*|{mark}\d+)(?:[eE][+-]?\d+)?"


def _one_group(mark: str) -> str:
    """A number that has two readings: 1.500."""
    return rf"[+-]?[1-9]\d{{0,2}}{mark}\d{{3}}"


def _grouped(mark: str, decimal: str) -> str:
    """A number whose thousands are surely grouped by the mark: 1.234,5 or 1.234.567."""
    return rf"[+-]?[1-9]\d{{0,2}}(?:{mark}\d{{3}})+{decimal}\d+|[+-]?[1-9]\d{{0,2}}(?:{mark}\d{{3}}){{2,}}"


_POINT, _COMMA = r"\.", ","
_MARKS: dict[Decimal, tuple[str, str]] = {".": (_POINT, _COMMA), ",": (_COMMA, _POINT)}  # of decimals, of groups
_CLOCK = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?"
# By the order of day, month and year; which of the first two comes first is not always certain.
_DATES = {
    "ISO8601": rf"\d{{4}}-\d{{2}}-\d{{2}}{_CLOCK}(?:\s?(?:Z|[+-]\d{{2}}:?\d{{2}}))?",
    "%Y-%m": r"\d{4}-\d{2}",
    "%Y/%m/%d": rf"\d{{4}}/\d{{1,2}}/\d{{1,2}}{_CLOCK}",
    "%d.%m.%Y": rf"\d{{1,2}}\.\d{{1,2}}\.\d{{4}}{_CLOCK}",
    "%d/%m/%Y": rf"\d{{1,2}}/\d{{1,2}}/\d{{4}}{_CLOCK}",
    "%d-%m-%Y": rf"\d{{1,2}}-\d{{1,2}}-\d{{4}}{_CLOCK}",
}
_EITHER_FIRST = ("%d/%m/%Y", "%d-%m-%Y")
_COMPACT = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"


def parse_columns(
    place: str, table: pa.Table, kinds: Mapping[str, Kind], options: CSVOptions, *, may_group_by_point: bool
) -> dict[str, pd.Series]:
    """Return each column in the type of its kind; where no kind is named, in that which all of its values have.

    Args:
        place: where the table is from, for messages.
        table: columns of text; null where a field is empty.
        kinds: of the columns; if there are none, the values tell.
        options: what is not left to the values.
        may_group_by_point: whether 1.500 may mean 1500.

    Raises:
        ContractError: a value is not of its column's kind, or has two readings.
    """
    texts = {name: _Texts(place, name, table.column(name)) for name in table.column_names}
    found = {name: kinds.get(name) or _find_kind(text) for name, text in texts.items()}
    numbers = [text for name, text in texts.items() if found[name] == "number"]
    decimal = options.decimal or _find_decimal(numbers, may_group_by_point=may_group_by_point)
    return {name: _parse(text, found[name], decimal, options.date_format) for name, text in texts.items()}


class _Texts:
    """One column of texts.

    Attributes:
        raw: as in the file.
        trimmed: without blanks around, and null where a word stands for it.
    """

    def __init__(self, place: str, name: str, raw: pa.ChunkedArray) -> None:
        self.place, self.name, self.raw = place, name, raw
        trimmed = pc.utf8_trim_whitespace(raw)
        is_null = pc.is_in(pc.utf8_lower(trimmed), pa.array(_NULLS))
        self.trimmed = pc.if_else(is_null, pa.scalar(None, pa.string()), trimmed)

    def count(self, pattern: str) -> int:
        """Count the values that match a pattern as a whole."""
        return int(pc.sum(self.matches(pattern), min_count=0).as_py())

    def matches(self, pattern: str) -> pa.ChunkedArray:
        """Return which values match a pattern as a whole."""
        return pc.match_substring_regex(self.trimmed, rf"^(?:{pattern})$")

    def as_integers(self) -> pd.Series | None:
        """Return whole numbers, if all values are, as programs write them."""
        if self.raw.null_count or self.count(_CANONICAL) < len(self.raw):
            return None
        try:
            numbers: pd.Series = self.raw.cast(pa.int64()).to_pandas()
        except pa.ArrowInvalid:  # beyond 64 bits
            return None
        return numbers

    @property
    def n_known(self) -> int:
        """How many values are not null."""
        return len(self.trimmed) - int(self.trimmed.null_count)

    def refuse(self, n_rows: int, what: str) -> NoReturn:
        """Raise the error that names file, column and rows."""
        raise ContractError(f"{self.place}: the column {self.name} {what} ({n_rows} of {len(self.raw)} rows)")


def _find_kind(text: _Texts) -> Kind:
    """Return the kind of a column that nobody has named, if all values have it; else it is text."""
    if text.n_known == 0:
        return "number"
    if text.count("(?i:true|false)") == text.n_known:
        return "truth value"
    if not text.count(_PADDED) and text.count(_any_number()) == text.n_known:
        return "number"
    times = [shape for shape, pattern in _DATES.items() if text.count(pattern) == text.n_known]
    return "time" if times and _day_first(text, times[0]) is not None else "text"


def _any_number() -> str:
    return "|".join(shape for marks in _MARKS.values() for shape in _shapes(*marks))


def _shapes(mark: str, group: str) -> tuple[str, ...]:
    """Every way to write a number with this mark of decimals, if the other mark groups thousands."""
    return _INTEGER, _fraction(mark), _one_group(group), _grouped(group, mark), rf"{_SPACED}(?:{mark}\d+)?"


def _find_decimal(numbers: list[_Texts], *, may_group_by_point: bool) -> Decimal:
    """Return the mark of decimals that the file's numbers surely use; a point if none has any mark.

    Raises:
        ContractError: some use the one and some the other, or all that have a mark have two readings.
    """
    points, commas = ([text for text in numbers if _is_sure(text, *_MARKS[mark])] for mark in (".", ","))
    if points and commas:
        what = f"has decimal commas, and the column {points[0].name} has decimal points; write all numbers alike"
        commas[0].refuse(commas[0].count("|".join(_shapes(*_MARKS[","]))), what)
    if not points and not commas:
        marks = (_COMMA, _POINT) if may_group_by_point else (_COMMA,)
        for text, n_open in ((text, text.count(_one_group(mark))) for text in numbers for mark in marks):
            if n_open:
                what = f"has numbers that can be read as thousands or with decimals; say which {_ENTRY}"
                text.refuse(n_open, f"{what} (csv: {{decimal: ','}})")
    return "," if commas else "."


def _is_sure(text: _Texts, mark: str, group: str) -> bool:
    """Return whether a value has one reading alone, with this mark of decimals."""
    shapes = (_fraction(mark), _grouped(group, mark), rf"{_SPACED}{mark}\d+")
    return bool(pc.any(pc.and_not(text.matches("|".join(shapes)), text.matches(_one_group(mark)))).as_py())


def _parse(text: _Texts, kind: Kind, decimal: Decimal, date_format: str | None) -> pd.Series:
    if kind == "number":
        return _parse_numbers(text, decimal)
    if kind == "truth value":
        return _parse_truth(text)
    if kind == "time":
        return _parse_times(text, date_format)
    numbers = text.as_integers() if kind == "identifier" else None
    texts: pd.Series = text.raw.to_pandas().astype("str") if numbers is None else numbers
    return texts


def _parse_numbers(text: _Texts, decimal: Decimal) -> pd.Series:
    integers = text.as_integers()
    if integers is not None:
        return integers
    mark, group = _MARKS[decimal]
    n_other = text.n_known - text.count("|".join(_shapes(mark, group)))
    if n_other:
        word = "points" if decimal == "." else "commas"
        text.refuse(n_other, f"holds something else than numbers with {word} for decimals")
    plain = pc.replace_substring_regex(text.trimmed, rf"{_SPACES}|{group}|^\+", "")
    numbers: pd.Series = pc.replace_substring(plain, decimal, ".").cast(pa.float64()).to_pandas()
    return numbers


def _parse_truth(text: _Texts) -> pd.Series:
    words = pc.utf8_lower(text.trimmed)
    is_true, is_false = pc.is_in(words, pa.array(_TRUE)), pc.is_in(words, pa.array(_FALSE))
    n_other = text.n_known - int(pc.sum(pc.or_(is_true, is_false), min_count=0).as_py())
    if n_other:
        text.refuse(n_other, "holds something else than true and false")
    values = pc.if_else(pc.is_null(words), pa.scalar(None, pa.bool_()), is_true)
    truth: pd.Series = values.to_pandas().astype("boolean" if values.null_count else "bool")
    return truth


def _parse_times(text: _Texts, date_format: str | None) -> pd.Series:
    texts = text.trimmed.to_pandas()
    parsed: pd.Series = pd.Series(pd.NaT, texts.index, dtype="datetime64[us]")
    if text.n_known:
        parsed = _to_times(texts, date_format or _find_date_format(text))
    n_wrong = text.n_known - int(parsed.notna().sum())
    if n_wrong:
        text.refuse(n_wrong, "holds dates that the calendar does not have, or of another format")
    return parsed


def _to_times(texts: pd.Series, date_format: str) -> pd.Series:
    """Convert texts to times in UTC; NaT where it fails."""
    if date_format == "ISO8601" or " " in date_format or "%H" in date_format:
        times = pd.to_datetime(texts, format=date_format, errors="coerce", utc=True).dt.tz_localize(None)
        return times.astype("datetime64[us]")
    day, clock = (texts.str.replace("T", " ").str.partition(" ")[part] for part in (0, 2))
    clock = clock.mask(clock == "", "00:00")
    clock = clock.where(clock.str.count(":") == 2, clock + ":00")
    days = pd.to_datetime(day, format=date_format, errors="coerce")
    return (days + pd.to_timedelta(clock, errors="coerce")).astype("datetime64[us]")


def _find_date_format(text: _Texts) -> str:
    counts = {shape: n for shape, pattern in _DATES.items() if (n := text.count(pattern))}
    if not counts and text.count(_COMPACT) == text.n_known:
        return "%Y%m%d"
    if sum(counts.values()) < text.n_known:
        text.refuse(text.n_known - sum(counts.values()), "holds something else than dates such as 2024-01-31")
    if len(counts) > 1:
        text.refuse(min(counts.values()), f"holds dates of {len(counts)} formats; write all as 2024-01-31")
    (shape,) = counts
    is_day_first = _day_first(text, shape)
    if is_day_first is None:
        text.refuse(
            text.n_known,
            f"has dates that can be read as day or month first; say which {_ENTRY} (csv: {{date_format: …}})",
        )
    return shape if is_day_first else shape.replace("%d", "#").replace("%m", "%d").replace("#", "%m")


def _day_first(text: _Texts, shape: str) -> bool | None:
    """Return whether the day comes first, where both orders are usual; None if no value decides, or two disagree."""
    if shape not in _EITHER_FIRST:
        return True
    first, second = (
        text.count(rf"{place}.*") > 0 for place in (r"(?:1[3-9]|[23]\d)[/-]", r"\d{1,2}[/-](?:1[3-9]|[23]\d)[/-]")
    )
    return first if first != second else None
