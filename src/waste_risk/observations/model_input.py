"""Mature observations with features, labels and what fairness needs, in the order of time."""

import numpy as np
import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.features.build import KEYS
from waste_risk.history.pantry import places, unique_index

LABELS = ["wasted", "days_to_waste", "label_known_on"]


def assemble_model_input(
    observations: pd.DataFrame, features: pd.DataFrame, households: pd.DataFrame, data_until: pd.Timestamp
) -> pd.DataFrame:
    """Put labels beside the features of the observations whose label is known by the end of the data.

    Adds sensitive_size_group (1, 2, 3-4, 5+), sensitive_children (0, 1+, unknown) and sensitive_income_band, by which
    fairness is judged and which no model sees. Rows are sorted by observed_on, then item_id.

    Raises:
        ContractError: there is no observation, or no label is known yet.
        ValueError: features and observations are not the same looks in the same order, or a household is missing.
    """
    if not observations[KEYS].reset_index(drop=True).equals(features[KEYS].reset_index(drop=True)):
        raise ValueError("features and observations are not the same looks in the same order")
    if observations.empty:
        raise ContractError(
            "observations: must not be empty (0 rows); no item was open when it was looked at, a day or more after its "
            "purchase and before the data end: more items or a longer period are needed"
        )
    if not (observations["label_known_on"] <= data_until).any():
        raise ContractError(
            f"observations.label_known_on: must not always lie after {data_until:%Y-%m-%d}, the last moment on "
            f"record ({len(observations)} of {len(observations)} rows); a longer period is needed"
        )
    columns = [*_columns(features), *_columns(observations[LABELS]), *_columns(_sensitive(observations, households))]
    order = observations.reset_index(drop=True).sort_values(["observed_on", "item_id"], kind="stable").index.to_numpy()
    mature = order[(observations["label_known_on"] <= data_until).to_numpy()[order]]
    return pd.DataFrame({str(column.name): column.take(mature).array for column in columns}, copy=False)


def _columns(frame: pd.DataFrame) -> list[pd.Series]:
    return [frame[name] for name in frame]


def _sensitive(observations: pd.DataFrame, households: pd.DataFrame) -> pd.DataFrame:
    """The groups of each observation's household."""
    row = places(unique_index(households["household_id"]), observations["household_id"])
    if (row < 0).any():
        raise ValueError(f"{(row < 0).sum()} observations are of households that the households table does not hold")
    size, children = households["size"].to_numpy(), households["children"].to_numpy(np.float64, na_value=np.nan)
    has_children = np.where(np.isnan(children), 2, children > 0).astype(np.int64)
    groups = {
        "sensitive_size_group": np.array(["1", "2", "3-4", "5+"])[np.searchsorted([2, 3, 5], size, side="right")],
        "sensitive_children": np.array(["0", "1+", "unknown"])[has_children],
        "sensitive_income_band": households["income_band"].to_numpy(),
    }
    return pd.DataFrame({name: pd.array(values, dtype="str").take(row) for name, values in groups.items()})
