"""Real grocery receipts converted to households and purchases (products, prices, local days), and habits inferred.

Taken as real: who lives there, and what was bought when, for how much (the Python package calls its data
simulated, its upstream does not). Simulated by us: storage, printed dates, and everything that happens to an item
at home, since no receipt tells what was thrown away.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainc, betaincinv, expit, logit, ndtr, ndtri

from waste_risk.arrays import Floats
from waste_risk.parameters import DataGeneration
from waste_risk.reference import behaviour, complete_journey_products, products
from waste_risk.reference.vocabulary import INCOME_BANDS, UNKNOWN
from waste_risk.simulation.households import draw_habits
from waste_risk.simulation.shopping import LINES_PER_HOUSEHOLD

# The retailer is in the US East; its timestamps are naive UTC, and a late evening belongs to the day before.
_TIME_ZONE = "America/New_York"

# Yearly income in thousands of dollars from which each band of INCOME_BANDS starts: the upper two at about two thirds
# and one and a half times the US median of 2017.
_INCOME_FROM = (0, 35, 100)

# A quarter of the variance of a habit comes from the receipts: buying is not eating, and one retailer not all buying.
_OBSERVED = 0.5

# A household counts as usual until it has bought some ten units of a category.
_USUAL_UNITS = 10

# Lines of more units are a stock for months; the simulator takes them for so many, too.
_MOST_UNITS = 12


def read_receipts(
    transactions: pd.DataFrame, receipt_products: pd.DataFrame, demographics: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Convert receipts of the Complete Journey retailer to our tables: the food of households whose size is known.

    Everything here is as recorded but `product`, the reference product most like the line's product type, and
    `unit`: a line counts packages, and weighed food is one. Lines of more than 12 units are left as they are: they
    are cans, cups and packs, 54 at most. Lines without a unit, fuel, coupons and other goods are left out.
    `unit_price` is what the retailer received for a unit: its own discounts are taken off, a manufacturer's
    coupon is not (https://bradleyboehmke.github.io/completejourney/reference/transactions.html); null if nothing.

    Returns:
        households: the date of joining is the day of the first line; households without any are left out.
        purchases: sorted by household and day; days are those of the shop's local time.
    """
    ours = (transactions["quantity"] > 0) & transactions["household_id"].isin(demographics["household_id"])
    food = transactions[ours].merge(_reference_products(receipt_products), on="product_id")
    order = ["household_id", "transaction_timestamp", "basket_id", "product_id"]  # not the file's
    purchases = _purchases(food.sort_values(order, ignore_index=True))
    return _households(demographics, purchases), purchases


def infer_habits(households: pd.DataFrame, purchases: pd.DataFrame, data_generation: DataGeneration) -> pd.DataFrame:
    """Infer from purchases what they tell of the habits, and draw the rest.

    Observed: a quarter of the variance of the logarithm of `pace` is what the household buys of the category per
    person and week, over what is typical (the median) for a household of its size, shrunk to the usual where it
    bought little; a quarter of that of `planning` is the regularity of its trips. Drawn: the rest of both, and all
    of `propensity` and `forgetting`, moved only to where that planning puts them. The mix keeps mean and spread of
    the pace over units, so a category wastes as much as in the simulator, not what these households really wasted.

    Returns:
        habits, with the columns and rows of `draw_habits`.
    """
    drawn = draw_habits(households, data_generation.seed)
    row = pd.Index(households["household_id"]).get_indexer(drawn["household_id"])
    chosen = behaviour()["households"]
    planning = _planning(drawn["planning"].to_numpy(), _regularity(households, purchases)[row])
    # The same appetite for waste under another planning, as `draw_habits` has it.
    lowered = 1 - chosen["planning_lowers_propensity"] * (2 * np.stack([drawn["planning"], planning]) - 1)
    propensity = (drawn["propensity"].to_numpy() * lowered[1] / lowered[0]).clip(0, 1)
    shift = chosen["forgetting_by_propensity"] * (propensity - drawn["propensity"].to_numpy())
    ends_on = pd.Timestamp(data_generation.starts_on) + pd.Timedelta(days=data_generation.period_days)
    bought = _bought(drawn, households.take(row), purchases, ends_on)
    return drawn.assign(
        pace=_pace(drawn, bought) * np.exp(chosen["pace_of_planners"] * (planning - drawn["planning"].to_numpy())),
        propensity=propensity,
        planning=planning,
        forgetting=expit(logit(drawn["forgetting"].to_numpy()) + shift),
    )


def _reference_products(receipt_products: pd.DataFrame) -> pd.DataFrame:
    """Return product id, reference product and category of all food, by the first row of the map that fits."""
    kind = ["department", "product_category", "product_type"]
    known = receipt_products.assign(product_type=receipt_products["product_type"].fillna(""))
    rules = complete_journey_products()
    fits = known[kind].drop_duplicates().merge(rules.fillna({"product_type_contains": ""}), on=kind[:2])
    contained = [part in text for part, text in zip(fits["product_type_contains"], fits["product_type"], strict=True)]
    first = fits[contained].drop_duplicates(kind).dropna(subset="product")
    food = first.merge(products()[["product", "category"]], on="product")
    return known.merge(food, on=kind)[["product_id", "product", "category"]]


