"""Tables in Markdown."""

from collections.abc import Sequence

Row = tuple[str, ...]


def table(header: Row, rows: Sequence[Row]) -> str:
    """Write a header and rows of equal length."""
    return "".join(f"| {' | '.join(line)} |\n" for line in [header, ("---",) * len(header), *rows])
