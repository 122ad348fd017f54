"""champion, challenger, test → both on the same rows → decision → moved in the registry."""

from kedro.pipeline import Node, Pipeline

from waste_risk.pipelines.promotion.nodes import compare_contenders, decide_promotion
from waste_risk.reporting.console import summarise_promotion


def create_pipeline() -> Pipeline:
    """Decide whether the challenger replaces the champion; saving the decision moves it."""
    return Pipeline(
        [
            Node(
                compare_contenders,
                inputs={
                    **{name: name for name in ("test", "gate_decision", "champion", "challenger", "reference")},
                    "promotion": "params:promotion",
                },
                outputs="comparisons",
                name="compare_contenders",
            ),
            Node(
                decide_promotion,
                inputs={
                    **{name: name for name in ("comparisons", "gate_decision", "training_run", "promotion_log")},
                    "promotion": "params:promotion",
                },
                outputs="promotion_decision",
                name="decide_promotion",
            ),
            Node(summarise_promotion, "promotion_decision", "promotion_summary", name="summarise_promotion"),
        ]
    )
