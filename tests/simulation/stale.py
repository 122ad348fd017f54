"""Compare a generated page with what would be generated now: figures may differ by one in their last digit."""

import re
from itertools import zip_longest

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def differences(page: str, fresh: str) -> list[str]:
    """The lines of the page (or of the fresh one, where the page ends early) that are stale."""
    pairs = zip_longest(page.splitlines(), fresh.splitlines())
    return [old if old is not None else new for old, new in pairs if not _same(old or "", new or "")]


def _same(old: str, new: str) -> bool:
    if _NUMBER.sub("#", old) != _NUMBER.sub("#", new):
        return False
    return all(_close(a, b) for a, b in zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True))


def _close(old: str, new: str) -> bool:
    # Trailing zeros are not printed, so the finer of the two says what the last digit is.
    digits = max(len(number.partition(".")[2]) for number in (old, new))
    return abs(float(old.replace(",", "")) - float(new.replace(",", ""))) < 1.5 * 10**-digits
