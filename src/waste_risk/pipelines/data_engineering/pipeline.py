"""households, items, events → checked tables → observations → features → model_input."""

from kedro.pipeline import Node, Pipeline

from waste_risk.features import build_features
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.reporting.console import count_observations, summarise_observations
from waste_risk.tables.checks import check_tables


def create_pipeline() -> Pipeline:
    """Check the tables, observe the items, and build features and labels of each observation."""
    return Pipeline(
        [
            Node(
                check_tables,
                inputs=["households", "items", "events", "params:cleaning"],
                outputs=["checked_households", "checked_items", "checked_events", "table_counts"],
                name="check_tables",
            ),
            Node(latest_record, inputs=["checked_items", "checked_events"], outputs="data_until", name="latest_record"),
            Node(
                observe_items,
                inputs=[
                    "checked_items",
                    "checked_events",
                    "params:observation",
                    "data_until",
                    "params:observed_period",
                ],
                outputs="observations",
                name="observe_items",
            ),
            Node(
                build_features,
                inputs=["observations", "checked_households", "checked_items", "checked_events"],
                outputs="features",
                name="build_features",
            ),
            Node(
                assemble_model_input,
                inputs=["observations", "features", "checked_households", "data_until"],
                outputs="model_input",
                name="assemble_model_input",
            ),
            Node(
                count_observations,
                inputs=["observations", "model_input"],
                outputs="observation_counts",
                name="count_observations",
            ),
            Node(
                summarise_observations,
                inputs=["observation_counts", "params:observation"],
                outputs="observation_summary",
                name="summarise_observations",
            ),
        ]
    )
