"""The tables as arrays of numbers for words, households, items and moments, converted once for all features."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.arrays import Floats, Integers, Mask
from waste_risk.history.timeline import DAY, NEVER, Timeline, to_seconds
from waste_risk.reference.shelf_lives import lives
from waste_risk.reference.vocabulary import CATEGORIES, EVENT_KINDS, INCOME_BANDS, STORAGES, codes, thousandths

_OPENED, _CONSUMED, _WASTED, _MOVED, _CORRECTED = range(len(EVENT_KINDS))

# Half the memory of int64; seconds between two events, thousandths of a life or of a quantity fit.
Narrow = npt.NDArray[np.int32]
_LARGEST_NARROW = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Items:
    """One entry per row of the items table; quantities in thousandths, money in cents, times and lives in seconds."""

    household: Integers
    category: Integers
    storage: Integers
    product: Integers
    bought: Integers
    printed: Integers  # NEVER without a printed date
    expiry: Integers  # the printed date, else what the reference life says; in a freezer the later of the two
    life: Integers  # from purchase to expiry, a day at least
    reference_days: Floats
    opened_days: Floats
    amount: Integers
    price: Floats
    cents: Integers  # of the line; 0 if the price is unknown
    is_priced: Mask
    on_promotion: Floats


@dataclass(frozen=True)
class Households:
    """One entry per household code: what the household says about itself, NaN or -1 where it says nothing."""

    size: Floats
    children: Floats
    income_band: Integers


@dataclass(frozen=True)
class Uses:
    """One entry per consumption, by item and time: gaps are seconds since the item's use before, or its purchase.

    A use noted before the purchase counts from the purchase on: until then nothing is known of the item.
    """

    item: Integers
    second: Integers
    amount: Integers
    gap: Narrow
    gap_in_life: Narrow  # thousandths of the item's life
    share: Narrow  # thousandths of the quantity bought
    is_first: Mask


@dataclass(frozen=True)
class Pantry:
    """All arrays, items in the order of their households, and what became of each item (FOREVER: not yet)."""

    items: Items
    households: Households
    item_index: pd.Index
    events: Timeline  # owner: item; columns: kind, amount, removed

    def part(self, first: int, until: int) -> "Pantry":
        """Return the pantry of consecutive households, as if the tables held only those; numbers start again from 0."""
        start, end = np.searchsorted(self.items.household, [first, until])
        items = {field.name: getattr(self.items, field.name)[start:end] for field in fields(Items)}
        households = {field.name: getattr(self.households, field.name)[first:until] for field in fields(Households)}
        return Pantry(
            items=Items(**items | {"household": items["household"] - first}),
            households=Households(**households),
            item_index=self.item_index[start:end],
            events=self.events.part(start, end),
        )

    @cached_property
    def first_opened(self) -> Integers:
        """The second an item was first opened or used, not before its purchase."""
        kind = self.events.column("kind")
        return np.maximum(self.events.first((kind == _OPENED) | (kind == _CONSUMED)), self.items.bought)

    @cached_property
    def first_moved(self) -> Integers:
        """The second an item was first moved."""
        return self.events.first(self.events.column("kind") == _MOVED)

    @cached_property
    def first_wasted(self) -> Integers:
        """The second some of an item was first thrown away."""
        return self.events.first(is_waste(self.events))

    @cached_property
    def emptied(self) -> Integers:
        """The second nothing was left of an item, not before its purchase."""
        events = self.events
        removed = events.running("removed")
        is_empty = removed[1:] >= (removed[events.starts] + self.items.amount)[events.owner]
        # Only the last entry of a second counts: what is left after it does not depend on the order of rows.
        is_empty[:-1] &= events.keys[1:] != events.keys[:-1]
        return np.maximum(events.first(is_empty), self.items.bought)

    @cached_property
    def ended(self) -> Integers:
        """The second an item's outcome was known: some thrown away, or nothing left; not before its purchase."""
        return np.maximum(np.minimum(self.first_wasted, self.emptied), self.items.bought)

    @cached_property
    def uses(self) -> Uses:
        """Every consumption, in the order of items and time."""
        is_use = self.events.column("kind") == _CONSUMED
        item = self.events.owner[is_use]
        bought = self.items.bought[item]
        second = np.maximum(self.events.second[is_use], bought)
        amount = self.events.column("amount")[is_use].astype(np.int64, copy=False)
        is_first = np.append(True, item[1:] != item[:-1])[: len(item)]
        gap = np.minimum(second - np.where(is_first, bought, np.roll(second, 1)), _LARGEST_NARROW)
        gap_in_life = np.minimum(gap * 1000 // self.items.life[item], _LARGEST_NARROW).astype(np.int32)
        share = np.clip(amount * 1000 // np.maximum(self.items.amount, 1)[item], 0, 1000).astype(np.int32)
        return Uses(item, second, amount, gap.astype(np.int32), gap_in_life, share, is_first)


def read_pantry(households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame) -> Pantry:
    """Convert tables to arrays; events of items that the items table does not hold are left out.

    Raises:
        ValueError: an item_id or household_id occurs twice.
    """
    household, household_ids = pd.factorize(items["household_id"])
    if (household[1:] < household[:-1]).any():
        order = np.argsort(household, kind="stable")
        household, items = household[order], items.take(order)
    index = unique_index(items["item_id"])
    return Pantry(
        items=_items(items, household),
        households=_households(households, household_ids),
        item_index=index,
        events=read_events(index, events),
    )


def unique_index(ids: pd.Series) -> pd.Index:
    """Return an index that finds rows by id.

    Raises:
        ValueError: an id occurs twice.
    """
    index: pd.Index = pd.Index(ids)
    if not index.is_unique:
        raise ValueError(f"{ids.name} is not unique")
    return index


def places(index: pd.Index, ids: pd.Series) -> Integers:
    """Return the place of each id in an index; -1 where it is not."""
    return np.asarray(index.get_indexer(pd.Index(ids)), dtype=np.int64)


def read_events(index: pd.Index, events: pd.DataFrame) -> Timeline:
    """Return the events of known items on one timeline: the owner is the item's row, `removed` what was taken."""
    item = places(index, events["item_id"])
    kind = codes(events["kind"], EVENT_KINDS).astype(np.int8)
    amount, second = thousandths(events["quantity"]), to_seconds(events["occurred_on"])
    if (item < 0).any():
        known = item >= 0
        item, kind, amount, second = item[known], kind[known], amount[known], second[known]
    removes = (kind == _CONSUMED) | (kind == _WASTED) | (kind == _CORRECTED)
    return Timeline(item, second, len(index), {"kind": kind, "amount": amount, "removed": amount * removes})


def is_waste(history: Timeline) -> Mask:
    """Return which events of a timeline are waste."""
    flag: Mask = history.column("kind") == _WASTED
    return flag


def _items(items: pd.DataFrame, household: Integers) -> Items:
    bought, printed = to_seconds(items["purchased_on"]), to_seconds(items["expires_on"])
    category, storage = codes(items["category"], CATEGORIES), codes(items["storage"], STORAGES)
    product, products = pd.factorize(items["product"])
    unopened_days, opened_days = lives(product, products, category, storage)
    by_reference = bought + np.rint(unopened_days * DAY).astype(np.int64)
    # The date printed for the shelf does not end the life of what is frozen.
    by_label = np.where(storage == STORAGES.index("freezer"), np.maximum(printed, by_reference), printed)
    expiry = np.where(printed > NEVER, by_label, by_reference)
    price, amount = _floats(items["unit_price"]), thousandths(items["quantity"])
    return Items(
        household=household,
        category=category,
        storage=storage,
        product=product,
        bought=bought,
        printed=printed,
        expiry=expiry,
        life=np.maximum(expiry - bought, DAY),
        reference_days=unopened_days,
        opened_days=opened_days,
        amount=amount,
        price=price,
        cents=np.rint(np.nan_to_num(price) * amount / 10).astype(np.int64),
        is_priced=~np.isnan(price),
        on_promotion=_floats(items["on_promotion"]),
    )


def _households(households: pd.DataFrame, ids: pd.Index) -> Households:
    """Return the rows of the given households, and nulls for one that the table lacks."""
    row = places(unique_index(households["household_id"]), ids.to_series())
    return Households(
        size=np.append(_floats(households["size"]), np.nan)[row],
        children=np.append(_floats(households["children"]), np.nan)[row],
        income_band=np.append(codes(households["income_band"], INCOME_BANDS), -1)[row],
    )


def _floats(values: pd.Series) -> Floats:
    return values.to_numpy(np.float64, na_value=np.nan)
