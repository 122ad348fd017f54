"""The words that contracts are written in (``one_of``, ``at_least`` …), and how one table is held against its contract.

A broken rule is reported by table, column, rule and number of rows, and never by a value: values belong to households.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from waste_risk.errors import ContractError
from waste_risk.parameters import FIRST_DAY, LAST_DAY

Values = Any  # a pandas Series of whatever the column holds
Condition = Callable[[Any], Any]

# pandera reads datetime64[us] as [ns], so the type of a column is a rule of ours, kept in its metadata.
_TYPES = {
    "datetime64[us]": "timestamps without a time zone",
    "float64": "numbers",
    "float32": "float32 numbers",
    "int64": "whole numbers",
    "Int64": "whole numbers or null",
    "bool": "true or false",
    "boolean": "true, false or null",
}
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_IDENTIFIER = "identifier"
_CONVERTIBLE = {"float64": "iuf", "int64": "iu", "Int64": "iuf", "datetime64[us]": "M", "bool": "b", "boolean": "b"}


def verify(frame: pd.DataFrame, contract: pa.DataFrameSchema) -> pd.DataFrame:
    """Return the table in its contract's types, or raise one line with everything that is wrong with it.

    Types that hold the same values are converted (any time unit to microseconds, integers to floats, whole floats to
    nullable integers), so that the code behind a contract meets one type; the argument stays as it is.

    Raises:
        ContractError: "items.quantity: must be at least 0.001 (3 of 120 rows); …"
    """
    table = contract.name
    if not isinstance(frame, pd.DataFrame):
        raise ContractError(f"{table}: must be a table, is {type(frame).__name__}")
    unknown, repeated = _unexpected_columns(frame, contract)
    torn = [] if repeated else _torn_texts(frame, contract)
    if repeated or torn:
        raise ContractError("; ".join(unknown + repeated + torn))
    conformed = _conform(frame, contract)
    broken = unknown + _broken_rules(conformed, contract)
    if broken:
        raise ContractError("; ".join(broken))
    return conformed


def rows_broken(table: str, column: str, rule: str, broken: Values) -> list[str]:
    """Return a line that says how many rows break a rule, or nothing if none does."""
    count = int(broken.sum())
    return [f"{table}.{column}: {rule} ({count} of {len(broken)} rows)"] if count else []


def contract(name: str, columns: dict[str, pa.Column], *rules: pa.Check) -> pa.DataFrameSchema:
    """Return the contract of a table: these columns and no others, and rules about several columns."""
    return pa.DataFrameSchema(columns, checks=list(rules), name=name)


def identifier(*, unique: bool = False) -> pa.Column:
    """Return a column of opaque ids: all signed 64-bit integers or all strings."""
    of_one_type = _rule("must be all integers or all strings", lambda ids: kind_of_ids(ids) != "mixed")
    in_range = _rule("must lie between -2^63 and 2^63 - 1", _is_in_range)
    filled = _rule("must not be empty", lambda ids: ids != "")
    rules = [_rule("must be unique", lambda ids: ~ids.duplicated())] if unique else []
    return pa.Column(None, [of_one_type, in_range, filled, *rules], metadata={"dtype": _IDENTIFIER})


def text(*, nullable: bool = False) -> pa.Column:
    """Return a column of free text, never empty."""
    is_text = _rule("must be text", lambda texts: pd.api.types.infer_dtype(_categories(texts)) in {"string", "empty"})
    return pa.Column(None, [is_text, _rule("must not be empty", lambda texts: texts != "")], nullable=nullable)


def one_of(allowed: Iterable[str]) -> pa.Column:
    """Return a column of text from a closed vocabulary."""
    names = tuple(allowed)
    return pa.Column(None, _rule(f"must be one of {', '.join(names)}", lambda texts: texts.isin(names)))


def typed(dtype: str, *rules: pa.Check, nullable: bool = False) -> pa.Column:
    """Return a column of one type."""
    of_type = _rule(f"must be {_TYPES[dtype]}", lambda values: str(values.dtype) == dtype)
    return pa.Column(None, [of_type, *rules], nullable=nullable, metadata={"dtype": dtype})


def timestamp() -> pa.Column:
    """Return a column of naive UTC timestamps at which something can have been recorded."""
    rule = f"must lie between {FIRST_DAY} and {LAST_DAY}"
    first, last = pd.Timestamp(FIRST_DAY), pd.Timestamp(f"{LAST_DAY}T23:59:59.999999")
    return typed("datetime64[us]", _rule(rule, lambda times: times.between(first, last)))


def any_date(*, nullable: bool = False) -> pa.Column:
    """Return a column of dates that nobody recorded: computed, or printed, where the year 2999 may mean "never"."""
    return typed("datetime64[us]", nullable=nullable)


def number(*rules: pa.Check, dtype: str = "float64", nullable: bool = False) -> pa.Column:
    """Return a column of finite numbers."""
    return typed(dtype, _rule("must be finite", lambda values: ~np.isinf(values)), *rules, nullable=nullable)


def above(bound: float) -> pa.Check:
    """Require values greater than the bound."""
    return _rule(f"must be greater than {bound}", lambda values: values > bound)


def at_least(bound: float) -> pa.Check:
    """Require the bound or more."""
    return _rule(f"must be at least {bound}", lambda values: values >= bound)


def at_most(bound: float) -> pa.Check:
    """Require the bound or less; infinite values are left to `number`."""
    return _rule(f"must be at most {bound}", lambda values: (values <= bound) | np.isinf(values))


def between(low: float, high: float) -> pa.Check:
    """Require values between the bounds, both included; infinite values are left to `number`."""
    return _rule(f"must lie between {low} and {high}", lambda values: values.between(low, high) | np.isinf(values))


def each_row(columns: str, rule: str, holds: Condition) -> pa.Check:
    """Require what several columns of a row must fulfill together, reported under the names given."""
    return _rule(f"{columns}: {rule}", holds, ignore_na=False)


def unique_rows(*keys: str) -> pa.Check:
    """Require that no two rows share a key of several columns."""
    return each_row(", ".join(keys), "must be unique together", lambda frame: ~frame.duplicated(list(keys)))


def _rule(message: str, holds: Condition, *, ignore_na: bool = True) -> pa.Check:
    # pandera copies the values that fail into its report: one is enough, since none is shown.
    return pa.Check(holds, error=message, ignore_na=ignore_na, n_failure_cases=1)


def kind_of_ids(ids: Values) -> str:
    """Return "integer", "string", "empty" (without any id), or else "mixed"."""
    kind = pd.api.types.infer_dtype(_categories(ids)) if len(ids) else "empty"
    return kind if kind in {"integer", "string", "empty"} else "mixed"


def _is_in_range(ids: Values) -> Any:
    if kind_of_ids(ids) != "integer" or ids.dtype == "int64":
        return ids.notna()
    return pd.Series([-(2**63) <= int(number) < 2**63 for number in ids], index=ids.index)


def _categories(values: Values) -> Values:
    return values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else values


def _unexpected_columns(frame: pd.DataFrame, contract: pa.DataFrameSchema) -> tuple[list[str], list[str]]:
    """Count the columns that the contract does not know: without a header, their names are a household's values."""
    is_known = frame.columns.isin(list(contract.columns))
    count = int((~is_known).sum())
    columns = "1 column that is" if count == 1 else f"{count} columns that are"
    unknown = [f"{contract.name}: has {columns} not of its contract{_count(frame)}"] if count else []
    repeated = frame.columns[is_known & frame.columns.duplicated()].unique()
    return unknown, [f"{contract.name}.{name}: must be one column{_count(frame)}" for name in repeated]


