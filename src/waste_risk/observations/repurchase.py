"""Whether a household buys a category again within the horizon: a finished table from receipts alone.

Each household is observed with each category every horizon, from a day that a hash of the two draws, so no observation
depends on its outcome and no two labels overlap. Features look back over the same span of days for everyone: a shorter
past at the beginning of the records would tell the date.
"""

import numpy as np
import pandas as pd

from waste_risk.arrays import Floats, Integers
from waste_risk.history.pantry import places, unique_index
from waste_risk.history.timeline import DAY, FOREVER, Timeline, divide_by_positive, pack, to_seconds
from waste_risk.observations.model_input import group_households
from waste_risk.parameters import Observation
from waste_risk.random_streams import FixedSeed, Stream, hash_ids, uniform
from waste_risk.reference.vocabulary import CATEGORIES

PAST_DAYS = 90  # that features look back on
_RECENT_DAYS = 30


def observe_repurchases(purchases: pd.DataFrame, households: pd.DataFrame, observation: Observation) -> pd.DataFrame:
    """Observe each household with each category that it has bought lately, and label whether it buys it again.

    Args:
        purchases: the purchases table; what was bought on the day of an observation or later is the future.
        households: the households table.
        observation: its horizon is that of the label.

    Returns:
        keys, features, ``bought_again`` and ``days_to_purchase`` (both null where the records end before the horizon is
        over; days also where it is not bought again), and the sensitive attributes; a finished table.
    """
    index = unique_index(households["household_id"])
    household = places(index, purchases["household_id"])
    category = pd.Index(CATEGORIES).get_indexer(pd.Index(purchases["category"]))
    pair, second = household * len(CATEGORIES) + category, to_seconds(purchases["purchased_on"])
    columns = {
        "units": np.rint(purchases["quantity"].to_numpy()).astype(np.int64),
        "cents": np.rint((purchases["quantity"] * purchases["unit_price"]).fillna(0) * 100).to_numpy(np.int64),
        "promoted": purchases["on_promotion"].fillna(value=False).to_numpy(np.bool_),
    }
    of_category = Timeline(pair, second, len(index) * len(CATEGORIES), columns)
    of_household = Timeline(household, second, len(index), {})
    days = (int(second.min()) // DAY, int(second.max()) // DAY)
    observed, moment = _draw_moments(households["household_id"], days, observation.horizon_days)
    has_past = of_category.before(pack(observed, moment)).lately(PAST_DAYS).count() > 0
    observed, moment = observed[has_past], moment[has_past]
    keys = _name(households["household_id"], observed).assign(observed_on=moment.astype("datetime64[s]"))
    return pd.concat(
        [
            keys.astype({"observed_on": "datetime64[us]"}),
            _features(of_category, of_household, observed, moment),
            _labels(of_category, observed, moment, observation.horizon_days, days[1] * DAY),
            group_households(keys, households),
        ],
        axis=1,
    )


def _draw_moments(household_id: pd.Series, days: tuple[int, int], every_days: int) -> tuple[Integers, Integers]:
    """Return the pair and the second of each observation, from when all of the past days are on record."""
    pairs = np.arange(len(household_id) * len(CATEGORIES))
    keys = hash_ids(_name(household_id, pairs)["item_id"], FixedSeed.OBSERVATIONS)
    first = days[0] + PAST_DAYS + (uniform(keys, Stream.OBSERVATION_AGE) * every_days).astype(np.int64)
    day = first[:, None] + np.arange(0, days[1] - days[0], every_days)
    pair, number = np.nonzero(day <= days[1])
    return pair, day[pair, number] * DAY


def _name(household_id: pd.Series, pair: Integers) -> pd.DataFrame:
    """Return the ids of pairs of household and category, and the category."""
    household = household_id.take(pair // len(CATEGORIES)).reset_index(drop=True)
    category = pd.Series(CATEGORIES, dtype="str").take(pair % len(CATEGORIES)).reset_index(drop=True)
    item_id = household.astype("str") + "-" + category
    return pd.DataFrame({"item_id": item_id, "household_id": household, "category": category})


def _features(of_category: Timeline, of_household: Timeline, pair: Integers, moment: Integers) -> pd.DataFrame:
    key, own_key = pack(pair, moment), pack(pair // len(CATEGORIES), moment)
    lines, visits = of_category.before(key), of_category.first_of_each(DAY).before(key)
    every_line, every_visit = of_household.before(own_key), of_household.first_of_each(DAY).before(own_key)
    past, recent = lines.lately(PAST_DAYS), visits.lately(_RECENT_DAYS)
    past_visits = visits.lately(PAST_DAYS)
    since = (moment - lines.latest()) / DAY
    gap = divide_by_positive((past_visits.latest() - past_visits.earliest()) / DAY, past_visits.count() - 1)
    columns: dict[str, Integers | Floats] = {
        "days_since_bought": since,
        "mean_days_between_90d": gap,
        "since_to_usual": divide_by_positive(since, gap),
        "days_bought_30d": recent.count(),
        "days_bought_90d": past_visits.count(),
        "lines_90d": past.count(),
        "units_90d": past.sum("units"),
        "spent_90d": past.sum("cents") / 100,
        "promoted_share_90d": divide_by_positive(past.sum("promoted"), past.count()),
        "category_share_90d": divide_by_positive(past.count(), every_line.lately(PAST_DAYS).count()),
        "days_since_any_visit": (moment - every_visit.latest()) / DAY,
        "visits_30d": every_visit.lately(_RECENT_DAYS).count(),
        "visits_90d": every_visit.lately(PAST_DAYS).count(),
    }
    return pd.DataFrame({name: np.asarray(values, np.float32) for name, values in columns.items()})


def _labels(of_category: Timeline, pair: Integers, moment: Integers, horizon_days: int, until: int) -> pd.DataFrame:
    """Return what is bought from the moment on; null where the horizon ends after the last record."""
    first = of_category.next(pack(pair, moment), np.ones(len(of_category.keys), np.bool_))
    known_on = moment + horizon_days * DAY
    again = (first < known_on) & (first < FOREVER)
    label = pd.Series(again).astype("boolean").mask(known_on > until)
    return pd.DataFrame(
        {
            "bought_again": label,
            "days_to_purchase": np.where(again & (known_on <= until), (first - moment) / DAY, np.nan),
        }
    )
