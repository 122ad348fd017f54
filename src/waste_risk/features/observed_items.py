"""The items that are observed and what their history held by then, ordered so that history is read fastest."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from waste_risk.arrays import Floats, Integers
from waste_risk.history.levels import Past, levels
from waste_risk.history.pantry import Items, Pantry, places
from waste_risk.history.timeline import DAY, NEVER, Span, Timeline, pack, to_seconds

_ITEMS_AT_ONCE = 2**15


@dataclass(frozen=True)
class ObservedItems:
    """One entry per observation, ordered by household and time.

    Attributes:
        pantry: the tables of these households as arrays.
        household: what the household's history holds before each observation.
        category: the same of the item's category in the household.
        product: the same of the item's product in the household.
        order: the row of each entry's observation in the observations table.
        item: the row of the observed item in `items`.
        second: when it is observed.
    """

    pantry: Pantry
    household: Past
    category: Past
    product: Past
    order: Integers
    item: Integers
    second: Integers

    @property
    def items(self) -> Items:
        """The items table as arrays; take `[observed.item]` of them."""
        return self.pantry.items

    @cached_property
    def age(self) -> Integers:
        """Seconds since the purchase."""
        return self.second - self.items.bought[self.item]

    @cached_property
    def own_uses(self) -> Span:
        """The uses of the item itself."""
        uses = self.pantry.uses
        timeline = Timeline(uses.item, uses.second, len(self.items.bought), {"amount": uses.amount})
        return timeline.before(pack(self.item, self.second))

    @cached_property
    def left(self) -> Integers:
        """Thousandths left of the item."""
        return self.items.amount[self.item] - self.pantry.events.before(pack(self.item, self.second)).sum("removed")

    @cached_property
    def opened(self) -> Integers:
        """The second the item was first opened or used; NEVER if not before the observation."""
        first = self.pantry.first_opened[self.item]
        return np.where(first < self.second, first, NEVER)

    @cached_property
    def last_touch(self) -> Integers:
        """The second the item was last used, or first opened, or else bought."""
        touched = np.maximum(self.own_uses.latest(), self.opened)
        return np.maximum(touched, self.items.bought[self.item])

    def days_since(self, second: Integers) -> Floats:
        """Days from a moment to the observation; NaN if it never came."""
        return np.where(second > NEVER, (self.second - second) / DAY, np.nan)


def read_observed_items(observations: pd.DataFrame, pantry: Pantry) -> Iterator[ObservedItems]:
    """Find the item of each observation, and yield the observed items of some households at a time.

    A household's features need no other household's rows, and arrays that fit the processor's cache are read faster.

    Raises:
        ValueError: an observation's item is not in the items table, or was bought after the observation.
    """
    item, second = places(pantry.item_index, observations["item_id"]), to_seconds(observations["observed_on"])
    if (item < 0).any():
        raise ValueError(f"{(item < 0).sum()} observations are of items that the items table does not hold")
    if (second < pantry.items.bought[item]).any():
        raise ValueError("an observation lies before its item's purchase")
    household = pantry.items.household
    order = np.argsort(pack(household[item], second), kind="stable")
    cuts = np.append(np.unique(household[::_ITEMS_AT_ONCE]), len(pantry.households.size))
    starts = np.searchsorted(household[item[order]], cuts)
    for place in np.flatnonzero(np.diff(starts)):
        rows = order[starts[place] : starts[place + 1]]
        part = pantry.part(cuts[place], cuts[place + 1])
        own, now = item[rows] - np.searchsorted(household, cuts[place]), second[rows]
        of_household, of_category, of_product = (Past(level, pack(level.owner[own], now)) for level in levels(part))
        yield ObservedItems(part, of_household, of_category, of_product, rows, own, now)
