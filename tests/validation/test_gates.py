import json
import math
from dataclasses import replace

import pandas as pd
import pytest
from evaluating import evaluate_rows
from hypothesis import assume, given
from hypothesis import strategies as st
from measured import ALL_LIMITS

from waste_risk.metrics import Baseline, Estimate, Fairness, PurestFeature
from waste_risk.validation.gates import GATES, GateDefinition, Measured, Relation, check_gates

LIMITS = ALL_LIMITS.model_copy(update={"min_rows": None, "min_wasted": None})
OFF = {
    "max_calibration_in_the_large": None,
    "min_gain_over_baselines": None,
    "min_calibration_slope": None,
    "max_calibration_slope": None,
    "not_above_oracle": False,
    "max_feature_precision": None,
    "min_alerts": None,
    "min_rows": None,
    "min_wasted": None,
    "both_classes": False,
    "max_group_calibration_gap": None,
}
FOUR = LIMITS.model_copy(update=OFF)
NAMES = [
    *("auc", "precision_at_high_confidence", "expected_calibration_error", "cv_std_auc", "gain_over_baselines"),
    *("calibration_slope", "calibration_in_the_large", "newest_calibration_in_the_large"),
    *("not_above_oracle", "purest_feature", "alerts", "both_classes", "group_calibration_gap"),
]


def baseline(gain):
    return Baseline(auc=Estimate(0.7), average_precision=Estimate(0.5), brier_score=Estimate(0.2), auc_gain=gain)


def fairness(gap):
    nothing = Estimate(0.0)
    return Fairness((), nothing, nothing, nothing, gap)


BASELINES = {
    "category_rate": baseline(Estimate(0.17, 0.15, 0.19)),
    "days_left_clock": baseline(Estimate(0.12, 0.10, 0.14)),
}
FAIR = {"size_group": fairness(Estimate(0.02, 0.01, 0.03)), "children": fairness(Estimate(0.01, 0.0, 0.02))}
PUREST = PurestFeature("life_used", Estimate(0.82, 0.76, 0.87), 143)


def passing():
    measured = evaluate_rows(
        y_true=[0, 1], probability=[0.2, 0.8], n_resamples=0, fold_metrics=pd.DataFrame({"auc": [0.87, 0.88]})
    )
    return replace(
        measured,
        auc=Estimate(0.8723, 0.8651, 0.8790),
        precision_at_high_confidence=Estimate(0.8456, 0.8201, 0.8702),
        expected_calibration_error=Estimate(0.0567, 0.0401, 0.0689),
        cv_std_auc=0.0101,
        calibration_slope=Estimate(0.98, 0.93, 1.03),
        calibration_in_the_large=Estimate(-0.004, -0.012, 0.004),
        newest_calibration_in_the_large=Estimate(0.005, -0.009, 0.019),
        attainable_share=Estimate(0.91, 0.88, 0.94),
        oracle_auc=Estimate(0.91),
        purest_feature=PUREST,
        baselines=BASELINES,
        fairness=FAIR,
        n_rows=5_000,
        n_wasted=1_500,
        n_alerts=700,
        predictor_sha256="abc",
        confidence=0.95,
    )


GOOD = passing()


@pytest.fixture
def good():
    """Metrics of a model that passes every gate, by its estimates and by its intervals."""
    return GOOD


def summarise(decision):
    return [(gate.name, gate.label, gate.passed, gate.value, gate.limit) for gate in decision.gates]


def failed(decision):
    return [gate.name for gate in decision.gates if not gate.passed]


def test_a_model_within_every_limit_is_approved_without_a_reason(good):
    decision = check_gates(good, LIMITS)
    assert (decision.approved, decision.reasons, failed(decision)) == (True, (), [])


def test_each_gate_says_what_it_asks_and_what_was_measured(good):
    assert summarise(check_gates(good, LIMITS)) == [
        *FIRST_FOUR,
        ("gain_over_baselines", "Better than baselines", True, 0.12, 0.0),
        ("calibration_slope", "Slope in [0.80, 1.20]", True, 0.98, (0.8, 1.2)),
        ("calibration_in_the_large", "In the large (gap < 0.03)", True, 0.0, (-0.01, 0.01)),
        ("newest_calibration_in_the_large", "In the large, newest month", True, 0.0, (-0.01, 0.01)),
        ("not_above_oracle", "Not above the oracle", True, 0.88, 1.0),
        ("purest_feature", "Purest feature (< 0.90)", True, 0.76, 0.9),
        ("alerts", "Alerts@0.7 >= 100", True, 700.0, 100.0),
        ("both_classes", "Both outcomes occur", True, 1500.0, 1.0),
        ("group_calibration_gap", "Groups (gap < 0.05)", True, 0.02, 0.05),
    ]


