"""grocy_tables → counts of what is left out → households, items, events."""

from kedro.pipeline import Node, Pipeline

from waste_risk.reporting.console import summarise_grocy
from waste_risk.sources.grocy import count_grocy, read_grocy


def create_pipeline() -> Pipeline:
    """Make the tables of a household that keeps its pantry with Grocy."""
    return Pipeline(
        [
            Node(count_grocy, ["grocy_tables", "params:grocy"], "grocy_counts", name="count_grocy"),
            Node(
                read_grocy,
                inputs=["grocy_tables", "params:grocy", "grocy_counts"],
                outputs=["households", "items", "events"],
                name="read_grocy",
            ),
            Node(summarise_grocy, ["grocy_counts", "items", "events"], "grocy_summary", name="summarise_grocy"),
        ]
    )
