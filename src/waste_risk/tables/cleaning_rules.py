"""The cleaning rules: what must hold between households, items and events, and how what breaks it is repaired.

To add a rule, define it here by the function that finds the rows, and add its parameter to `Cleaning` and the YAML.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.arrays import Integers, Mask
from waste_risk.parameters import Cleaning
from waste_risk.reference.vocabulary import thousandths

# Isolated are the records of fewer than three households (of many, of fewer than one in a hundred) that go on after
# all others' end for more than two weeks, since weekly shopping may miss one, and for long beside how others end.
_FEW, _SHARE, _NEAR_DAYS = 3, 100, 14
_FURTHER_IN, _TIMES = 3, 5

Action = Literal["reject", "drop", "repair"]


@dataclass(frozen=True)
class Records:
    """Items and events, with the household ids that are known, and for each event the row of its item, -1 for none."""

    household_ids: pd.Series
    items: pd.DataFrame
    events: pd.DataFrame
    item_row: Integers


@dataclass(frozen=True)
class CleaningRule:
    """One thing that must hold of every item or of every event.

    Attributes:
        name: of the rule, of its parameter in `Cleaning`, and of its count in the report.
        table: "items" or "events".
        column: the one that is named when the rule is broken.
        condition: what must hold, as the end of the error message.
        cause: how such records come about, which decides what is best done about them.
        find: returns the rows that break the rule.
        repair: returns the records with these rows repaired; None if they can only be rejected or dropped.
    """

    name: str
    table: str
    column: str
    condition: str
    cause: str
    find: Callable[[Records, Cleaning], Mask]
    repair: Callable[[Records, Mask], Records] | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """What the parameter may be set to."""
        return ("reject", "drop", "repair") if self.repair else ("reject", "drop")

    def apply(self, action: Action, records: Records, rows: Mask) -> Records:
        """Return the records without the rows that break the rule, or with these repaired."""
        if action == "repair" and self.repair:
            return self.repair(records, rows)
        return _without_items(records, rows) if self.table == "items" else _without_events(records, rows)


# In the order in which they are applied, which is that of their definitions: a rule may rely on those before it.
RULES: dict[str, CleaningRule] = {}


def cleaning_rule(
    place: str, condition: str, *, cause: str, repair: Callable[[Records, Mask], Records] | None = None
) -> Callable[[Callable[[Records, Cleaning], Mask]], CleaningRule]:
    """Define a rule, named after the function, by the function that finds the rows which break it.

    Args:
        place: table and column, as in "items.expires_on".
        condition: see `CleaningRule`, as are the others.
        cause: see there.
        repair: see there.

    Raises:
        TypeError: `Cleaning` has no parameter of this name with the rule's actions.
    """

    def define(find: Callable[[Records, Cleaning], Mask]) -> CleaningRule:
        table, column = place.split(".")
        rule = CleaningRule(find.__name__, table, column, condition, cause, find, repair)
        parameter = Cleaning.model_fields.get(rule.name)
        if parameter is None or get_args(parameter.annotation) != rule.actions:
            raise TypeError(f"Cleaning needs a parameter {rule.name}: Literal{list(rule.actions)}")
        RULES[rule.name] = rule
        return rule

    return define


@cleaning_rule("items.household_id", "must be a household", cause="the table of households was cut off")
def items_of_unknown_households(records: Records, _: Cleaning) -> Mask:
    """Find items whose household is not in the households table."""
    return ~records.items["household_id"].isin(records.household_ids).to_numpy()


@cleaning_rule(
    "items.purchased_on",
    "must lie in the period of most purchases",
    cause="a wrong clock; it would move the end of the data for everyone",
)
def items_outside_the_period(records: Records, cleaning: Cleaning) -> Mask:
    """Find purchases that `max_gap_days` without any purchase separate from most others, and isolated ones."""
    days = _day(records.items["purchased_on"])
    recorded, index, n_items = np.unique(days, return_inverse=True, return_counts=True)
    is_gap = np.diff(recorded, prepend=recorded[:1]) > np.timedelta64(cleaning.max_gap_days, "D")
    period = np.cumsum(is_gap)
    apart = (period != np.bincount(period, n_items, minlength=1).argmax())[index]
    kept = _household_days(records.items[~apart], "purchased_on")
    first, last = -_last_day(kept.assign(day=-kept["day"])), _last_day(kept)
    day = days.astype("int64")
    outside: Mask = apart | (day < first) | (day > last)
    return outside


@cleaning_rule("events.item_id", "must be an item", cause="the user deleted the item, and the app kept its log")
def events_of_unknown_items(records: Records, _: Cleaning) -> Mask:
    """Find events whose item is not in the items table."""
    unknown: Mask = records.item_row < 0
    return unknown


@cleaning_rule("events.household_id", "must be the item's", cause="the records of two households were mixed up")
def events_of_other_households(records: Records, _: Cleaning) -> Mask:
    """Find events that carry another household than their item."""
    another: Mask = records.events["household_id"].to_numpy() != _of_item(records, "household_id")
    return another


@cleaning_rule(
    "events.occurred_on",
    "must not lie long after the other records",
    cause="a wrong clock; it would move the end of the data for everyone",
)
def events_outside_the_period(records: Records, cleaning: Cleaning) -> Mask:
    """Find events more than `max_gap_days` after the last purchase, and isolated ones."""
    days = _day(records.events["occurred_on"])
    last = np.append(_day(records.items["purchased_on"]), np.datetime64("1970-01-01", "D")).max()
    apart = days > last + np.timedelta64(cleaning.max_gap_days, "D")
    kept = [_household_days(records.items, "purchased_on"), _household_days(records.events[~apart], "occurred_on")]
    outside: Mask = apart | (days.astype("int64") > _last_day(pd.concat(kept)))
    return outside


def _household_days(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the household and the day since 1970 of each record."""
    return pd.DataFrame({"household_id": table["household_id"], "day": _day(table[column]).astype("int64")})


