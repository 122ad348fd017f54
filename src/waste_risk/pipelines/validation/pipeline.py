"""test, predictor → predictions beside the truth → metrics, gates → plots, report, verdict."""

from kedro.pipeline import Node, Pipeline

from waste_risk.pipelines.validation.nodes import (
    evaluate_predictions,
    find_oracle,
    predict_test,
    write_page,
    write_report,
)
from waste_risk.reporting import plots
from waste_risk.reporting.console import summarise_verdict
from waste_risk.validation.baselines import predict_baselines
from waste_risk.validation.gates import check_gates

REPORTED = (
    *("validation_metrics", "gate_decision", "table_counts", "observation_counts", "validation_log", "pool_counts"),
)
EVALUATED = (
    *("test_predictions", "oracle", "baseline_predictions", "fold_metrics", "cost_threshold", "predictor"),
    *("development", "test"),
)


def create_pipeline() -> Pipeline:
    """Evaluate the predictor on the test window once, and decide whether it may be promoted."""
    return Pipeline(
        [
            Node(
                predict_test,
                inputs=["predictor", "training_run", "development", "test"],
                outputs="test_predictions",
                name="predict_test",
            ),
            Node(
                predict_baselines,
                inputs=["development", "test", "params:baselines"],
                outputs="baseline_predictions",
                name="predict_baselines",
            ),
            Node(
                find_oracle,
                inputs=["test_predictions", "checked_items", "checked_events", "truth", "predictor"],
                outputs="oracle",
                name="find_oracle",
            ),
            Node(
                evaluate_predictions,
                inputs={
                    **{name: name for name in EVALUATED},
                    "costs": "params:costs",
                    "validation": "params:validation",
                    "gates": "params:gates",
                },
                outputs=["validation_log", "validation_metrics"],
                name="evaluate_predictions",
            ),
            Node(check_gates, ["validation_metrics", "params:gates"], "gate_decision", name="check_gates"),
            *(Node(plot.function, plot.inputs, plot.dataset, name=plot.dataset) for plot in plots.PLOTS),
            Node(write_report, list(REPORTED), "validation_report", name="write_report"),
            Node(
                write_page,
                inputs={name: name for name in (*REPORTED, "predictor", *(plot.dataset for plot in plots.PLOTS))},
                outputs="validation_page",
                name="write_page",
            ),
            Node(
                summarise_verdict, ["validation_metrics", "gate_decision"], "verdict_summary", name="summarise_verdict"
            ),
        ]
    )
