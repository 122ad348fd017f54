"""When and how the household shops: weekday, how often, how much at once, how crowded the pantry is, bought since."""

import numpy as np

from waste_risk.arrays import Integers
from waste_risk.features.definition import Values, feature_group
from waste_risk.features.household import MAX_DAYS
from waste_risk.features.observed_items import ObservedItems
from waste_risk.history.timeline import DAY, divide_by_positive

_MAX_LINES = 50


@feature_group(
    purchase_weekday="weekday of the purchase, Monday is 0",
    look_weekday="weekday of the observation, Monday is 0",
)
def weekdays(observed: ObservedItems) -> Values:
    """Compute the weekdays of purchase and observation."""
    day, bought = observed.second // DAY, observed.items.bought[observed.item] // DAY
    return {
        "purchase_weekday": (bought + 3) % 7,
        "look_weekday": (day + 3) % 7,
    }


@feature_group(
    days_since_last_trip="days since the household last bought anything, 90 at most",
    category_share_90d="share of the category in the lines of 90 days; null without lines",
    mean_days_between_trips_90d="mean days between days with purchases, over 90 days; null with fewer than two",
    lines_in_trip="lines bought on the day of the item's purchase",
    lines_14d_to_usual="lines of 14 days over those usual for 14 days, by the last 90; null without lines",
    lines_at_last_touch_to_usual="lines of the 14 days before it was last in hand, over those usual; null likewise",
    cost_to_usual="cost of the line over the mean of earlier lines of the category; null without prices",
    days_from_previous_in_category="days from the category's previous line to this one, 90 at most; null if first",
    category_lines_since="later lines of the category, 50 at most",
    product_open_items="open items of the same product, this one included, 50 at most",
)
def shopping(observed: ObservedItems) -> Values:
    """Compute the rhythm and size of the trips, crowding, and what was bought of the same kind before and since."""
    lines = observed.household.purchases.lately(90)
    since_last = observed.days_since(observed.household.purchases.latest())
    return {
        "days_since_last_trip": np.minimum(since_last, MAX_DAYS),
        "category_share_90d": divide_by_positive(observed.category.purchases.lately(90).count(), lines.count()),
        **_trips(observed),
        **_crowding(observed, lines.count()),
        **_same_kind(observed),
    }


def _trips(observed: ObservedItems) -> Values:
    """A trip is a day with purchases; the item's own trip counts as far as it lies before the observation."""
    level, key = observed.household.level, observed.household.key
    trips = level.trips.before(key).lately(90)
    own_day = key - observed.second + observed.items.bought[observed.item] // DAY * DAY
    return {
        "mean_days_between_trips_90d": divide_by_positive((trips.latest() - trips.earliest()) / DAY, trips.count() - 1),
        "lines_in_trip": level.purchases.between(own_day, np.minimum(own_day + DAY, key)).count(),
    }


def _crowding(observed: ObservedItems, lines_90d: Integers) -> Values:
    """Divide lines of two weeks by the usual: before the observation, and before the item was last in hand."""
    past = observed.household
    # By the last 90 days, or since the household's first line if that is later, but by 14 days at least.
    days = np.clip((observed.second - past.purchases.earliest()) / DAY, 14, 90)
    usual = 14 * (lines_90d / days)
    touched = past.key - observed.second + observed.last_touch
    at_touch = past.level.purchases.between(touched - 14 * DAY, np.minimum(touched + 1, past.key))
    return {
        "lines_14d_to_usual": divide_by_positive(past.purchases.lately(14).count(), usual),
        "lines_at_last_touch_to_usual": divide_by_positive(at_touch.count(), usual),
    }


def _same_kind(observed: ObservedItems) -> Values:
    """Compare with earlier and later lines of the same category and product."""
    items, row, category = observed.items, observed.item, observed.category
    earlier = category.level.purchases.before(category.key - observed.age)
    since = category.level.purchases.between(category.key - observed.age + 1, category.key)
    usual_cents = divide_by_positive(earlier.sum("cents"), earlier.sum("priced"))
    gap = np.where(earlier.count() > 0, (items.bought[row] - earlier.latest()) / DAY, np.nan)
    return {
        "cost_to_usual": np.where(items.is_priced[row], divide_by_positive(items.cents[row], usual_cents), np.nan),
        "days_from_previous_in_category": np.minimum(gap, MAX_DAYS),
        "category_lines_since": np.minimum(since.count(), _MAX_LINES),
        "product_open_items": np.minimum(observed.product.n_open, _MAX_LINES),
    }
