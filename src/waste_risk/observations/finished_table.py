"""A finished table, any rows with a time and a label, as a model input: all columns that nobody names are features."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from waste_risk.arrays import Mask
from waste_risk.errors import ContractError
from waste_risk.features.build import KEYS
from waste_risk.features.encoding import LABELS, SENSITIVE
from waste_risk.parameters import Columns, Observation

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_NAME = re.compile(r"[\w.-]+")  # LightGBM writes names into a text of its own


@dataclass(frozen=True)
class Assembled:
    """A model input, and the rows of the finished table that are not in it.

    Attributes:
        model_input: rows with a mature label.
        observed_until: the time of the newest row, with or without a label.
        n_rows: all rows of the finished table.
        n_without_label: rows without a label.
        n_too_early: rows with a label that came before the horizon was over for all rows of their time.
    """

    model_input: pd.DataFrame
    observed_until: pd.Timestamp
    n_rows: int
    n_without_label: int
    n_too_early: int


def assemble_finished_table(finished_table: pd.DataFrame, columns: Columns, observation: Observation) -> Assembled:
    """Return keys, features, labels and sensitive attributes under the names of the model input, sorted by time.

    A label counts as known when the horizon is over, whatever it turned out to be. If some rows have no label yet, rows
    of the newest horizon are left out, as those that have one are the quick outcomes.

    Args:
        finished_table: any columns; those that ``columns`` does not name are features, and those whose names begin with
            ``sensitive_`` are attributes for fairness.
        columns: the names of the columns that are no features.
        observation: its horizon is that of the labels.

    Raises:
        ContractError: in one line, what is missing or not as it must be, with the number of rows.
    """
    rows, has_label = _name_columns(finished_table, columns, observation)
    newest: pd.Timestamp = rows["observed_on"].max()
    is_early = _is_early(has_label, (rows["label_known_on"] > newest).to_numpy())
    kept = rows[has_label & ~is_early].sort_values(["observed_on", "item_id"], kind="stable", ignore_index=True)
    if kept.empty:
        raise ContractError(f"finished_table: no row has a label that is mature ({len(rows)} rows)")
    return Assembled(kept, newest, len(rows), int((~has_label).sum()), int(is_early.sum()))


def find_open_rows(finished_table: pd.DataFrame, columns: Columns, observation: Observation) -> pd.DataFrame:
    """Return keys and features of the rows without a label, in the order of the table: what can be scored.

    A table of such rows alone needs no column for what is known only later.

    Raises:
        ContractError: in one line, what is missing or not as it must be; or each row has a label.
    """
    later = (columns.label, columns.days, columns.label_known_on)
    missing = [name for name in later if name is not None and name not in finished_table]
    rows, has_label = _name_columns(finished_table.assign(**dict.fromkeys(missing)), columns, observation)
    if has_label.all():
        raise ContractError(f"finished_table.{columns.label}: each row has a label, none is open ({len(rows)} rows)")
    return rows[~has_label].drop(columns=LABELS).reset_index(drop=True)


def _name_columns(table: pd.DataFrame, columns: Columns, observation: Observation) -> tuple[pd.DataFrame, Mask]:
    """Return all rows under the names of the model input, false where there is no label, and which have one."""
    _refuse_missing(table, columns)
    observed_on, wasted = _read_times(table, columns.time, "time"), _read_label(table, columns.label)
    _refuse_other_horizon(table, columns, observed_on, observation)
    item = table[columns.item] if columns.item else pd.Series(np.arange(len(table)))
    household = table[columns.household] if columns.household else item
    known_on = observed_on + pd.Timedelta(days=observation.horizon_days)
    labels = (wasted.fillna(value=False).astype("bool"), _read_days(table, columns.days, wasted), known_on)
    features, sensitive = _read_features(table, columns)
    named: dict[str, pd.Series] = {
        **dict(zip(KEYS, (item, household, observed_on), strict=True)),
        **features,
        **dict(zip(LABELS, labels, strict=True)),
        **sensitive,
    }
    return pd.DataFrame({name: values.to_numpy() for name, values in named.items()}), wasted.notna().to_numpy()


def _refuse_missing(table: pd.DataFrame, columns: Columns) -> None:
    missing = [f"{name} (columns.{role})" for role, name in columns.named().items() if name not in table]
    missing += [f"{name} (columns.ignored)" for name in columns.ignored if name not in table]
    if missing:
        raise ContractError(
            f"finished_table: lacks the columns {', '.join(missing)} ({len(table)} rows); name those that "
            "it has, or set item, household, days or label_known_on to null"
        )
    if table.empty:
        raise ContractError("finished_table: must not be empty (0 rows)")


def _read_times(table: pd.DataFrame, name: str, role: str) -> "pd.Series[pd.Timestamp]":
    """Return times in UTC without a time zone."""
    values = table[name].reset_index(drop=True)
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if not pd.api.types.is_datetime64_any_dtype(values) and kind not in {"string", "date", "datetime", "empty"}:
        _refuse(name, f"must hold times for columns.{role}, is {values.dtype}", len(values), len(values))
    times = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601" if kind == "string" else None)
    lost = times.isna() & (values.notna() if role == "label_known_on" else True)
    if lost.any():
        _refuse(name, f"must hold a time such as 2024-01-31 for columns.{role}", int(lost.sum()), len(values))
    return times.dt.tz_localize(None).astype("datetime64[us]")


def _read_label(table: pd.DataFrame, name: str) -> "pd.Series[bool]":
    """Return true, false or null."""
    values = table[name].reset_index(drop=True)
    words = values.astype("object").map(_word_of_label, na_action="ignore")
    label = words.map({**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}).astype("boolean")
    other = values.notna() & label.isna()
    if other.any():
        _refuse(name, "must hold true and false for columns.label, or 1 and 0", int(other.sum()), len(values))
    return label


def _word_of_label(value: object) -> str:
    is_number = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value) if is_number else value).strip().lower()  # type: ignore[call-overload]


def _read_days(table: pd.DataFrame, name: str | None, wasted: "pd.Series[bool]") -> "pd.Series[float]":
    """Return the days until the outcome, null where there was none; null everywhere if nobody has recorded any."""
    if name is None:
        return pd.Series(np.nan, range(len(table)))
    values = table[name].reset_index(drop=True)
    if not pd.api.types.is_numeric_dtype(values) and values.notna().any():
        _refuse(name, f"must hold numbers for columns.days, is {values.dtype}", len(values), len(values))
    return pd.Series(values.to_numpy(np.float64, na_value=np.nan)).where(wasted.fillna(value=False))


def _refuse_other_horizon(
    table: pd.DataFrame, columns: Columns, observed_on: "pd.Series[pd.Timestamp]", observation: Observation
) -> None:
    if columns.label_known_on is None:
        return
    known_on = _read_times(table, columns.label_known_on, "label_known_on")
    days = (known_on - observed_on) / pd.Timedelta(days=1)
    is_late = days > observation.horizon_days
    if is_late.any():
        _refuse(
            columns.label_known_on,
            f"must lie at most observation.horizon_days = {observation.horizon_days} days after {columns.time}; the "
            f"largest distance is {np.ceil(days.max()):.0f}",
            int(is_late.sum()),
            len(table),
        )


def _is_early(has_label: Mask, is_open: Mask) -> Mask:
    """Return which rows have a label although others of the newest horizon have none yet."""
    return has_label & is_open if (is_open & ~has_label).any() else np.zeros(len(has_label), np.bool_)


def _read_features(
    table: pd.DataFrame, columns: Columns
) -> "tuple[dict[str, pd.Series[float]], dict[str, pd.Series[str]]]":
    """Return the features as numbers or text, and the sensitive attributes as text."""
    taken = {*columns.named().values(), *columns.ignored}
    names = [str(name) for name in table if name not in taken]
    sensitive = [name for name in names if name.startswith(SENSITIVE)]
    features = [name for name in names if name not in sensitive]
    _refuse_names(features)
    groups = {name: table[name].reset_index(drop=True) for name in sensitive}
    texts = {name: values.astype("str").where(values.notna(), "unknown") for name, values in groups.items()}
    return {name: _read_feature(table[name].reset_index(drop=True), columns.max_levels) for name in features}, texts


def _refuse_names(features: list[str]) -> None:
    odd = [name for name in features if not _NAME.fullmatch(name)]
    taken = [name for name in features if name in {*KEYS, *LABELS}]
    for names, why in ((odd, "may hold letters, digits, _, - and . only"), (taken, "is that of a key or label here")):
        if names:
            raise ContractError(
                f"finished_table: the name of {len(names)} columns {why}; rename them, or list them in columns.ignored"
            )
    if not features:
        raise ContractError("finished_table: has no column left that could be a feature")


def _read_feature(values: pd.Series, max_levels: int) -> pd.Series:
    name, n_rows = str(values.name), len(values)
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if values.isna().all() or pd.api.types.is_numeric_dtype(values) or kind in {"boolean", "decimal"}:
        numbers = pd.Series(values.to_numpy(np.float64, na_value=np.nan)).astype(np.float32)
        n_infinite = int(np.isinf(numbers).sum())
        if n_infinite:
            _refuse(name, "must be finite as a 32-bit number", n_infinite, n_rows)
        return numbers
    if kind not in {"string", "categorical"}:
        rule = f"is {kind}, which is no feature; give numbers or text (of a time, the days since), or ignore it"
        _refuse(name, f"{rule} (columns.ignored)", n_rows, n_rows)
    texts = values.astype("str").where(values.notna())
    n_levels, is_number = texts.nunique(), pd.to_numeric(texts, errors="coerce").notna()
    if n_levels > max_levels:
        also = f", {int(is_number.sum())} of them numbers," if is_number.any() else ""
        rule = f"has {n_levels} different texts{also} more than columns.max_levels = {max_levels}; group or ignore them"
        _refuse(name, f"{rule} (columns.ignored)", int(texts.notna().sum()), n_rows)
    return texts


def _refuse(name: str, rule: str, count: int, total: int) -> None:
    raise ContractError(f"finished_table.{name}: {rule} ({count} of {total} rows)")