def test_what_is_off_is_no_gate(good):
    assert summarise(check_gates(good, FOUR)) == FIRST_FOUR
    without_truth = check_gates(replace(good, attainable_share=None, oracle_auc=None), LIMITS)
    assert [gate.name for gate in without_truth.gates] == [name for name in NAMES if name != "not_above_oracle"]
    without_features = check_gates(replace(good, purest_feature=None), LIMITS)
    assert [gate.name for gate in without_features.gates] == [name for name in NAMES if name != "purest_feature"]


def test_the_verdict_names_the_bytes_it_is_about(good):
    assert check_gates(good, LIMITS).predictor_sha256 == "abc"


def test_every_gate_is_defined_once_and_says_what_it_measures_and_why(good):
    assert [definition.name for definition in GATES] == [*NAMES, "rows", "wasted"]
    assert len({definition.title for definition in GATES}) == len(GATES)
    assert all(gate.title and gate.why.endswith(".") for gate in check_gates(good, LIMITS).gates)


def test_only_alerts_and_rows_are_counted(good):
    counts = {gate.name for gate in check_gates(good, LIMITS).gates if gate.is_count}
    assert counts == {"alerts", "both_classes"}


FIRST_FOUR = [
    ("auc", "AUC >= 0.85", True, 0.8723, 0.85),
    ("precision_at_high_confidence", "Precision@0.7 >= 0.80", True, 0.8456, 0.80),
    ("expected_calibration_error", "Calibration (ECE < 0.10)", True, 0.0567, 0.10),
    ("cv_std_auc", "CV Stable (std < 0.05)", True, 0.0101, 0.05),
]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("auc", Estimate(0.8312), "AUC 0.8312 is below 0.85"),
        ("precision_at_high_confidence", Estimate(0.7), "Precision@0.7 0.7000 is below 0.80"),
        ("expected_calibration_error", Estimate(0.1234), "Expected calibration error 0.1234 is not below 0.10"),
        ("cv_std_auc", 0.0612, "CV standard deviation 0.0612 is not below 0.05"),
        ("calibration_slope", Estimate(0.7), "Calibration slope 0.7000 is below 0.80"),
        ("calibration_slope", Estimate(1.3), "Calibration slope 1.3000 is above 1.20"),
    ],
)
def test_one_bad_metric_turns_its_own_gate_red_and_no_other(good, name, value, reason):
    decision = check_gates(replace(good, **{name: value}), LIMITS)
    assert not decision.approved
    assert failed(decision) == [name]
    assert decision.reasons == (reason,)


@pytest.mark.parametrize(
    ("gate", "changed", "reason"),
    [
        (
            "gain_over_baselines",
            {"baselines": BASELINES | {"days_left_clock": baseline(Estimate(-0.01))}},
            "AUC gain over days left clock -0.0100 is not above 0.00",
        ),
        (
            "gain_over_baselines",
            {"baselines": BASELINES | {"logistic_regression": baseline(Estimate(0.0))}},
            "AUC gain over logistic regression 0.0000 is not above 0.00",
        ),
        (
            "not_above_oracle",
            {"attainable_share": Estimate(1.05, 1.01, 1.09)},
            "The model reaches at least 101.0 % of the AUC with latent states known: look for a leak",
        ),
        (
            "calibration_in_the_large",
            {"calibration_in_the_large": Estimate(-0.03, -0.039, -0.021)},
            "Mean prediction (near end of twice its interval) lies 0.0120 below the base rate, not less than 0.01",
        ),
        (
            "calibration_in_the_large",
            {"calibration_in_the_large": Estimate(0.03)},
            "Mean prediction lies 0.0300 above the base rate, not less than 0.03",
        ),
        (
            "calibration_in_the_large",
            {"calibration_in_the_large": Estimate(math.nan)},
            "Mean prediction cannot be held against the base rate",
        ),
        (
            "newest_calibration_in_the_large",
            {"newest_calibration_in_the_large": Estimate(0.0401, 0.0251, 0.0551)},
            "Mean prediction of the newest 30 days (near end of twice its interval) lies 0.0101 above the base rate, "
            "not less than 0.01",
        ),
        (
            "purest_feature",
            {"purest_feature": PurestFeature("unit_price", Estimate(0.99, 0.9, 1.0), 310)},
            "Of the 310 rows that unit_price alone marks, at least 0.9000 were wasted, which is not below 0.90: look "
            "for a leak",
        ),
        (
            "purest_feature",
            {"purest_feature": PurestFeature("", Estimate(math.nan), 0)},
            "Whether a feature tells the outcome is undefined: no range of one holds rows of 20 households",
        ),
        ("alerts", {"n_alerts": 99}, "99 rows at or above 0.7 are fewer than 100"),
        ("both_classes", {"n_wasted": 0}, "None of 5000 rows is wasted"),
        ("both_classes", {"n_wasted": 5_000}, "None of 5000 rows is not wasted"),
        (
            "group_calibration_gap",
            {"fairness": FAIR | {"children": fairness(Estimate(0.06))}},
            "Calibration gap within a group of children 0.0600 is not below 0.05",
        ),
    ],
)
def test_one_bad_record_turns_its_own_gate_red_and_no_other(good, gate, changed, reason):
    decision = check_gates(replace(good, **changed), LIMITS)
    assert (decision.approved, failed(decision), decision.reasons) == (False, [gate], (reason,))