def _purchases(lines: pd.DataFrame) -> pd.DataFrame:
    household = lines["household_id"]
    price = lines["sales_value"] / lines["quantity"]
    local = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(_TIME_ZONE).dt.tz_localize(None)
    return pd.DataFrame(
        {
            "item_id": household * LINES_PER_HOUSEHOLD + household.groupby(household).cumcount(),
            "household_id": household,
            "product": lines["product"],
            "category": lines["category"],
            "quantity": lines["quantity"].astype(np.float64),
            "unit": pd.Series("piece", index=lines.index, dtype="str"),
            "unit_price": price.where(price > 0),
            "on_promotion": (lines["retail_disc"] > 0).astype("boolean"),
            "purchased_on": local.dt.normalize().astype("datetime64[us]"),
        }
    )


def _households(demographics: pd.DataFrame, purchases: pd.DataFrame) -> pd.DataFrame:
    first = purchases.groupby("household_id")["purchased_on"].min()
    known = demographics[demographics["household_id"].isin(first.index)].sort_values("household_id", ignore_index=True)
    edges, income = [*_INCOME_FROM, np.inf], _first_number(known["income"]).astype(np.float64)
    band = pd.cut(income, edges, labels=list(INCOME_BANDS), right=False)
    return pd.DataFrame(
        {
            "household_id": known["household_id"],
            "size": _first_number(known["household_size"]).astype(np.int64),
            "children": _first_number(known["kids_count"]),
            "income_band": band.astype("str").fillna(UNKNOWN),
            "joined_on": first.reindex(known["household_id"]).to_numpy(),
        }
    )


def _first_number(text: pd.Series) -> pd.Series:
    """Return the first number in a text ("5+" is 5, "75-99K" is 75), null where it has none."""
    return text.str.extract(r"(\d+)", expand=False).astype("Int64")


def _bought(
    habits: pd.DataFrame, households: pd.DataFrame, purchases: pd.DataFrame, ends_on: pd.Timestamp
) -> pd.DataFrame:
    """Return the units of the category each row's household bought, and the typical number for its time and size."""
    key = ["household_id", "category"]
    units = purchases["quantity"].clip(upper=_MOST_UNITS).groupby([purchases[name] for name in key]).sum()
    bought = units.reindex(pd.MultiIndex.from_frame(habits[key]), fill_value=0).to_numpy()
    weeks = (ends_on - households["joined_on"]).dt.days.clip(lower=7) / 7
    person_weeks = (weeks * households["size"]).to_numpy()
    like = [households["size"].clip(upper=5).to_numpy(), habits["category"].to_numpy()]
    rate = pd.DataFrame({"rate": bought / person_weeks})["rate"]
    return pd.DataFrame({"bought": bought, "typical": rate.groupby(like).transform("median") * person_weeks})


def _pace(drawn: pd.DataFrame, bought: pd.DataFrame) -> Floats:
    """Mix the drawn pace with buying, standardized over units, so that the pace of a unit keeps mean and spread."""
    chosen = behaviour()["households"]
    units, typical = bought[["bought", "typical"]].to_numpy().T + _USUAL_UNITS
    relative = np.log(units / typical)
    category = drawn["category"].to_numpy()
    off = relative - _mean_of_units(relative, bought, category)
    deviation = np.sqrt(_mean_of_units(off**2, bought, category))
    score = np.divide(off, deviation, out=np.zeros_like(off), where=deviation > 0)
    spread = np.hypot(chosen["pace_sd_household"], chosen["pace_sd_category"])
    pace: Floats = np.exp(_OBSERVED * spread * score + (1 - _OBSERVED**2) ** 0.5 * np.log(drawn["pace"].to_numpy()))
    return pace


def _mean_of_units(values: Floats, bought: pd.DataFrame, category: npt.NDArray[np.generic]) -> Floats:
    """Return the mean of each row's category, weighted by units bought."""
    weight = bought["bought"]
    total = (weight * values).groupby(category).transform("sum") / weight.groupby(category).transform("sum")
    return total.fillna(0).to_numpy()


def _regularity(households: pd.DataFrame, purchases: pd.DataFrame) -> Floats:
    """Rank households in (0, 1) by how even the gaps between shopping days are; 0.5 below three such days."""
    days = purchases[["household_id", "purchased_on"]].drop_duplicates().sort_values(["household_id", "purchased_on"])
    household = days["household_id"]
    gap = days["purchased_on"].groupby(household).diff().dt.days
    gaps = gap.groupby(household)
    place = (-gaps.std() / gaps.mean()).rank().sub(0.5) / gaps.std().count()
    of_household: Floats = place.reindex(households["household_id"]).fillna(0.5).to_numpy()
    return of_household


def _planning(drawn: Floats, regularity: Floats) -> Floats:
    """Mix drawn planning and regularity as normal deviates, which keeps the distribution of planning."""
    shape = behaviour()["households"]["planning_beta"]
    deviate = _OBSERVED * ndtri(regularity) + (1 - _OBSERVED**2) ** 0.5 * ndtri(betainc(*shape, drawn))
    planning: Floats = betaincinv(*shape, ndtr(deviate))
    return planning
