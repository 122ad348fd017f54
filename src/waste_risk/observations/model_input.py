"""The rows a model learns from: mature observations with features, labels and sensitive attributes."""

import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.features.build import KEYS
from waste_risk.features.encoding import LABELS
from waste_risk.history.pantry import places, unique_index
from waste_risk.reference.sensitive_attributes import SENSITIVE_ATTRIBUTES


def assemble_model_input(
    observations: pd.DataFrame, features: pd.DataFrame, households: pd.DataFrame, data_until: pd.Timestamp
) -> pd.DataFrame:
    """Join features, labels and sensitive attributes of the mature observations.

    Args:
        observations: with labels.
        features: of the same observations, in the same order.
        households: the households table, from which the sensitive attributes follow.
        data_until: the end of the data; an observation is mature if its label is known by then.

    Returns:
        features, labels and a column ``sensitive_…`` for each of SENSITIVE_ATTRIBUTES, sorted by observed_on, then
        item_id.

    Raises:
        ContractError: there is no observation, or none is mature.
        ValueError: features and observations do not have the same keys in the same order, or a household is missing.
    """
    if not observations[KEYS].reset_index(drop=True).equals(features[KEYS].reset_index(drop=True)):
        raise ValueError("features and observations must have the same keys in the same order")
    if observations.empty:
        raise ContractError(
            "observations: must not be empty (0 rows); no item was open when it was observed, a day or more after its "
            "purchase and before the data end: more items or a longer period are needed"
        )
    if not (observations["label_known_on"] <= data_until).any():
        raise ContractError(
            f"observations.label_known_on: must not always lie after {data_until:%Y-%m-%d}, the last moment on "
            f"record ({len(observations)} of {len(observations)} rows); a longer period is needed"
        )
    parts = (features, observations[LABELS], group_households(observations, households))
    columns = [part[name] for part in parts for name in part]
    order = observations.reset_index(drop=True).sort_values(["observed_on", "item_id"], kind="stable").index.to_numpy()
    mature = order[(observations["label_known_on"] <= data_until).to_numpy()[order]]
    return pd.DataFrame({str(column.name): column.take(mature).array for column in columns}, copy=False)


def group_households(observations: pd.DataFrame, households: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of each observation's household: a column for each of SENSITIVE_ATTRIBUTES."""
    row = places(unique_index(households["household_id"]), observations["household_id"])
    if (row < 0).any():
        raise ValueError(f"{(row < 0).sum()} observations are of households that the households table does not hold")
    groups = {attribute.column: attribute.group(households) for attribute in SENSITIVE_ATTRIBUTES}
    return pd.DataFrame({name: pd.array(values, dtype="str").take(row) for name, values in groups.items()})
