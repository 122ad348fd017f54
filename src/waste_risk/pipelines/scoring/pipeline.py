"""households, items, events, champion → open items at a moment → features → predictions → page."""

from kedro.pipeline import Node, Pipeline

from waste_risk.features import build_features
from waste_risk.observations.observe import open_items
from waste_risk.pipelines.scoring.nodes import estimate_pantry, score_pantry
from waste_risk.reporting.console import summarise_scoring
from waste_risk.reporting.pantry import render_pantry
from waste_risk.scoring import check_records_before, find_as_of, take_champion
from waste_risk.tables.checks import check_tables


def create_pipeline() -> Pipeline:
    """Score all open items with the champion; nothing is trained, and nothing that training made is touched."""
    return Pipeline(
        [
            Node(
                take_champion,
                inputs=["any_champion", "source_name", "params:scoring"],
                outputs="scoring_champion",
                name="take_champion",
            ),
            Node(
                check_tables,
                inputs=["households", "items", "events", "params:cleaning"],
                outputs=["recorded_households", "recorded_items", "recorded_events", "recorded_counts"],
                name="check_tables",
            ),
            Node(find_as_of, ["recorded_items", "recorded_events", "params:scoring"], "as_of", name="find_as_of"),
            Node(
                check_records_before,
                inputs=["households", "items", "events", "as_of", "params:cleaning"],
                outputs=["scoring_households", "scoring_items", "scoring_events"],
                name="check_records_before",
            ),
            Node(open_items, ["scoring_items", "scoring_events", "as_of"], "open_observations", name="open_items"),
            Node(
                build_features,
                inputs=["open_observations", "scoring_households", "scoring_items", "scoring_events"],
                outputs="open_features",
                name="build_features",
            ),
            Node(
                score_pantry,
                inputs=["scoring_champion", "open_features", "earlier_predictions"],
                outputs=["predictions", "current_predictions"],
                name="score_pantry",
            ),
            Node(
                estimate_pantry,
                inputs=["current_predictions", "scoring_items", "scoring_champion", "params:monitoring"],
                outputs="expected_performance",
                name="estimate_pantry",
            ),
            Node(
                render_pantry,
                inputs=[
                    *("current_predictions", "scoring_items", "as_of", "scoring_champion"),
                    *("params:monitoring", "params:scoring"),
                ],
                outputs="pantry_page",
                name="render_pantry",
            ),
            Node(
                summarise_scoring,
                inputs=["current_predictions", "scoring_items", "as_of", "scoring_champion", "params:monitoring"],
                outputs="scoring_summary",
                name="summarise_scoring",
            ),
        ]
    )
