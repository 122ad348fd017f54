"""Splits by time in which no row trains a model that is judged before the row's label was known.

Whole days are never divided, and rows are purged by when their label is *known*, whatever it turned out to be:
keeping early outcomes near a boundary would keep the quick ones only.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.multiclass import type_of_target

from waste_risk.errors import ContractError
from waste_risk.parameters import Split

Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]

_TOO_SHORT = "a longer period or fewer folds are needed"


def split_by_time(model_input: pd.DataFrame, params: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set the newest days aside as the test window; development keeps what was known before it begins.

    Raises:
        ContractError: the newest days alone hold more than the share, or no label is known before them; or development
            holds one outcome only.
    """
    older, newest = newest_window(model_input["observed_on"], model_input["label_known_on"], params.test_share)
    development, test = model_input[older].reset_index(drop=True), model_input[newest].reset_index(drop=True)
    _refuse_one_outcome(development["wasted"])
    return development, test


def _refuse_one_outcome(wasted: "pd.Series[bool]") -> None:
    if wasted.all() or not wasted.any():
        raise ContractError(
            f"development.wasted: must be true and false, is always {str(wasted.iloc[0]).lower()} ({len(wasted)} of "
            f"{len(wasted)} rows); a model learns from items that were thrown away and from others, so check the "
            "events of kind wasted, or add records"
        )


def newest_window(observed_on: pd.Series, label_known_on: pd.Series, share: float) -> tuple[Mask, Mask]:
    """Mark the rows whose label is known before the newest days begin, and the rows of those days.

    The newest days hold at most ``share`` of the rows. Rows observed before them, whose label is not yet known when
    they begin, are in neither mask.

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


class PurgedTimeSeriesSplit(BaseCrossValidator):  # type: ignore[misc]
    """Judge on successive blocks of days, train on everything whose label is known before the block begins.

    The rows are cut into ``n_splits + 2`` blocks of about equal numbers of rows. The first two only train, so that the
    first fold's model resembles the last one; they span at least three horizons: one is lost to purging, one more
    where early stopping holds out a window. It is scikit-learn's TimeSeriesSplit with dates in place of positions and
    with time to learn the labels in place of a gap in rows (purging: López de Prado, Advances in Financial Machine
    Learning, 2018, section 7.4.1). Rows may come in any order.
    """

    def __init__(self, n_splits: int, horizon_days: int) -> None:
        self.n_splits = n_splits
        self.horizon_days = horizon_days

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of folds."""
        return self.n_splits

    def split(
        self,
        X: Any,  # noqa: ARG002
        y: Any = None,
        groups: Any = None,
    ) -> Iterator[tuple[Positions, Positions]]:
        """Yield the positions of training and judged rows, fold by fold from old to new.

        Args:
            X: anything; only ``groups`` decides.
            y: labels; where there are two classes, every side of every fold must hold both.
            groups: the time of observation of each row.

        Raises:
            ValueError: without ``groups``.
            ContractError: with too few days; if a side of a fold is empty or lacks a class.
        """
        if groups is None:
            raise ValueError("groups must hold the time of observation of each row")
        observed_on = pd.DatetimeIndex(groups)
        label_known_on = observed_on + pd.Timedelta(days=self.horizon_days)
        first = max(2 / (self.n_splits + 2), _share_of_days(observed_on, 3 * self.horizon_days))
        starts = _first_days(observed_on, [first + (1 - first) * k / self.n_splits for k in range(self.n_splits)])
        for fold, (start, end) in enumerate(zip(starts, [*starts[1:], pd.Timestamp.max], strict=True), start=1):
            train = np.flatnonzero(label_known_on <= start)
            judged = np.flatnonzero((observed_on >= start) & (observed_on < end))
            _refuse_one_sided(fold, start, y, train, judged)
            yield train, judged


def _share_of_days(observed_on: pd.DatetimeIndex, n_days: int) -> float:
    """The share of the rows on the first days of the data."""
    until = observed_on.min().floor("D") + pd.Timedelta(days=n_days)
    share = float((observed_on < until).mean())
    if share == 1:
        raise ContractError(
            f"the rows end before {until:%Y-%m-%d}, but {n_days} days only train before the first fold; {_TOO_SHORT}"
        )
    return share


def _first_days(observed_on: pd.DatetimeIndex, shares: list[float]) -> list[pd.Timestamp]:
    """Find the first day that has at least each share of the rows before it."""
    days, n_rows = np.unique(observed_on.floor("D"), return_counts=True)
    rows_before = np.cumsum(n_rows) - n_rows
    wanted = np.round(np.asarray(shares) * len(observed_on), 6)  # a third of 12 is 4, not a little more
    positions = np.searchsorted(rows_before, wanted)
    if len(set(positions)) < len(shares) or positions[-1] == len(days):
        raise ContractError(
            f"{len(observed_on)} rows on {len(days)} days cannot be cut into {len(shares)} windows; {_TOO_SHORT}"
        )
    return [pd.Timestamp(days[position]) for position in positions]


def _refuse_one_sided(fold: int, start: pd.Timestamp, y: Any, train: Positions, judged: Positions) -> None:
    if not len(train):
        raise ContractError(
            f"fold {fold}: no label is known on {start:%Y-%m-%d}, when its judged days begin; {_TOO_SHORT}"
        )
    if y is None or type_of_target(y) != "binary":
        return
    for side, rows in (("training", train), ("judged", judged)):
        if len(np.unique(np.asarray(y)[rows])) < 2:
            raise ContractError(f"fold {fold}: the {side} rows hold one class only; {_TOO_SHORT}")
