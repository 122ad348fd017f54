"""Who lives in the household, what else is open, and how its items ended so far."""

import numpy as np

from waste_risk.arrays import Floats
from waste_risk.features.definition import Values, feature_group
from waste_risk.features.observed_items import ObservedItems
from waste_risk.history.timeline import divide_by_positive
from waste_risk.reference.vocabulary import INCOME_BANDS, indicators

# Whatever grows with the months that a household uses the app reveals the test window. So counts and ages are capped,
# and there is no count of ended items nor a plain mean over all of them, whose fractions would reveal the count.
MAX_OPEN = 200
MAX_DAYS = 90

# The waste rate assumed before a household has any history, and how many items this prior counts for.
PRIOR_WASTE = 0.25
PRIOR_ITEMS = 8


@feature_group(
    income_is_low='1 if the income band is low, 0 if it is another or "unknown"; null if missing',
    income_is_middle='1 if the income band is middle, 0 if it is another or "unknown"; null if missing',
    income_is_high='1 if the income band is high, 0 if it is another or "unknown"; null if missing',
    household_size="members; null if unknown",
    household_children="children; null if unknown",
    quantity_left_per_person="quantity left for each member; null if the size is unknown",
    open_items="open items of the household, this one included, 200 at most",
    open_items_in_category="open items of the household in the category, this one included, 200 at most",
    open_items_past_date="open items of the household whose printed date has passed, 200 at most",
)
def household(observed: ObservedItems) -> Values:
    """Compute who lives in the household and what is open in its pantry, the observed item included."""
    households, past = observed.pantry.households, observed.household
    code = observed.items.household[observed.item]
    past_date = past.level.expired.before(past.key).count() - past.level.expired_and_emptied.before(past.key).count()
    return {
        **indicators("income_is_", households.income_band[code], INCOME_BANDS),
        "household_size": households.size[code],
        "household_children": households.children[code],
        "quantity_left_per_person": divide_by_positive(observed.left / 1000, households.size[code]),
        "open_items": np.minimum(past.n_open, MAX_OPEN),
        "open_items_in_category": np.minimum(observed.category.n_open, MAX_OPEN),
        "open_items_past_date": np.minimum(past_date, MAX_OPEN),
    }


@feature_group(
    waste_rate="share of the household's ended items that were wasted, shrunk towards 0.25 by 8 items",
    waste_to_usual="wasted items over those usually wasted in the same categories, shrunk towards 1 by 8 items",
    waste_rate_90d="share wasted of the items that ended in 90 days; null without any",
    days_since_last_waste="days since the household last threw something away, 90 at most; null if it never did",
    uses_per_day_14d="uses of any item on a day, over 14 days",
)
def household_history(observed: ObservedItems) -> Values:
    """Compute how the household's items ended, and how much it uses."""
    ended = observed.household.ended
    return {
        "waste_rate": (ended.sum("wasted") + PRIOR_WASTE * PRIOR_ITEMS) / (ended.count() + PRIOR_ITEMS),
        "waste_to_usual": waste_to_usual(observed),
        "waste_rate_90d": ended.lately(90).mean("wasted"),
        "days_since_last_waste": np.minimum(observed.days_since(ended.latest_where("wasted")), MAX_DAYS),
        "uses_per_day_14d": observed.household.uses.lately(14).count() / 14,
    }


def waste_to_usual(observed: ObservedItems) -> Floats:
    """Divide the items wasted by the number usually wasted among as many ended items of the same categories.

    A gamma prior with mean one, worth PRIOR_ITEMS usual items, keeps households without history at one.
    """
    ended = observed.household.ended
    prior = PRIOR_WASTE * PRIOR_ITEMS
    return (ended.sum("wasted") + prior) / (ended.sum("usual_waste") / 1000 + prior)
