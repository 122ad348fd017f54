"""households, items, events → rows of PantryPal's tables → an empty PostgreSQL database."""

from kedro.pipeline import Node, Pipeline

from waste_risk.reporting.console import summarise_source
from waste_risk.sources.pantrypal_seed import seed_pantrypal


def create_pipeline() -> Pipeline:
    """Convert the simulated tables and write them; the only pipeline that writes to a database of PantryPal's."""
    return Pipeline(
        [
            Node(
                seed_pantrypal,
                inputs=["households", "items", "events", "pantrypal_schema"],
                outputs="pantrypal_database",
                name="seed_pantrypal",
            ),
            Node(summarise_source, ["households", "items", "events"], "seed_summary", name="summarise_source"),
        ]
    )
