"""promotion_log → decision → moved in the registry."""

from kedro.pipeline import Node, Pipeline

from waste_risk.promotion import decide_rollback
from waste_risk.reporting.console import summarise_promotion


def create_pipeline() -> Pipeline:
    """Return to the champion before the current one; saving the decision moves both."""
    return Pipeline(
        [
            Node(decide_rollback, ["promotion_log", "params:promotion"], "promotion_decision", name="decide_rollback"),
            Node(summarise_promotion, "promotion_decision", "promotion_summary", name="summarise_promotion"),
        ]
    )
