"""test, predictor → predictions beside the truth → metrics, gates → plots, report, verdict."""

from kedro.pipeline import Node, Pipeline

from waste_risk.pipelines.validation.nodes import (
    evaluate_predictions,
    find_oracle,
    predict_test,
    write_page,
    write_report,
)
from waste_risk.pipelines.validation.pictures import draw_explanations, draw_groups, draw_plots, draw_splits
from waste_risk.reporting.console import summarise_verdict
from waste_risk.validation.baselines import predict_baselines
from waste_risk.validation.gates import check_gates


def create_pipeline() -> Pipeline:
    """Look at the test window once, and say yes or no."""
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
                    "test_predictions": "test_predictions",
                    "oracle": "oracle",
                    "baseline_predictions": "baseline_predictions",
                    "fold_metrics": "fold_metrics",
                    "cost_threshold": "cost_threshold",
                    "predictor": "predictor",
                    "development": "development",
                    "test": "test",
                    "costs": "params:costs",
                    "validation": "params:validation",
                    "gates": "params:gates",
                },
                outputs=["judgements", "validation_metrics"],
                name="evaluate_predictions",
            ),
            Node(
                check_gates, inputs=["validation_metrics", "params:gates"], outputs="gate_decision", name="check_gates"
            ),
            Node(
                draw_plots,
                inputs={
                    "test_predictions": "test_predictions",
                    "oracle": "oracle",
                    "predictor": "predictor",
                    "validation": "params:validation",
                    "gates": "params:gates",
                },
                outputs={
                    "roc_curve": "plot_roc_curve",
                    "precision_recall_curve": "plot_precision_recall_curve",
                    "calibration_curve": "plot_calibration_curve",
                    "confusion_matrix": "plot_confusion_matrix",
                },
                name="draw_plots",
            ),
            Node(
                draw_explanations,
                inputs=["predictor", "feature_importance", "test"],
                outputs=["plot_feature_importance", "plot_contributions"],
                name="draw_explanations",
            ),
            Node(
                draw_groups,
                inputs="validation_metrics",
                outputs=["plot_calibration_gaps", "plot_months"],
                name="draw_groups",
            ),
            Node(
                draw_splits,
                inputs=["fold_metrics", "development", "test", "params:observation"],
                outputs="plot_splits",
                name="draw_splits",
            ),
            Node(
                write_report,
                inputs=["validation_metrics", "gate_decision", "table_counts", "observation_counts", "judgements"],
                outputs="validation_report",
                name="write_report",
            ),
            Node(
                write_page,
                inputs={
                    "validation_metrics": "validation_metrics",
                    "gate_decision": "gate_decision",
                    "predictor": "predictor",
                    "table_counts": "table_counts",
                    "observation_counts": "observation_counts",
                    "judgements": "judgements",
                    "splits": "plot_splits",
                    "roc_curve": "plot_roc_curve",
                    "precision_recall_curve": "plot_precision_recall_curve",
                    "calibration_curve": "plot_calibration_curve",
                    "confusion_matrix": "plot_confusion_matrix",
                    "feature_importance": "plot_feature_importance",
                    "contributions": "plot_contributions",
                    "calibration_gaps": "plot_calibration_gaps",
                    "months": "plot_months",
                },
                outputs="validation_page",
                name="write_page",
            ),
            Node(
                summarise_verdict,
                inputs=["validation_metrics", "gate_decision"],
                outputs="verdict_summary",
                name="summarise_verdict",
            ),
        ]
    )
