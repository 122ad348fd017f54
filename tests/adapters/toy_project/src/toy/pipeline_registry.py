"""Pipelines, each of a few nodes."""

import pandas as pd
from kedro.pipeline import Node, Pipeline

from toy import nodes
from waste_risk.parameters import Observation, RiskClasses, Training


def register_pipelines() -> dict[str, Pipeline]:
    make = Node(nodes.make_items, "params:split", "items", name="make_items")
    judge = Pipeline(
        [
            Node(nodes.count, "items", "items_summary", name="count"),
            Node(nodes.judge, ["items", "params:gates"], "gate_decision", name="judge"),
            Node(nodes.summarise, "gate_decision", "verdict_summary", name="summarise"),
        ]
    )
    logged = Pipeline(
        [
            Node(nodes.measure, "items", "metrics", name="measure"),
            Node(nodes.describe, "items", "facts", name="describe"),
            Node(nodes.record, "items", "training_run", name="record"),
            Node(nodes.write_report, "items", "report", name="write_report"),
            Node(nodes.plot, "items", "figure", name="plot"),
        ]
    )
    models = Pipeline(
        [
            Node(
                _fit,
                ["items", "params:training", "params:risk_classes", "params:observation"],
                ["predictor", "classifier", "regressor", "registered_predictor"],
                name="fit",
            )
        ]
    )
    waiting = Pipeline(
        [
            Node(nodes.wait, "items", "waited", name="wait"),
            Node(nodes.measure, "waited", "metrics", name="measure"),
        ]
    )
    return {
        "__default__": Pipeline([make]) + judge,
        "logged": Pipeline([make]) + logged,
        "models": Pipeline([make]) + models,
        "later": Pipeline([Node(lambda record: record["n_items"], "training_run", "n_items", name="later")]),
        "read": Pipeline([Node(nodes.write_report, "items", "report", name="write_report")]),
        "broken": Pipeline([make, Node(nodes.break_items, "items", "broken_items", name="break_items")]),
        "failing": Pipeline([make, Node(nodes.fail, "items", "nothing", name="fail")]),
        "exhausted": Pipeline([make, Node(nodes.exhaust, "items", "nothing", name="exhaust")]),
        "waiting": Pipeline([make]) + waiting,
        "fitting": Pipeline([make]) + models + waiting,
        "interrupted": Pipeline([make, Node(nodes.interrupt, "items", "nothing", name="interrupt")]),
    }


def _fit(
    items: pd.DataFrame, training: Training, risk_classes: RiskClasses, observation: Observation
) -> tuple[object, ...]:
    from toy.models import fit  # noqa: PLC0415, the other pipelines need no LightGBM

    return fit(items, training, risk_classes, observation)
