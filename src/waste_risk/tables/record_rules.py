"""What must hold between households, items and events: how the rows that break a rule are found, and how repaired."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from waste_risk.parameters import Cleaning

THOUSANDTHS = 1_000  # quantities are compared as whole thousandths: sums of floats depend on their order
ENDS = ("consumed", "wasted")

# Isolated are the records of fewer than three households (of many, of fewer than one in a hundred) that go on after
# all others' end for more than two weeks, since weekly shopping may miss one, and for long beside how others end.
_FEW, _SHARE, _NEAR_DAYS = 3, 100, 14
_FURTHER_IN, _TIMES = 3, 5

Mask = Any  # an array of booleans, one for each row
Integers = Any


@dataclass(frozen=True)
class Records:
    """Items and events, with the household ids that are known, and for each event the row of its item, -1 for none."""

    household_ids: pd.Series
    items: pd.DataFrame
    events: pd.DataFrame
    item_row: Integers


@dataclass(frozen=True)
class Rule:
    """One thing that must hold; ``name`` is its field of ``Cleaning``."""

    name: str
    table: str
    column: str
    says: str
    find: Callable[[Records, Cleaning], Mask]
    repair: Callable[[Records, Mask], Records] | None = None


def without_events(records: Records, rows: Mask) -> Records:
    """Leave events out."""
    return replace(records, events=records.events[~rows].reset_index(drop=True), item_row=records.item_row[~rows])


def without_items(records: Records, rows: Mask) -> Records:
    """Leave items out, and their events with them."""
    gone = np.append(rows, False)[records.item_row]  # -1 is the last
    left = without_events(records, gone)
    new_row = np.append(np.cumsum(~rows) - 1, -1)
    return replace(left, items=records.items[~rows].reset_index(drop=True), item_row=new_row[left.item_row])


def _is_of_unknown_household(records: Records, _: Cleaning) -> Mask:
    return ~records.items["household_id"].isin(records.household_ids).to_numpy()


def _is_purchase_outside_the_period(records: Records, cleaning: Cleaning) -> Mask:
    """Apart from most purchases by a gap in those of all households that is too long to be one, or isolated."""
    days = _day(records.items["purchased_on"])
    recorded, index, n_items = np.unique(days, return_inverse=True, return_counts=True)
    is_gap = np.diff(recorded, prepend=recorded[:1]) > np.timedelta64(cleaning.max_gap_days, "D")
    period = np.cumsum(is_gap)
    apart = (period != np.bincount(period, n_items, minlength=1).argmax())[index]
    kept = _household_days(records.items[~apart], "purchased_on")
    first, last = -_last_day(kept.assign(day=-kept["day"])), _last_day(kept)
    day = days.astype("int64")
    return apart | (day < first) | (day > last)


def _is_of_unknown_item(records: Records, _: Cleaning) -> Mask:
    return records.item_row < 0


def _is_of_other_household(records: Records, _: Cleaning) -> Mask:
    return records.events["household_id"].to_numpy() != _of_item(records, "household_id")


def _is_event_outside_the_period(records: Records, cleaning: Cleaning) -> Mask:
    days = _day(records.events["occurred_on"])
    last = _day(records.items["purchased_on"]).max(initial=np.datetime64("1970-01-01", "D"))
    apart = days > last + np.timedelta64(cleaning.max_gap_days, "D")
    kept = [_household_days(records.items, "purchased_on"), _household_days(records.events[~apart], "occurred_on")]
    return apart | (days.astype("int64") > _last_day(pd.concat(kept)))


def _household_days(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The household and the day since 1970 of each record."""
    return pd.DataFrame({"household_id": table["household_id"], "day": _day(table[column]).astype("int64")})


