"""Who lives in a household, and its latent habits: pace, propensity to waste, planning, forgetting."""

import numpy as np
import pandas as pd
from scipy.special import betaincinv, expit, ndtri

from waste_risk.arrays import Floats
from waste_risk.parameters import DataGeneration
from waste_risk.reference import CATEGORIES, behaviour
from waste_risk.simulation.draws import draw
from waste_risk.simulation.scenarios import joining_days


def simulate_households(data_generation: DataGeneration) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw households and, for each household and category, its latent habits.

    Returns:
        households: household_id, size, children, income_band, joined_on.
        habits: household_id, category, pace (1 is usual), propensity, planning, forgetting (per use of an item).
    """
    ids = pd.Series(np.arange(1, data_generation.n_households + 1), name="household_id")
    households = _households(ids, data_generation)
    return households, draw_habits(households, data_generation.seed)


def draw_habits(households: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw the habits of given households; a planner wastes less, a large household eats faster."""
    chosen = behaviour()["households"]
    ids = households["household_id"]
    planning = betaincinv(*chosen["planning_beta"], draw(ids, seed, "planning"))
    appetite = betaincinv(*chosen["propensity_beta"], draw(ids, seed, "appetite"))
    propensity = (appetite * (1 - chosen["planning_lowers_propensity"] * (2 * planning - 1))).clip(0, 1)
    common = chosen["pace_sd_household"] * ndtri(draw(ids, seed, "pace"))
    common += chosen["pace_of_planners"] * (planning - 0.5)
    common += chosen["pace_by_size"] * np.log(households["size"].to_numpy() / 2)
    tables = [_category_habits(ids, seed, category, common, propensity, planning) for category in CATEGORIES]
    return pd.concat(tables).sort_values("household_id", kind="stable", ignore_index=True)


def _households(ids: pd.Series, params: DataGeneration) -> pd.DataFrame:
    chosen = behaviour()["households"]
    size = 1 + _choose(draw(ids, params.seed, "size"), list(chosen["size_shares"]))
    # A household of one has no children; in others each member but one is a child with the same probability.
    children = np.floor(draw(ids, params.seed, "children") * size * chosen["children_share_of_others"] * 2)
    band = _choose(draw(ids, params.seed, "income"), list(chosen["income_band_shares"].values()))
    joined = np.floor(draw(ids, params.seed, "joining") * joining_days(params))
    return pd.DataFrame(
        {
            "household_id": ids,
            "size": size,
            "children": pd.array(children.clip(0, size - 1).astype(np.int64), dtype="Int64"),
            "income_band": np.array(list(chosen["income_band_shares"]))[band],
            "joined_on": np.datetime64(params.starts_on, "us") + joined.astype("timedelta64[D]"),
        }
    )


def _category_habits(  # noqa: PLR0917 - one line of the table for each
    ids: pd.Series, seed: int, category: str, common: Floats, propensity: Floats, planning: Floats
) -> pd.DataFrame:
    chosen = behaviour()["households"]
    own = chosen["forgetting_sd_category"] * ndtri(draw(ids, seed, f"forgetting {category}"))
    usual = behaviour()["categories"][category]["forgetting"]
    logit = np.log(usual / (1 - usual)) + chosen["forgetting_by_propensity"] * (propensity - 0.35) + own
    return pd.DataFrame(
        {
            "household_id": ids.to_numpy(),
            "category": category,
            "pace": np.exp(common + chosen["pace_sd_category"] * ndtri(draw(ids, seed, f"pace {category}"))),
            "propensity": propensity,
            "planning": planning,
            "forgetting": expit(logit),
        }
    )


def _choose(drawn: Floats, shares: list[float]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the index of each number in (0, 1) among shares that sum to one."""
    return np.searchsorted(np.cumsum(shares)[:-1], drawn)
