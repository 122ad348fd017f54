"""What the models predict for rows they have not seen: fold by fold, from the past to the future."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from waste_risk import metrics
from waste_risk.boosting import CLASSIFIER, REGRESSOR, Matrix, fit_with_early_stopping, to_matrix
from waste_risk.contract import ContractError
from waste_risk.features import FEATURE_NAMES
from waste_risk.parameters import Observation, Split, Training
from waste_risk.splits import Positions, PurgedTimeSeriesSplit

KEPT = ["item_id", "household_id", "observed_on", "wasted", "days_to_waste"]


def cross_validate(
    development: pd.DataFrame, training: Training, split: Split, observation: Observation
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit both boosters on the past of each fold, and predict the fold.

    Returns:
        out_of_fold: one row per judged row: keys, labels, ``fold``, ``score`` (raw probability) and ``days``
            (predicted, given that the item is wasted within the horizon).
        fold_metrics: one row per fold: sizes, dates, rounds, and metrics of the raw score; NaN where one is undefined.

    Raises:
        ContractError: the labels were made with another horizon than the parameter says.
        ValueError: features are missing; a fold, or the window that chooses its rounds, has nothing to learn from; or
            a fold has one class.
    """
    _refuse_other_horizon(development, observation.horizon_days)
    splitter = PurgedTimeSeriesSplit(split.n_folds, observation.horizon_days)
    folds = list(splitter.split(development, development["wasted"], development["observed_on"]))
    predict_fold = partial(
        _predict_fold,
        X=to_matrix(development, FEATURE_NAMES),
        development=development,
        training=_on_one_thread(training),
        horizon_days=observation.horizon_days,
    )
    with ThreadPoolExecutor(_n_workers(training)) as pool:
        # The newest fold is the largest, so it starts first.
        results = list(pool.map(predict_fold, folds[::-1]))[::-1]
    out_of_fold = [predicted.assign(fold=fold) for fold, (predicted, _) in enumerate(results, start=1)]
    fold_metrics = [{"fold": fold, **measured} for fold, (_, measured) in enumerate(results, start=1)]
    return pd.concat(out_of_fold, ignore_index=True), pd.DataFrame(fold_metrics)


def _refuse_other_horizon(development: pd.DataFrame, horizon_days: int) -> None:
    other = (development["label_known_on"] - development["observed_on"]) != pd.Timedelta(days=horizon_days)
    if other.any():
        raise ContractError(
            f"model_input.label_known_on: must lie observation.horizon_days = {horizon_days} days after observed_on "
            f"({other.sum()} of {len(other)} rows); run data_engineering with this horizon first"
        )


def _on_one_thread(training: Training) -> Training:
    # Folds side by side never wait for each other, as threads inside of one booster do.
    return training.model_copy(update={"num_threads": 1}) if training.device_type == "cpu" else training


def _n_workers(training: Training) -> int:
    return training.num_threads if training.device_type == "cpu" else 1


def _predict_fold(
    fold: tuple[Positions, Positions],
    *,
    X: Matrix,
    development: pd.DataFrame,
    training: Training,
    horizon_days: int,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    train, judged = (_as_slice(positions) for positions in fold)
    past = development[[*KEPT, "label_known_on"]].iloc[train]
    classifier, regressor = (
        fit_with_early_stopping(X[train], past, target, training, FEATURE_NAMES) for target in (CLASSIFIER, REGRESSOR)
    )
    predicted = (
        development[KEPT]
        .iloc[judged]
        .assign(
            score=classifier.predict(X[judged]),
            days=np.clip(regressor.predict(X[judged]), 0, horizon_days),
        )
    )
    return predicted, _measure(past, predicted, classifier, regressor)


def _as_slice(positions: Positions) -> Positions | slice:
    """The same rows; of rows sorted by time a fold is a run without gaps, and a slice of a matrix is no copy."""
    first, last = int(positions[0]), int(positions[-1])
    return slice(first, last + 1) if last - first + 1 == len(positions) else positions


def summarise_folds(fold_metrics: pd.DataFrame) -> dict[str, float]:
    """Every metric of every fold, its mean over the folds, and the standard deviation of the AUC, by name.

    Returns:
        ``fold_1.auc`` …, ``cv.auc`` …, ``cv.auc_std`` (ddof 1); what no fold defines is left out.
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


def _measure(
    past: pd.DataFrame, predicted: pd.DataFrame, classifier: lgb.Booster, regressor: lgb.Booster
) -> dict[str, Any]:
    return {
        "n_train": len(past),
        "n_test": len(predicted),
        "train_until": past["observed_on"].max(),
        "test_from": predicted["observed_on"].min(),
        "test_until": predicted["observed_on"].max(),
        "rounds_classifier": classifier.current_iteration(),
        "rounds_regressor": regressor.current_iteration(),
        **_measure_scores(predicted),
        **_measure_days(predicted),
    }


def _measure_scores(predicted: pd.DataFrame) -> dict[str, float]:
    tally = metrics.count_scores(y_true=predicted["wasted"], probability=predicted["score"])
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


def _measure_days(predicted: pd.DataFrame) -> dict[str, float]:
    errors = (predicted["days"] - predicted["days_to_waste"]).dropna()  # items that were not wasted have no days
    return {"days_mae": float(errors.abs().mean()), "days_rmse": float(np.sqrt((errors**2).mean()))}
