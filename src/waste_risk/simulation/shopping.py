"""What households buy and log: trips, a basket on each trip, products with prices and promotions.

Lines on a trip follow the zero-truncated negative binomial of the facts; a share of them is logged in the app.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaincinv, ndtri, pdtrik

from waste_risk.arrays import Floats, Integers, Mask
from waste_risk.parameters import DataGeneration
from waste_risk.partitions import in_blocks
from waste_risk.random_streams import FixedSeed, Keys, Stream, derive, hash_ids, uniform
from waste_risk.reference import CATEGORIES, behaviour, products, shopping_facts
from waste_risk.simulation.draws import draw
from waste_risk.simulation.scenarios import mean_stay_days, stay_days

# A household numbers its lines, so an item's id does not depend on other households.
LINES_PER_HOUSEHOLD = 1_000_000


@dataclass(frozen=True)
class _Rows:
    """Trips or lines: the row of their household, their random key, days since the start of the period."""

    household: Integers
    key: Keys
    day: Integers


def simulate_shopping(households: pd.DataFrame, data_generation: DataGeneration) -> pd.DataFrame:
    """Draw what each household logs from joining to the end of the period.

    Returns:
        purchases, sorted by household and day; `n_items_per_household` lines for each household on average.
    """
    (purchases,) = in_blocks(lambda block: (_shop(block, data_generation),), households)
    return purchases


def simulate_baskets(households: pd.DataFrame, data_generation: DataGeneration) -> pd.DataFrame:
    """Count the lines of every trip that `simulate_shopping` logs: household_id, purchased_on, lines."""
    trips = _trips(households, data_generation)
    count = _line_counts(trips, households, data_generation)
    baskets = pd.DataFrame(
        {
            "household_id": households["household_id"].to_numpy()[trips.household],
            "purchased_on": np.datetime64(data_generation.starts_on, "us") + trips.day.astype("timedelta64[D]"),
            "lines": count,
        }
    )
    return baskets[count > 0].reset_index(drop=True)


def lines_bought(days: float) -> float:
    """Return the lines that a household buys on average in a number of days, logged or not."""
    regular = shopping_facts()["trips_per_week"]["regular"]
    trips = float(np.exp(regular["lognormal_mu"] + regular["lognormal_sigma"] ** 2 / 2))
    return trips * days / 7 * float(shopping_facts()["lines_per_trip"]["mean"])


def _shop(households: pd.DataFrame, params: DataGeneration) -> pd.DataFrame:
    trips = _trips(households, params)
    count = _line_counts(trips, households, params)
    line = np.repeat(np.arange(len(count)), count)
    key = derive(trips.key[line], Stream.TRIP_LINE, _running(count))
    return _purchases(_Rows(trips.household[line], key, trips.day[line]), households, params)


def _trips(households: pd.DataFrame, params: DataGeneration) -> _Rows:
    """Return every trip of every household, including those without a logged line."""
    start = np.datetime64(params.starts_on, "D")
    # Who joined before the period shops from its start on, and who joins after it does not.
    joined = (households["joined_on"].to_numpy().astype("datetime64[D]") - start).astype(np.int64)
    joined = joined.clip(0, params.period_days)
    monday = int(start.astype(np.int64) + 3) % 7  # days since the Monday before the period starts
    first_week = (joined + monday) // 7
    n_weeks = (params.period_days - 1 + monday) // 7 + 1 - first_week
    ids, seed = households["household_id"], params.seed
    mean = _trips_per_week(ids, seed) * n_weeks
    count = np.ceil(pdtrik(draw(ids, seed, "trip count"), mean)).clip(0).astype(np.int64)
    household = np.repeat(np.arange(len(ids)), count)
    key = derive(hash_ids(ids, seed)[household], Stream.HOUSEHOLD_TRIP, _running(count))
    week = first_week[household] + np.floor(uniform(key, Stream.TRIP_WEEK) * n_weeks[household]).astype(np.int64)
    day = week * 7 + _weekday(key, draw(ids, seed, "weekday")[household]) - monday
    order = np.argsort(household * (params.period_days + 14) + day, kind="stable")
    left = np.minimum(joined + stay_days(params), params.period_days)
    inside = order[(day[order] >= joined[household[order]]) & (day[order] < left[household[order]])]
    return _Rows(household[inside], key[inside], day[inside])


def _trips_per_week(household_id: pd.Series, seed: int) -> Floats:
    """Return each household's rate; trips without food, missing in the facts, are the zeros of the distribution."""
    regular, lines = shopping_facts()["trips_per_week"]["regular"], shopping_facts()["lines_per_trip"]
    spread = regular["lognormal_sigma"] * ndtri(draw(household_id, seed, "trips"))
    rhythm: Floats = np.exp(regular["lognormal_mu"] + spread)
    zero_share = float((lines["ztnb_r"] / (lines["ztnb_r"] + lines["ztnb_mu"])) ** lines["ztnb_r"])
    return rhythm / (1 - zero_share)