ENOUGH = LIMITS.model_copy(update={"min_rows": 5_000, "min_wasted": 1_500})


def test_enough_rows_and_enough_wasted_ones_support_the_other_gates(good):
    decision = check_gates(good, ENOUGH)
    assert (decision.approved, decision.unclaimed) == (True, ())
    assert summarise(decision)[-2:] == [
        ("rows", "Rows >= 5000", True, 5000.0, 5000.0),
        ("wasted", "Wasted rows >= 1500", True, 1500.0, 1500.0),
    ]


@pytest.mark.parametrize(
    ("gate", "changed", "reason"),
    [
        (
            "rows",
            {"n_rows": 4_999},
            "Too little data to claim a gate: 4999 rows evaluated, fewer than 5000",
        ),
        (
            "wasted",
            {"n_wasted": 1_499},
            "Too little data to claim a gate: 1499 wasted rows, fewer than 1500",
        ),
    ],
)
def test_on_too_little_data_no_gate_is_claimed(good, gate, changed, reason):
    decision = check_gates(replace(good, **changed), ENOUGH)
    assert (decision.approved, decision.reasons, decision.may_contend) == (False, (reason,), False)
    assert [each.name for each in decision.gates if each.passed] == []
    assert set(decision.unclaimed) == {*NAMES, "rows", "wasted"} - {gate}
    assert decision.unsupported == ()
    assert decision.verdict == "FAIL (too little data to claim a gate)"
    assert decision.to_dict()["unclaimed"] == decision.unclaimed


def test_a_gate_that_fails_on_too_little_data_fails(good):
    decision = check_gates(replace(good, n_rows=2_000, auc=Estimate(0.6)), ENOUGH)
    assert "auc" not in decision.unclaimed
    assert decision.reasons == (
        "Too little data to claim a gate: 2000 rows evaluated, fewer than 5000",
        "AUC 0.6000 is below 0.85",
    )


def test_above_the_oracle_by_chance_is_no_red_gate(good):
    assert check_gates(replace(good, attainable_share=Estimate(1.02, 0.99, 1.05)), LIMITS).approved


def test_a_few_rows_of_one_outcome_make_no_leak(good):
    lucky = PurestFeature("life_used", Estimate(1.0, 0.86, 1.0), 25)
    assert check_gates(replace(good, purest_feature=lucky), LIMITS).approved


BOUND = LIMITS.model_copy(update={"judged_by": "bound"})


