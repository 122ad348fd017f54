"""The report as a page: what it says, and what it leaves out."""

import html
import math
import re
from dataclasses import fields, replace
from datetime import datetime

import pandas as pd
import pytest
from measured import ALL_LIMITS, FULL, LIMITS, MEASURED, SOURCE
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.metrics import Estimate, Fairness, Group, ValidationMetrics
from waste_risk.model.calibration import Calibrator
from waste_risk.parameters import Gates
from waste_risk.reporting.page import find_limitations, render_page
from waste_risk.reporting.page.verdict import explain_gates
from waste_risk.reporting.plots import PLOTS
from waste_risk.reporting.text import WindowUse
from waste_risk.training.fit import fit_predictor
from waste_risk.validation.gates import GATES, check_gates

NOW = datetime(2025, 11, 12, 14, 30)
HOPELESS = ALL_LIMITS.model_copy(
    update={
        "min_auc": 1.0,
        "min_precision_at_high_confidence": 1.0,
        "max_ece": 0.0,
        "max_cv_std": 0.0,
        "min_gain_over_baselines": 0.9,
        "min_calibration_slope": 1.1,
        "min_alerts": 10_000,
        "max_group_calibration_gap": 0.0,
    }
)
IMAGES = dict.fromkeys(PLOTS, b"\x89PNG")


def page(metrics: ValidationMetrics = FULL, gates: Gates = ALL_LIMITS, **more: object) -> str:
    return render_page(metrics, check_gates(metrics, gates), generated_at=NOW, **more)  # type: ignore[arg-type]


def words(source: str) -> str:
    """What a reader sees."""
    body = source[source.index("<body>") :]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def test_the_verdict_stands_before_any_figure() -> None:
    text = words(page())
    assert text.index("PASS") < text.index("15 of 15 gates passed") < text.index("0.872")
    assert "FAIL" not in text


def test_a_refused_model_says_every_reason_in_the_verdict_and_beside_its_gate() -> None:
    decision = check_gates(FULL, HOPELESS)
    text = words(page(gates=HOPELESS))
    assert "7 of 15 gates passed. The model must not be promoted." in text
    assert len(decision.reasons) == 8
    for reason in decision.reasons:
        assert text.count(reason) == 2


def test_each_gate_has_its_value_its_bound_and_words_of_its_own() -> None:
    rows = {row.label: row for row in explain_gates(check_gates(FULL, ALL_LIMITS))}
    assert list(rows) == [definition.title for definition in GATES]
    assert all(row.why and not row.reason for row in rows.values())
    shown = {label: (row.measured, row.interval, row.bound) for label, row in rows.items()}
    assert shown["AUC"] == ("0.8723", "0.8651 to 0.8790", "≥ 0.85")
    assert shown["Expected calibration error"] == ("0.0567", "", "< 0.10")
    assert shown["Calibration slope"] == ("0.9832", "", "0.80 to 1.20")
    assert shown["AUC gained over baselines"] == ("0.1711", "0.1612 to 0.1813", "> 0.00")
    assert shown["High-confidence alerts"] == ("1,750", "", "≥ 100")
    assert shown["Share of the AUC with latent states known"] == ("0.8633", "", "≤ 1.00")


def test_on_too_little_data_the_page_claims_no_gate() -> None:
    text = words(page(gates=ALL_LIMITS.model_copy(update={"min_rows": 1_000_000})))
    assert "0 of 15 gates passed. The model must not be promoted." in text
    assert "Too little data to claim a gate: 12345 rows evaluated, fewer than 1000000" in text
    assert text.count("– not claimed") == 14
    assert "✓ pass" not in text


def test_a_gate_without_a_value_is_not_available_and_has_its_reason() -> None:
    silent = replace(FULL, precision_at_high_confidence=Estimate(math.nan))
    row = explain_gates(check_gates(silent, ALL_LIMITS))[1]
    assert (row.measured, row.passed) == ("n/a", False)
    assert row.reason == "Precision@0.7 is undefined: no probability reaches 0.7"


