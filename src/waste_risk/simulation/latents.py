"""What nobody can observe of an item: how fast it is used, how easily it is forgotten, how long it keeps.

With these latents the future of an item is a competition with known laws (see `truth`):

- it is used at the times of a Poisson process of rate `pace`, one portion each time, until `portions` are gone;
- when put away it is forgotten with probability `first_forgetting`, after each use with probability `forgetting`;
- it spoils by two Weibull clocks, one from purchase, one from opening, and is then thrown away;
- on the day after a printed date it is thrown away with probability `date_discard`, good or not.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import betaincinv, expit, logit, ndtri

from waste_risk.arrays import Floats, Integers
from waste_risk.random_streams import Keys, Stream, uniform
from waste_risk.reference import CATEGORIES, behaviour, products
from waste_risk.simulation.draws import draw

# The printed date passes at midnight; the household clears out at nine in the evening of the day after.
DISCARD_DELAY_DAYS = 1.875


def put_away(purchases: pd.DataFrame, keys: Keys, seed: int) -> pd.DataFrame:
    """Return purchases as items, each with its storage and printed date, in the order of the purchases."""
    of_product = _of_product(purchases)
    storage = of_product["storage"].to_numpy(dtype=object)
    freezable = (of_product["category"] == "meat").to_numpy() & of_product["freezer_life_days"].notna().to_numpy()
    # How much of its fresh meat a household freezes is a habit of its own.
    household_id, of_household = _households(purchases)
    freezing = betaincinv(*behaviour()["households"]["freezing_beta"], draw(household_id, seed, "freezing"))
    frozen = freezable & (uniform(keys, Stream.ITEM_IS_FROZEN) < freezing[of_household])
    printed = uniform(keys, Stream.ITEM_HAS_PRINTED_DATE) < of_product["printed_share"].to_numpy()
    expires = purchases["purchased_on"] + pd.to_timedelta(
        np.where(printed, _printed_days(of_product, keys), np.nan), "D"
    )
    return purchases.assign(
        storage=pd.array(np.where(frozen, "freezer", storage), dtype="str"),
        expires_on=expires.astype("datetime64[us]"),
    )


def draw_latents(
    items: pd.DataFrame, habits: pd.DataFrame, households: pd.DataFrame, keys: Keys, seed: int
) -> pd.DataFrame:
    """Draw the latents of each item, the truth, from its product, its household's habits and what else it bought."""
    of_product = _of_product(items)
    own = pd.MultiIndex.from_frame(items[["household_id", "category"]])
    row = pd.MultiIndex.from_frame(habits[["household_id", "category"]]).get_indexer(own)
    habit = habits.take(row).reset_index(drop=True)
    stock = _stock(items)
    lives = _lives(items, of_product, habit, keys)
    portions = _portions(items, of_product, households, keys)
    return pd.DataFrame(
        {
            "item_id": items["item_id"],
            "household_id": items["household_id"],
            "portions": portions,
            "pace": portions * habit["pace"].to_numpy() * _drift(items, seed) / _use_days(items, lives, stock, keys),
            **_forgetting(habit, _usual(items, "first_forgetting"), stock, keys),
            **lives,
        }
    )


def _lives(items: pd.DataFrame, of_product: pd.DataFrame, habit: pd.DataFrame, keys: Keys) -> pd.DataFrame:
    """Return scales (days) and shapes of the Weibull clocks; the life of the batch is that of its printed date."""
    chosen = behaviour()["consumption"]
    frozen = ((items["storage"] == "freezer") & (of_product["storage"] != "freezer")).to_numpy()
    kept = np.where(frozen, of_product["freezer_life_days"], _printed_days(of_product, keys) + 1)
    printed = (items["expires_on"] - items["purchased_on"]).dt.total_seconds() / 86_400
    life = chosen["life_stretch"] * kept * np.exp(chosen["life_sd"] * ndtri(uniform(keys, Stream.ITEM_LIFE)))
    return pd.DataFrame(
        {
            "life_days": life,
            "life_shape": _usual(items, "life_shape"),
            "opened_life_days": np.where(frozen, np.nan, chosen["opened_stretch"] * of_product["opened_life_days"]),
            "opened_shape": chosen["opened_shape"],
            # Who freezes an item no longer minds the date printed on it.
            "date_discard_days": np.where(frozen, np.nan, printed + DISCARD_DELAY_DAYS),
            "date_discard": chosen["date_discard_by_propensity"] * habit["propensity"].to_numpy(),
        }
    )


def _portions(items: pd.DataFrame, of_product: pd.DataFrame, households: pd.DataFrame, keys: Keys) -> Integers:
    """Return the uses until an item is finished: servings, shared by the members who eat together."""
    chosen = behaviour()["consumption"]
    row = pd.Index(households["household_id"]).get_indexer(pd.Index(items["household_id"]))
    size = households["size"].to_numpy()[row]
    servings = of_product["servings"].to_numpy() * items["quantity"].to_numpy().clip(0.25, 12) ** 0.8
    spread = np.exp(chosen["servings_sd"] * ndtri(uniform(keys, Stream.ITEM_PORTIONS)))
    portions: Floats = np.round(servings * spread / (chosen["servings_per_use"] * size ** chosen["servings_by_size"]))
    return portions.clip(1, int(chosen["max_portions"])).astype(np.int64)


