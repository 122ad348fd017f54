"""Numbers and names as people read them."""

import math

import pytest

from waste_risk import formatting as write
from waste_risk.metrics import Estimate


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (write.format_number(0.12345), "0.1235"),
        (write.format_number(0.12345, 3), "0.123"),
        (write.format_number(Estimate(-0.5), 1), "-0.5"),
        (write.format_number(-0.0001, 3), "0.000"),
        (write.format_number(None), "n/a"),
        (write.format_number(math.nan), "n/a"),
        (write.format_signed(0.5, 1), "+0.5"),
        (write.format_signed(-0.5, 1), "-0.5"),
        (write.format_signed(0.00001), "0.0000"),
        (write.format_signed(None), "n/a"),
        (write.format_interval(Estimate(0.5, -0.1, 0.6), 1), "-0.1 to 0.6"),
        (write.format_interval(Estimate(0.5)), ""),
        (write.format_interval(Estimate(0.5, math.nan, 0.6)), ""),
        (write.format_interval(Estimate(0.5), missing="n/a"), "n/a"),
        (write.format_interval(None), ""),
        (write.format_percent(0.123), "12.3 %"),
        (write.format_percent(Estimate(0.95), 0), "95 %"),
        (write.format_percent(None), "n/a"),
        (write.format_count(1_234.0), "1,234"),
        (write.format_count(None), "n/a"),
        (write.count_noun(1, "time"), "1 time"),
        (write.count_noun(1_003, "time"), "1,003 times"),
        (write.format_limit(0.8), "0.80"),
        (write.format_limit(0.875), "0.875"),
        (write.format_beside(0.849996, 0.85), "0.849996"),
        (write.format_beside(0.85, 0.85), "0.8500"),
        (write.make_typographic("-0.1 to 12.3 %"), "−0.1 to 12.3\u00a0%"),
        (write.to_words("days_left_clock"), "days left clock"),
        (write.to_heading("days_left_clock"), "Days left clock"),
        (write.join_words([]), ""),
        (write.join_words(["a"]), "a"),
        (write.join_words(["a", "b", "c"]), "a, b and c"),
    ],
)
def test_numbers_and_names_are_written_so(written: str, text: str) -> None:
    assert written == text