def test_every_estimate_of_the_record_is_on_the_page() -> None:
    """Numbers that are different for each field, so that none can hide behind another."""
    names = [each.name for each in fields(FULL) if isinstance(getattr(FULL, each.name), Estimate)]
    told = {name: Estimate(0.5 + 0.011 * place) for place, name in enumerate(names, start=1)}
    text = words(page(replace(FULL, **told)))
    missing = [
        name for name, each in told.items() if f"{each.value:.3f}" not in text and f"{each.value:.2f} days" not in text
    ]
    assert missing == []


def test_sections_follow_what_was_measured() -> None:
    assert re.findall(r"<h2>([^<:]+)", page(plots=IMAGES)) == [
        *("What was evaluated", "Ranking", "Calibration", "Alerts", "Days to waste, given waste within 30 days"),
        *("Baselines", "What drives the predictions", "Fairness", "Stability", "Model card"),
    ]
    bare = replace(MEASURED, days_mae=None, oracle_auc=None, attainable_share=None)
    assert re.findall(r"<h2>([^<:]+)", page(bare, LIMITS)) == [
        *("What was evaluated", "Ranking", "Calibration", "Alerts", "Model card"),
    ]


def test_a_link_leads_to_each_section_and_nowhere_else() -> None:
    for source in (page(plots=IMAGES), page(replace(MEASURED, days_mae=None), LIMITS)):
        links = re.findall(r'<a href="#(\w+)"', source)
        assert links == [name for name in re.findall(r'<section id="(\w+)"', source) if name != "verdict"]


def test_a_real_source_without_dates_households_and_intervals_is_not_called_simulated() -> None:
    bare = replace(
        MEASURED,
        **dict.fromkeys(("oracle_auc", "attainable_share", "days_mae", "n_households", "horizon_days", "cv_std_auc")),
        auc=Estimate(math.nan),
    )
    text = words(page(bare, LIMITS))
    assert "simulated" not in text
    assert "What became of the items is what was recorded." in text
    assert "within the horizon" in text
    assert "interval" not in text.replace("No intervals were computed", "")
    assert not re.search(r"\b(nan|None|inf)\b", text)


def test_how_well_the_test_window_is_told_apart_stands_beside_what_tells_it() -> None:
    told = "Distinguished by waste rate 90d, category first gap in life, waste to usual. "
    assert f"households not trained on {told}At 0.5 the windows cannot be told apart" in words(page())
    assert "0.671" in words(page())
    assert "Is the test window told apart?" not in words(page(replace(FULL, adversarial_validation=None)))


def test_the_page_says_how_often_the_window_was_judged_and_warns_from_the_second_predictor_on() -> None:
    assert "The test window has been evaluated 2 times, 1 predictor. " in words(page(validation_log=WindowUse(2, 1)))
    assert "optimistic" not in words(page(validation_log=WindowUse(2, 1))) + words(page())
    assert "2 predictors. Choosing among predictors by the same window makes its metrics optimistic." in words(
        page(validation_log=WindowUse(2, 2))
    )


def test_a_simulated_source_has_an_honest_ceiling_beside_the_true_probability() -> None:
    assert "eight times the rows raised the AUC" in words(page())
    assert "eight times the rows" not in words(page(replace(FULL, oracle_auc=None, attainable_share=None)))


def test_days_are_called_conditional() -> None:
    assert "it is evaluated on wasted rows alone" in words(page())
    assert "which hold only if the item is wasted" in words(page())


def test_a_group_too_small_is_counted_and_not_measured() -> None:
    text = words(page())
    assert "5+ 12 too small to be measured: 3 households, 4 wasted" in text
    assert "Size group: too small to be measured: 5+ (12 rows)." in text


def test_a_leak_is_told_in_the_verdict_and_among_the_limitations() -> None:
    leaking = replace(FULL, attainable_share=Estimate(1.06, 1.02, 1.1))
    text = words(page(leaking))
    assert text.index("look for a leak") < text.index("Measured")
    assert find_limitations(leaking)[0].endswith("it has seen what it must not.")


