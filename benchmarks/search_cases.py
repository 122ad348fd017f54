"""Measurements of the search, each in a process and a project of its own: `python search_cases.py <case> …`."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import optuna
import pandas as pd
from bench_projects import MODEL_INPUT, ROOT
from sklearn.metrics import log_loss, roc_auc_score

from waste_risk.features import FEATURE_NAMES
from waste_risk.model.lightgbm_calls import predict
from waste_risk.model.matrix import Matrix, to_matrix
from waste_risk.parameters import LightGBM, Observation, Split, Training, Tuning, load
from waste_risk.training.boosting import CLASSIFIER, fit_with_rounds
from waste_risk.training.rounds import find_rounds, scale_rounds
from waste_risk.training.splits import PurgedTimeSeriesSplit, split_by_time
from waste_risk.training.tuning.hyperparameters import evaluate_fold, prepare_folds, tune_hyperparameters, with_values
from waste_risk.training.tuning.studies import Studies

Figures = dict[str, float]

_EVERY = 5  # of the trials, the naive search runs one in so many
_STUDIES = "sqlite:///studies.db"


class BudgetSpentError(Exception):
    """The search has used the CPU it was given."""


def search(n_trials: str) -> Figures:
    """CPU of our search, without imports; its trials stay in a file."""
    development, _ = _split()
    start = time.process_time()
    _, trials = _tune(development, int(n_trials), 42, Studies(_STUDIES))
    cpu_s = time.process_time() - start
    trials.to_parquet("trials.parquet")
    return {"cpu_s": cpu_s, "trials": len(trials), "pruned": int((trials["state"] == "pruned").sum())}


def naive() -> Figures:
    """CPU of the same trials, each with bins of its own and none given up; measured on a part of them."""
    development, _ = _split()
    trials = pd.read_parquet("trials.parquet")
    training, tuning = _training(), _load(Tuning)
    start = time.process_time()
    for values in trials.iloc[::_EVERY][[*_names()]].to_dict("records"):
        tried = with_values(training, training.classifier.model_copy(update=values))
        for fold in prepare_folds(development, training, _load(Split), _load(Observation), tuning):
            evaluate_fold(fold, tried)
    share = len(trials.iloc[::_EVERY]) / len(trials)
    return {"cpu_s": (time.process_time() - start) / share, "share": share}


def held_out(method: str, budget_s: str, seed: str) -> Figures:
    """AUC and log loss on the test window of what a method finds within so many CPU seconds, on one thread."""
    development, test = _split()
    start = time.process_time()
    predict = METHODS[method](development, float(budget_s), int(seed))
    cpu_s = time.process_time() - start
    score = predict(to_matrix(test, FEATURE_NAMES))
    return {
        "cpu_s": cpu_s,
        "auc": roc_auc_score(test["wasted"], score),
        "log_loss": log_loss(test["wasted"], score),
    }


def _defaults(development: pd.DataFrame, _budget_s: float, _seed: int) -> Callable[[Matrix], Any]:
    return _fit(development, _training())


def _ours(development: pd.DataFrame, budget_s: float, seed: int) -> Callable[[Matrix], Any]:
    start = last = time.process_time()
    finished, longest = 0, 0.0

    def watch(n_finished: int, _wanted: int, _best: float | None) -> None:
        nonlocal finished, last, longest
        now = time.process_time()
        finished, last, longest = n_finished, now, max(longest, now - last)
        if now + longest > start + budget_s:  # the next trial may not fit in
            raise BudgetSpentError

    try:
        tuned, _ = _tune(development, 10_000, seed, Studies(_STUDIES, watch))
    except BudgetSpentError:
        tuned, _ = _tune(development, finished, seed, Studies(_STUDIES))  # only reads the study
    return _fit(development, tuned)


def _tuner_cv(development: pd.DataFrame, budget_s: float, seed: int) -> Callable[[Matrix], Any]:
    from optuna_integration.lightgbm import LightGBMTunerCV  # noqa: PLC0415, a peer

    rows, folds = _inner(development)
    X, y = to_matrix(rows, FEATURE_NAMES), rows["wasted"].to_numpy(float)
    fixed = {"objective": "binary", "metric": "auc", "verbosity": -1, "num_threads": 1, "seed": seed}
    patience = _training().classifier.early_stopping_round
    tuner = LightGBMTunerCV(
        {**fixed, "learning_rate": _training().classifier.learning_rate},
        lgb.Dataset(X, y),
        num_boost_round=_training().classifier.num_boost_round,
        folds=folds,
        callbacks=[lgb.early_stopping(patience, verbose=False)],
        time_budget=int(budget_s),
        optuna_seed=seed,
        show_progress_bar=False,
    )
    tuner.run()
    chosen = {name: value for name, value in tuner.best_params.items() if name in LightGBM.model_fields}
    training = _training()
    return _fit(development, with_values(training, training.classifier.model_copy(update=chosen)))


def _flaml(development: pd.DataFrame, budget_s: float, seed: int) -> Callable[[Matrix], Any]:
    from flaml import AutoML  # noqa: PLC0415, a peer

    rows, folds = _inner(development)
    automl = AutoML()
    automl.fit(
        to_matrix(rows, FEATURE_NAMES),
        rows["wasted"].to_numpy(int),
        task="classification",
        metric="roc_auc",
        estimator_list=["lgbm"],
        eval_method="cv",
        split_type=_Folds(folds),
        time_budget=budget_s,
        n_jobs=1,
        seed=seed,
        verbose=0,
        retrain_full=False,
    )
    model = lgb.LGBMClassifier(**automl.model.params)
    model.fit(to_matrix(development, FEATURE_NAMES), development["wasted"].to_numpy(int))
    return lambda X: model.predict_proba(X)[:, 1]


METHODS: dict[str, Callable[[pd.DataFrame, float, int], Callable[[Matrix], Any]]] = {
    "defaults": _defaults,
    "ours": _ours,
    "LightGBMTunerCV": _tuner_cv,
    "FLAML": _flaml,
}


class _Folds:
    """Folds that are known, as scikit-learn's splitters give them."""

    def __init__(self, folds: list[tuple[Any, Any]]) -> None:
        self._folds = folds

    def get_n_splits(self, *_: Any, **__: Any) -> int:
        return len(self._folds)

    def split(self, *_: Any, **__: Any) -> Iterator[tuple[Any, Any]]:
        yield from self._folds