def _weekday(trip: Keys, favorite: Floats) -> Integers:
    """Return days since Monday: sometimes the household's favorite day, else drawn by the shares of the facts."""
    bounds = np.cumsum(shopping_facts()["weekday_share_trips_mon_to_sun"])[:-1]
    weight = behaviour()["shopping"]["favourite_weekday_weight"]
    on_favorite = uniform(trip, Stream.TRIP_IS_ON_FAVORITE_WEEKDAY) < weight
    return np.searchsorted(bounds, np.where(on_favorite, favorite, uniform(trip, Stream.TRIP_WEEKDAY)))


def _line_counts(trips: _Rows, households: pd.DataFrame, params: DataGeneration) -> Integers:
    """Return the logged lines of each trip: a negative binomial, drawn as gamma-Poisson, thinned to what is logged."""
    facts = shopping_facts()["lines_per_trip"]
    by_size = np.array(list(shopping_facts()["lines_per_year_by_household_size"].values()))
    shares = np.array(list(shopping_facts()["household_size_share"].values()))
    size = by_size[households["size"].to_numpy().clip(1, 5) - 1] / (by_size @ shares / shares.sum())
    mean = facts["ztnb_mu"] * size * _logged_share(households["household_id"], params)
    intensity = (
        gammaincinv(facts["ztnb_r"], uniform(trips.key, Stream.TRIP_EXPECTED_LINES))
        / facts["ztnb_r"]
        * mean[trips.household]
    )
    return _poisson(intensity, uniform(trips.key, Stream.TRIP_LINES))


def _logged_share(household_id: pd.Series, params: DataGeneration) -> Floats:
    """Return the share of its lines that each household logs, for `n_items_per_household` on average."""
    spread = behaviour()["shopping"]["logging_sd"]
    logged = params.n_items_per_household / lines_bought(mean_stay_days(params))
    deviate = ndtri(draw(household_id, params.seed, "logging"))
    share: Floats = logged * np.exp(spread * deviate - spread**2 / 2)
    return share


