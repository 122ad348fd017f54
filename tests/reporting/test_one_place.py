"""What is added in one place arrives everywhere."""

import html
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from matplotlib.figure import Figure
from measured import ALL_LIMITS, FULL
from mlflow import MlflowClient
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.adapters.datasets import AtomicFigureDataset, AtomicJSONDataset
from waste_risk.adapters.registry_hooks import publish
from waste_risk.metrics import ValidationMetrics
from waste_risk.model.calibration import Calibrator
from waste_risk.model.predictor import WastePredictor
from waste_risk.parameters import Validation, load
from waste_risk.pipelines.validation.pipeline import create_pipeline
from waste_risk.reporting import plots
from waste_risk.reporting.page import render_page
from waste_risk.reporting.plots.style import make_figure
from waste_risk.reporting.text import WindowUse, render_text
from waste_risk.settings import CONFIG_LOADER_ARGS
from waste_risk.training.fit import fit_predictor
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
ROOT = Path(__file__).parents[2]
VALIDATION = load(Validation, ROOT / "conf/base/parameters_validation.yml")


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


def plot_lead_time(validation_metrics: ValidationMetrics, validation: Validation) -> Figure:
    """Stand for a plot that somebody adds."""
    figure = make_figure(2, 2)
    figure.subplots().set_title(f"{validation_metrics.n_rows} rows, {validation.n_bins} bins")
    return figure


LEAD_TIME = plots.Plot(
    plot_lead_time, section="decisions", alt=lambda metrics: f"Of {metrics.n_wasted} items.", caption="New."
)


def test_a_plot_arrives_in_the_pipeline_the_catalog_and_the_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(plots, "PLOTS", (*plots.PLOTS, LEAD_TIME))
    nodes = {node.func.__name__: node for node in create_pipeline().nodes}
    drawn = nodes["plot_lead_time"].run({"validation_metrics": FULL, "params:validation": VALIDATION})
    assert list(drawn) == ["plot_lead_time"]

    configuration = OmegaConfigLoader(str(ROOT / "conf"), env="base", **CONFIG_LOADER_ARGS)
    kept = DataCatalog.from_config(configuration["catalog"], configuration["credentials"]).get("plot_lead_time")
    assert kept is not None
    assert kept._describe()["filepath"].endswith("/08_reporting/lead_time.png")

    image = AtomicFigureDataset(str(tmp_path / "lead_time.png"))
    image.save(drawn["plot_lead_time"])
    inputs = dict.fromkeys(nodes["write_page"].inputs, b"\x89PNG") | {
        "validation_metrics": FULL,
        "gate_decision": check_gates(FULL, ALL_LIMITS),
        "table_counts": {"items": 4, "items_wasted_share": 0.5, "dropped": {}, "repaired": {}},
        "observation_counts": {"observations": 3, "mature": 2, "mature_wasted_share": 0.5},
        "pool_counts": {"own": 2, "own_wasted": 1, "pooled": 0},
        "validation_log": WindowUse(1, 1),
        "predictor": make_predictor(),
        "plot_lead_time": image.load(),
    }
    page = nodes["write_page"].run(inputs)["validation_page"]
    assert page.count("<img") == len(plots.PLOTS)
    figure = f'alt="Of {FULL.n_wasted} items."><figcaption>New.</figcaption></figure>'
    assert page.index('<section id="decisions">') < page.index(figure) < page.index('<section id="days">')


def make_predictor() -> WastePredictor:
    folds = pd.DataFrame({"n_train": [500], "rounds_classifier": [5], "rounds_regressor": [3]})
    calibrator = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
    return fit_predictor(plant(500), folds, calibrator, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)


def test_each_plot_has_a_place_on_the_page_and_words_for_those_who_do_not_see_it() -> None:
    page = render_page(FULL, check_gates(FULL, ALL_LIMITS), generated_at=NOW)
    sections = re.findall(r'<section id="(\w+)"', page)
    for plot in plots.PLOTS:
        assert plot.section in sections or plot.section == "reasons"  # a section of plots alone
        assert len(plot.alt(FULL)) > 40