def _last_day(household_days: pd.DataFrame) -> int:
    """Return the last day on record, apart from a few households whose last records are far from those of all others.

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


@cleaning_rule(
    "events.occurred_on",
    "must not repeat an event to the second",
    cause="the event was sent twice; equal dates without a time of day may both be right",
)
def duplicate_events(records: Records, _: Cleaning) -> Mask:
    """Find events that equal an earlier row and have a time of day."""
    events = records.events
    keys = {
        "item": records.item_row,
        "kind": pd.factorize(events["kind"])[0],
        "quantity": events["quantity"].to_numpy(),
        "moment": events["occurred_on"].to_numpy(),
    }
    has_time = events["occurred_on"].to_numpy() != _day(events["occurred_on"])
    repeated: Mask = pd.DataFrame(keys).duplicated().to_numpy() & has_time
    return repeated


def _move_to_purchase(records: Records, rows: Mask) -> Records:
    moved = np.where(rows, _of_item(records, "purchased_on"), records.events["occurred_on"].to_numpy())
    return replace(records, events=records.events.assign(occurred_on=moved))


@cleaning_rule(
    "events.occurred_on",
    "must not lie before the purchase",
    cause="the purchase was entered late; the event is moved to it",
    repair=_move_to_purchase,
)
def events_before_purchase(records: Records, _: Cleaning) -> Mask:
    """Find events on a day before their item's purchase; one of the two times may have no time of day."""
    return _day(records.events["occurred_on"]) < _of_item(records, "purchased_on").astype("datetime64[D]")


@cleaning_rule(
    "items.expires_on",
    "must not lie before the purchase",
    cause="a date was mistyped; it becomes unknown",
    repair=lambda records, rows: replace(
        records, items=records.items.assign(expires_on=records.items["expires_on"].mask(rows))
    ),
)
def items_expiring_before_purchase(records: Records, _: Cleaning) -> Mask:
    """Find items whose printed date lies before the day of purchase; a missing date does not."""
    return _day(records.items["expires_on"]) < _day(records.items["purchased_on"])


def _cap_removals(records: Records, rows: Mask) -> Records:
    """Let each event take at most what those before it left, in order of time; drop those that find nothing left.

    Only the past decides about an event's quantity, so that an observation in between knows nothing of the future.
    """
    events = records.events
    at = np.flatnonzero(_is_removal(records) & rows[records.item_row])
    amount, is_waste = thousandths(events["quantity"]), (events["kind"] == "wasted").to_numpy()
    keys = (amount, is_waste, events["occurred_on"].to_numpy(), records.item_row)
    at = at[np.lexsort([key[at] for key in keys])]
    row, wanted = records.item_row[at], amount[at]
    before = np.cumsum(wanted) - wanted
    left = _available(records)[row] - (before - before[np.searchsorted(row, row)])
    is_short = wanted > left
    quantity = events["quantity"].to_numpy().copy()
    quantity[at[is_short]] = np.maximum(left[is_short], 0) / 1000
    capped = replace(records, events=events.assign(quantity=quantity))
    return _without_events(capped, np.isin(np.arange(len(events)), at[is_short & (left <= 0)]))


@cleaning_rule(
    "items.quantity",
    "must cover what was eaten and wasted",
    cause="portions are guessed; each event takes at most what those before it left",
    repair=_cap_removals,
)
def items_eaten_more_than_bought(records: Records, _: Cleaning) -> Mask:
    """Find items of which more was taken than bought, beyond the rounding of each event to thousandths."""
    is_removal = _is_removal(records)
    taken = _total_by_item(records, is_removal, thousandths(records.events["quantity"]))
    rounding = 1 + np.bincount(records.item_row[is_removal], minlength=len(records.items))
    too_much: Mask = taken > _available(records) + rounding
    return too_much


def _available(records: Records) -> Integers:
    """Return the thousandths bought of each item, and found later by corrections."""
    is_correction = (records.events["kind"] == "corrected").to_numpy()
    found = np.maximum(-thousandths(records.events["quantity"]), 0)  # above 0 it is gone, as everywhere
    return thousandths(records.items["quantity"]) + _total_by_item(records, is_correction, found)


def _total_by_item(records: Records, is_meant: Mask, amounts: Integers) -> Integers:
    totals = np.zeros(len(records.items), dtype="int64")
    np.add.at(totals, records.item_row[is_meant], amounts[is_meant])
    return totals


def _is_removal(records: Records) -> Mask:
    return records.events["kind"].isin(("consumed", "wasted")).to_numpy()


def _of_item(records: Records, column: str) -> NDArray[Any]:
    return records.items[column].to_numpy()[records.item_row]


def _day(times: pd.Series) -> NDArray[Any]:
    return times.to_numpy().astype("datetime64[D]")


def _without_events(records: Records, rows: Mask) -> Records:
    return replace(records, events=records.events[~rows].reset_index(drop=True), item_row=records.item_row[~rows])


def _without_items(records: Records, rows: Mask) -> Records:
    """Leave out items with their events."""
    gone = np.append(rows, False)[records.item_row]  # -1 is the last
    left = _without_events(records, gone)
    new_row = np.append(np.cumsum(~rows) - 1, -1)
    return replace(left, items=records.items[~rows].reset_index(drop=True), item_row=new_row[left.item_row])
