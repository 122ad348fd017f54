"""Every call into LightGBM, and the number of threads it runs on.

LightGBM has one number of threads for the whole process: each call sets it, reads it again while it runs, and crashes
if another call has raised it meanwhile. So the limit is one thread, which LightGBM enforces for every call, whoever
makes it. Only calls that fit or bin many rows raise it, and never while a call runs on another number of threads. A
single thread needs no thread team of OpenMP, which would not survive a fork.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Condition
from typing import Any

import lightgbm as lgb
import numpy as np
from lightgbm.basic import _LIB, LightGBMError  # type: ignore[attr-defined]  # Python has no name for the limit
from numpy.typing import NDArray

from waste_risk.arrays import Floats

__all__ = [
    "Booster",
    "Dataset",
    "LightGBMError",
    "contributions",
    "count_threads",
    "fit",
    "make_bins",
    "make_null_booster",
    "predict",
    "read",
    "take",
]

ROWS_PER_THREAD = 100_000

Booster = lgb.Booster
Dataset = lgb.Dataset
Parameters = Mapping[str, Any]
Scores = Floats


class _Limit:
    """The number of threads LightGBM may use: the same for all calls that run at once."""

    def __init__(self) -> None:
        self._freed = Condition()
        self._n_calls = 0
        self._set(1)

    @contextmanager
    def raised_to(self, n_threads: int) -> Iterator[None]:
        """Wait until no call runs on another number of threads, then run the ``with`` block on this one."""
        with self._freed:
            self._freed.wait_for(lambda: not self._n_calls or self._n_threads == n_threads)
            self._n_calls += 1
            self._set(n_threads)
        try:
            yield
        finally:
            with self._freed:
                self._n_calls -= 1
                if not self._n_calls:
                    self._set(1)
                    self._freed.notify_all()

    def _set(self, n_threads: int) -> None:
        self._n_threads = n_threads
        _LIB.LGBM_SetMaxThreads(n_threads)


_LIMIT = _Limit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_LIMIT.__init__)  # type: ignore[misc] # the parent's calls run on in the parent


def count_threads(num_threads: int, n_rows: int) -> int:
    """Return how many threads pay off for one booster, at most ``num_threads``.

    Threads wait for each other at every split of every tree, and keep the processor busy meanwhile: on two busy cores a
    second one made 40,000 rows ten times slower. The trees are the same.
    """
    return min(num_threads, 1 + n_rows // ROWS_PER_THREAD)


def make_bins(
    X: NDArray[Any],
    label: Floats,
    parameters: Parameters,
    feature_names: list[str],
    categorical: Sequence[str] = (),
) -> Dataset:
    """Bin rows, on ``num_threads`` threads; the numbers of ``categorical`` features have no order."""
    with _LIMIT.raised_to(parameters["num_threads"]):
        return Dataset(
            X,
            label,
            feature_name=feature_names,
            categorical_feature=list(categorical) or "auto",
            params=dict(parameters),
        ).construct()


def make_null_booster(feature_names: Sequence[str]) -> Booster:
    """Return a booster that predicts null, whatever the features: where there is nothing to learn from."""
    parameters = {"objective": "regression_l1", "num_threads": 1, "deterministic": True, "verbosity": -1}
    nothing = np.zeros((2, len(feature_names)), np.float32)
    booster = fit(parameters, make_bins(nothing, np.zeros(2), parameters, list(feature_names)), 1)
    return booster.set_leaf_output(0, 0, np.nan)


def take(data: Dataset, positions: NDArray[np.intp], parameters: Parameters) -> Dataset:
    """Return the rows of a binned data set at the given positions, on ``num_threads`` threads."""
    with _LIMIT.raised_to(parameters["num_threads"]):
        return data.subset(positions.tolist()).construct()


def fit(
    parameters: Parameters, data: Dataset, rounds: int, *, validation: Dataset | None = None, patience: int = 0
) -> Booster:
    """Fit a booster, on ``num_threads`` threads.

    Args:
        parameters: LightGBM's own.
        data: rows to fit on.
        rounds: number of trees, at most.
        validation: rows for early stopping; the booster then predicts with the number of rounds that was best on them.
        patience: rounds without improvement on them after which to stop.
    """
    with _LIMIT.raised_to(parameters["num_threads"]):
        return lgb.train(
            dict(parameters),
            data,
            rounds,
            valid_sets=None if validation is None else [validation],
            callbacks=None if validation is None else [lgb.early_stopping(patience, verbose=False)],
        )


def predict(booster: Booster, X: NDArray[Any]) -> Scores:
    """Return one prediction per row."""
    with _LIMIT.raised_to(1):
        return np.asarray(booster.predict(X))


def contributions(booster: Booster, X: NDArray[Any]) -> Scores:
    """Return TreeSHAP values: one contribution per feature and a base value, which sum to the row's raw prediction."""
    if not len(X):
        return np.empty((0, booster.num_feature() + 1))  # LightGBM divides by the number of rows
    with _LIMIT.raised_to(1):
        return np.asarray(booster.predict(X, pred_contrib=True))


def read(text: str) -> Booster:
    """Read a booster in LightGBM's text format."""
    with _LIMIT.raised_to(1):
        return Booster(model_str=text)
