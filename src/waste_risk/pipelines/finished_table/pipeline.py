"""finished_table → model_input."""

from kedro.pipeline import Node, Pipeline

from waste_risk.pipelines.finished_table.nodes import prepare_model_input, summarise_finished_table


def create_pipeline() -> Pipeline:
    """Name the columns of a finished table, and leave out what has no mature label."""
    return Pipeline(
        [
            Node(
                prepare_model_input,
                inputs=["finished_table", "params:columns", "params:observation"],
                outputs=["model_input", "checked_items", "checked_events", "table_counts", "observation_counts"],
                name="prepare_model_input",
            ),
            Node(
                summarise_finished_table,
                inputs=["model_input", "observation_counts", "params:columns", "params:observation"],
                outputs="finished_table_summary",
                name="summarise_finished_table",
            ),
        ]
    )