@pytest.mark.parametrize(
    ("gate", "changed", "reason"),
    [
        ("auc", {"auc": Estimate(0.87, 0.84, 0.9)}, "AUC (low end of its interval) 0.8400 is below 0.85"),
        (
            "precision_at_high_confidence",
            {"precision_at_high_confidence": Estimate(0.85, 0.79, 0.9)},
            "Precision@0.7 (low end of its interval) 0.7900 is below 0.80",
        ),
        (
            "expected_calibration_error",
            {"expected_calibration_error": Estimate(0.05, 0.02, 0.11)},
            "Expected calibration error (high end of its interval) 0.1100 is not below 0.10",
        ),
        (
            "gain_over_baselines",
            {"baselines": {"rule": baseline(Estimate(0.01, -0.01, 0.03))}},
            "AUC gain over rule (low end of its interval) -0.0100 is not above 0.00",
        ),
        (
            "calibration_slope",
            {"calibration_slope": Estimate(0.85, 0.75, 0.95)},
            "Calibration slope (low end of its interval) 0.7500 is below 0.80",
        ),
        (
            "calibration_slope",
            {"calibration_slope": Estimate(1.15, 1.05, 1.25)},
            "Calibration slope (high end of its interval) 1.2500 is above 1.20",
        ),
        (
            "group_calibration_gap",
            {"fairness": {"children": fairness(Estimate(0.03, 0.0, 0.08))}},
            "Calibration gap within a group of children (high end of its interval) 0.0800 is not below 0.05",
        ),
        (
            "auc",
            {"auc": Estimate(0.9)},
            "AUC is undefined: it has no interval, since it rests on fewer than 20 households",
        ),
        (
            "calibration_in_the_large",
            {"calibration_in_the_large": Estimate(-0.02, -0.035, -0.005)},
            "Mean prediction (far end of its interval) lies 0.0350 below the base rate, not less than 0.03",
        ),
        (
            "newest_calibration_in_the_large",
            {"newest_calibration_in_the_large": Estimate(0.02, -0.005, 0.045)},
            "Mean prediction of the newest 30 days (far end of its interval) lies 0.0450 above the base rate, not less "
            "than 0.03",
        ),
        ("auc", {"auc": Estimate(0.9), "confidence": None}, "AUC is undefined: no intervals were computed"),
    ],
)
def test_judged_by_its_bound_the_worse_end_of_the_interval_decides(good, gate, changed, reason):
    mutant = replace(good, **changed)
    assert check_gates(good, BOUND).approved
    assert check_gates(mutant, LIMITS).approved
    assert (failed(check_gates(mutant, BOUND)), check_gates(mutant, BOUND).reasons) == ([gate], (reason,))
    assert check_gates(mutant, LIMITS).unsupported == (gate,)


def test_a_verdict_has_three_readings(good):
    weak = replace(good, auc=Estimate(0.87, 0.84, 0.9), calibration_slope=Estimate(0.85, 0.75, 0.95))
    wrong = replace(weak, n_alerts=0)
    assert [check_gates(each, LIMITS).verdict for each in (good, weak, wrong)] == [
        "PASS",
        "PASS by the estimate only (not by its interval: AUC >= 0.85, Slope in [0.80, 1.20])",
        "FAIL",
    ]


@given(value=st.floats(-0.2, 0.2), below=st.floats(0, 0.1), above=st.floats(0, 0.1), name=st.sampled_from(NAMES[6:8]))
def test_a_gap_is_red_if_twice_its_interval_lies_beyond_the_tolerance(value, below, above, name):
    near, far = max(value - 2 * below, -(value + 2 * above)), max(below - value, value + above)
    assume(abs(near - 0.01) > 1e-9 and abs(far - 0.03) > 1e-9)  # else the last bit decides
    decision = check_gates(replace(GOOD, **{name: Estimate(value, value - below, value + above)}), LIMITS)
    assert (name in failed(decision)) == (near > 0.01)
    assert (name in decision.unsupported) == (near < 0.01 and far > 0.03)


@pytest.mark.parametrize(
    ("gate", "changed", "reason"),
    [
        ("gain_over_baselines", {"baselines": {}}, "Gain over baselines is undefined: none was measured"),
        (
            "gain_over_baselines",
            {"baselines": BASELINES | {"category_rate": baseline(Estimate(math.nan))}},
            "AUC gain over category rate is undefined",
        ),
        ("calibration_slope", {"calibration_slope": Estimate(math.nan)}, "Calibration slope is undefined"),
        (
            "group_calibration_gap",
            {"fairness": {"children": fairness(None)}},
            "Calibration gap within groups is undefined: no group was large enough",
        ),
    ],
)
def test_what_was_not_measured_fails_its_gate(good, gate, changed, reason):
    decision = check_gates(replace(good, **changed), LIMITS)
    assert (failed(decision), decision.reasons) == ([gate], (reason,))


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
    hopeless = {"min_auc": 1, "min_precision_at_high_confidence": 1, "max_ece": 0, "max_cv_std": 0}
    assert len(check_gates(good, LIMITS.model_copy(update=hopeless)).reasons) == 4


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
        "relation": "<",
        "title": "Standard deviation of the AUC over folds",
        "why": "Quality must not depend on which months the model was trained on.",
        "is_count": False,
        "estimate": None,
        "reason": "CV standard deviation is undefined: fewer than two folds were measured",
    }
    assert plain["reasons"] == list(decision.reasons)


