"""The search for the classifier's hyperparameters, on inner folds.

The inner folds end where the newest outer fold begins. So the validation rows of that fold, which weigh most in the
calibrator, are predicted with hyperparameters that they had no part in choosing. Without trials nothing is imported.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from waste_risk import metrics
from waste_risk.arrays import Mask
from waste_risk.features.encoding import find_encoding
from waste_risk.metrics import classification, tally
from waste_risk.model import lightgbm_calls
from waste_risk.model.lightgbm_calls import predict
from waste_risk.model.matrix import Matrix, to_matrix
from waste_risk.model.predictor import hash_rows
from waste_risk.parameters import FloatRange, LightGBM, Observation, Space, Split, Training, Tuning
from waste_risk.training import boosting, splits
from waste_risk.training.boosting import CLASSIFIER, Binned, bin_rows, fit_on_older
from waste_risk.training.splits import PurgedTimeSeriesSplit
from waste_risk.training.tuning.studies import Studies

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

HYPERPARAMETERS = tuple(Space.model_fields)
DECIDING_LIBRARIES = ("lightgbm", "numpy", "optuna")
DECIDING_FILES = tuple(
    Path(str(file))
    for file in (
        boosting.__file__,
        lightgbm_calls.__file__,
        splits.__file__,
        tally.__file__,
        classification.__file__,
        __file__,
        Path(__file__).with_name("search.py"),
    )
)


@dataclass(frozen=True)
class InnerFold:
    """One fold of the search, prepared once for any number of trials.

    Attributes:
        binned: training rows.
        validation: features of the validation rows.
        wasted: their labels.
    """

    binned: Binned
    validation: Matrix
    wasted: Mask


def tune_hyperparameters(  # noqa: PLR0917
    development: pd.DataFrame,
    training: Training,
    split: Split,
    observation: Observation,
    tuning: Tuning,
    studies: Studies,
) -> tuple[Training, pd.DataFrame]:
    """Search for the classifier's hyperparameters with the highest mean AUC over the inner folds.

    The configured values are the first trial, and are kept unless another is better. An earlier study with the same
    data, code and parameters is resumed: its finished trials are not run again.

    Args:
        development: rows of model_input.
        training: the configured hyperparameters; returned as it is without a search.
        split: of the outer folds.
        observation: its horizon is that of the labels.
        tuning: number of trials, inner folds and space of the search.
        studies: where studies are stored.

    Returns:
        training: with the best values in place of the configured ones.
        trials: one row per finished trial: ``number`` (0 is the first), ``state`` (complete, pruned), ``value`` (mean
            AUC, NaN if pruned), ``fold_1`` … (AUC, NaN if pruned before), and the values tried; no rows without a
            search.

    Raises:
        StudyError: the studies cannot be read or written.
        ValueError: features are missing, or a fold has nothing to learn from.
    """
    if not tuning.n_trials:
        return training, _tabulate([], training.classifier, tuning)
    from waste_risk.training.tuning import search  # noqa: PLC0415, Optuna is for searches only

    finished = _search(_Task(development, training, split, observation, tuning), studies)
    best = search.choose(finished, training.classifier)
    return with_values(training, best), _tabulate(finished, training.classifier, tuning)


def prepare_folds(
    development: pd.DataFrame, training: Training, split: Split, observation: Observation, tuning: Tuning
) -> list[InnerFold]:
    """Return the binned inner folds from the oldest to the newest, each with its own bins, which no later row shapes.

    Raises:
        ValueError: features are missing, or a fold has nothing to learn from.
    """
    outer = PurgedTimeSeriesSplit(split.n_folds, observation.horizon_days)
    *_, (known_before, _) = outer.split(development, development["wasted"], development["observed_on"])
    inner = development.iloc[known_before]
    encoding = find_encoding(inner)
    X = to_matrix(inner, encoding.names, encoding.levels)
    folds = PurgedTimeSeriesSplit(tuning.n_folds, observation.horizon_days)
    return [
        InnerFold(
            binned=bin_rows(X[train], inner.iloc[train], CLASSIFIER, training, encoding.names, encoding.categorical),
            validation=X[validation],
            wasted=inner["wasted"].to_numpy(dtype=bool)[validation],
        )
        for train, validation in folds.split(inner, inner["wasted"], inner["observed_on"])
    ]


def evaluate_fold(fold: InnerFold, training: Training) -> float:
    """Fit a classifier on the older training rows of a fold, and return its AUC on the fold's validation rows.

    The newest training rows are for early stopping. There is no second fit on all of them, as there is for the final
    model: that would double the work, and help one trial as much as another.
    """
    booster = fit_on_older(fold.binned, CLASSIFIER, training)
    scores = metrics.count_scores(y_true=fold.wasted, probability=predict(booster, fold.validation))
    return float(metrics.roc_auc(scores))


def with_values(training: Training, classifier: LightGBM) -> Training:
    """Return the parameters with other hyperparameters of the classifier."""
    return training.model_copy(update={"classifier": classifier})


def name_study(
    development: pd.DataFrame, training: Training, split: Split, observation: Observation, tuning: Tuning
) -> str:
    """Return a name made of all that decides the value of a trial and which comes next, so that no other is resumed.

    The number of trials is no part of it: a study of 50 is the first half of one of 100. Of the number of workers only
    whether there are several, since their trials are not reproducible.
    """
    decisive = {
        "rows": hash_rows(development),
        "features": find_encoding(development).names,
        "training": training.model_dump(exclude={"regressor", "num_threads", "explain_rows"}),
        "n_outer_folds": split.n_folds,
        "horizon_days": observation.horizon_days,
        "tuning": tuning.model_dump(exclude={"n_trials", "n_workers", "nested_runs"}),
        "several_workers": tuning.n_workers > 1,
        "libraries": {name: version(name) for name in DECIDING_LIBRARIES},
        "code": hash_files(DECIDING_FILES),
    }
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return f"waste-risk-{digest[:20]}"


def hash_files(files: Sequence[Path]) -> str:
    """Return a SHA-256 of the texts of files, in hexadecimal."""
    return hashlib.sha256("".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files).encode()).hexdigest()


class _Task(NamedTuple):
    development: pd.DataFrame
    training: Training
    split: Split
    observation: Observation
    tuning: Tuning


def _search(task: _Task, studies: Studies) -> "list[FrozenTrial]":
    from waste_risk.training.tuning import search  # noqa: PLC0415

    name, tuning = name_study(*task), task.tuning
    search.begin(studies, name)
    work = partial(_work, task, name)
    if tuning.n_workers == 1:
        work(studies)
    else:
        _work_together(work, studies, tuning.n_workers)
    return search.read(studies, name, tuning.n_trials)


def _work_together(work: Callable[..., None], studies: Studies, n_workers: int) -> None:
    # Spawned: LightGBM's threads do not survive a fork.
    with ProcessPoolExecutor(n_workers - 1, mp_context=get_context("spawn")) as pool:
        others = [pool.submit(work, Studies(studies.url), worker) for worker in range(1, n_workers)]
        work(studies)
        for other in others:
            other.result()  # raises what stopped it


def _work(task: _Task, name: str, studies: Studies, worker: int = 0) -> None:
    from waste_risk.training.tuning import search  # noqa: PLC0415

    folds: list[InnerFold] = []

    def evaluate(classifier: LightGBM, fold: int) -> float:
        if not folds:  # a study that has all its trials needs none
            folds.extend(prepare_folds(*task))
        return evaluate_fold(folds[fold - 1], with_values(task.training, classifier))

    search.work(studies, name, evaluate, task.training.classifier, task.tuning, worker=worker)


def _tabulate(finished: "list[FrozenTrial]", configured: LightGBM, tuning: Tuning) -> pd.DataFrame:
    tried = [_values(trial, configured) for trial in finished]
    folds = {
        f"fold_{fold}": [trial.intermediate_values.get(fold, np.nan) for trial in finished]
        for fold in range(1, tuning.n_folds + 1)
    }
    states = [trial.state.name.lower() for trial in finished]
    columns = {
        "number": np.arange(len(finished)),
        "state": pd.array(states, dtype="str"),
        "value": [
            trial.value if state == "complete" else np.nan for trial, state in zip(finished, states, strict=True)
        ],
        **folds,
        **{name: [values[name] for values in tried] for name in HYPERPARAMETERS},
    }
    whole = [name for name in HYPERPARAMETERS if Space.model_fields[name].annotation is not FloatRange]
    floats = ["value", *folds, *(name for name in HYPERPARAMETERS if name not in whole)]
    return pd.DataFrame(columns).astype({**dict.fromkeys(floats, "float64"), **dict.fromkeys(whole, "int64")})


def _values(trial: "FrozenTrial", configured: LightGBM) -> dict[str, Any]:
    from waste_risk.training.tuning import search  # noqa: PLC0415

    return search.values_of(trial, configured).model_dump(include=set(HYPERPARAMETERS))
