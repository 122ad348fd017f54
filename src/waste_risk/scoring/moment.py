"""What is scored by whom: the moment, and the champion."""

import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.observations.observe import is_learned_age, latest_record
from waste_risk.parameters import FIRST_DAY, Cleaning, Scoring
from waste_risk.tables.checks import check_tables


def take_champion(any_champion: RegisteredPredictor | None, source_name: str, scoring: Scoring) -> RegisteredPredictor:
    """Return the champion, which is of this source, or of the one that the parameters name.

    Raises:
        ContractError: there is none yet, or it is of another source.
    """
    if any_champion is None:
        raise ContractError("there is no champion yet: run kedro run, then kedro run --pipelines promotion")
    source, wanted = any_champion.source, scoring.champion_source or source_name
    if source != wanted:
        raise ContractError(
            f"the champion, version {any_champion.version} of waste_risk_predictor, is of source {source}, not of "
            f"{wanted}; to score with it all the same, set scoring.champion_source={source}"
        )
    return any_champion._replace(is_lent=source != source_name)


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
    """Return until when the outcomes lie that the champion was trained on; items scored before may be among them.

    One of another source knows no outcome of this one: for it, that is before all records.
    """
    return pd.Timestamp(FIRST_DAY) if champion.is_lent else champion.predictor.metadata.labels_known_on


def count_older(purchased_on: pd.Series, as_of: pd.Timestamp, max_age_days: int) -> int:
    """Count the items that are older at a moment than any that models learn from."""
    return int((~is_learned_age(as_of - purchased_on, max_age_days)).sum())