def _last_day(household_days: pd.DataFrame) -> int:
    """The last day on record, but for a few households' whose last records are far from those of all others.

    Where households are few, a household's days are taken one by one, as if each were of another.
    """
    ends = household_days.groupby("household_id", sort=False)["day"].max()
    if len(ends) < _FURTHER_IN * _FEW:
        ends = household_days.drop_duplicates()["day"]
    days = np.sort(ends.to_numpy())[::-1]
    few = max(_FEW, len(days) // _SHARE)
    if len(days) < _FURTHER_IN * few:
        return int(days.max(initial=np.iinfo("int64").min))
    # How thinly they lie further in says how far apart they may lie at the end.
    usual, further_in = days[few - 1], days[_FURTHER_IN * few - 1]
    return int(days[days <= usual + max(_NEAR_DAYS, _TIMES * (usual - further_in))].max())


def _is_duplicate(records: Records, _: Cleaning) -> Mask:
    """The same as an event before; without a time of day, two equal events may both have happened."""
    events = records.events
    keys = {
        "item": records.item_row,
        "kind": pd.factorize(events["kind"])[0],
        "quantity": events["quantity"].to_numpy(),
        "moment": events["occurred_on"].to_numpy(),
    }
    has_time = events["occurred_on"].to_numpy() != _day(events["occurred_on"])
    return pd.DataFrame(keys).duplicated().to_numpy() & has_time


def _is_before_purchase(records: Records, _: Cleaning) -> Mask:
    # By days, since one of the two times may have no time of day.
    return _day(records.events["occurred_on"]) < _of_item(records, "purchased_on").astype("datetime64[D]")


def _move_to_purchase(records: Records, rows: Mask) -> Records:
    moved = np.where(rows, _of_item(records, "purchased_on"), records.events["occurred_on"].to_numpy())
    return replace(records, events=records.events.assign(occurred_on=moved))


def _expires_before_purchase(records: Records, _: Cleaning) -> Mask:
    return _day(records.items["expires_on"]) < _day(records.items["purchased_on"])  # false for NaT


def _forget_expiry(records: Records, rows: Mask) -> Records:
    return replace(records, items=records.items.assign(expires_on=records.items["expires_on"].mask(rows)))


def _is_overdrawn(records: Records, _: Cleaning) -> Mask:
    """Whether more was taken from an item than was bought, beyond the rounding of each event to thousandths."""
    taken = _is_end(records)
    row = records.item_row[taken]
    used = _sum_by(row, _thousandths(records.events["quantity"])[taken], len(records.items))
    rounding = 1 + np.bincount(row, minlength=len(records.items))
    return used > _available(records) + rounding


def _cap(records: Records, rows: Mask) -> Records:
    """Let each event take what those before it left, in order of time; an event that finds nothing is dropped.

    Only the past decides about an event's quantity, so that a look in between sees nothing of the future.
    """
    events = records.events
    at = np.flatnonzero(_is_end(records) & rows[records.item_row])
    amount, is_waste = _thousandths(events["quantity"]), (events["kind"] == "wasted").to_numpy()
    keys = (amount, is_waste, events["occurred_on"].to_numpy(), records.item_row)
    at = at[np.lexsort([key[at] for key in keys])]
    row, wanted = records.item_row[at], amount[at]
    before = np.cumsum(wanted) - wanted
    left = _available(records)[row] - (before - before[np.searchsorted(row, row)])
    is_short = wanted > left
    quantity = events["quantity"].to_numpy().copy()
    quantity[at[is_short]] = np.maximum(left[is_short], 0) / THOUSANDTHS
    capped = replace(records, events=events.assign(quantity=quantity))
    return without_events(capped, np.isin(np.arange(len(events)), at[is_short & (left <= 0)]))


def _available(records: Records) -> Integers:
    """Thousandths bought, and found later by corrections."""
    is_correction = (records.events["kind"] == "corrected").to_numpy()
    found = np.maximum(_thousandths(records.events["quantity"])[is_correction], 0)
    return _thousandths(records.items["quantity"]) + _sum_by(records.item_row[is_correction], found, len(records.items))


def _is_end(records: Records) -> Mask:
    return records.events["kind"].isin(ENDS).to_numpy()


def _of_item(records: Records, column: str) -> Any:
    return records.items[column].to_numpy()[records.item_row]


def _thousandths(quantities: pd.Series) -> Integers:
    return np.rint(quantities.to_numpy() * THOUSANDTHS).astype("int64")


def _sum_by(row: Integers, amounts: Integers, size: int) -> Integers:
    totals = np.zeros(size, dtype="int64")
    np.add.at(totals, row, amounts)
    return totals


def _day(times: pd.Series) -> Any:
    return times.to_numpy().astype("datetime64[D]")


# In this order: each rule may rely on those before it.
RULES = (
    Rule("items_of_unknown_households", "items", "household_id", "must be a household", _is_of_unknown_household),
    Rule(
        "items_outside_the_period",
        "items",
        "purchased_on",
        "must lie in the period of most purchases",
        _is_purchase_outside_the_period,
    ),
    Rule("events_of_unknown_items", "events", "item_id", "must be an item", _is_of_unknown_item),
    Rule("events_of_other_households", "events", "household_id", "must be the item's", _is_of_other_household),
    Rule(
        "events_outside_the_period",
        "events",
        "occurred_on",
        "must not lie long after the other records",
        _is_event_outside_the_period,
    ),
    Rule("duplicate_events", "events", "occurred_on", "must not repeat an event to the second", _is_duplicate),
    Rule(
        "events_before_purchase",
        "events",
        "occurred_on",
        "must not lie before the purchase",
        _is_before_purchase,
        _move_to_purchase,
    ),
    Rule(
        "items_expiring_before_purchase",
        "items",
        "expires_on",
        "must not lie before the purchase",
        _expires_before_purchase,
        _forget_expiry,
    ),
    Rule(
        "items_eaten_more_than_bought",
        "items",
        "quantity",
        "must cover what was eaten and wasted",
        _is_overdrawn,
        _cap,
    ),
)
