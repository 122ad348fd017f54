"""How templates of pages are found and filled: numbers are written as everywhere, and nothing may be undefined."""

from collections.abc import Callable
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from waste_risk.formatting import (
    format_count,
    format_interval,
    format_number,
    format_percent,
    format_signed,
    join_words,
    make_typographic,
    to_heading,
    to_words,
)


def make_environment(*pages: str) -> Environment:
    """Return an environment of the templates of some pages, such as ``page``; the first page's come first."""
    environment = Environment(
        # By their folders: as packages, they would be imported with all that they compute from.
        loader=ChoiceLoader([PackageLoader("waste_risk.reporting", f"{page}/templates") for page in pages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= _FILTERS
    return environment


def _typographic(function: Callable[..., str], decimals: int) -> Callable[..., str]:
    def format_for_page(number: Any, decimals: int = decimals) -> str:
        return make_typographic(function(number, decimals))

    return format_for_page


_FILTERS: dict[str, Callable[..., str]] = {
    "value": _typographic(format_number, 3),
    "signed": _typographic(format_signed, 3),
    "interval": _typographic(format_interval, 3),
    "percent": _typographic(format_percent, 1),
    "count": format_count,
    "words": to_words,
    "heading": to_heading,
    "listed": join_words,
}
