"""A small search; and one in a process of its own, which stops within an evaluation and waits to be killed.

Run as ``python -m searching <url> <number of the evaluation>``.
"""

import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
from planted import OBSERVATION, SPLIT, TRAINING, plant

from waste_risk.parameters import FloatRange, IntRange, Space, Training, Tuning
from waste_risk.training.tuning import hyperparameters
from waste_risk.training.tuning.hyperparameters import InnerFold, tune_hyperparameters, with_values
from waste_risk.training.tuning.studies import Studies

TESTS = Path(__file__).parent

SPACE = Space(
    num_leaves=IntRange(low=4, high=12),
    learning_rate=FloatRange(low=0.05, high=0.5, log=True),
    feature_fraction=FloatRange(low=0.5, high=0.9, log=False),
    bagging_fraction=FloatRange(low=0.5, high=0.9, log=False),
    min_data_in_leaf=IntRange(low=10, high=60),
    lambda_l1=FloatRange(low=0, high=2, log=False),
    lambda_l2=FloatRange(low=0, high=2, log=False),
    max_depth=IntRange(low=2, high=5),
)
TUNING = Tuning(n_trials=6, n_folds=2, seed=3, keep_share=0.25, n_workers=1, nested_runs=False, space=SPACE)
QUICK = with_values(TRAINING, TRAINING.classifier.model_copy(update={"num_boost_round": 8}))
N_ROWS = 1_200


def tune(
    url: str, n_trials: int = 6, training: Training = QUICK, rows: pd.DataFrame | None = None, **changes: Any
) -> tuple[Training, pd.DataFrame]:
    params = TUNING.model_copy(update={"n_trials": n_trials, **changes})
    development = plant(N_ROWS) if rows is None else rows
    return tune_hyperparameters(development, training, SPLIT, OBSERVATION, params, Studies(url))


def stop_at(number: int) -> None:
    """Report it and wait when the search comes to its n-th evaluation of a fold."""
    evaluate_fold, evaluations = hyperparameters.evaluate_fold, count(1)

    def evaluate_or_wait(fold: InnerFold, training: Training) -> float:
        if next(evaluations) == number:
            sys.stdout.write("evaluating\n")
            sys.stdout.flush()
            signal.pause()
        return evaluate_fold(fold, training)

    hyperparameters.evaluate_fold = evaluate_or_wait


def finished(url: str) -> list[tuple[object, ...]]:
    """What must be the same after a kill, of all studies in the file: all but numbers and clocks."""
    import optuna  # noqa: PLC0415, a test says that no search needs it

    from waste_risk.training.tuning.search import FINISHED  # noqa: PLC0415

    (summary,) = optuna.get_all_study_summaries(url)
    trials = optuna.load_study(storage=url, study_name=summary.study_name).get_trials(states=FINISHED)
    return [(trial.params, trial.state, trial.value, trial.intermediate_values, trial.user_attrs) for trial in trials]


def kill_at_evaluation(number: int, url: str) -> None:
    """Start a search in a process of its own, and kill it from outside within its n-th evaluation."""
    process = subprocess.Popen(
        [sys.executable, "-m", "searching", url, str(number)], env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "evaluating\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)])}


if __name__ == "__main__":
    stop_at(int(sys.argv[2]))
    tune(sys.argv[1], 14)