def _fit(development: pd.DataFrame, training: Training) -> Callable[[Matrix], Any]:
    X = to_matrix(development, FEATURE_NAMES)
    data = (X, development, CLASSIFIER, training, FEATURE_NAMES)
    rounds = scale_rounds([find_rounds(*data)], n_rows=len(development))
    return partial(predict, fit_with_rounds(*data, rounds=rounds))


def _inner(development: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[Any, Any]]]:
    """The rows and folds that our search learns and evaluates on."""
    horizon_days, split = _load(Observation).horizon_days, _load(Split)
    outer = PurgedTimeSeriesSplit(split.n_folds, horizon_days)
    *_, (before, _) = outer.split(development, development["wasted"], development["observed_on"])
    rows = development.iloc[before].reset_index(drop=True)
    inner = PurgedTimeSeriesSplit(_load(Tuning).n_folds, horizon_days)
    return rows, list(inner.split(rows, rows["wasted"], rows["observed_on"]))


def _tune(development: pd.DataFrame, n_trials: int, seed: int, studies: Studies) -> tuple[Training, pd.DataFrame]:
    tuning = _load(Tuning).model_copy(update={"n_trials": n_trials, "seed": seed})
    return tune_hyperparameters(development, _training(), _load(Split), _load(Observation), tuning, studies)


def _training() -> Training:
    training: Training = _load(Training)
    return training.model_copy(update={"num_threads": 1})


def _names() -> list[str]:
    return list(_load(Tuning).space.model_dump())


def _split() -> tuple[pd.DataFrame, pd.DataFrame]:
    return split_by_time(pd.read_parquet(MODEL_INPUT), _load(Split))


def _load(section: Any) -> Any:
    name = "data_engineering" if section is Observation else "training"
    return load(section, ROOT / f"conf/base/parameters_{name}.yml")


def main() -> None:
    """Run one case."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    np.seterr(all="ignore")
    case, *arguments = sys.argv[1:]
    sys.stdout.write("\n" + json.dumps(globals()[case](*arguments)))


if __name__ == "__main__":
    Path("studies.db").unlink(missing_ok=True)
    main()
