import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from waste_risk.gates import Gate, check_gates
from waste_risk.metrics import Estimate, evaluate
from waste_risk.parameters import Gates

LIMITS = Gates(
    min_auc=0.85,
    min_precision_at_high_confidence=0.80,
    max_ece=0.10,
    max_cv_std=0.05,
    high_confidence=0.7,
    on_failure="report",
)


@pytest.fixture
def good():
    """Metrics of a model that passes every gate."""
    measured = evaluate(
        y_true=[0, 1], probability=[0.2, 0.8], threshold=0.5, high_confidence=0.7, n_bins=2, n_resamples=0,
        confidence=0.95, seed=0, fold_metrics=pd.DataFrame({"auc": [0.87, 0.88]}),
    )  # fmt: skip
    return replace(
        measured,
        auc=Estimate(0.8723),
        precision_at_high_confidence=Estimate(0.8456),
        expected_calibration_error=Estimate(0.0567),
        cv_std_auc=0.0101,
    )


def failed(decision):
    return [gate.name for gate in decision.gates if not gate.passed]


def test_a_model_within_every_limit_is_approved_without_a_reason(good):
    decision = check_gates(good, LIMITS)
    assert (decision.approved, decision.reasons, failed(decision)) == (True, (), [])


def test_each_gate_says_what_it_asks_and_what_was_measured(good):
    assert check_gates(good, LIMITS).gates == (
        Gate("auc", "AUC >= 0.85", True, 0.8723, 0.85),
        Gate("precision_at_high_confidence", "Precision@0.7 >= 0.80", True, 0.8456, 0.80),
        Gate("expected_calibration_error", "Calibration (ECE < 0.10)", True, 0.0567, 0.10),
        Gate("cv_std_auc", "CV Stable (std < 0.05)", True, 0.0101, 0.05),
    )


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("auc", Estimate(0.8312), "AUC 0.8312 is below 0.85"),
        ("precision_at_high_confidence", Estimate(0.7), "Precision@0.7 0.7000 is below 0.80"),
        ("expected_calibration_error", Estimate(0.1234), "Expected calibration error 0.1234 is not below 0.10"),
        ("cv_std_auc", 0.0612, "CV standard deviation 0.0612 is not below 0.05"),
    ],
)
def test_one_bad_metric_turns_its_own_gate_red_and_no_other(good, name, value, reason):
    decision = check_gates(replace(good, **{name: value}), LIMITS)
    assert not decision.approved
    assert failed(decision) == [name]
    assert decision.reasons == (reason,)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("auc", Estimate(math.nan), "AUC is undefined"),
        (
            "precision_at_high_confidence",
            Estimate(math.nan),
            "Precision@0.7 is undefined: no probability reaches 0.7",
        ),
        ("expected_calibration_error", Estimate(math.nan), "Expected calibration error is undefined"),
        ("cv_std_auc", math.nan, "CV standard deviation is undefined: fewer than two folds were measured"),
        ("cv_std_auc", None, "CV standard deviation is undefined: fewer than two folds were measured"),
    ],
)
def test_an_undefined_metric_fails_its_gate(good, name, value, reason):
    decision = check_gates(replace(good, **{name: value}), LIMITS)
    assert (failed(decision), decision.reasons) == ([name], (reason,))
    assert next(gate.value for gate in decision.gates if gate.name == name) is None


def test_at_its_limit_a_floor_passes_and_a_ceiling_does_not(good):
    at_limits = replace(
        good,
        auc=Estimate(0.85),
        precision_at_high_confidence=Estimate(0.80),
        expected_calibration_error=Estimate(0.10),
        cv_std_auc=0.05,
    )
    assert failed(check_gates(at_limits, LIMITS)) == ["expected_calibration_error", "cv_std_auc"]
    assert check_gates(at_limits, LIMITS).reasons[0] == "Expected calibration error 0.1000 is not below 0.10"


def test_a_reason_has_enough_decimals_to_be_true(good):
    assert check_gates(replace(good, auc=Estimate(0.849996)), LIMITS).reasons == ("AUC 0.849996 is below 0.85",)


def test_labels_and_reasons_follow_the_parameters(good):
    strict = LIMITS.model_copy(update={"min_auc": 0.875, "high_confidence": 0.65})
    decision = check_gates(good, strict)
    assert [gate.label for gate in decision.gates][:2] == ["AUC >= 0.875", "Precision@0.65 >= 0.80"]
    assert decision.reasons == ("AUC 0.8723 is below 0.875",)


def test_every_red_gate_gives_its_own_reason(good):
    hopeless = Gates(
        min_auc=1, min_precision_at_high_confidence=1, max_ece=0, max_cv_std=0, high_confidence=0.7, on_failure="fail"
    )
    assert len(check_gates(good, hopeless).reasons) == 4


def test_hosmer_lemeshow_is_no_gate(good):
    assert check_gates(replace(good, hosmer_lemeshow_p_value=Estimate(0.0)), LIMITS).approved


def test_the_verdict_is_plain_json(good):
    decision = check_gates(replace(good, cv_std_auc=None), LIMITS)
    plain = json.loads(json.dumps(decision.to_dict(), allow_nan=False))
    assert plain["approved"] is False
    assert plain["gates"][3] == {
        "name": "cv_std_auc",
        "label": "CV Stable (std < 0.05)",
        "passed": False,
        "value": None,
        "limit": 0.05,
    }
    assert plain["reasons"] == list(decision.reasons)


def test_a_model_that_has_learnt_nothing_is_refused():
    random = np.random.default_rng(0)
    metrics = evaluate(
        y_true=random.random(2_000) < 0.3, probability=random.random(2_000), threshold=0.5, high_confidence=0.7,
        n_bins=15, n_resamples=0, confidence=0.95, seed=0, fold_metrics=pd.DataFrame({"auc": [0.5, 0.51]}),
    )  # fmt: skip
    assert failed(check_gates(metrics, LIMITS)) == [
        "auc",
        "precision_at_high_confidence",
        "expected_calibration_error",
    ]
