"""Splits by time: a row trains a model only if its label was known before the first day that the model is evaluated on.

Days are never divided, and rows are purged by when their label is *known*, whatever it turned out to be: keeping the
outcomes already seen near a boundary would keep the quick ones only.
"""

from collections.abc import Iterator
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.multiclass import type_of_target

from waste_risk.arrays import Mask
from waste_risk.errors import ContractError
from waste_risk.parameters import Split

Positions = NDArray[np.intp]

_TOO_SHORT = "a longer period or fewer folds are needed"


def split_by_time(
    model_input: pd.DataFrame, params: Split, pooled_rows: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split off the newest days as the test window; development keeps the rows whose label was known before it begins.

    Args:
        model_input: features, labels, ``observed_on`` and ``label_known_on``.
        params: ``test_days`` is how many days the test window has; if it is null, ``test_share`` is the largest share
            of the rows that the window may hold.
        pooled_rows: of another source, to learn from beside those of ``model_input``; they never enter the test window.
            Their times are moved so that the newest of their labels is known when the window begins.

    Raises:
        ContractError: the newest day alone holds more than ``test_share`` of the rows, no label is known before the
            test window, or development holds one class only.
    """
    observed_on, label_known_on = model_input["observed_on"], model_input["label_known_on"]
    older, newest = (
        newest_window(observed_on, label_known_on, params.test_share)
        if params.test_days is None
        else newest_days(observed_on, label_known_on, params.test_days)
    )
    development, test = model_input[older].reset_index(drop=True), model_input[newest].reset_index(drop=True)
    if pooled_rows is not None and len(pooled_rows):
        ids = {name: _ids_apart(pooled_rows[name], model_input[name]) for name in ("item_id", "household_id")}
        development = _pool(development, pooled_rows.assign(**ids), known_by=test["observed_on"].min().floor("D"))
    _refuse_one_class(development["wasted"])
    return development, test


class PoolCounts(TypedDict):
    """What a predictor learns from: own rows, those of them that were wasted, and rows of another source."""

    own: int
    own_wasted: int
    pooled: int


def count_pool(development: pd.DataFrame, pooled_rows: pd.DataFrame) -> PoolCounts:
    """Count the own rows in development, and the others."""
    n_pooled, n_pooled_wasted = len(pooled_rows), int(pooled_rows["wasted"].sum())
    return {
        "own": len(development) - n_pooled,
        "own_wasted": int(development["wasted"].sum()) - n_pooled_wasted,
        "pooled": n_pooled,
    }


def _pool(own: pd.DataFrame, others: pd.DataFrame, known_by: pd.Timestamp) -> pd.DataFrame:
    """Return own and other rows in the order of time, the others moved until all of their labels are known."""
    delay = (known_by - others["label_known_on"].max()).floor("D")
    moved = {name: others[name] + delay for name in ("observed_on", "label_known_on")}
    pooled = pd.concat([own, others.assign(**moved)[own.columns]], ignore_index=True)
    return pooled.sort_values(["observed_on", "item_id"], ignore_index=True)


def _ids_apart(ids: pd.Series, own: pd.Series) -> pd.Series:
    """Return new ids of the kind of the own ones, beyond them: numbers, or texts that only pooled rows have."""
    number = pd.Series(pd.factorize(ids)[0] + 1, index=ids.index)
    is_number = pd.api.types.is_integer_dtype(own)
    apart: pd.Series = number + own.max() if is_number else ("pooled " + number.astype("str")).astype(own.dtype)
    return apart


def _refuse_one_class(wasted: "pd.Series[bool]") -> None:
    if wasted.all() or not wasted.any():
        raise ContractError(
            f"development.wasted: must be true and false, is always {str(wasted.iloc[0]).lower()} ({len(wasted)} of "
            f"{len(wasted)} rows); a model learns from items that were thrown away and from others, so check the "
            "events of kind wasted, or add records"
        )


def newest_window(observed_on: pd.Series, label_known_on: pd.Series, share: float) -> tuple[Mask, Mask]:
    """Return a mask of the rows whose label is known before the newest days begin, and one of the rows of those days.

    Rows observed before the newest days, whose label is not yet known when they begin, are in neither mask.

    Args:
        observed_on: when each row was observed.
        label_known_on: when its label is known.
        share: the largest share of the rows that the newest days may hold.

    Raises:
        ContractError: the newest day alone holds more than ``share`` of the rows, or no label is known before them.
    """
    starts_on = _first_days(pd.DatetimeIndex(observed_on), [1 - share])[0]
    older = (label_known_on <= starts_on).to_numpy()
    if not older.any():
        raise ContractError(
            f"no label is known on {starts_on:%Y-%m-%d}, when the newest {share:.0%} of the rows begin; {_TOO_SHORT}"
        )
    return older, (observed_on >= starts_on).to_numpy()


def newest_days(observed_on: pd.Series, label_known_on: pd.Series, n_days: int) -> tuple[Mask, Mask]:
    """Return the masks of ``newest_window`` for a number of days in place of a share of the rows.

    Raises:
        ContractError: no label is known before the newest days.
    """
    starts_on = observed_on.max().floor("D") - pd.Timedelta(days=n_days - 1)
    older = (label_known_on <= starts_on).to_numpy()
    if not older.any():
        raise ContractError(
            f"no label is known on {starts_on:%Y-%m-%d}, when the newest {n_days} days of rows begin; a longer period "
            "or a smaller split.test_days is needed"
        )
    return older, (observed_on >= starts_on).to_numpy()


class PurgedTimeSeriesSplit(BaseCrossValidator):  # type: ignore[misc]
    """Time series cross-validator that purges training rows whose label is not yet known.

    Each fold validates on a block of days, and trains on all rows whose label is known before the block begins; each
    block begins where the one before ends. This is scikit-learn's ``TimeSeriesSplit`` with dates in place of positions,
    and with the time until labels are known in place of a gap in rows (purging: López de Prado, Advances in Financial
    Machine Learning, 2018, section 7.4.1). Rows may come in any order.

    The rows are cut into ``n_splits + 2`` blocks of about equal numbers of rows. The first two only train, so that the
    model of the first fold resembles that of the last; they span at least three horizons, since one is lost to purging
    and another where early stopping sets a window aside.

    Args:
        n_splits: number of folds, at least 1.
        horizon_days: days from the observation of a row until its label is known. A row observed on day ``t`` trains
            only the folds whose validation rows begin on day ``t + horizon_days`` or later.

    Examples:
        >>> observed_on = pd.date_range("2024-01-01", periods=12)
        >>> splitter = PurgedTimeSeriesSplit(n_splits=2, horizon_days=2)
        >>> for train, validation in splitter.split(observed_on, groups=observed_on):
        ...     print(train, validation)
        [0 1 2 3 4] [6 7 8]
        [0 1 2 3 4 5 6 7] [ 9 10 11]
    """

    def __init__(self, n_splits: int, horizon_days: int) -> None:
        self.n_splits = n_splits
        self.horizon_days = horizon_days

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of folds.

        Args:
            X: ignored, exists for compatibility.
            y: ignored, exists for compatibility.
            groups: ignored, exists for compatibility.
        """
        return self.n_splits

    def split(
        self,
        X: Any,  # noqa: ARG002
        y: Any = None,
        groups: Any = None,
    ) -> Iterator[tuple[Positions, Positions]]:
        """Yield the positions of training and validation rows, fold by fold from the oldest to the newest.

        Args:
            X: ignored, exists for compatibility.
            y: labels, optional; if there are two classes, training and validation rows of every fold must hold both.
            groups: when each row was observed. ``groups`` is the one argument beside ``X`` and ``y`` that scikit-learn
                hands on to a splitter (``cross_val_score(…, groups=observed_on, cv=splitter)``), and, as with its group
                splitters, rows of one value, here of one day, are never divided between training and validation.

        Raises:
            ValueError: ``groups`` is missing.
            ContractError: there are too few days, or the training or validation rows of a fold hold one class.
        """
        if groups is None:
            raise ValueError("groups must hold the time of observation of each row")
        observed_on = pd.DatetimeIndex(groups)
        label_known_on = observed_on + pd.Timedelta(days=self.horizon_days)
        first = max(2 / (self.n_splits + 2), _share_of_days(observed_on, 3 * self.horizon_days))
        starts = _first_days(observed_on, [first + (1 - first) * k / self.n_splits for k in range(self.n_splits)])
        for fold, (start, end) in enumerate(zip(starts, [*starts[1:], pd.Timestamp.max], strict=True), start=1):
            train = np.flatnonzero(label_known_on <= start)
            validation = np.flatnonzero((observed_on >= start) & (observed_on < end))
            _refuse_fold_of_one_class(fold, y, train, validation)
            yield train, validation


def _share_of_days(observed_on: pd.DatetimeIndex, n_days: int) -> float:
    """Return the share of the rows on the first ``n_days`` days."""
    until = observed_on.min().floor("D") + pd.Timedelta(days=n_days)
    share = float((observed_on < until).mean())
    if share == 1:
        raise ContractError(
            f"the rows end before {until:%Y-%m-%d}, but {n_days} days only train before the first fold; {_TOO_SHORT}"
        )
    return share


def _first_days(observed_on: pd.DatetimeIndex, shares: list[float]) -> list[pd.Timestamp]:
    """Return, for each share, the first day that has at least this share of the rows before it."""
    days, n_rows = np.unique(observed_on.floor("D"), return_counts=True)
    rows_before = np.cumsum(n_rows) - n_rows
    wanted = np.round(np.asarray(shares) * len(observed_on), 6)  # a third of 12 is 4, not a little more
    positions = np.searchsorted(rows_before, wanted)
    if len(set(positions)) < len(shares) or positions[-1] == len(days):
        raise ContractError(
            f"{len(observed_on)} rows on {len(days)} days cannot be cut into {len(shares)} windows; {_TOO_SHORT}"
        )
    return [pd.Timestamp(days[position]) for position in positions]


def _refuse_fold_of_one_class(fold: int, y: Any, train: Positions, validation: Positions) -> None:
    if y is None or type_of_target(y) != "binary":
        return
    for part, rows in (("training", train), ("validation", validation)):
        if len(np.unique(np.asarray(y)[rows])) < 2:
            raise ContractError(f"fold {fold}: the {part} rows hold one class only; {_TOO_SHORT}")