def _torn_texts(frame: pd.DataFrame, contract: pa.DataFrameSchema) -> list[str]:
    """Find texts with half a surrogate pair, as in a broken emoji: no file can hold one, and pandera fails on them."""
    lines = []
    for name in frame.columns.intersection(list(contract.columns)):
        if _categories(frame[name]).dtype == object:
            torn = pd.Series([isinstance(text, str) and bool(_SURROGATE.search(text)) for text in frame[name]])
            lines += rows_broken(contract.name, name, "must be valid Unicode", torn)
    return lines


def _conform(frame: pd.DataFrame, contract: pa.DataFrameSchema) -> pd.DataFrame:
    typed = {name: column.metadata["dtype"] for name, column in contract.columns.items() if column.metadata}
    wanted = {name: _wanted(frame[name], dtype) for name, dtype in typed.items() if name in frame.columns}
    other = {name: dtype for name, dtype in wanted.items() if str(frame[name].dtype) != dtype}
    return frame.assign(**{name: _converted(frame[name], dtype) for name, dtype in other.items()}) if other else frame


def _wanted(values: Values, dtype: str) -> str:
    """Return one type for all integer ids and one for all text ids: ids of two types may be compared as floats."""
    if dtype != _IDENTIFIER:
        return dtype
    of_kind = {"integer": "int64", "string": "str"}.get(kind_of_ids(values))
    return of_kind if of_kind and _is_in_range(values.dropna()).all() else str(values.dtype)


