"""Models that are really broken, each in one way, and the gates that say so."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from evaluating import evaluate_rows
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from waste_risk.arrays import Floats
from waste_risk.parameters import Gates, load
from waste_risk.validation.gates import GateDecision, check_gates

CONF = Path(__file__).parents[2] / "conf/base/parameters_validation.yml"
LIMITS = load(Gates, CONF).model_copy(update={"max_group_calibration_gap": 0.05})  # and one that is off by default
N_ROWS, N_FOLDS = 12_000, 5


class World(NamedTuple):
    """Rows whose true probability is known; the first half is development."""

    X: Floats
    wasted: NDArray[np.bool_]
    truth: Floats
    household: NDArray[np.intp]
    group: NDArray[np.str_]


def make_world() -> World:
    random = np.random.default_rng(11)
    X = random.normal(size=(N_ROWS, 4))
    truth = expit(-1.5 + 2.5 * X[:, 0] + 1.5 * X[:, 1])
    household = random.integers(400, size=N_ROWS)
    group = np.array(["1", "2", "3-4"])[household % 3]
    return World(X, random.random(N_ROWS) < truth, truth, household, group)


WORLD = make_world()
DEVELOPMENT, TEST = slice(0, N_ROWS // 2), slice(N_ROWS // 2, N_ROWS)


def fit(X: Floats, wasted: NDArray[np.bool_]) -> LogisticRegression:
    return LogisticRegression().fit(X, wasted)


def fold_aucs(world: World, broken_fold: int | None) -> list[float]:
    """AUC of each block of the development rows by a model of the blocks before; a broken block's rows are mixed up."""
    blocks = np.array_split(np.arange(N_ROWS // 2), N_FOLDS + 1)
    aucs = []
    for fold, rows in enumerate(blocks[1:]):
        model = fit(world.X[: rows[0]], world.wasted[: rows[0]])
        predicted = np.random.default_rng(fold).permutation(rows) if fold == broken_fold else rows
        aucs.append(roc_auc_score(world.wasted[rows], model.predict_proba(world.X[predicted])[:, 1]))
    return aucs


def decide(
    world: World = WORLD,
    learnt: NDArray[np.bool_] | None = None,
    spoil: Callable[[Floats], Floats] = lambda scores: scores,
    broken_fold: int | None = None,
    *,
    household: NDArray[np.intp] = WORLD.household,
    limits: Gates = LIMITS,
) -> GateDecision:
    """Fit on development, spoil the scores of the test rows if asked to, and hold them against every gate."""
    labels = world.wasted[DEVELOPMENT] if learnt is None else learnt
    scores = fit(world.X[DEVELOPMENT], labels).predict_proba(world.X[TEST])[:, 1]
    baseline = fit(WORLD.X[DEVELOPMENT, 1:2], WORLD.wasted[DEVELOPMENT]).predict_proba(WORLD.X[TEST, 1:2])[:, 1]
    metrics = evaluate_rows(
        y_true=world.wasted[TEST],
        probability=spoil(scores),
        household_id=household[TEST],
        oracle_probability=world.truth[TEST],
        baselines={"one feature": baseline},
        sensitive={"size_group": world.group[TEST]},
        fold_metrics=pd.DataFrame({"auc": fold_aucs(world, broken_fold)}),
        n_resamples=100,
    )
    return check_gates(metrics, limits)


def red(decision: GateDecision) -> set[str]:
    return {gate.name for gate in decision.gates if not gate.passed}


def test_the_honest_model_passes_every_gate() -> None:
    decision = decide()
    assert decision.approved, decision.reasons
    assert len(decision.gates) == 11


@pytest.mark.parametrize("n_households", [1, 19])
def test_a_few_households_prove_nothing_to_gates_that_are_judged_by_their_bound(n_households: int) -> None:
    decision = decide(household=WORLD.household % n_households, limits=LIMITS.model_copy(update={"judged_by": "bound"}))
    by_bound = {"auc", "precision_at_high_confidence", "expected_calibration_error", "gain_over_baselines"}
    assert red(decision) >= by_bound | {"calibration_slope"}
    assert "AUC is undefined: it has no interval, since it rests on fewer than 20 households" in decision.reasons


def test_shuffled_labels_teach_nothing() -> None:
    shuffled = np.random.default_rng(1).permutation(WORLD.wasted[DEVELOPMENT])
    assert {"auc", "precision_at_high_confidence", "gain_over_baselines", "alerts"} <= red(decide(learnt=shuffled))


def test_squared_scores_rank_as_well_and_promise_too_little() -> None:
    assert red(decide(spoil=np.square)) == {
        *("expected_calibration_error", "calibration_slope", "group_calibration_gap", "calibration_in_the_large"),
    }


@pytest.mark.parametrize("shift", [-0.7, -0.35, 0.3, 0.6])
def test_shifted_log_odds_rank_as_well_and_are_off_in_the_large(shift: float) -> None:
    decision = decide(spoil=lambda scores: expit(logit(scores) + shift))
    assert "calibration_in_the_large" in red(decision)
    assert "auc" not in red(decision)


def test_a_feature_from_the_future_lifts_the_model_above_the_oracle() -> None:
    hint = WORLD.wasted + np.random.default_rng(0).normal(0, 0.5, N_ROWS)
    leaking = WORLD._replace(X=np.column_stack([WORLD.X, hint]))
    assert red(decide(leaking)) == {"not_above_oracle"}


def test_one_broken_fold_makes_the_folds_unequal() -> None:
    assert red(decide(broken_fold=2)) == {"cv_std_auc"}


def test_a_constant_model_says_nothing() -> None:
    base_rate = WORLD.wasted[DEVELOPMENT].mean()
    decision = decide(spoil=lambda scores: np.full(len(scores), base_rate))
    assert red(decision) >= {
        "auc",
        "precision_at_high_confidence",
        "gain_over_baselines",
        "calibration_slope",
        "alerts",
    }
    assert "Precision@0.7 is undefined: no probability reaches 0.7" in decision.reasons


def test_a_group_whose_scores_are_inverted_is_told_the_opposite_of_the_truth() -> None:
    group = WORLD.group[TEST] == "2"
    assert {"auc", "precision_at_high_confidence", "group_calibration_gap"} <= red(
        decide(spoil=lambda scores: np.where(group, 1 - scores, scores))
    )


@pytest.mark.parametrize("outcome", [False, True])
def test_a_window_in_which_one_outcome_is_missing_proves_nothing(outcome: bool) -> None:
    wasted = WORLD.wasted.copy()
    wasted[TEST] = outcome
    assert {"both_classes", "auc"} <= red(decide(WORLD._replace(wasted=wasted)))
