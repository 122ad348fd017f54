"""Numbers as a household says them ("6 days", "4 of 10"), and sentences with them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

Tell = Callable[..., str]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS_TO_MONTHS = 90  # from here on nobody counts days
_HALF = 0.5  # of 0 and 1
_NOTHING = 0.05  # a difference as small as this is none


@dataclass(frozen=True)
class Wording:
    """How a feature is told.

    Attributes:
        topic: what it is about.
        tell: makes a sentence of its value, or of the values of ``parts``.
        null: the sentence without a value: it is unknown, or there is none yet.
        parts: features that say in plain words what a combined one means.
    """

    topic: str
    tell: Tell
    null: str
    parts: tuple[str, ...] = ()


def about(topic: str, **wordings: tuple[Tell, str] | tuple[Tell, str, tuple[str, ...]]) -> dict[str, Wording]:
    """Give the wordings of one topic, by feature: how each is told, its null, and its parts if it has any."""
    return {feature: Wording(topic, *wording) for feature, wording in wordings.items()}


def days(number: float) -> str:
    """Write a duration: whole days, halves of a short one, months of a long one."""
    if number < 0.75:
        return "less than a day"
    if number >= _DAYS_TO_MONTHS:
        return f"about {number / 30.4:.0f} months"
    rounded = round(2 * number) / 2 if number < 5 else round(number)
    return _plural(amount(rounded), rounded, "day")


def every(number: float) -> str:
    """Write how often something happens, from the days between."""
    if number < 0.75:
        return "more than once a day"
    return "every day" if number < 1.25 else f"every {days(number)}"


def tenths(share: float) -> str:
    """Write a share as so many of 10."""
    if share < 0.05:
        return "fewer than 1 of 10"
    return "nearly all" if share > 0.95 else f"{min(max(round(share * 10), 1), 9)} of 10"


def percent(share: float) -> str:
    """Write a share in whole percent."""
    return f"{100 * share:.0f} %"


def amount(number: float) -> str:
    """Write a quantity with one decimal, if it has any."""
    return f"{number:.1f}".removesuffix(".0")


def price(number: float) -> str:
    """Write a price in the currency of the receipts."""
    return f"{number:.2f}"


def times(ratio: float) -> str:
    """Write how much something is of what is usual."""
    if 0.95 <= ratio <= 1.05:
        return "as much as"
    return f"{ratio:.1f} times as much as"


def counted(noun: str, at_most: float = math.inf) -> Tell:
    """Make a function that writes a count; one that stops at ``at_most`` says "or more" there."""

    def write(number: float) -> str:
        text = _plural(amount(number), number, noun)
        return f"{text} or more" if number >= at_most else text

    return write


def weekday(number: float) -> str:
    """Name a weekday; Monday is 0."""
    return WEEKDAYS[int(number) % 7]


def tell(sentence: str, *units: Tell) -> Tell:
    """Make a function that puts values into a sentence, each written in its unit."""
    return lambda *values: sentence.format(*(unit(value) for unit, value in zip(units, values, strict=True)))


def either(yes: str, no: str) -> Tell:
    """Make a function that tells 1 from 0."""
    return lambda value: yes if value >= _HALF else no


def sides(unit: Tell, *, above: str, below: str, near: str) -> Tell:
    """Make a function with one sentence above 0, one below it with the size of the value, and one near it."""
    return lambda value: near if abs(value) < _NOTHING else (above if value > 0 else below).format(unit(abs(value)))


def _plural(text: str, number: float, noun: str) -> str:
    return f"{text} {noun}" if number == 1 else f"{text} {noun}s"
