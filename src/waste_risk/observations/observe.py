"""Looks at open items: when each is looked at, and whether it is thrown away within the horizon after that.

The age at the look comes from a hash of the item's id, so it cannot depend on how the item ended.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.history.pantry import is_waste, read_events, unique_index
from waste_risk.history.timeline import DAY, Integers, Timeline, pack, to_seconds
from waste_risk.parameters import Observation
from waste_risk.reference.shelf_lives import reference_life
from waste_risk.reference.vocabulary import thousandths
from waste_risk.simulation.random_streams import FixedSeed, Stream, hash_ids, uniform


def observe_items(
    items: pd.DataFrame, events: pd.DataFrame, params: Observation, data_until: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Look at each item once (or `per_item` times, equal ages counted once), if it is then still open.

    Args:
        items: the items table; rows keep its order, looks at one item their order in time.
        events: the events table.
        params: horizon of the label, latest age of a look, looks per item.
        data_until: where the data end, the latest purchase or event if not given; give it for parts of a table. Looks
            from there on are left out, younger labels than the horizon are kept (see `label_known_on`).

    Returns:
        item_id, household_id, observed_on, wasted, days_to_waste (null when not wasted), label_known_on.

    Raises:
        ValueError: an item_id occurs twice.
    """
    row, day = _looks(items, params)
    history = read_events(unique_index(items["item_id"]), events)
    end = data_until if data_until is not None else latest_record(items, events)
    observed_on = day.astype("datetime64[D]")
    keep = _is_open(items, history, row, day * DAY) & (observed_on < end.to_datetime64())
    return _labelled(_keys(items, row[keep], observed_on[keep]), history, row[keep], params.horizon_days)


def open_items(items: pd.DataFrame, events: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """All items bought before a moment and not emptied by then, looked at in that moment: what scoring scores.

    Returns:
        item_id, household_id, observed_on, in the order of the items table.

    Raises:
        ValueError: an item_id occurs twice.
    """
    moment = pd.Series([as_of], dtype="datetime64[us]")
    row = np.arange(len(items))
    history = read_events(unique_index(items["item_id"]), events)
    second = np.repeat(to_seconds(moment), len(items))
    row = row[_is_open(items, history, row, second) & (to_seconds(items["purchased_on"]) < second)]
    return _keys(items, row, np.repeat(moment.to_numpy(), len(row)))


def latest_record(items: pd.DataFrame, events: pd.DataFrame) -> pd.Timestamp:
    """The latest purchase or event: nothing is known of what happened after it. NaT of empty tables."""
    latest: pd.Timestamp = pd.Index([items["purchased_on"].max(), events["occurred_on"].max()]).max()
    return latest


def _looks(items: pd.DataFrame, params: Observation) -> tuple[Integers, Integers]:
    """The row of the item and the day (since 1970) of every look, in the order of the rows."""
    keys = hash_ids(items["item_id"], FixedSeed.OBSERVATIONS)
    bought = to_seconds(items["purchased_on"]) // DAY
    longest = np.clip(_life_days(items), 1, params.max_age_days)
    # The cube puts half of the looks into the first eighth of the life: a warning is worth more early, and later than
    # that too few items are still open. Multiplied out, since a power may differ in the last bit by platform.
    draws = np.stack([uniform(keys, Stream.OBSERVATION_AGE, look) for look in range(params.per_item)], axis=1)
    age = 1 + np.minimum(draws * draws * draws * longest[:, None], longest[:, None] - 1).astype(np.int64)
    age.sort(axis=1)
    is_new = np.diff(age, axis=1, prepend=0) > 0
    row, look = np.nonzero(is_new)
    return row, bought[row] + age[row, look]


def _life_days(items: pd.DataFrame) -> Integers:
    """Whole days from purchase to the printed date, else to the end of the reference life."""
    printed = to_seconds(items["expires_on"]) // DAY - to_seconds(items["purchased_on"]) // DAY
    reference = reference_life(items)[0].astype(np.int64)
    return np.where(items["expires_on"].notna(), printed, reference)


def _is_open(items: pd.DataFrame, history: Timeline, row: Integers, second: Integers) -> npt.NDArray[np.bool_]:
    """Whether anything is left of an item just before a moment."""
    is_left: npt.NDArray[np.bool_] = thousandths(items["quantity"])[row] > history.before(pack(row, second)).sum(
        "removed"
    )
    return is_left


def _keys(items: pd.DataFrame, row: Integers, observed_on: npt.NDArray[np.datetime64]) -> pd.DataFrame:
    keys = items[["item_id", "household_id"]].take(row).reset_index(drop=True)
    return keys.assign(observed_on=observed_on.astype("datetime64[us]"))


def _labelled(looks: pd.DataFrame, history: Timeline, row: Integers, horizon_days: int) -> pd.DataFrame:
    """Add what happened within the horizon, the moment of the look included."""
    second = to_seconds(looks["observed_on"])
    first = history.next(pack(row, second), is_waste(history))
    wasted = first < second + horizon_days * DAY
    return looks.assign(
        wasted=wasted,
        days_to_waste=np.where(wasted, (first - second) / DAY, np.nan),
        label_known_on=looks["observed_on"] + np.timedelta64(horizon_days, "D"),
    )
