"""transactions, receipt_products, demographics → households, purchases → habits → items, events, truth."""

from kedro.pipeline import Node, Pipeline

from waste_risk.reporting.console import summarise_source
from waste_risk.simulation import simulate_consumption
from waste_risk.sources.receipts import infer_habits, read_receipts


def create_pipeline() -> Pipeline:
    """Make the tables of a source whose shopping is real."""
    return Pipeline(
        [
            Node(
                read_receipts,
                inputs=["transactions", "receipt_products", "demographics"],
                outputs=["households", "purchases"],
                name="read_receipts",
            ),
            Node(
                infer_habits,
                inputs=["households", "purchases", "params:data_generation"],
                outputs="habits",
                name="infer_habits",
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
