"""The looks at items for which features are made, in the order in which history is read fastest."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from waste_risk.history.levels import Past, levels
from waste_risk.history.pantry import Items, Pantry, places
from waste_risk.history.timeline import DAY, NEVER, Floats, Integers, Span, Timeline, pack, to_seconds

_ITEMS_AT_ONCE = 2**15


@dataclass(frozen=True)
class Looks:
    """One entry per look: the item's row and the second of the look, in the order of household and time."""

    pantry: Pantry
    household: Past
    category: Past
    product: Past
    order: Integers  # the observation's row of each entry
    item: Integers
    second: Integers

    @property
    def items(self) -> Items:
        """The items table as arrays; take `[looks.item]` of them."""
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
        """The second the item was first opened or used; NEVER if that was not before the look."""
        first = self.pantry.first_opened[self.item]
        return np.where(first < self.second, first, NEVER)

    @cached_property
    def last_touch(self) -> Integers:
        """The second the item was last used, or first opened, or else bought."""
        touched = np.maximum(self.own_uses.latest(), self.opened)
        return np.maximum(touched, self.items.bought[self.item])

    def days_since(self, second: Integers) -> Floats:
        """Days from a moment to the look; NaN if it never came."""
        return np.where(second > NEVER, (self.second - second) / DAY, np.nan)


def read_looks(observations: pd.DataFrame, pantry: Pantry) -> Iterator[Looks]:
    """Find the item of each observation, and yield the looks of some households at a time.

    A household's features need no other household's rows, and arrays that fit the processor's cache are read faster.

    Raises:
        ValueError: an observation's item is not in the items table, or was bought after the look.
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
        yield _looks(part, rows, item[rows] - np.searchsorted(household, cuts[place]), second[rows])


def _looks(pantry: Pantry, order: Integers, item: Integers, second: Integers) -> Looks:
    household, category, product = (Past(level, pack(level.owner[item], second)) for level in levels(pantry))
    return Looks(pantry, household, category, product, order, item, second)