def define(relation, estimate, limit, **more):
    return GateDefinition(
        name="new",
        label="New {bound}",
        title="Something new",
        why="It matters.",
        relation=relation,
        limit=lambda _: limit,
        measure=lambda *_: Measured("Novelty", estimate, **more),
    )


@pytest.mark.parametrize(
    ("relation", "limit", "label", "by_estimate", "by_bound"),
    [
        (Relation.AT_LEAST, 0.4, "New >= 0.40", "", "Novelty (low end of its interval) 0.3000 is below 0.40"),
        (Relation.AT_LEAST, 0.5, "New >= 0.50", "", "Novelty (low end of its interval) 0.3000 is below 0.50"),
        (
            Relation.ABOVE,
            0.5,
            "New > 0.50",
            "Novelty 0.5000 is not above 0.50",
            "Novelty (low end of its interval) 0.3000 is not above 0.50",
        ),
        (Relation.AT_MOST, 0.5, "New <= 0.50", "", "Novelty (high end of its interval) 0.6000 is above 0.50"),
        (Relation.AT_MOST, 0.6, "New <= 0.60", "", ""),
        (
            Relation.BELOW,
            0.5,
            "New < 0.50",
            "Novelty 0.5000 is not below 0.50",
            "Novelty (high end of its interval) 0.6000 is not below 0.50",
        ),
        (Relation.BELOW, 0.61, "New < 0.61", "", ""),
        (Relation.WITHIN, (0.3, 0.6), "New [0.30, 0.60]", "", ""),
        (
            Relation.WITHIN,
            (0.51, 0.59),
            "New [0.51, 0.59]",
            "Novelty 0.5000 is below 0.51",
            "Novelty (high end of its interval) 0.6000 is above 0.59",
        ),
        (
            Relation.NEAR,
            0.5,
            "New < 0.50",
            "Novelty lies 0.5000 above 0, not less than 0.50",
            "Novelty (far end of its interval) lies 0.6000 above 0, not less than 0.50",
        ),
    ],
)
def test_the_relation_decides_label_verdict_end_and_reason(relation, limit, label, by_estimate, by_bound):
    definition = define(relation, Estimate(0.5, 0.3, 0.6), limit)
    for params, reason in ((LIMITS, by_estimate), (BOUND, by_bound)):
        decision = check_gates(GOOD, params, [definition])
        (gate,) = decision.gates
        assert (gate.label, gate.passed, gate.reason) == (label, reason == "", reason)
        assert decision.reasons == ((reason,) if reason else ())


@pytest.mark.parametrize("relation", Relation)
def test_an_undefined_metric_fails_whatever_the_relation(good, relation):
    limit = (0.0, 1.0) if relation is Relation.WITHIN else 0.5
    decision = check_gates(good, LIMITS, [define(relation, Estimate(math.nan), limit, undefined=": nobody asked")])
    assert (decision.approved, decision.gates[0].value) == (False, None)
    assert decision.reasons[0].endswith(": nobody asked")


def test_a_gate_whose_limit_is_null_is_off(good):
    assert check_gates(good, LIMITS, [define(Relation.BELOW, Estimate(0.5), None)]).gates == ()


@pytest.mark.parametrize("estimate", [Estimate(math.nan), Estimate(0.5, math.nan, 0.6)])
def test_an_estimate_that_is_not_known_stays_out_of_the_gate(good, estimate):
    (gate,) = check_gates(good, LIMITS, [define(Relation.BELOW, estimate, 0.7)]).gates
    assert gate.estimate is None


def test_an_estimate_is_kept_with_its_interval_whichever_end_decides(good):
    estimate = Estimate(0.5, 0.3, 0.6)
    for params in (LIMITS, BOUND):
        assert check_gates(good, params, [define(Relation.BELOW, estimate, 0.7)]).gates[0].estimate == estimate


def test_a_count_is_a_whole_number_in_label_and_reason(good):
    few = replace(define(Relation.AT_LEAST, Estimate(1_234.0), 5_000.0), is_count=True)
    (gate,) = check_gates(good, LIMITS, [few]).gates
    assert (gate.label, gate.reason) == ("New >= 5000", "Novelty 1234 is below 5000")


def test_without_a_signal_the_oracle_leaves_nothing_to_leak(good):
    silent = check_gates(replace(good, attainable_share=Estimate(math.nan)), LIMITS)
    gate = next(gate for gate in silent.gates if gate.name == "not_above_oracle")
    assert (gate.passed, gate.value, gate.reason) == (True, None, "")
