"""Which functions work household by household, and so on one table as well as on its parts."""

from collections.abc import Callable
from typing import TypeVar

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., object])

PER_HOUSEHOLD: list[Callable[..., object]] = []


def per_household(function: AnyFunction) -> AnyFunction:
    """Mark a pure function of tables whose result for a household depends on that household's rows alone.

    On a plain table it is the function itself. Tests run every marked function on whole tables and on
    parts of them, and compare the bits.
    """
    PER_HOUSEHOLD.append(function)
    return function
