"""Cross-validation from the past to the future: what the boosters predict for rows they have not seen."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from waste_risk import metrics
from waste_risk.arrays import Floats
from waste_risk.errors import ContractError
from waste_risk.features.encoding import Encoding, find_encoding
from waste_risk.model.lightgbm_calls import predict
from waste_risk.model.matrix import Matrix, to_matrix
from waste_risk.parameters import Observation, Split, Training
from waste_risk.training.boosting import CLASSIFIER, REGRESSOR, Target, fit_with_rounds
from waste_risk.training.rounds import RoundsFound, find_rounds, scale_rounds
from waste_risk.training.splits import Positions, PurgedTimeSeriesSplit

KEPT = ["item_id", "household_id", "observed_on", "wasted", "days_to_waste"]
TARGETS = (CLASSIFIER, REGRESSOR)

# Folds whose numbers of rounds are found by early stopping; later folds scale these. Early stopping in all of them, the
# large ones included, would cost a third more and gain nothing (docs/ablations.md).
N_EARLY_STOPPED = 3

Where = Positions | slice
Task = TypeVar("Task")
Result = TypeVar("Result")


class _Fold(NamedTuple):
    train: Where
    validation: Where


class _Shared(NamedTuple):
    """What every task reads and none changes."""

    X: Matrix
    labels: pd.DataFrame
    encoding: Encoding
    training: Training


class _Predicted(NamedTuple):
    values: Floats
    rounds: int


def cross_validate(
    development: pd.DataFrame, training: Training, split: Split, observation: Observation
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Fit both boosters on the training rows of each fold, and predict the fold's validation rows.

    Returns:
        out_of_fold: one row per validation row: keys, labels, ``fold`` (from 1), ``score`` (raw probability) and
            ``days`` (predicted, given that the item is wasted within the horizon).
        fold_metrics: one row per fold: sizes, dates, and metrics of the raw score; NaN where one is undefined.
        fold_rounds: one row per fold: ``fold``, ``n_train`` (training rows), and the rounds that each booster was
            fitted for, ``rounds_classifier`` and ``rounds_regressor``.

    Raises:
        ContractError: the labels were made with another horizon than the parameter says.
        ValueError: features are missing; a fold, or the window for early stopping, has nothing to learn from; or a
            fold has one class.
    """
    _refuse_other_horizon(development, observation.horizon_days)
    splitter = PurgedTimeSeriesSplit(split.n_folds, observation.horizon_days)
    positions = splitter.split(development, development["wasted"], development["observed_on"])
    folds = [_Fold(_as_slice(train), _as_slice(validation)) for train, validation in positions]
    labels = development[[*KEPT, "label_known_on"]]
    encoding = find_encoding(development)
    X = to_matrix(development, encoding.names, encoding.levels)
    predicted = _predict_folds(_Shared(X, labels, encoding, training), folds)
    out_of_fold, fold_metrics, fold_rounds = [], [], []
    for number, (fold, (scores, days)) in enumerate(zip(folds, predicted, strict=True), start=1):
        past, keys = labels.iloc[fold.train], labels[KEPT].iloc[fold.validation]
        predictions = keys.assign(score=scores.values, days=np.clip(days.values, 0, observation.horizon_days))
        out_of_fold.append(predictions.assign(fold=number))
        fold_metrics.append({"fold": number, **_measure(past, predictions)})
        rounds = {"rounds_classifier": scores.rounds, "rounds_regressor": days.rounds}
        fold_rounds.append({"fold": number, "n_train": len(past), **rounds})
    return pd.concat(out_of_fold, ignore_index=True), pd.DataFrame(fold_metrics), pd.DataFrame(fold_rounds)


def summarise_folds(fold_metrics: pd.DataFrame) -> dict[str, float]:
    """Return every metric of every fold, its mean over the folds, and the standard deviation of the AUC, by name.

    Returns:
        ``fold_1.auc`` …, ``cv.auc`` …, ``cv.auc_std`` (ddof 1), without those that are undefined.
    """
    measures = fold_metrics.select_dtypes("number").drop(columns="fold")
    single = {
        f"fold_{fold}.{name}": float(value)
        for fold, row in zip(fold_metrics["fold"], measures.to_dict("records"), strict=True)
        for name, value in row.items()
    }
    means = {f"cv.{name}": float(value) for name, value in measures.mean().items()}
    every = {**single, **means, "cv.auc_std": float(measures["auc"].std())}
    return {name: value for name, value in every.items() if not np.isnan(value)}


