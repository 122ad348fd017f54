"""Steps of finished_table that belong to this pipeline alone."""

import pandas as pd

from waste_risk.features.encoding import SENSITIVE, find_encoding
from waste_risk.formatting import format_percent, join_words
from waste_risk.observations.finished_table import Assembled, assemble_finished_table
from waste_risk.parameters import Columns, Observation
from waste_risk.reporting.console import ObservationCounts
from waste_risk.tables.checks import TableCounts
from waste_risk.tables.contracts import empty_table
from waste_risk.validation.baselines import missing_baselines

Prepared = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, TableCounts, ObservationCounts]


def prepare_model_input(finished_table: pd.DataFrame, columns: Columns, observation: Observation) -> Prepared:
    """Assemble the model input, and count what it was made from.

    Returns:
        the model input; the items and events that a finished table does not have, without rows; the counts.

    Raises:
        ContractError: what a column must hold and does not, in one line.
    """
    assembled = assemble_finished_table(finished_table, columns, observation)
    rows = assembled.model_input
    counts: ObservationCounts = {
        "observations": assembled.n_rows,
        "mature": len(rows),
        "mature_wasted_share": float(rows["wasted"].mean()),
    }
    return rows, empty_table("items"), empty_table("events"), _count(assembled), counts


def _count(assembled: Assembled) -> TableCounts:
    rows = assembled.model_input
    left_out = {"rows_without_label": assembled.n_without_label, "rows_too_new": assembled.n_too_early}
    return {
        "households": rows["household_id"].nunique(),
        "items": rows["item_id"].nunique(),
        "events": 0,
        "items_wasted_share": float(rows.groupby("item_id")["wasted"].any().mean()),
        "data_until": assembled.observed_until.isoformat(),
        "dropped": {name: count for name, count in left_out.items() if count},
        "repaired": {},
    }


def summarise_finished_table(
    model_input: pd.DataFrame, observation_counts: ObservationCounts, columns: Columns, observation: Observation
) -> list[str]:
    """Return how many rows and features there are, and what is left out because the table does not have it."""
    encoding = find_encoding(model_input)
    share = format_percent(observation_counts["mature_wasted_share"])
    lacking = [
        *(["days to waste"] if columns.days is None else []),
        *([] if any(str(name).startswith(SENSITIVE) for name in model_input) else ["fairness"]),
        *(name.replace("_", " ") for name in missing_baselines(model_input)),
    ]
    return [
        f"Table:        {observation_counts['mature']:,} of {observation_counts['observations']:,} rows have a mature "
        f"label, {share} true within {observation.horizon_days} days",
        f"Features:     {len(encoding.names)}, {len(encoding.categorical)} of them text",
        *([f"Left out:     {join_words(lacking)}: the table does not have what they need"] if lacking else []),
    ]
