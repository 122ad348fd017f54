"""The rule of promotion, branch by branch."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from waste_risk.errors import ContractError
from waste_risk.metrics import Estimate
from waste_risk.parameters import Promotion, load
from waste_risk.promotion import Comparison, Performance, decide
from waste_risk.validation.gate_definition import Gate, Relation
from waste_risk.validation.gates import GateDecision

BASE = load(Promotion, Path(__file__).parents[2] / "conf/base/parameters_promotion.yml")
PARAMS = BASE.model_copy(update={"min_gain": 0.001, "margin": 0.002, "max_age_days": 60})
CHAMPION, CHALLENGER, REFERENCE = "a" * 64, "b" * 64, "c" * 64
PASSED = GateDecision(approved=True, gates=(), reasons=(), predictor_sha256=CHALLENGER)
FAILED = replace(PASSED, approved=False, reasons=("AUC 0.8000 is below 0.85",))
CALIBRATED = Performance(Estimate(0.39, 0.38, 0.40), Estimate(0.88), Estimate(0.001, -0.004, 0.006))


def comparison(low, value, high, **changes):
    made = Comparison(
        champion_sha256=CHAMPION,
        challenger_sha256=CHALLENGER,
        rows_sha256="d" * 64,
        n_rows=12_151,
        n_households=995,
        observed_from="2024-02-01",
        observed_until="2024-05-14",
        confidence=0.99,
        log_loss_gain=Estimate(value, low, high),
        auc_gain=Estimate(0.0),
        champion=CALIBRATED,
        challenger=CALIBRATED,
        promised_log_loss=None,
    )
    return replace(made, **changes)


BETTER = comparison(0.0011, 0.002, 0.003)
UNCERTAIN = comparison(-0.0019, 0.0001, 0.0021)
VAGUE = comparison(-0.003, 0.0001, 0.0032)
SLIGHTLY_WORSE = comparison(-0.0019, -0.001, -0.0001)
WORSE = comparison(-0.006, -0.004, -0.002)


def reference(low, value, high):
    return comparison(low, value, high, champion_sha256=REFERENCE)


def decide_on(compared, age=10, verdict=PASSED, params=PARAMS, **options):
    return decide(compared, verdict, params, challenger_sha256=CHALLENGER, champion_age_days=age, **options)


@pytest.mark.parametrize(
    ("compared", "age", "verdict", "against", "decision", "reason"),
    [
        (None, None, PASSED, None, "promote", "no champion to compare with"),
        (None, None, FAILED, None, "keep", "AUC 0.8000 is below 0.85"),
        (BETTER, 10, PASSED, None, "promote", "lower bound lies above the least gain of 0.001"),
        (BETTER, 10, FAILED, None, "keep", "has not passed its gates"),
        (comparison(0.001, 0.002, 0.003), 10, PASSED, None, "inconclusive", "does not say which"),
        (UNCERTAIN, 60, PASSED, None, "inconclusive", "60 days old, not more than 60 days"),
        (UNCERTAIN, 61, PASSED, None, "promote", "not worse by more than the margin of 0.002 than the champion"),
        (UNCERTAIN, 61, FAILED, None, "keep", "has not passed its gates"),
        (VAGUE, 61, PASSED, None, "inconclusive", "may be worse by more than the margin of 0.002 than the champion"),
        (comparison(-0.0015, 0.0, 0.0015), 61, PASSED, None, "inconclusive", "does not even seem better"),
        (UNCERTAIN, 61, PASSED, reference(-0.001, 0.0, 0.001), "promote", "than the champion and reference"),
        (UNCERTAIN, 61, PASSED, reference(-0.004, -0.002, 0.0), "inconclusive", "margin of 0.002 than the reference"),
        (VAGUE, 61, PASSED, reference(-0.004, -0.002, 0.0), "inconclusive", "than the champion and reference"),
        (SLIGHTLY_WORSE, 10, PASSED, None, "keep", "even the upper bound lies below 0"),
        (SLIGHTLY_WORSE, 61, PASSED, None, "keep", "does not even seem better"),
        (WORSE, 10, PASSED, None, "keep", "even the upper bound lies below 0"),
        (WORSE, 400, PASSED, None, "keep", "does not even seem better"),
    ],
)
def test_each_branch_of_the_rule(*, compared, age, verdict, against, decision, reason):
    decided = decide_on(compared, age, verdict, reference=against)
    assert decided.decision == decision
    assert reason in " ".join(decided.reasons)
    assert all(sentence == sentence.strip() for sentence in decided.reasons)


def refused_for(*names):
    gates = tuple(Gate(name, name, False, 0.05, 0.03, Relation.NEAR, name, "") for name in names)
    return GateDecision(approved=False, gates=gates, reasons=("a gap of 0.05",), predictor_sha256=CHALLENGER)


GAP, NEWEST = "calibration_in_the_large", "newest_calibration_in_the_large"


@pytest.mark.parametrize(
    ("failed", "champion_gap", "decision"),
    [
        ((GAP,), -0.06, "promote"),
        ((GAP, NEWEST), 0.05, "promote"),
        ((NEWEST,), 0.04, "keep"),
        ((GAP, "auc"), 0.06, "keep"),
        ((), 0.06, "keep"),
    ],
)
def test_a_gap_that_the_champion_has_as_well_is_no_reason_to_keep_it(failed, champion_gap, decision):
    champion, challenger = (replace(CALIBRATED, calibration_in_the_large=Estimate(gap)) for gap in (champion_gap, 0.05))
    compared = replace(BETTER, champion=champion, challenger=challenger)
    decided = decide_on(compared, verdict=refused_for(*failed))
    assert decided.decision == decision
    assert decided.reasons[-1] == "a gap of 0.05"
    assert (
        decide_on(replace(compared, log_loss_gain=UNCERTAIN.log_loss_gain), verdict=refused_for(GAP)).decision
        != "promote"
    )


def test_a_gap_is_no_reason_to_promote_where_there_is_no_champion():
    assert decide_on(None, None, refused_for(GAP)).decision == "keep"


def test_the_reasons_tell_the_gain_its_interval_and_on_what():
    assert decide_on(BETTER).reasons[0] == (
        "Over the champion the challenger gains +0.0020 nats of log loss (99 % interval 0.0011 to 0.0030), "
        "on 12,151 rows of 995 households."
    )


def test_a_challenger_that_is_the_champion_byte_for_byte_is_kept_whatever_its_age():
    same = replace(comparison(0.0, 0.0, 0.0), champion_sha256=CHALLENGER)
    assert decide_on(same, age=400).reasons == ("The challenger is the champion, byte for byte.",)


def test_equal_predictions_of_other_bytes_are_inconclusive():
    assert decide_on(comparison(0.0, 0.0, 0.0)).decision == "inconclusive"
    assert decide_on(comparison(0.0, 0.0, 0.0), params=BASE).decision == "inconclusive"


@pytest.mark.parametrize(
    ("compared", "age", "against", "becomes"),
    [
        (None, None, None, True),
        (BETTER, 10, None, True),
        (BETTER, 10, reference(0.002, 0.003, 0.004), True),
        (BETTER, 10, reference(-0.004, -0.002, 0.0), False),
        (BETTER, 10, reference(0.0, 0.002, 0.004), False),
        (UNCERTAIN, 61, None, False),
        (UNCERTAIN, 10, None, False),
    ],
)
def test_the_reference_only_moves_uphill(compared, age, against, becomes):
    assert decide_on(compared, age, reference=against).becomes_reference is becomes


@pytest.mark.parametrize("verdict", [PASSED, FAILED])
@pytest.mark.parametrize("compared", [BETTER, UNCERTAIN, WORSE, None])
def test_a_person_may_override_and_is_recorded(compared, verdict):
    alone = decide_on(compared, verdict=verdict)
    decided = decide_on(compared, verdict=verdict, params=PARAMS.model_copy(update={"override": "a fix of prices"}))
    assert (decided.decision, decided.override) == ("promote", "a fix of prices")
    told = f"A person promotes the challenger: a fix of prices. The rule alone says {alone.decision}:"
    assert decided.reasons == (told, *alone.reasons)
    assert decided.becomes_reference is (compared is None or alone.becomes_reference)


def test_nobody_promotes_the_champion_over_itself():
    same = replace(comparison(0.0, 0.0, 0.0), champion_sha256=CHALLENGER)
    decided = decide_on(same, params=PARAMS.model_copy(update={"override": "again"}))
    assert (decided.decision, decided.override) == ("keep", None)
    assert decided.reasons == ("The challenger is the champion, byte for byte.",)


def test_without_a_comparison_a_person_alone_replaces_a_champion_and_the_reason_is_told():
    with pytest.raises(ContractError, match="were not compared, since the registry's challenger is not the predictor"):
        decide_on(None, champion_sha256=CHAMPION)
    decided = decide_on(
        None,
        champion_sha256=CHAMPION,
        not_compared="They read different features.",
        params=PARAMS.model_copy(update={"override": "a new feature"}),
    )
    assert (decided.decision, decided.champion_sha256, decided.becomes_reference) == ("promote", CHAMPION, False)
    assert decided.reasons[1] == "They read different features."


def test_a_champion_of_newer_rows_is_not_old():
    decided = decide_on(UNCERTAIN, age=-50)
    assert decided.decision == "inconclusive"
    assert decided.reasons[-1] == "The champion has learnt from newer rows than the challenger."


def test_evidence_about_other_bytes_is_refused_also_with_an_override():
    params = PARAMS.model_copy(update={"override": "trust me"})
    for sha256 in (CHAMPION, None):
        with pytest.raises(
            ContractError, match="the verdict is about other bytes than the challenger's: (aaaa|unknown)"
        ):
            decide_on(BETTER, verdict=replace(PASSED, predictor_sha256=sha256), params=params)
    with pytest.raises(ContractError, match="the comparison is about other bytes"):
        decide_on(replace(BETTER, challenger_sha256=REFERENCE))
    with pytest.raises(ContractError, match="the comparison with the reference is about other bytes"):
        decide_on(BETTER, reference=replace(BETTER, challenger_sha256=REFERENCE))


def test_comparisons_on_different_rows_are_refused():
    with pytest.raises(ContractError, match="on different rows"):
        decide_on(BETTER, reference=replace(BETTER, champion_sha256=REFERENCE, rows_sha256="e" * 64))


def test_a_gain_without_an_interval_decides_nothing():
    with pytest.raises(ContractError, match="has no interval"):
        decide_on(replace(BETTER, log_loss_gain=Estimate(0.01)))


def test_a_champion_needs_an_age():
    with pytest.raises(ValueError, match="champion_age_days"):
        decide_on(BETTER, age=None)


def test_a_champion_that_has_decayed_is_told_of():
    off = Performance(Estimate(0.44, 0.43, 0.45), Estimate(0.85), Estimate(-0.048, -0.06, -0.036))
    decided = decide_on(replace(BETTER, champion=off, promised_log_loss=Estimate(0.39, 0.38, 0.40)))
    assert decided.reasons[-2:] == (
        "The champion predicts too low: its mean probability is -0.0480 off.",
        "The champion does not keep its promise: a log loss of 0.4400, where 0.3900 was validated.",
    )


bounds = st.tuples(*[st.floats(-0.01, 0.01)] * 3).map(sorted)


@given(gain=bounds, held=bounds, age=st.integers(0, 200), better_by=st.floats(0, 0.01))
def test_a_better_challenger_is_never_promoted_less(gain, held, age, better_by):
    one = decide_on(comparison(*gain), age, reference=reference(*held))
    gain, held = ([each + better_by for each in estimate] for estimate in (gain, held))
    two = decide_on(comparison(*gain), age, reference=reference(*held))
    order = ["keep", "inconclusive", "promote"]
    assert order.index(two.decision) >= order.index(one.decision)


@given(gain=bounds, held=bounds, age=st.integers(0, 200))
def test_nothing_is_promoted_that_may_be_worse_by_more_than_the_margin(gain, held, age):
    if decide_on(comparison(*gain), age, reference=reference(*held)).decision == "promote":
        assert gain[0] > -PARAMS.margin
        assert held[0] > -PARAMS.margin or gain[0] > PARAMS.min_gain


def test_a_decision_changes_nothing_and_is_json():
    given_ = (UNCERTAIN, PASSED, PARAMS)
    before = copy.deepcopy(given_)
    one, two = (decide_on(UNCERTAIN, 61, reference=reference(-0.001, 0.0, 0.001)) for _ in range(2))
    assert one == two
    assert given_ == before
    plain = json.loads(json.dumps(one.to_dict()))
    assert plain["decision"] == "promote"
    assert plain["champion_sha256"] == CHAMPION
    assert plain["comparison"]["log_loss_gain"] == {"value": 0.0001, "low": -0.0019, "high": 0.0021}
    assert plain["reference"]["champion_sha256"] == REFERENCE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_gain", -0.1),
        ("margin", 0.0),
        ("max_age_days", -1),
        ("confidence", 1.0),
        ("n_resamples", 99),
        ("n_resamples", 199),  # fewer than five beyond each end at 95 %
        ("seed", -1),
        ("override", ""),
    ],
)
def test_each_bound_of_the_parameters_refuses_a_bad_value(name, value):
    with pytest.raises(ValidationError, match=name):
        Promotion.model_validate(BASE.model_dump() | {name: value})


def test_a_thousand_resamples_are_enough_for_99_percent():
    assert Promotion.model_validate(BASE.model_dump() | {"n_resamples": 1_000}).n_resamples == 1_000
