import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from measured import FULL, LIMITS, MEASURED, MORE, SOURCE

from waste_risk.metrics import Estimate
from waste_risk.pipelines.validation.nodes import write_report
from waste_risk.reporting.console import summarise_verdict
from waste_risk.reporting.text import CEILING, WindowUse, render_text
from waste_risk.validation.gates import check_gates

HEAD = """\
================================================================================
MODEL VALIDATION REPORT
================================================================================
Generated: 2025-11-12 14:30:00

CLASSIFICATION METRICS
--------------------------------------------------------------------------------
AUC-ROC:                    0.8723
Average Precision:          0.7891
Brier Score:                0.1234
Log Loss:                   0.3456

CALIBRATION METRICS
--------------------------------------------------------------------------------
Expected Calibration Error: 0.0567
Calibration Slope:          0.9832
Calibration Intercept:      0.0123
Hosmer-Lemeshow p-value:    0.4567

THRESHOLD OPTIMIZATION
--------------------------------------------------------------------------------
Optimal Threshold:          0.623
  Precision:                0.8234
  Recall:                   0.7654
  F1 Score:                 0.7932

BUSINESS METRICS (threshold=0.7)
--------------------------------------------------------------------------------
Precision:                  0.8456
Recall:                     0.7123

GATE REQUIREMENTS
--------------------------------------------------------------------------------
"""
PASSED = """\
AUC >= 0.85:                ✓ PASS
Precision@0.7 >= 0.80:      ✓ PASS (estimate only)
Calibration (ECE < 0.10):   ✓ PASS (estimate only)
CV Stable (std < 0.05):     ✓ PASS
"""
FAILED = """\
AUC >= 0.88:                ✗ FAIL
Precision@0.7 >= 0.80:      ✓ PASS (estimate only)
Calibration (ECE < 0.10):   ✓ PASS (estimate only)
CV Stable (std < 0.01):     ✗ FAIL

REASONS
--------------------------------------------------------------------------------
AUC 0.8723 is below 0.88
CV standard deviation 0.0100 is not below 0.01
"""
REST = """
CEILING (LATENT STATES KNOWN)
--------------------------------------------------------------------------------
AUC of true probability:    0.9312
AUC of the model:           0.8723
The model reaches 86.3 % of that AUC, counted from 0.5.
No feature shows latent states. Training on eight times the rows raised the AUC
by 0.004 on the default source, a more honest ceiling (docs/learnability.md).

DATA
--------------------------------------------------------------------------------
Items:                      100,000, 24.5 % wasted so far
Observations:               61,725, 30.2 % wasted within the horizon
Rows evaluated:             12,345
Households:                 987
Wasted:                     3,718
Base rate:                  0.3012
Mean prediction:            0.2987
Alerts:                     1,750 at or above 0.7
Horizon:                    30 days after the observation

Days to waste, given that the item is wasted within the horizon:
  Mean absolute error:      4.32 days
  Root mean squared error:  5.68 days
  Where a label has a date, mean absolute error of
    the model:              4.11 days
    the days on the label:  7.50 days
================================================================================
"""
HORIZON = "Horizon:                    30 days after the observation\n"


def render(metrics=MEASURED, limits=LIMITS, source=SOURCE):
    decision = check_gates(metrics, limits)
    return render_text(metrics, decision, generated_at=datetime(2025, 11, 12, 14, 30), source=source)


def test_on_too_little_data_the_report_claims_no_gate() -> None:
    text = render_text(MEASURED, check_gates(MEASURED, LIMITS.model_copy(update={"min_wasted": 1_000_000})))
    assert "AUC >= 0.85:                – not claimed" in text
    assert "Wasted rows >= 1000000:     ✗ FAIL" in text
    assert "wasted rows, fewer than 1000000" in text
    assert "PASS" not in text


def test_an_approved_model_reads_exactly_so():
    assert render() == HEAD + PASSED + REST


def test_a_refused_model_reads_exactly_so_with_each_reason_beneath_the_gates():
    limits = LIMITS.model_copy(update={"min_auc": 0.88, "max_cv_std": 0.01})
    assert render(limits=limits) == HEAD + FAILED + REST


