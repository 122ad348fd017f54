"""How numbers and names are written for people, with decimals that the caller gives (a metric's: metrics/catalogue.py).

A minus is ASCII here; ``make_typographic`` turns it into a true one for the page. Zero has no sign.
"""

import math
from collections.abc import Sequence

from waste_risk.metrics import Estimate

NOT_AVAILABLE = "n/a"


def format_number(number: Estimate | float | None, decimals: int = 4) -> str:
    """Return a number, or the value of an estimate, with so many decimals; ``n/a`` if there is none."""
    value = number.value if isinstance(number, Estimate) else number
    if value is None or math.isnan(value):
        return NOT_AVAILABLE
    text = f"{value:.{decimals}f}"
    return text if float(text) else text.removeprefix("-")


def format_signed(number: Estimate | float | None, decimals: int = 4) -> str:
    """Return a number with its sign, also above zero."""
    text = format_number(number, decimals)
    return text if text == NOT_AVAILABLE or float(text) <= 0 else f"+{text}"


def format_interval(estimate: Estimate | None, decimals: int = 4, missing: str = "") -> str:
    """Return both ends of an estimate's interval; without one, the text for what is ``missing``."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return missing
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return missing
    return f"{format_number(estimate.low, decimals)} to {format_number(estimate.high, decimals)}"


def format_percent(share: Estimate | float | None, decimals: int = 1) -> str:
    """Return a share of 1 in percent."""
    value = share.value if isinstance(share, Estimate) else share
    return NOT_AVAILABLE if value is None or math.isnan(value) else f"{format_number(100 * value, decimals)} %"


def format_count(number: float | None) -> str:
    """Return a whole number with its thousands separated."""
    return NOT_AVAILABLE if number is None or math.isnan(number) else f"{number:,.0f}"


def count_noun(number: int, noun: str) -> str:
    """Return a number of things: "1 time", "2 times"."""
    return f"{format_count(number)} {noun}{'' if number == 1 else 's'}"


def format_limit(limit: float) -> str:
    """Return a limit as it was set: with two decimals, or with as many as it has if it has more."""
    return f"{limit:.2f}" if round(limit, 2) == limit else f"{limit:g}"


def format_beside(value: float, limit: float) -> str:
    """Return a value with four decimals, or with more where it would read as its limit and is not.

    So 0.849996 does not read "0.8500 is below 0.85".
    """
    texts = (f"{value:.{decimals}f}" for decimals in range(4, 17))
    return next((text for text in texts if value == limit or float(text) != limit), repr(value))


def make_typographic(text: str) -> str:
    """Return a formatted number with a true minus, and with its percent sign on the same line."""
    return text.replace("-", "−").replace(" %", "\u00a0%")


def to_words(name: str) -> str:
    """Return the words of a name such as ``household_category_rate``."""
    return name.replace("_", " ")


def to_heading(name: str) -> str:
    """Return the words of a name, the first with a capital letter."""
    return name[:1].upper() + to_words(name)[1:]


def join_words(names: Sequence[str]) -> str:
    """Return an enumeration: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
