"""params → households, habits → purchases → items, events, truth."""

from kedro.pipeline import Node, Pipeline

from waste_risk.reporting.console import summarise_source
from waste_risk.simulation import simulate_consumption, simulate_households, simulate_shopping


def create_pipeline() -> Pipeline:
    """Make the tables of a source whose truth is known."""
    return Pipeline(
        [
            Node(
                simulate_households,
                inputs="params:data_generation",
                outputs=["households", "habits"],
                name="simulate_households",
            ),
            Node(
                simulate_shopping,
                inputs=["households", "params:data_generation"],
                outputs="purchases",
                name="simulate_shopping",
            ),
            Node(
                simulate_consumption,
                inputs=["households", "habits", "purchases", "params:data_generation"],
                outputs=["items", "events", "truth"],
                name="simulate_consumption",
            ),
            Node(
                summarise_source,
                inputs=["households", "items", "events"],
                outputs="source_summary",
                name="summarise_source",
            ),
        ]
    )
