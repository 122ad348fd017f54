"""What happened to whom and when, sorted once: any count or sum over a span of time then takes two binary searches.

Owner and second are packed into one integer key. Sums are of integers and differences of running sums, so
they are exact, and the same whatever other owners' rows lie beside an owner's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.arrays import Floats, Integers, Mask

Column = npt.NDArray[np.integer[Any]] | Mask

DAY = 86_400  # seconds
_SECOND_BITS = 33
# Around 1970, 2**32 seconds reach from 1834 to 2106; dates beyond, such as "never expires" in 2999, are clipped.
NEVER = -(2**32)
FOREVER = 2**32 - 1


def to_seconds(times: pd.Series) -> Integers:
    """Convert to whole seconds since 1970, rounded down; NEVER for a missing time."""
    seconds = times.to_numpy().astype("datetime64[s]").astype(np.int64)
    return np.clip(seconds, NEVER, FOREVER - 1)


def divide_by_positive(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Floats:
    """Divide in double precision; NaN where the denominator is zero or negative."""
    top, bottom = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    quotient: Floats = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
    return quotient


def pack(owner: Integers, second: Integers) -> Integers:
    """Return one integer for owner and second that sorts by owner, then by second."""
    key = owner << _SECOND_BITS
    key += second
    key -= NEVER
    return key


class Timeline:
    """Things that happened to owners 0 … n_owners - 1, in order of owner and time, with integer columns.

    Args:
        owner: whom each entry happened to.
        second: when it happened, in seconds since 1970.
        n_owners: how many owners there are.
        columns: what can be summed, by name.
        rows: which rows of the columns belong to the entries; all in their order if not given.
    """

    def __init__(
        self,
        owner: Integers,
        second: Integers,
        n_owners: int,
        columns: Mapping[str, Column],
        rows: Integers | None = None,
    ) -> None:
        keys = pack(owner, second)
        if not (keys[1:] >= keys[:-1]).all():
            order = np.argsort(keys, kind="stable")
            keys, rows = keys[order], order if rows is None else rows[order]
        self.keys, self._rows, self._columns = keys, rows, columns
        self.starts = np.searchsorted(keys, np.arange(n_owners) << _SECOND_BITS)

    @property
    def owner(self) -> Integers:
        """The owner of each entry."""
        owners: Integers = self.keys >> _SECOND_BITS
        return owners

    @property
    def second(self) -> Integers:
        """The second of each entry."""
        return _second(self.keys)

    def column(self, name: str) -> Column:
        """Return a column in the order of the entries."""
        values = self._columns[name]
        return values if self._rows is None else values[self._rows]

    def running(self, name: str) -> Integers:
        """Return the sum of a column over all entries before each position: one more than there are entries."""
        sums = np.zeros(len(self.keys) + 1, dtype=np.int64)
        np.cumsum(self.column(name), dtype=np.int64, out=sums[1:])
        return sums

    def position(self, key: Integers) -> Integers:
        """Return how many entries lie before a key, of this owner and of those with smaller numbers."""
        return np.searchsorted(self.keys, key)

    def before(self, key: Integers) -> "Span":
        """Return the entries of each key's owner before its second."""
        return Span(self, key, self.starts[key >> _SECOND_BITS], self.position(key))

    def between(self, first: Integers, until: Integers) -> "Span":
        """Return the entries of an owner from one key on and before another."""
        start = self.position(first)
        return Span(self, until, start, np.maximum(start, self.position(until)))

    def first(self, flag: Mask) -> Integers:
        """Return the second of each owner's first flagged entry; FOREVER if there is none."""
        keys = self.keys[flag]
        owner = keys >> _SECOND_BITS
        is_first = _differs_from_previous(owner)
        seconds = np.full(len(self.starts), FOREVER)
        seconds[owner[is_first]] = _second(keys[is_first])
        return seconds

    def next(self, key: Integers, flag: Mask) -> Integers:
        """Return the second of the owner's first flagged entry from a moment on; FOREVER if there is none."""
        flagged = np.append(self.keys[flag], np.iinfo(np.int64).max)
        found = flagged[np.searchsorted(flagged, key)]
        return np.where(_same_owner(found, key), _second(found), FOREVER)

    def part(self, first: int, until: int) -> "Timeline":
        """Return the entries of owners from `first` on and before `until`, numbered from 0."""
        start, end = np.searchsorted(self.keys, np.array([first, until]) << _SECOND_BITS)
        entries = slice(start, end)
        rows = None if self._rows is None else self._rows[entries]
        columns = self._columns
        if rows is None:
            columns = {name: column[entries] for name, column in columns.items()}
        keys = self.keys[entries]
        return Timeline((keys >> _SECOND_BITS) - first, _second(keys), until - first, columns, rows)

    def first_of_each(self, unit: int) -> "Timeline":
        """Return the first entry of each owner in each `unit` of seconds."""
        is_first = _differs_from_previous(pack(self.owner, self.second // unit))
        return Timeline(self.owner[is_first], self.second[is_first], len(self.starts), {})


@dataclass(frozen=True)
class Span:
    """A part of a timeline for each of several keys: positions from `first` up to, not including, `last`."""

    timeline: Timeline
    key: Integers
    first: Integers
    last: Integers

    def lately(self, days: int) -> "Span":
        """Return the part that lies within some days before the key."""
        return replace(self, first=self.timeline.position(self.key - days * DAY))

    def count(self) -> Integers:
        """Return the number of entries."""
        return self.last - self.first

    def sum(self, name: str) -> Integers:
        """Return the sum of a column."""
        running = self.timeline.running(name)
        total: Integers = running[self.last] - running[self.first]
        return total

    def mean(self, name: str) -> Floats:
        """Return the mean of a column over the entries; NaN without any."""
        return divide_by_positive(self.sum(name), self.count())

    def earliest(self) -> Integers:
        """Return the second of the first entry; NEVER without any."""
        return self._second_at(self.first)

    def latest(self) -> Integers:
        """Return the second of the last entry; NEVER without any."""
        return self._second_at(self.last - 1)

    def latest_where(self, name: str) -> Integers:
        """Return the second of the last entry with a column above zero; NEVER without any."""
        flag = self.timeline.column(name) > 0
        n_before = np.concatenate([[0], np.cumsum(flag)])[self.last]
        flagged = np.append(self.timeline.keys[flag], -1)[
            n_before - 1
        ]  # without any before it the last, which is nobody's
        return np.where(_same_owner(flagged, self.key), _second(flagged), NEVER)

    def _second_at(self, position: Integers) -> Integers:
        keys = np.append(self.timeline.keys, -1)[position]
        return np.where(self.last > self.first, _second(keys), NEVER)


def _second(key: Integers) -> Integers:
    second = key & ((1 << _SECOND_BITS) - 1)
    second += NEVER
    return second


def _same_owner(one: Integers, other: Integers) -> Mask:
    same: Mask = (one ^ other) >> _SECOND_BITS == 0
    return same


def _differs_from_previous(values: Integers) -> Mask:
    differs: Mask = np.append(True, values[1:] != values[:-1])[: len(values)]
    return differs