def test_without_oracle_source_and_days_only_the_evaluated_rows_follow_the_gates():
    bare = replace(
        MEASURED, oracle_auc=None, attainable_share=None, days_mae=None, n_households=None, horizon_days=None
    )
    assert render(bare, source=None).removeprefix(HEAD + PASSED) == (
        "\nDATA\n" + "-" * 80 + "\n"
        "Rows evaluated:             12,345\n"
        "Households:                 n/a\n"
        "Wasted:                     3,718\n"
        "Base rate:                  0.3012\n"
        "Mean prediction:            0.2987\n"
        "Alerts:                     1,750 at or above 0.7\n" + "=" * 80 + "\n"
    )


FURTHER = """
BASELINES
--------------------------------------------------------------------------------
                            AUC          gain         interval of the gain
Category rate:              0.7012       0.1711       0.1612 to 0.1813

FAIRNESS: GAPS (threshold=0.623)
--------------------------------------------------------------------------------
                            parity       odds         AUC          calibration
Size group:                 0.1000       0.0500       n/a          0.0123
  Too small to measure:     5+ (12 rows)

STABILITY
--------------------------------------------------------------------------------
                            rows         AUC          base rate    too high by
2025-03:                    6,000        0.8812       0.3012       -0.0123
2025-04:                    15           too small to measure
New households:             500          0.8812       0.3012       -0.0123
Adversarial validation:     AUC 0.6712 (by waste_rate_90d,
                            category_first_gap_in_life, waste_to_usual)

ALERTS
--------------------------------------------------------------------------------
At most 3 a week:           precision 0.7032, recall 0.6441, 5,557 alerts
First alert at 0.7:         median 4.5, mean 6.0 days to the waste
  Wasted items alerted:     2,620
Cheapest threshold:         0.347, costs 0.2773 a row
  Without any alert:        costs 0.6824 a row
================================================================================
"""


def test_baselines_fairness_stability_and_alerts_follow_the_data():
    assert render(MORE) == (HEAD + PASSED + REST).removesuffix("=" * 80 + "\n") + FURTHER


def test_gates_that_are_on_follow_the_four_in_the_same_form():
    limits = LIMITS.model_copy(update={"min_calibration_slope": 0.8, "max_calibration_slope": 1.2, "min_alerts": 100})
    five_and_six = "Slope in [0.80, 1.20]:      ✓ PASS (estimate only)\nAlerts@0.7 >= 100:          ✓ PASS\n"
    assert render(limits=limits) == HEAD + PASSED + five_and_six + REST


def test_what_cleaning_left_out_or_changed_follows_the_size_of_the_source():
    dirty = replace(
        SOURCE,
        dropped={"events_of_unknown_items": 1_234, "duplicate_events": 0, "events_of_other_households": 1},
        repaired={"events_before_purchase": 5},
    )
    observations = "Observations:               61,725, 30.2 % wasted within the horizon\n"
    cleaned = (
        "Dropped:                    1,234 events of unknown items\n"
        "Dropped:                    1 event of other households\n"
        "Repaired:                   5 events before purchase\n"
    )
    assert render(source=dirty) == (HEAD + PASSED + REST).replace(observations, observations + cleaned)


def test_the_counts_of_the_checked_tables_reach_the_report():
    tables = {"households": 3, "items": 100_000, "events": 4, "items_wasted_share": 0.2449, "data_until": "2025-06-01"}
    observations = {"observations": 70_000, "mature": 61_725, "mature_wasted_share": 0.3025}
    decision = check_gates(MEASURED, LIMITS)
    once = WindowUse(1, 1)
    clean = write_report(MEASURED, decision, {**tables, "dropped": {}, "repaired": {}}, observations, once)
    used = HORIZON + "The test window has been evaluated 1 time, 1 predictor.\n"
    lacking = "Not given:                  sensitive attributes\nRows evaluated:"
    assert clean.endswith(REST.replace(HORIZON, used).replace("Rows evaluated:", lacking))
    dirty = write_report(
        MEASURED, decision, {**tables, "dropped": {"duplicate_events": 12}, "repaired": {}}, observations, once
    )
    assert "the horizon\nDropped:                    12 duplicate events\nNot given:" in dirty


