"""Who lives in the household, what else is open, and how its items ended so far."""

import numpy as np

from waste_risk.features.observations import Looks
from waste_risk.features.own_item import Values
from waste_risk.history.timeline import Floats, ratio
from waste_risk.reference.vocabulary import INCOME_BANDS, indicators

# What grows with the months a household uses the app tells the test window from development, so counts and ages are
# capped, and there are no counts of ended items nor plain means over all of them: their fractions tell how many.
MAX_OPEN = 200
MAX_DAYS = 90

# What is taken for usual until the household shows otherwise, and how many items that counts for.
PRIOR_WASTE = 0.25
PRIOR_ITEMS = 8


def household(looks: Looks) -> Values:
    """The household and its pantry at the look, the item itself included."""
    households, past = looks.pantry.households, looks.household
    code = looks.items.household[looks.item]
    past_date = past.level.expired.before(past.key).count() - past.level.expired_and_emptied.before(past.key).count()
    return {
        **indicators("income_is_", households.income_band[code], INCOME_BANDS),
        "household_size": households.size[code],
        "household_children": households.children[code],
        "quantity_left_per_person": ratio(looks.left / 1000, households.size[code]),
        "open_items": np.minimum(past.n_open, MAX_OPEN),
        "open_items_in_category": np.minimum(looks.category.n_open, MAX_OPEN),
        "open_items_past_date": np.minimum(past_date, MAX_OPEN),
    }


def household_history(looks: Looks) -> Values:
    """How the household's items ended before the look, and how busy it is."""
    ended = looks.household.ended
    return {
        "waste_rate": (ended.sum("wasted") + PRIOR_WASTE * PRIOR_ITEMS) / (ended.count() + PRIOR_ITEMS),
        "waste_to_usual": waste_to_usual(looks),
        "waste_rate_90d": ended.lately(90).mean("wasted"),
        "days_since_last_waste": np.minimum(looks.days_since(ended.latest_where("wasted")), MAX_DAYS),
        "uses_per_day_14d": looks.household.uses.lately(14).count() / 14,
    }


def waste_to_usual(looks: Looks) -> Floats:
    """Items wasted for each item that is usually wasted among as many ended items of the same categories.

    A gamma prior with mean one, worth PRIOR_ITEMS usual items, keeps households without history at one.
    """
    ended = looks.household.ended
    prior = PRIOR_WASTE * PRIOR_ITEMS
    return (ended.sum("wasted") + prior) / (ended.sum("usual_waste") / 1000 + prior)
