"""A metric is one field: what is defined there arrives everywhere."""

import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from evaluating import evaluate_rows
from measured import LIMITS

from waste_risk.adapters.datasets import AtomicJSONDataset
from waste_risk.metrics import (
    Estimate,
    GroupMetrics,
    ValidationMetrics,
    describe_metrics,
    false_positive_rate,
    find_definitions,
    metric,
    roc_auc,
)
from waste_risk.metrics.definition import NO_INTERVAL
from waste_risk.reporting.page import render_page
from waste_risk.reporting.text import render_text
from waste_risk.validation.gates import check_gates

NOW = datetime(2025, 11, 12, 14, 30)


@dataclass(frozen=True, kw_only=True)
class MoreMetrics(ValidationMetrics):
    """One more metric with an interval, one without, and one that needs an oracle."""

    specificity: Estimate = metric(
        lambda sample: 1 - false_positive_rate(sample.tally, threshold=sample.window.threshold),
        "Specificity at the threshold",
        "share of the other rows that are no alerts",
        section="classification",
        report="Specificity",
    )
    missed: Estimate | None = metric(
        lambda sample: 17.25 * np.ones(len(sample.weights)),
        "Days lost",
        "by alerts that never came",
        section="days",
        report="Days lost",
        decimals=1,
        unit="days",
        needs=("days",),
        interval=NO_INTERVAL,
    )
    surprise: Estimate | None = metric(
        lambda sample: roc_auc(sample.oracle_tally), "Surprise", "needs an oracle", section="calibration",
        report="Surprise", needs=("oracle",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured() -> ValidationMetrics:
    random = np.random.default_rng(0)
    probability = random.random(600)
    return evaluate_rows(
        y_true=random.random(600) < probability,
        probability=probability,
        household_id=random.integers(40, size=600),
        days_true=random.uniform(0, 30, 600),
        days_predicted=random.uniform(0, 30, 600),
        n_resamples=50,
        record=MoreMetrics,
    )


def test_a_metric_is_estimated_as_it_is_defined(measured: MoreMetrics) -> None:
    assert measured.specificity.low is not None
    assert measured.specificity.low < measured.specificity.value < 1
    assert measured.missed == Estimate(17.25)
    assert measured.surprise is None


def test_a_metric_arrives_in_the_text_report(measured: MoreMetrics) -> None:
    text = render_text(measured)
    classification = text[text.index("CLASSIFICATION METRICS") : text.index("CALIBRATION METRICS")]
    assert f"\nSpecificity:                {measured.specificity.value:.4f}\n" in classification
    assert "\n  Days lost:                17.2 days\n" in text
    assert "Surprise" not in text


def test_a_metric_arrives_on_the_page(measured: MoreMetrics) -> None:
    page = render_page(measured, check_gates(measured, LIMITS), generated_at=NOW)
    ranking = page[page.index('<section id="ranking">') : page.index('<section id="calibration">')]
    assert "Specificity at the threshold<small>share of the other rows that are no alerts</small>" in ranking
    assert f'<td class="n">{measured.specificity.value:.3f}</td>' in ranking
    assert "17.2 days" in page[page.index('<section id="days">') :]
    assert "Surprise" not in page


def test_a_metric_arrives_in_the_json_its_schema_and_the_logged_numbers(measured: MoreMetrics, tmp_path: Path) -> None:
    dataset = AtomicJSONDataset(str(tmp_path / "metrics.json"), record=f"{__name__}.MoreMetrics")
    dataset.save(measured)
    assert dataset.load() == measured
    saved: dict[str, Any] = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert saved["specificity"]["value"] == measured.specificity.value
    schema = describe_metrics(MoreMetrics)
    jsonschema.Draft202012Validator(schema).validate(saved)
    assert schema["properties"]["specificity"]["description"] == "share of the other rows that are no alerts"
    assert "specificity" in schema["required"]
    assert measured.to_dict()["missed"] == {"value": 17.25, "low": None, "high": None}
    assert {"specificity", "specificity_low", "specificity_high", "missed"} <= set(measured.flat())


@pytest.mark.parametrize("record", [ValidationMetrics, GroupMetrics])
def test_every_metric_has_a_label_and_a_meaning_of_its_own(record: type[Any]) -> None:
    definitions = find_definitions(record)
    assert all(each.label and each.meaning for each in definitions.values())
    told = [(each.section, each.label) for each in definitions.values()]
    assert len(set(told)) == len(told)


def test_without_high_confidence_every_alert_is_one() -> None:
    found = evaluate_rows(
        y_true=[1, 0, 1], probability=[0.9, 0.6, 0.2], threshold=0.55, high_confidence=None, n_resamples=0
    )
    assert (found.high_confidence, found.n_alerts) == (0.55, 2)
    assert found.precision_at_high_confidence == found.precision
    assert not math.isnan(found.precision.value)