def _refuse_other_horizon(development: pd.DataFrame, horizon_days: int) -> None:
    other = (development["label_known_on"] - development["observed_on"]) != pd.Timedelta(days=horizon_days)
    if other.any():
        raise ContractError(
            f"model_input.label_known_on: must lie observation.horizon_days = {horizon_days} days after observed_on "
            f"({other.sum()} of {len(other)} rows); run data_engineering with this horizon first"
        )


def _as_slice(positions: Positions) -> Where:
    """Return a slice if the positions have no gaps, as in rows sorted by time: slicing a matrix makes no copy."""
    first, last = int(positions[0]), int(positions[-1])
    return slice(first, last + 1) if last - first + 1 == len(positions) else positions


def _predict_folds(shared: _Shared, folds: list[_Fold]) -> list[tuple[_Predicted, _Predicted]]:
    """Return the classifier's and the regressor's predictions for each fold; its rounds follow from no later fold."""
    n_workers, training = 1, shared.training
    if training.device_type == "cpu":  # boosters side by side never wait for each other, as threads inside of one do
        n_workers, training = training.num_threads, training.model_copy(update={"num_threads": 1})
    shared = shared._replace(training=training)
    early_stopped = [(fold, target) for fold in folds[:N_EARLY_STOPPED] for target in TARGETS]
    with ThreadPoolExecutor(n_workers) as pool:
        every = _newest_first(pool, partial(_find_rounds, shared), early_stopped)
        found = {target: every[place :: len(TARGETS)] for place, target in enumerate(TARGETS)}
        tasks = [(fold, target, found[target][:n]) for n, fold in enumerate(folds, start=1) for target in TARGETS]
        predicted = _newest_first(pool, partial(_fit_and_predict, shared), tasks)
    return list(zip(predicted[::2], predicted[1::2], strict=True))


def _newest_first(pool: ThreadPoolExecutor, function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
    """Return results in the order of the tasks; the newest fold is the largest, so it starts first."""
    return list(pool.map(function, tasks[::-1]))[::-1]


def _find_rounds(shared: _Shared, task: tuple[_Fold, Target]) -> RoundsFound:
    fold, target = task
    past, encoding = shared.labels.iloc[fold.train], shared.encoding
    return find_rounds(shared.X[fold.train], past, target, shared.training, encoding.names, encoding.categorical)


def _fit_and_predict(shared: _Shared, task: tuple[_Fold, Target, list[RoundsFound]]) -> _Predicted:
    fold, target, found = task
    past = shared.labels.iloc[fold.train]
    rounds = scale_rounds(found, n_rows=int(past[target.label].notna().sum()))
    features = (shared.encoding.names, shared.encoding.categorical)
    booster = fit_with_rounds(shared.X[fold.train], past, target, shared.training, *features, rounds=rounds)
    return _Predicted(predict(booster, shared.X[fold.validation]), booster.current_iteration() if rounds else 0)


def _measure(past: pd.DataFrame, predictions: pd.DataFrame) -> dict[str, Any]:
    errors = (predictions["days"] - predictions["days_to_waste"]).dropna()  # items that were not wasted have no days
    return {
        "n_train": len(past),
        "n_test": len(predictions),
        "train_until": past["observed_on"].max(),
        "test_from": predictions["observed_on"].min(),
        "test_until": predictions["observed_on"].max(),
        **_measure_scores(predictions),
        "days_mae": float(errors.abs().mean()),
        "days_rmse": float(np.sqrt((errors**2).mean())),
    }


def _measure_scores(predictions: pd.DataFrame) -> dict[str, float]:
    tally = metrics.count_scores(y_true=predictions["wasted"], probability=predictions["score"])
    measures = {
        "waste_ratio": metrics.base_rate(tally),
        "mean_score": metrics.mean_probability(tally),
        "auc": metrics.roc_auc(tally),
        "avg_precision": metrics.average_precision(tally),
        "precision_at_50": metrics.precision(tally, threshold=0.5),
        "recall_at_50": metrics.recall(tally, threshold=0.5),
        "precision_at_70": metrics.precision(tally, threshold=0.7),
        "recall_at_70": metrics.recall(tally, threshold=0.7),
        "f1_at_70": metrics.f1_score(tally, threshold=0.7),
    }
    return {name: float(value) for name, value in measures.items()}
