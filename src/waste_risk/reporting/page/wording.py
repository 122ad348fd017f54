"""How numbers are written on the page: the same number of decimals in a column, a true minus, no NaN."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from waste_risk.metrics import Estimate

NOT_AVAILABLE = "n/a"


def value(estimate: Estimate | float | None, decimals: int = 3) -> str:
    """Write a number or the value of an estimate."""
    number = estimate.value if isinstance(estimate, Estimate) else estimate
    return NOT_AVAILABLE if number is None or math.isnan(number) else _decimals(number, decimals)


def signed(estimate: Estimate | float | None, decimals: int = 3) -> str:
    """Write it with its sign, also above zero."""
    text = value(estimate, decimals)
    return text if text == NOT_AVAILABLE or text.startswith("−") or float(text) == 0 else f"+{text}"


def interval(estimate: Estimate | None, decimals: int = 3) -> str:
    """Write both ends of its interval; nothing without one."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return ""
    return f"{_decimals(estimate.low, decimals)} to {_decimals(estimate.high, decimals)}"


def percent(share: Estimate | float | None, decimals: int = 1) -> str:
    """Write a share in percent."""
    number = share.value if isinstance(share, Estimate) else share
    return NOT_AVAILABLE if number is None or math.isnan(number) else f"{_decimals(100 * number, decimals)}\u00a0%"


def count(number: float | None) -> str:
    """Write a whole number with thousands apart."""
    return NOT_AVAILABLE if number is None or math.isnan(number) else f"{number:,.0f}"


def words(name: str) -> str:
    """Make words of a name such as ``household_category_rate``."""
    return name.replace("_", " ")


def heading(name: str) -> str:
    """Make words of a name, the first with a capital."""
    return name[:1].upper() + words(name)[1:]


def listed(names: Sequence[str]) -> str:
    """Join words: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


FILTERS: tuple[Callable[..., Any], ...] = (value, signed, interval, percent, count, words, heading, listed)


def _decimals(number: float, decimals: int) -> str:
    text = f"{number:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.removeprefix("-")
