"""Numbers as people say them ("6 days", "4 in 10"), and sentences with them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

Tell = Callable[..., str]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS_TO_MONTHS = 90  # from here on nobody counts days
_HALF = 0.5  # between 0 and 1
_NOTHING = 0.05  # a difference as small as this is none


@dataclass(frozen=True)
class Wording:
    """How a feature is put into words.

    Attributes:
        topic: what it is about; features of one topic say nearly the same.
        tell: returns a sentence for its value, or for the values of ``parts``.
        null: the sentence if there is no value.
        parts: the features that a combined feature is explained by.
    """

    topic: str
    tell: Tell
    null: str
    parts: tuple[str, ...] = ()


def about(topic: str, **wordings: tuple[Tell, str] | tuple[Tell, str, tuple[str, ...]]) -> dict[str, Wording]:
    """Return the wordings of one topic, by feature.

    Args:
        topic: what they are about.
        **wordings: ``tell``, ``null`` and, if there are any, ``parts`` of each feature.
    """
    return {feature: Wording(topic, *wording) for feature, wording in wordings.items()}


def word_by_meaning(meaning: str, topic: str) -> Wording:
    """Return the wording of a feature that has only a meaning, such as "days since it was opened; null if unopened".

    Its sentence is the meaning without remarks, and the value: "Days since it was opened: 6."
    """
    what, _, _ = meaning.partition(";")
    yes_or_no = what.startswith("1 if ")
    what = what.removeprefix("1 if ").partition(", 0 if ")[0] if yes_or_no else what
    subject = what[:1].upper() + what[1:]
    tell_value = either(f"{subject}: yes.", f"{subject}: no.") if yes_or_no else tell(f"{subject}: {{}}.", amount)
    return Wording(topic, tell_value, f"{subject}: unknown.")


def days(number: float) -> str:
    """Write a duration in days: half days if it is short, months if it is long."""
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
    """Write a share in tenths."""
    if share < 0.05:
        return "fewer than 1 in 10"
    return "nearly all" if share > 0.95 else f"{min(max(round(share * 10), 1), 9)} in 10"


def percent(share: float) -> str:
    """Write a share in whole percent."""
    return f"{100 * share:.0f} %"


def amount(number: float) -> str:
    """Write a quantity with at most one decimal."""
    return f"{number:.1f}".removesuffix(".0")


def price(number: float) -> str:
    """Write a price in the currency of the receipts."""
    return f"{number:.2f}"


def times(adverb: str) -> Tell:
    """Return a function that writes a ratio: "twice as long as", for the adverb "long"."""

    def write(ratio: float) -> str:
        if 0.95 <= ratio <= 1.05:
            return f"as {adverb} as"
        return f"{'twice' if 1.95 <= ratio <= 2.05 else f'{ratio:.1f} times'} as {adverb} as"

    return write


def counted(noun: str, at_most: float = math.inf) -> Tell:
    """Return a function that writes a count of things; one that was capped at ``at_most`` is followed by "or more"."""

    def write(number: float) -> str:
        text = f"{amount(number)} or more" if number >= at_most else amount(number)
        return _plural(text, number, noun)

    return write


def weekday(number: float) -> str:
    """Return the name of a weekday; Monday is 0."""
    return WEEKDAYS[int(number) % 7]


def tell(sentence: str, *units: Tell) -> Tell:
    """Return a function that puts values into the blanks of a sentence, each written by its unit."""
    return lambda *values: sentence.format(*(unit(value) for unit, value in zip(units, values, strict=True)))


def either(yes: str, no: str) -> Tell:
    """Return a function that returns one sentence for 1 and another for 0."""
    return lambda value: yes if value >= _HALF else no


def sides(unit: Tell, *, above: str, below: str, near: str) -> Tell:
    """Return a function with a sentence for values above 0, one for values below, and one for values near 0.

    Args:
        unit: writes the absolute value.
        above: the sentence above 0, with a blank for the value.
        below: the sentence below 0, with a blank for the value.
        near: the sentence near 0.
    """
    return lambda value: near if abs(value) < _NOTHING else (above if value > 0 else below).format(unit(abs(value)))


def _plural(text: str, number: float, noun: str) -> str:
    return f"{text} {noun}" if number == 1 else f"{text} {noun}s"
