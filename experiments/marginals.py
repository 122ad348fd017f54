"""The simulator's marginals beside the facts: which of them must hold exactly, which closely, which loosely.

Structure must hold exactly, core within a tight tolerance, band within a loose one. Shopping is compared before
thinning, as if every line were logged, over a calendar year in which every household is there.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial, reduce
from operator import getitem
from typing import Literal

import marginal_measures as measures
import numpy as np
import pandas as pd
from marginal_measures import MONTHS, WEEKDAYS, SimulatedRecords, Values

from waste_risk.reference import CATEGORIES, behaviour, products, shopping_facts
from waste_risk.reference.vocabulary import USUAL_WASTE_PERMILLE, USUAL_WASTE_PERMILLE_OF_ALL

# Share of items thrown away within the recorded period: the chosen target, between the published levels.
WASTE_RATES = {category: permille / 1000 for category, permille in USUAL_WASTE_PERMILLE.items()}


@dataclass(frozen=True)
class Topic:
    """Figures of one kind: where their reference comes from, and how far ours may lie from it."""

    title: str
    tier: Literal["structure", "core", "band"]
    tolerance: float
    relative: bool
    reference: Literal["measured", "chosen", "by definition"]
    ours: Callable[[SimulatedRecords], Values]
    facts: Callable[[], Values | float]


def compare(records: SimulatedRecords) -> pd.DataFrame:
    """Lay our figures beside the facts.

    Returns:
        topic, name, ours, fact, allowed (the largest difference), holds; one row per figure, in the order of TOPICS.
    """
    return pd.concat([_compare(topic, records) for topic in TOPICS], ignore_index=True)


def _compare(topic: Topic, records: SimulatedRecords) -> pd.DataFrame:
    ours, expected = pd.Series(topic.ours(records), dtype=np.float64), topic.facts()
    fact = pd.Series(expected, dtype=np.float64, index=ours.index if isinstance(expected, float) else None)
    # A figure of the facts that ours lack does not hold.
    ours = ours.reindex(fact.index)
    allowed = topic.tolerance * (fact.abs() if topic.relative else fact.abs() ** 0)
    table = pd.DataFrame({"ours": ours, "fact": fact, "allowed": allowed, "holds": (ours - fact).abs() <= allowed})
    return table.rename_axis("name").reset_index().assign(topic=topic.title)[_COLUMNS]


def _season_facts() -> Values:
    index = shopping_facts()["season_index_units_per_day_jan_to_dec"]
    return {f"{name} {month}": value for name in CATEGORIES for month, value in zip(MONTHS, index[name], strict=True)}


def _lines_by_size_facts() -> Values:
    lines = pd.Series(shopping_facts()["lines_per_year_by_household_size"])
    shares = pd.Series(shopping_facts()["household_size_share"])
    return lines / ((lines * shares).sum() / shares.sum())


def _life_facts(by: str | None = None) -> Values:
    """Days that FoodKeeper gives, the middle of the range; mean over products by weight, times a column if given."""
    table = products()
    weight = table["weight"] * (table[by] if by else 1)
    days = (table["life_min_days"] + table["life_max_days"]) / 2 * weight
    mean: pd.Series = days.groupby(table["category"]).sum() / weight.groupby(table["category"]).sum()
    return mean.reindex(list(CATEGORIES))


def _target_rates() -> Values:
    return {**WASTE_RATES, "all": USUAL_WASTE_PERMILLE_OF_ALL / 1000}


def _favourite_weekday_fact() -> Values:
    return {"mean over households": shopping_facts()["favourite_weekday_share_mean"]}


def _price_facts(place: int) -> Callable[[], Values]:
    return lambda: {name: fit[place] for name, fit in shopping_facts()["unit_price_lognormal"].items()}


def _shopping(*path: str, only: Collection[str] | None = None) -> Callable[[], Values]:
    """Numbers of the shopping facts: those below a path, or those named there."""

    def read() -> Values:
        found = reduce(getitem, path, shopping_facts())
        return {name: value for name, value in found.items() if (name in only if only else isinstance(value, float))}

    return read


def _weekday_facts() -> Values:
    return dict(zip(WEEKDAYS, shopping_facts()["weekday_share_trips_mon_to_sun"], strict=True))


_COLUMNS = ["topic", "name", "ours", "fact", "allowed", "holds"]

_REGULAR = ("trips_per_week", "regular")
_SPREAD = ("median", "lognormal_sigma")
_PERCENTILES = ("median", "p75", "p90", "p95")

TOPICS = (
    Topic("What must never be", "structure", 0, False, "by definition", measures.violations, lambda: 0.0),
    Topic("Rank by waste rate", "structure", 0, False, "chosen", measures.ranks, lambda: pd.Series(WASTE_RATES).rank()),
    Topic("Household size", "core", 0.04, False, "measured", measures.sizes, _shopping("household_size_share")),
    Topic("Trips per week", "core", 0.03, True, "measured", measures.trips, _shopping(*_REGULAR, only=["mean"])),
    Topic("Trips per week, spread", "band", 0.1, True, "measured", measures.trips, _shopping(*_REGULAR, only=_SPREAD)),
    Topic("Lines per trip", "core", 0.03, True, "measured", measures.lines, _shopping("lines_per_trip", only=["mean"])),
    Topic(
        "Lines per trip, spread",
        "band",
        0.1,
        True,
        "measured",
        measures.lines,
        _shopping("lines_per_trip", only=_PERCENTILES),
    ),
    Topic("Lines by household size", "band", 0.15, True, "measured", measures.lines_by_size, _lines_by_size_facts),
    Topic("Units per line", "core", 0.005, False, "measured", measures.units, _shopping("units_per_line")),
    Topic(
        "Units per line, mean", "band", 0.2, True, "measured", measures.mean_units, _shopping("units_per_line", "mean")
    ),
    Topic("Trips by weekday", "core", 0.005, False, "measured", measures.weekdays, _weekday_facts),
    Topic("Favourite weekday", "band", 0.03, False, "measured", measures.favourite_weekday, _favourite_weekday_fact),
    Topic("Season", "band", 0.15, False, "measured", measures.season, _season_facts),
    Topic("Price, mean of logarithm", "band", 0.4, False, "measured", partial(measures.price, 0), _price_facts(0)),
    Topic("Price, sd of logarithm", "band", 0.2, False, "measured", partial(measures.price, 1), _price_facts(1)),
    Topic(
        "Promotion",
        "core",
        0.01,
        False,
        "measured",
        measures.promoted,
        _shopping("promo_share_of_lines", only=CATEGORIES),
    ),
    Topic("Category mix", "core", 0.01, False, "chosen", measures.mix, lambda: behaviour()["shopping"]["category_mix"]),
    Topic(
        "Spread of taste",
        "band",
        0.03,
        False,
        "measured",
        measures.taste,
        _shopping("category_mix_household_sd", only=CATEGORIES),
    ),
    Topic(
        "Days to the printed date",
        "core",
        0.05,
        True,
        "measured",
        measures.label,
        partial(_life_facts, "printed_share"),
    ),
    Topic("Days until spoilt, unopened", "band", 0.5, True, "measured", measures.life, _life_facts),
    Topic("Waste rate in the period", "core", 0.01, False, "chosen", measures.rates, _target_rates),
    Topic("Waste rate in the end", "band", 0.04, False, "chosen", measures.rates_in_the_end, _target_rates),
)