def test_the_gain_that_the_report_names_as_the_ceilings_is_the_measured_one():
    page = (Path(__file__).parents[2] / "docs/learnability.md").read_text(encoding="utf-8")
    section = page[page.index("## What these features could reach") :]
    mean = {row[1].strip(): row[-3] for row in (line.split("|") for line in section.splitlines()) if len(row) > 3}
    gain = float(mean["AUC of the same recipe on 8 times the rows"]) - float(mean["AUC of the usual model"])
    assert f"raised the AUC by {gain:.3f} on the default source" in " ".join(CEILING)


def test_from_the_second_predictor_on_the_window_is_said_to_make_its_metrics_optimistic():
    twice = render_text(MEASURED, validation_log=WindowUse(2, 1))
    assert "The test window has been evaluated 2 times, 1 predictor.\n\n" in twice
    chosen = render_text(MEASURED, validation_log=WindowUse(1_003, 2))
    assert (
        f"{HORIZON}The test window has been evaluated 1,003 times, 2 predictors.\n"
        "Choosing among predictors by the same window makes its metrics optimistic.\n\n"
    ) in chosen
    assert max(len(line) for line in chosen.splitlines()) == 80


def test_a_model_above_the_oracle_is_called_a_leak():
    leaking = replace(MEASURED, oracle_auc=Estimate(0.85), attainable_share=Estimate(1.0637))
    assert "The model reaches 106.4 % of that AUC" in render(leaking)
    assert "look for a leak" in render(leaking)
    assert "leak" not in render()


def test_what_is_undefined_reads_as_not_available_and_fails():
    silent = replace(MEASURED, precision_at_high_confidence=Estimate(math.nan), calibration_slope=Estimate(math.nan))
    text = render(silent)
    assert "Calibration Slope:          n/a\n" in text
    assert "Precision@0.7 >= 0.80:      ✗ FAIL\n" in text
    assert "nan" not in text


@pytest.mark.parametrize("high_confidence", [0.7, 0.655])
def test_no_line_is_wider_than_the_rules(high_confidence):
    hopeless = LIMITS.model_copy(
        update={"min_auc": 0.9999, "min_precision_at_high_confidence": 0.9999, "max_ece": 0.0001,
                "max_cv_std": 0.0001, "high_confidence": high_confidence}
    )  # fmt: skip
    undefined = replace(MEASURED, precision_at_high_confidence=Estimate(math.nan), cv_std_auc=None)
    assert max(len(line) for line in render(undefined, limits=hopeless).splitlines()) == 80


def test_the_closing_lines_warn_of_a_leak():
    leaking = replace(MEASURED, oracle_auc=Estimate(0.85), attainable_share=Estimate(1.0637, 1.02, 1.1))
    assert "look for a leak" in summarise_verdict(leaking, check_gates(leaking, LIMITS))[-1]
    assert "leak" not in " ".join(summarise_verdict(MEASURED, check_gates(MEASURED, LIMITS)))


def test_above_the_oracle_by_chance_is_no_leak():
    lucky = replace(MEASURED, oracle_auc=Estimate(0.87), attainable_share=Estimate(1.0062, 0.97, 1.04))
    assert "leak" not in render(lucky) + " ".join(summarise_verdict(lucky, check_gates(lucky, LIMITS)))


def test_a_true_probability_without_signal_is_said_to_have_none():
    nothing = replace(MEASURED, oracle_auc=Estimate(0.5, 0.5, 0.5), attainable_share=Estimate(math.nan))
    assert "there is no signal to find" in render(nothing)
    assert "nan" not in render(nothing)


def test_the_calibration_error_stands_beside_what_chance_alone_would_show():
    measured = replace(FULL, debiased_calibration_error=Estimate(0.04, 0.0312, 0.0698))
    assert render(measured).split("CALIBRATION AND CHANCE\n")[1].splitlines()[1:4] == [
        "Debiased Calibration Error: 0.0400, interval of the true one 0.0312 to 0.0698",
        "A perfect model would show: 0.0210 on average, 95 % of draws below 0.0601",
        "Chance only adds to a calibration error, so the true one may lie below it.",
    ]
    assert "AND CHANCE" not in render(replace(FULL, calibration_error_under_null=None))
