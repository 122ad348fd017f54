"""transactions, receipt_products, demographics → households, purchases → finished_table."""

from kedro.pipeline import Node, Pipeline

from waste_risk.observations.repurchase import observe_repurchases
from waste_risk.sources.receipts import read_receipts


def create_pipeline() -> Pipeline:
    """Observe households with what they buy, and label whether they buy it again: nothing is simulated."""
    return Pipeline(
        [
            Node(
                read_receipts,
                inputs=["transactions", "receipt_products", "demographics"],
                outputs=["households", "purchases"],
                name="read_receipts",
            ),
            Node(
                observe_repurchases,
                inputs=["purchases", "households", "params:observation"],
                outputs="finished_table",
                name="observe_repurchases",
            ),
        ]
    )
