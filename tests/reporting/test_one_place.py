"""What is added in one place arrives everywhere."""

import html
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import mlflow
import pytest
from measured import ALL_LIMITS, FULL
from mlflow import MlflowClient

from waste_risk.adapters.datasets import AtomicJSONDataset
from waste_risk.adapters.verdicts import publish
from waste_risk.reporting.page import render_page
from waste_risk.reporting.text import render_text
from waste_risk.validation.gates import GATES, GateDecision, GateDefinition, Measured, Relation, check_gates

FLOOR = GateDefinition(
    name="recall",
    label="Recall {bound}",
    title="Recall at the threshold",
    why="An item that nobody is told of is not saved.",
    relation=Relation.AT_LEAST,
    limit=lambda _: 0.8,
    measure=lambda metrics, _: Measured("Recall", metrics.recall),
)
CEILING = GateDefinition(
    name="days_mae",
    label="Days {bound}",
    title="Error in days",
    why="A week is too long to be of use.",
    relation=Relation.AT_MOST,
    limit=lambda _: 7.0,
    measure=lambda metrics, _: metrics.days_mae and Measured("Mean absolute error", metrics.days_mae),
)
REASON = "Recall 0.7654 is below 0.80"
NOW = datetime(2025, 11, 12, 14, 30)


@pytest.fixture
def decision() -> GateDecision:
    return check_gates(FULL, ALL_LIMITS, [*GATES, FLOOR, CEILING])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MlflowClient]:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    yield MlflowClient()
    mlflow.set_tracking_uri(before)


def test_a_gate_arrives_in_the_text_report(decision: GateDecision) -> None:
    text = render_text(FULL, decision)
    assert "Recall >= 0.80:             ✗ FAIL\nDays <= 7.00:               ✓ PASS" in text
    assert f"REASONS\n{'-' * 80}\n{REASON}\n" in text


def test_a_gate_arrives_on_the_page_with_its_direction(decision: GateDecision) -> None:
    page = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render_page(FULL, decision, generated_at=NOW))))
    assert f"Recall at the threshold {REASON} 0.7654 ≥ 0.80 ✗ fail" in page
    assert "Error in days A week is too long to be of use. 4.3210 ≤ 7.00 ✓ pass" in page
    assert f"The model must not be promoted. {REASON}." in page


def test_a_gate_arrives_in_json_and_comes_back(decision: GateDecision, tmp_path: Path) -> None:
    dataset = AtomicJSONDataset(str(tmp_path / "gate.json"), record="waste_risk.validation.gates.GateDecision")
    dataset.save(decision)
    floor, ceiling = json.loads((tmp_path / "gate.json").read_text(encoding="utf-8"))["gates"][-2:]
    assert (floor["name"], floor["relation"], floor["limit"], floor["reason"]) == ("recall", ">=", 0.8, REASON)
    assert (ceiling["name"], ceiling["relation"], ceiling["limit"], ceiling["reason"]) == ("days_mae", "<=", 7.0, "")
    assert dataset.load() == decision


def test_a_gate_arrives_in_the_tags_of_the_run(decision: GateDecision, store: MlflowClient) -> None:
    run_id = store.create_run("0").info.run_id
    publish(decision, {}, run_id, judged_by="another")
    tags = store.get_run(run_id).data.tags
    assert (tags["verdict"], tags["verdict_reasons"]) == ("FAIL", REASON)