def _use_days(items: pd.DataFrame, lives: pd.DataFrame, stock: Floats, keys: Keys) -> Floats:
    """Return the days to finish an item at the usual pace if not forgotten: fewer if it does not keep for long."""
    chosen = behaviour()["consumption"]
    amount = items["quantity"].to_numpy().clip(0.25, 12) ** chosen["use_days_by_amount"]
    spread = np.exp(
        chosen["use_days_sd"] * ndtri(uniform(keys, Stream.ITEM_USE_DAYS)) + chosen["use_days_by_stock"] * stock
    )
    keeps = np.fmin(lives["life_days"], chosen["opened_lives"] * lives["opened_life_days"]).to_numpy()
    days: Floats = _usual(items, "use_days") * keeps ** chosen["use_days_by_life"] * amount * spread
    return days


def _drift(items: pd.DataFrame, seed: int) -> Floats:
    """Return the factor by which a household's pace swings, over 8 to 20 months, with a phase of its own."""
    household_id, of_household = _households(items)
    period, phase = 240 + 360 * draw(household_id, seed, "drift period"), draw(household_id, seed, "drift phase")
    day = items["purchased_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
    swing = np.sin(2 * np.pi * (day / period[of_household] + phase[of_household]))
    drift: Floats = np.exp(behaviour()["consumption"]["pace_drift"] * swing)
    return drift


def _forgetting(habit: pd.DataFrame, first: Floats, stock: Floats, keys: Keys) -> dict[str, Floats]:
    """Return the probabilities to forget an item when it is put away and after each use; a full pantry hides more."""
    chosen = behaviour()["consumption"]
    shift = chosen["forgetting_by_stock"] * stock + chosen["forgetting_sd"] * ndtri(
        uniform(keys, Stream.ITEM_FORGETTING)
    )
    forgetting = expit(logit(habit["forgetting"].to_numpy()) + shift)
    return {"first_forgetting": (forgetting * first).clip(0, 0.95), "forgetting": forgetting}


def _stock(items: pd.DataFrame) -> Floats:
    """Return how full the pantry is: log of units bought lately, of all and of the category, over the usual."""
    units = items["quantity"].to_numpy().clip(0, 12)
    household = pd.factorize(items["household_id"])[0]
    of_category = household * 16 + pd.factorize(items["category"], sort=True)[0]
    day = items["purchased_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
    return 0.5 * _fullness(household, day, units) + 0.5 * _fullness(of_category, day, units)


def _fullness(group: Integers, day: Integers, units: Floats) -> Floats:
    days = behaviour()["consumption"]["stock_days"]
    key = group * 2**20 + day
    order = np.argsort(key, kind="stable")
    total = np.concatenate([[0], np.cumsum(np.round(units[order] * 1000).astype(np.int64))])
    until = np.searchsorted(key[order], key, side="right")
    recent = total[until] - total[np.searchsorted(key[order], key - days, side="right")]
    first = np.searchsorted(key[order], group * 2**20)
    last = np.searchsorted(key[order], (group + 1) * 2**20) - 1
    span = (key[order][last] - key[order][first]).clip(days)
    usual = (total[last + 1] - total[first]) * days / span
    logarithm: Floats = np.log((recent + 1000) / (usual + 1000))
    return logarithm.clip(-1.5, 1.5)


def _printed_days(of_product: pd.DataFrame, keys: Keys) -> Floats:
    """Return the life of the batch in whole days, which is what a printed date says."""
    low, high = of_product["life_min_days"].to_numpy(), of_product["life_max_days"].to_numpy()
    days: Floats = np.round(low + (high - low) * uniform(keys, Stream.ITEM_PRINTED_DAYS))
    return days.clip(1)


def _households(rows: pd.DataFrame) -> tuple[pd.Series, Integers]:
    """Return each household once, and the place of each row's household among them."""
    of_household, household_id = pd.factorize(rows["household_id"])
    return pd.Series(household_id), of_household


def _usual(items: pd.DataFrame, name: str) -> Floats:
    """Return a constant of each item's category."""
    constants = np.array([behaviour()["categories"][category][name] for category in CATEGORIES], dtype=np.float64)
    return constants[_places(CATEGORIES, items["category"])]


def _of_product(items: pd.DataFrame) -> pd.DataFrame:
    """Return the reference row of each item's product, or of its category's commonest one if the product is unknown."""
    table = products()
    row = _places(table["product"], items["product"])
    usual = table.sort_values("weight", ascending=False).drop_duplicates("category")
    fallback = usual.index.to_numpy()[_places(usual["category"], items["category"])]
    return table.take(np.where(row < 0, fallback, row)).reset_index(drop=True)


def _places(known: Sequence[str] | pd.Series, words: pd.Series) -> Integers:
    """Return the place of each word among those known, -1 if it is not; each distinct word is searched once."""
    codes, different = pd.factorize(words, use_na_sentinel=False)
    places: Integers = pd.Index(known).get_indexer(pd.Index(different))[codes]
    return places
