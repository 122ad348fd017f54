"""When items are observed, and whether they are thrown away within the horizon after that.

The age at which an item is observed comes from a hash of its id, so it cannot depend on how the item ended.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.arrays import Integers, Mask
from waste_risk.history.pantry import is_waste, places, read_events, unique_index
from waste_risk.history.timeline import DAY, Timeline, pack, to_seconds
from waste_risk.parameters import Observation, ObservedPeriod
from waste_risk.random_streams import FixedSeed, Stream, hash_ids, uniform
from waste_risk.reference.shelf_lives import reference_life
from waste_risk.reference.vocabulary import thousandths


def observe_items(
    items: pd.DataFrame,
    events: pd.DataFrame,
    params: Observation,
    data_until: pd.Timestamp | None = None,
    observed_period: ObservedPeriod | None = None,
) -> pd.DataFrame:
    """Observe each item at `per_item` random ages, if it is then still open, and label what becomes of it.

    An item's observations depend on its own rows alone. Equal ages of an item count once.

    Args:
        items: the items table; rows keep its order, the observations of one item their order in time.
        events: the events table.
        params: horizon of the label, largest age, observations per item.
        data_until: the end of the data; if None, the latest purchase or event. Give it for parts of a table.
            Observations from then on are left out. Those less than the horizon before it are kept, although their
            label may still change (see `label_known_on`).
        observed_period: the first day that is observed; if None, or if it names none, all are.

    Returns:
        item_id, household_id, observed_on, wasted, days_to_waste (null when not wasted), label_known_on.

    Raises:
        ValueError: an item_id occurs twice.
    """
    row, day = _draw_observations(items, params)
    history = read_events(unique_index(items["item_id"]), events)
    end = data_until if data_until is not None else latest_record(items, events)
    observed_on = day.astype("datetime64[D]")
    keep = _is_open(items, history, row, day * DAY) & (observed_on < end.to_datetime64())
    if observed_period is not None and observed_period.starts_on is not None:
        keep &= observed_on >= np.datetime64(observed_period.starts_on)
    return _labeled(_keys(items, row[keep], observed_on[keep]), history, row[keep], params.horizon_days)


def open_items(items: pd.DataFrame, events: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Observe, without labels, every item that was bought before a moment and not emptied by then.

    Args:
        items: the items table.
        events: the events table.
        as_of: the moment; only events before it count.

    Returns:
        item_id, household_id, observed_on, in the order of the items table: what is scored.

    Raises:
        ValueError: an item_id occurs twice.
    """
    moment = pd.Series([as_of], dtype="datetime64[us]")
    row = np.arange(len(items))
    history = read_events(unique_index(items["item_id"]), events)
    second = np.repeat(to_seconds(moment), len(items))
    row = row[_is_open(items, history, row, second) & (to_seconds(items["purchased_on"]) < second)]
    return _keys(items, row, np.repeat(moment.to_numpy(), len(row)))


def label_items(
    observations: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, horizon_days: int
) -> pd.DataFrame:
    """Label observations with what became of their items, as `observe_items` does.

    Args:
        observations: with ``item_id`` and ``observed_on``; other columns are kept.
        items: the items table.
        events: the events table.
        horizon_days: waste counts within so many days of the observation.

    Returns:
        the observations with wasted, days_to_waste (null when not wasted), label_known_on. A label that is known later
        than the end of the data may still change.

    Raises:
        ValueError: an item_id occurs twice among the items, or an observed one is not there.
    """
    index = unique_index(items["item_id"])
    row = places(index, observations["item_id"])
    if (row < 0).any():
        raise ValueError(f"{(row < 0).sum()} observations are of items that the items table does not hold")
    return _labeled(observations, read_events(index, events), row, horizon_days)


def is_learned_age(age: pd.Series, max_age_days: int | pd.Series) -> pd.Series:
    """Return whether items of such an age are among those that models learn from: up to so many days old."""
    return age <= pd.to_timedelta(max_age_days, unit="D")


def latest_record(items: pd.DataFrame, events: pd.DataFrame) -> pd.Timestamp:
    """Return the latest purchase or event: what happened after it is unknown. NaT of empty tables."""
    latest: pd.Timestamp = pd.Index([items["purchased_on"].max(), events["occurred_on"].max()]).max()
    return latest


def _draw_observations(items: pd.DataFrame, params: Observation) -> tuple[Integers, Integers]:
    """Return the item's row and the day (since 1970) of every observation, in the order of the rows."""
    keys = hash_ids(items["item_id"], FixedSeed.OBSERVATIONS)
    bought = to_seconds(items["purchased_on"]) // DAY
    printed_days = to_seconds(items["expires_on"]) // DAY - bought
    reference_days = reference_life(items)[0].astype(np.int64)
    life_days = np.where(items["expires_on"].notna(), printed_days, reference_days)
    longest = np.clip(life_days, 1, params.max_age_days)
    # The cube puts half of the observations into the first eighth of the life: an alert is worth more early, and later
    # than that too few items are still open. Multiplied out, since a power may differ in the last bit by platform.
    draws = np.stack([uniform(keys, Stream.OBSERVATION_AGE, number) for number in range(params.per_item)], axis=1)
    age = 1 + np.minimum(draws * draws * draws * longest[:, None], longest[:, None] - 1).astype(np.int64)
    age.sort(axis=1)
    is_new = np.diff(age, axis=1, prepend=0) > 0
    row, number = np.nonzero(is_new)
    return row, bought[row] + age[row, number]


def _is_open(items: pd.DataFrame, history: Timeline, row: Integers, second: Integers) -> Mask:
    """Return whether anything is left of an item just before a moment."""
    removed = history.before(pack(row, second)).sum("removed")
    is_left: Mask = thousandths(items["quantity"])[row] > removed
    return is_left


def _keys(items: pd.DataFrame, row: Integers, observed_on: npt.NDArray[np.datetime64]) -> pd.DataFrame:
    keys = items[["item_id", "household_id"]].take(row).reset_index(drop=True)
    return keys.assign(observed_on=observed_on.astype("datetime64[us]"))


def _labeled(observations: pd.DataFrame, history: Timeline, row: Integers, horizon_days: int) -> pd.DataFrame:
    """Add what happened within the horizon, the moment of the observation included."""
    second = to_seconds(observations["observed_on"])
    first = history.next(pack(row, second), is_waste(history))
    wasted = first < second + horizon_days * DAY
    return observations.assign(
        wasted=wasted,
        days_to_waste=np.where(wasted, (first - second) / DAY, np.nan),
        label_known_on=observations["observed_on"] + np.timedelta64(horizon_days, "D"),
    )