def _converted(values: Values, dtype: str) -> Values:
    """Convert the type where no value changes; leave the rest as it is, for the contract to reject."""
    if not _is_convertible(values, dtype):
        return values
    try:
        return values.astype(dtype)
    except (TypeError, ValueError):
        return values


def _is_convertible(values: Values, dtype: str) -> bool:
    if dtype == "str" or (dtype == "int64" and kind_of_ids(values) == "integer"):
        return True
    if isinstance(values.dtype, pd.DatetimeTZDtype | pd.CategoricalDtype):
        return False
    if values.isna().all():  # a column without any value has whatever type its source made up
        return True
    if dtype in {"bool", "boolean"}:
        return pd.api.types.infer_dtype(values, skipna=True) == "boolean"
    return values.dtype.kind in _CONVERTIBLE.get(dtype, "")


def _broken_rules(frame: pd.DataFrame, contract: pa.DataFrameSchema) -> list[str]:
    try:
        # pandera miscounts under repeated labels; the table without them is ours, so it need not copy it once more.
        contract.validate(frame.reset_index(drop=True), lazy=True, inplace=True)
    except SchemaErrors as report:
        errors = report.schema_errors
        untyped = {error.column_name for error in errors if _is_type_error(error)}
        lines = [_line(contract, frame, error) for error in errors if not _follows(error, untyped)]
        # Returned rather than raised from here, so that pandera's report, full of values, is no __context__ of ours.
        return list(dict.fromkeys(lines))
    return []


def _is_type_error(error: SchemaError) -> bool:
    missing = error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME
    return missing or isinstance(error.check_output, bool | np.bool_)


def _follows(error: SchemaError, untyped: set[str | None]) -> bool:
    """Whether a rule was broken only because a column has the wrong type or is missing."""
    if error.reason_code is SchemaErrorReason.CHECK_ERROR:
        return bool(untyped)
    return error.column_name in untyped - {None} and not _is_type_error(error)


def _line(contract: pa.DataFrameSchema, frame: pd.DataFrame, error: SchemaError) -> str:
    table, column, reason = contract.name, error.column_name, error.reason_code
    if reason is SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
        return f"{table}.{error.failure_cases}: is missing{_count(frame)}"
    place = f"{table}.{column}: " if column else f"{table}."
    if reason is SchemaErrorReason.SERIES_CONTAINS_NULLS:
        return f"{place}must not be null{_count(frame, int(frame[column].isna().sum()))}"
    if _is_type_error(error):
        return f"{place}{error.check.error}, is {frame[column].dtype}{_count(frame)}"
    # A rule that cannot even be computed holds of no row.
    failed = len(frame) if error.check_output is None else int((~error.check_output.astype(bool)).sum())
    return f"{place}{error.check.error}{_count(frame, failed)}"


def _count(frame: pd.DataFrame, failed: int | None = None) -> str:
    return f" ({len(frame) if failed is None else failed} of {len(frame)} rows)"
