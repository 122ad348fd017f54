"""The simulator's marginals hold, tier by tier; a source that is off is found out; and the page about it is fresh."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from marginal_measures import SimulatedRecords, simulate_records
from marginals import TOPICS, compare
from pages import render_features, render_simulator
from stale import differences

DOCS = Path(__file__).parents[2] / "docs"
TIERS = ("structure", "core", "band")


@pytest.fixture(scope="module")
def records() -> SimulatedRecords:
    return simulate_records()


@pytest.fixture(scope="module")
def figures(records: SimulatedRecords) -> pd.DataFrame:
    return compare(records).set_index("topic")


@pytest.mark.parametrize("tier", TIERS)
def test_every_figure_holds_within_its_tier(figures: pd.DataFrame, tier: str) -> None:
    of_tier = figures.loc[[topic.title for topic in TOPICS if topic.tier == tier]]
    assert of_tier[~of_tier["holds"]].to_dict("records") == []


def test_structure_leaves_no_room_and_core_less_than_band() -> None:
    for relative in (False, True):
        tolerance = {tier: [t.tolerance for t in TOPICS if t.tier == tier and t.relative == relative] for tier in TIERS}
        assert set(tolerance["structure"]) <= {0}
        assert 0 < max(tolerance["core"]) <= 0.05
        assert max(tolerance["core"]) < max(tolerance["band"])


def test_another_source_than_the_facts_is_found_out(records: SimulatedRecords) -> None:
    """Households of seven, half of the trips, three lines on each, one unit more in a line, all at twice the price."""
    purchases = records.purchases.assign(
        unit_price=records.purchases["unit_price"] * 2, quantity=records.purchases["quantity"] + 1, on_promotion=False
    )
    other = records._replace(
        households=records.households.assign(size=7),
        baskets=records.baskets.iloc[::2].assign(lines=3),
        purchases=purchases,
    )
    figures = compare(other)
    broken = Counter(figures.loc[~figures["holds"], "topic"])
    expected = [
        "What must never be",
        "Household size",
        "Trips per week",
        "Lines per trip",
        "Units per line",
        "Promotion",
    ]
    assert all(broken[topic] > 0 for topic in [*expected, "Price, mean of logarithm"])
    assert not broken["Waste rate in the period"]


def test_a_category_that_nobody_buys_does_not_hold(records: SimulatedRecords) -> None:
    bought = records.purchases[records.purchases["category"] != "frozen"]
    figures = compare(records._replace(purchases=bought)).set_index(["topic", "name"])
    assert not figures.loc[("Category mix", "frozen"), "holds"]
    assert not figures.loc[("Promotion", "frozen"), "holds"]


def test_the_page_about_the_simulator_is_what_make_docs_would_write(records: SimulatedRecords) -> None:
    assert differences((DOCS / "simulator.md").read_text(encoding="utf-8"), render_simulator(records)) == []


def test_the_page_about_the_features_is_what_make_docs_would_write() -> None:
    assert (DOCS / "features.md").read_text(encoding="utf-8") == render_features()


def test_a_figure_off_by_more_than_its_last_digit_makes_a_page_stale() -> None:
    page = "trips | 1.75 | 1,020 lines"
    assert differences(page, "trips | 1.76 | 1,021 lines") == []
    assert differences(page, "trips | 1.77 | 1,020 lines") == ["trips | 1.75 | 1,020 lines"]
    assert differences(page, "tours | 1.75 | 1,020 lines") == [page]
    assert differences(page, page + "\nmore") == ["more"]