def _purchases(lines: _Rows, households: pd.DataFrame, params: DataGeneration) -> pd.DataFrame:
    facts, table = shopping_facts(), products()
    days = np.datetime64(params.starts_on, "D") + np.arange(params.period_days)
    month = (days.astype("datetime64[M]").astype(np.int64) % 12)[lines.day]
    category = _category(lines, households["household_id"], params.seed, month)
    product = _product(category, uniform(lines.key, Stream.LINE_PRODUCT))
    promoted = (
        uniform(lines.key, Stream.LINE_IS_PROMOTED)
        < np.array([facts["promo_share_of_lines"][name] for name in CATEGORIES])[category]
    )
    shares = [facts["units_per_line"][units] for units in ("1", "2", "3", "4", "5", "6", "7+")]
    bounds = np.cumsum(shares)[:-1] / sum(shares)
    per_household = np.bincount(lines.household, minlength=len(households))
    household_id = households["household_id"].to_numpy()[lines.household]
    return pd.DataFrame(
        {
            "item_id": household_id * LINES_PER_HOUSEHOLD + _running(per_household),
            "household_id": household_id,
            "product": table["product"].array.take(product),
            "category": pd.array(CATEGORIES, dtype="str").take(category),
            "quantity": 1.0 + np.searchsorted(bounds, uniform(lines.key, Stream.LINE_UNITS)),
            "unit": table["unit"].array.take(product),
            "unit_price": _price(lines.key, category, product, promoted),
            "on_promotion": pd.array(promoted, dtype="boolean"),
            "purchased_on": np.datetime64(params.starts_on, "us") + lines.day.astype("timedelta64[D]"),
        }
    )


def _category(lines: _Rows, household_id: pd.Series, seed: int, month: Integers) -> Integers:
    """Draw a category for each line: by the household's taste (Dirichlet) times the season of the month."""
    chosen = behaviour()["shopping"]
    alpha = {name: chosen["taste_concentration"] * chosen["category_mix"][name] for name in CATEGORIES}
    taste = np.stack([gammaincinv(alpha[name], draw(household_id, seed, f"taste {name}")) for name in CATEGORIES])
    season = np.array([shopping_facts()["season_index_units_per_day_jan_to_dec"][name] for name in CATEGORIES])
    weights = np.cumsum(taste[:, lines.household] * season[:, month], axis=0)
    category: Integers = (uniform(lines.key, Stream.LINE_CATEGORY) * weights[-1] > weights[:-1]).sum(axis=0)
    return category


def _product(category: Integers, drawn: Floats) -> Integers:
    """Return the row in `products` of each line, by the products' weights within the category."""
    table = products()
    code = pd.Index(CATEGORIES).get_indexer(pd.Index(table["category"]))
    weight = table["weight"] / table.groupby("category")["weight"].transform("sum")
    bounds = code + weight.groupby(code).cumsum().to_numpy()
    return np.searchsorted(bounds, category + drawn).clip(0, len(table) - 1)


def _price(key: Keys, category: Integers, product: Integers, promoted: Mask) -> Floats:
    """Return prices, log-normal within the category: most of the spread is the product's, the rest the line's."""
    facts = shopping_facts()["unit_price_lognormal"]
    location, spread = np.array([facts[name] for name in CATEGORIES]).T
    of_product = ndtri(uniform(hash_ids(products()["product"], FixedSeed.PRODUCTS), Stream.PRODUCT_PRICE))
    noise = 0.8 * of_product[product] + 0.6 * ndtri(uniform(key, Stream.LINE_PRICE))
    price = np.exp(location[category] + spread[category] * noise)
    discounted: Floats = np.where(promoted, price * behaviour()["shopping"]["promotion_price"], price)
    return discounted.round(2).clip(0.01)


def _poisson(mean: Floats, drawn: Floats) -> Integers:
    """Invert the Poisson distribution by sequential search, in each round for the rows that are not yet decided."""
    # Where the search would start below double precision, by root finding: slow, but rare.
    large = mean > 30
    count = np.zeros(len(mean), dtype=np.int64)
    count[large] = np.ceil(pdtrik(drawn[large], mean[large])).clip(0)
    rows = np.flatnonzero(~large & (drawn > np.exp(-mean)))
    term = np.exp(-mean[rows])
    below = term.copy()
    while len(rows):
        count[rows] += 1
        term *= mean[rows] / count[rows]
        below += term
        # Beyond double precision the sum stops growing: the row is decided.
        undecided = (drawn[rows] > below) & (term > 1e-17)
        rows, term, below = rows[undecided], term[undecided], below[undecided]
    return count


def _running(count: Integers) -> Integers:
    """Return 0, 1, 2 … within each of consecutive groups of the given sizes."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