def test_plots_are_in_the_page_each_with_words_for_those_who_do_not_see_it() -> None:
    source = page(plots=IMAGES)
    images = re.findall(r'<img src="([^"]+)" alt="([^"]+)">', source)
    assert len(images) == source.count("<img") == len(PLOTS)
    assert all(address.startswith("data:image/png;base64,iVBO") for address, _ in images)
    assert all(len(alt) > 40 for _, alt in images)
    assert "the area of the model is 0.872, that of the true probability 0.931" in source


def test_nothing_is_fetched_and_no_script_runs() -> None:
    source = page(plots=IMAGES, source=SOURCE)
    assert not re.search(r"https?://|<script|<link|@import|url\(|javascript:", source)


def test_names_from_the_data_are_text() -> None:
    group = Group("<script>alert(1)</script>", 9_000, 700, 2_500, FULL.by_month[0].measured)
    hostile = replace(FULL, fairness={"<b>kind</b>": Fairness((group,), None, None, None, Estimate(0.01))})
    assert "<script" not in page(hostile)
    assert "<b>" not in page(hostile)
    assert "<script>alert(1)</script>" in words(page(hostile))


def test_the_model_card_tells_what_the_predictor_was_made_of() -> None:
    folds = pd.DataFrame({"n_train": [500], "rounds_classifier": [5], "rounds_regressor": [3]})
    predictor = fit_predictor(
        plant(500), folds, Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0)), 0.5, TRAINING, RISK_CLASSES, OBSERVATION
    )
    text = words(page(metadata=predictor.metadata, source=SOURCE))
    assert f"5 trees for the probability, 3 for the days; {len(predictor.metadata.feature_names)} features" in text
    assert f"Trained on 500 observations between 2024-01-01 and {predictor.metadata.observed_until}" in text
    assert "The model uses the income band, the size of the household and the number of children" in text
    assert "checked for size group (see Fairness)" in text
    assert "100,000" in text


def test_equal_records_make_equal_pages() -> None:
    assert page(plots=IMAGES) == page(plots=IMAGES)


@pytest.mark.parametrize(
    ("changes", "limitation"),
    [
        ({"oracle_auc": None}, "Nobody knows the true probabilities of this source"),
        ({"confidence": None}, "No intervals were computed"),
        ({"n_households": None}, "every row counts as a household of its own"),
        ({"n_households": 150}, "Of so few households some intervals are inexact"),
        ({"n_wasted": 0}, "All rows had the same outcome"),
        ({"n_wasted": FULL.n_rows}, "All rows had the same outcome"),
        ({"baselines": {}}, "not compared with baselines"),
        ({"n_alerts": 0}, "No probability reached 0.7"),
        ({"by_month": ()}, "The observations have no dates"),
        ({"expected_calibration_error": Estimate(0.0602)}, "0.0602 is more than chance explains"),
        ({"calibration_slope": Estimate(0.7, 0.6, 0.8)}, "slope of 0.700 says that the model is too sure of itself"),
        ({"calibration_slope": Estimate(1.3, 1.2, 1.4)}, "slope of 1.300 says that the model is not sure enough"),
        ({"by_known_household": (Group("new", 9, 2, 1, None),)}, "Too few rows of new households"),
    ],
)
def test_each_weakness_is_named_when_it_is_there_and_only_then(changes: dict[str, object], limitation: str) -> None:
    assert any(limitation in sentence for sentence in find_limitations(replace(FULL, **changes)))
    assert not any(limitation in sentence for sentence in find_limitations(FULL))


def test_groups_whose_gap_is_beyond_chance_are_named_beside_how_many_chance_gives() -> None:
    measured = FULL.by_month[0].measured
    assert measured is not None
    months = [
        Group(
            f"2025-0{month}", 1_000, 90, 300, replace(measured, calibration_gap=Estimate(gap, gap - 0.01, gap + 0.01))
        )
        for month, gap in ((1, 0.0), (2, 0.0312), (3, -0.02))
    ]
    limitations = find_limitations(replace(FULL, by_month=tuple(months), fairness={}))
    assert limitations[-1] == (
        "The mean prediction lies off the share wasted by more than its interval in 2 of 3 groups and months, where "
        "chance alone would give about 0.2: 2025-02 (+3.1 points) and 2025-03 (−2.0 points)."
    )
