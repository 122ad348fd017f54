"""A household's own history at three levels: all of it, its categories, its products.

Each level numbers the owners of items and holds their purchases, uses and ends on timelines, built on first use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from waste_risk.arrays import Integers, Mask
from waste_risk.history.pantry import Pantry
from waste_risk.history.timeline import DAY, FOREVER, NEVER, Column, Span, Timeline
from waste_risk.reference.vocabulary import CATEGORIES, usual_waste_permille


@dataclass(frozen=True)
class Level:
    """One way to assign items to histories: the number of the owner of each item.

    Attributes:
        pantry: the items.
        outcomes: what becomes known of each item when it ends.
        owner: of each item.
    """

    pantry: Pantry
    outcomes: Mapping[str, Column]
    owner: Integers

    @cached_property
    def purchases(self) -> Timeline:
        """Lines bought, the item's own included."""
        items = self.pantry.items
        columns: dict[str, Column] = {"cents": items.cents, "priced": items.is_priced}
        return self._of_items(items.bought, columns, items.bought > NEVER)

    @cached_property
    def trips(self) -> Timeline:
        """Days with purchases, each at its first line."""
        return self.purchases.first_of_each(DAY)

    @cached_property
    def emptied(self) -> Timeline:
        """Items of which nothing was left."""
        emptied = self.pantry.emptied
        return self._of_items(emptied, {}, emptied < FOREVER)

    @cached_property
    def ended(self) -> Timeline:
        """Items whose outcome became known: some was thrown away, or nothing was left."""
        return self._of_items(self.pantry.ended, self.outcomes, self.pantry.ended < FOREVER)

    @cached_property
    def uses(self) -> Timeline:
        """Consumptions; the first of each item apart."""
        uses = self.pantry.uses
        columns: dict[str, Column] = {
            "gap": uses.gap,
            "gap_in_life": uses.gap_in_life,
            "share": uses.share,
            "first": uses.is_first,
            "first_gap_in_life": uses.gap_in_life * uses.is_first,
        }
        return Timeline(self.owner[uses.item], uses.second, self._n_owners, columns)

    @cached_property
    def expired(self) -> Timeline:
        """Items whose printed date has come."""
        items = self.pantry.items
        return self._of_items(np.maximum(items.printed, items.bought), {}, items.printed > NEVER)

    @cached_property
    def expired_and_emptied(self) -> Timeline:
        """Items whose printed date has come and of which nothing was left, from the later of the two on."""
        items, emptied = self.pantry.items, self.pantry.emptied
        return self._of_items(np.maximum(items.printed, emptied), {}, (items.printed > NEVER) & (emptied < FOREVER))

    def _of_items(self, second: Integers, columns: Mapping[str, Column], keep: Mask) -> Timeline:
        row = np.flatnonzero(keep)
        return Timeline(self.owner[row], second[row], self._n_owners, columns, row)

    @cached_property
    def _n_owners(self) -> int:
        return int(self.owner.max(initial=-1)) + 1


@dataclass(frozen=True)
class Past:
    """What each observation may know of one level: what lies before the second in its key."""

    level: Level
    key: Integers

    @cached_property
    def purchases(self) -> Span:
        """Lines bought."""
        return self.level.purchases.before(self.key)

    @cached_property
    def ended(self) -> Span:
        """Items that were used up or wasted."""
        return self.level.ended.before(self.key)

    @cached_property
    def uses(self) -> Span:
        """Consumptions."""
        return self.level.uses.before(self.key)

    @cached_property
    def emptied(self) -> Span:
        """Items of which nothing was left."""
        return self.level.emptied.before(self.key)

    @cached_property
    def n_open(self) -> Integers:
        """How many items had been bought and not emptied."""
        return self.purchases.count() - self.emptied.count()


def levels(pantry: Pantry) -> tuple[Level, Level, Level]:
    """Return the levels of households, of categories in a household, and of products in a household."""
    items = pantry.items
    outcomes: dict[str, Column] = {
        "wasted": pantry.first_wasted <= pantry.ended,
        "usual_waste": usual_waste_permille(items.category),
    }
    category = items.household * (len(CATEGORIES) + 2) + (items.category + 1)
    product = pd.factorize(items.household * (items.product.max(initial=0) + 2) + (items.product + 1))[0]
    return Level(pantry, outcomes, items.household), Level(pantry, outcomes, category), Level(pantry, outcomes, product)
