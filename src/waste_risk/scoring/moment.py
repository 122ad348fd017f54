"""What is scored by whom: the moment, and the champion."""

import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.observations.observe import latest_record
from waste_risk.parameters import Cleaning, Observation, Scoring
from waste_risk.tables.checks import check_tables


def take_champion(champion: RegisteredPredictor | None) -> RegisteredPredictor:
    """Return the champion.

    Raises:
        ContractError: there is none yet.
    """
    if champion is None:
        raise ContractError("there is no champion yet: run kedro run, then kedro run --pipelines promotion")
    return champion


def find_as_of(items: pd.DataFrame, events: pd.DataFrame, scoring: Scoring) -> pd.Timestamp:
    """Return the moment at which items are scored: the configured one, else that of the latest record.

    Raises:
        ContractError: nothing is recorded up to the configured moment.
    """
    latest = latest_record(items, events)
    if scoring.as_of is None:
        return latest
    as_of = pd.Timestamp(scoring.as_of).as_unit("us")
    if as_of > latest:
        raise ContractError(
            f"scoring.as_of is {as_of}, after the latest record of the source at {latest}: what happened in between is "
            "not known; choose an earlier moment, or null for the latest record"
        )
    return as_of


def check_records_before(
    households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, as_of: pd.Timestamp, cleaning: Cleaning
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the three tables as they were at a moment, checked and cleaned.

    They are cut before they are cleaned, since whether a record seems wrong may depend on later ones.

    Args:
        households: the households table.
        items: the items table; kept are those that were bought before the moment.
        events: the events table; likewise, and without those of items that were bought later.
        as_of: the moment.
        cleaning: what is done about records that do not fit each other.

    Raises:
        ContractError: in one line, every broken rule; or nothing was bought before the moment.
    """
    is_bought = items["purchased_on"] < as_of
    is_later = events["item_id"].isin(items.loc[~is_bought, "item_id"])
    past = events[(events["occurred_on"] < as_of) & ~is_later]
    return check_tables(households, items[is_bought], past, cleaning)[:3]


def learned_until(champion: RegisteredPredictor) -> pd.Timestamp:
    """Return until when the outcomes lie that the champion was trained on; items scored before may be among them."""
    metadata = champion.predictor.metadata
    return pd.Timestamp(metadata.observed_until) + pd.Timedelta(days=metadata.horizon_days)


def count_older(purchased_on: pd.Series, as_of: pd.Timestamp, observation: Observation) -> int:
    """Count the items that are older at a moment than any that models learn from."""
    return int((as_of - purchased_on > pd.Timedelta(days=observation.max_age_days)).sum())
