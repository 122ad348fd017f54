"""predictions, expected_performance, the source → outcomes, drift → metrics, alarms → plots, report, page."""

from kedro.pipeline import Node, Pipeline

from waste_risk.features import build_features
from waste_risk.monitoring import leave_out_hindsight, match_outcomes
from waste_risk.pipelines.monitoring.nodes import (
    assemble_monitoring,
    measure_drift,
    observe_reference,
    write_monitoring_page,
    write_monitoring_report,
)
from waste_risk.reporting.console import summarise_monitoring
from waste_risk.reporting.plots.monitoring import plot_monitored_alerts, plot_monitored_drift, plot_monitored_weeks
from waste_risk.scoring import take_champion
from waste_risk.tables.checks import check_tables

_SOURCE = ("monitored_items", "monitored_events", "monitored_champion", "params:monitoring")


def create_pipeline() -> Pipeline:
    """Compare what was expected of the predictions with what became of the items, and sound alarms."""
    return Pipeline(
        [
            Node(
                take_champion,
                inputs=["any_champion", "source_name", "params:scoring"],
                outputs="monitored_champion",
                name="take_champion",
            ),
            Node(
                check_tables,
                inputs=["households", "items", "events", "params:cleaning"],
                outputs=["monitored_households", "monitored_items", "monitored_events", "monitored_counts"],
                name="check_tables",
            ),
            Node(
                leave_out_hindsight,
                inputs=["past_predictions", "expected_performance"],
                outputs="followed_predictions",
                name="leave_out_hindsight",
            ),
            Node(
                match_outcomes,
                inputs=["followed_predictions", "monitored_items", "monitored_events"],
                outputs="outcomes",
                name="match_outcomes",
            ),
            Node(observe_reference, ["outcomes", *_SOURCE], "monitored_observations", name="observe_reference"),
            Node(
                build_features,
                inputs=["monitored_observations", "monitored_households", "monitored_items", "monitored_events"],
                outputs="monitored_features",
                name="build_features",
            ),
            Node(
                measure_drift,
                inputs=["monitored_features", "outcomes", "monitored_champion", "params:monitoring"],
                outputs="change",
                name="measure_drift",
            ),
            Node(
                assemble_monitoring,
                inputs=[
                    *("outcomes", "expected_performance", "followed_predictions", "monitored_items", "change"),
                    *("monitored_champion", "params:monitoring"),
                ],
                outputs="monitoring_metrics",
                name="assemble_monitoring",
            ),
            Node(plot_monitored_weeks, "monitoring_metrics", "plot_monitored_weeks", name="plot_monitored_weeks"),
            Node(plot_monitored_drift, "monitoring_metrics", "plot_monitored_drift", name="plot_monitored_drift"),
            Node(plot_monitored_alerts, "monitoring_metrics", "plot_monitored_alerts", name="plot_monitored_alerts"),
            Node(write_monitoring_report, "monitoring_metrics", "monitoring_report", name="write_monitoring_report"),
            Node(
                write_monitoring_page,
                inputs=["monitoring_metrics", "plot_monitored_weeks", "plot_monitored_drift", "plot_monitored_alerts"],
                outputs="monitoring_page",
                name="write_monitoring_page",
            ),
            Node(summarise_monitoring, "monitoring_metrics", "monitoring_summary", name="summarise_monitoring"),
        ]
    )
