"""The pipelines: which function gets which dataset. What the functions do is written in the core."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time in UTC, without a time zone, as all times of the project are."""
    return datetime.now(UTC).replace(tzinfo=None)
