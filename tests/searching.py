"""A small search; and one in a process of its own, which stops within a judgement and waits to be killed.

Run as ``python -m searching <url> <number of the judgement>``.
"""

import signal
import sys
from itertools import count
from typing import Any

import pandas as pd
from planted import OBSERVATION, SPLIT, TRAINING, plant

from waste_risk import tuning
from waste_risk.parameters import FloatRange, IntRange, Space, Training, Tuning
from waste_risk.studies import Studies
from waste_risk.tuning import InnerFold, tune_hyperparameters, with_values

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
    """Say so and wait when the search comes to its n-th judgement."""
    judge, judgements = tuning.judge, count(1)

    def judge_or_wait(fold: InnerFold, training: Training) -> float:
        if next(judgements) == number:
            sys.stdout.write("judging\n")
            sys.stdout.flush()
            signal.pause()
        return judge(fold, training)

    tuning.judge = judge_or_wait


if __name__ == "__main__":
    stop_at(int(sys.argv[2]))
    tune(sys.argv[1], 14)
