"""finished_table, any_champion → rows without a label → scored_rows."""

from kedro.pipeline import Node, Pipeline

from waste_risk.observations.finished_table import find_open_rows
from waste_risk.pipelines.table_scoring.nodes import score_open_rows, summarise_table_scoring
from waste_risk.scoring import take_champion


def create_pipeline() -> Pipeline:
    """Score all rows without a label with the champion; nothing is trained."""
    return Pipeline(
        [
            Node(
                take_champion,
                inputs=["any_champion", "source_name", "params:scoring"],
                outputs="scoring_champion",
                name="take_champion",
            ),
            Node(
                find_open_rows,
                inputs=["finished_table", "params:columns", "params:observation"],
                outputs="open_rows",
                name="find_open_rows",
            ),
            Node(score_open_rows, ["scoring_champion", "open_rows"], "scored_rows", name="score_open_rows"),
            Node(
                summarise_table_scoring,
                inputs=["scored_rows", "scoring_champion"],
                outputs="table_scoring_summary",
                name="summarise_table_scoring",
            ),
        ]
    )
