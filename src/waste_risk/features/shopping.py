"""The days of the week, and how the household shops: how often, how much at once, what it bought before and since."""

import numpy as np

from waste_risk.features.household import MAX_DAYS
from waste_risk.features.observations import Looks
from waste_risk.features.own_item import Values
from waste_risk.history.timeline import DAY, Integers, ratio

_MAX_LINES = 50


def weekdays(looks: Looks) -> Values:
    """The days of the week of purchase and look."""
    day, bought = looks.second // DAY, looks.items.bought[looks.item] // DAY
    return {
        "purchase_weekday": (bought + 3) % 7,
        "look_weekday": (day + 3) % 7,
    }


def shopping(looks: Looks) -> Values:
    """Rhythm and size of the trips, crowding, and what was bought of the same kind before and since."""
    lines = looks.household.purchases.lately(90)
    since_last = looks.days_since(looks.household.purchases.latest())
    return {
        "days_since_last_trip": np.minimum(since_last, MAX_DAYS),
        "category_share_90d": ratio(looks.category.purchases.lately(90).count(), lines.count()),
        **_trips(looks),
        **_crowding(looks, lines.count()),
        **_same_kind(looks),
    }


def _trips(looks: Looks) -> Values:
    """A trip is a day with purchases; the item's own counts as far as it lies before the look."""
    level, key = looks.household.level, looks.household.key
    trips = level.trips.before(key).lately(90)
    own_day = key - looks.second + looks.items.bought[looks.item] // DAY * DAY
    return {
        "mean_days_between_trips_90d": ratio((trips.latest() - trips.earliest()) / DAY, trips.count() - 1),
        "lines_in_trip": level.purchases.between(own_day, np.minimum(own_day + DAY, key)).count(),
    }


def _crowding(looks: Looks, lines_90d: Integers) -> Values:
    """Lines of two weeks against the household's habit: at the look, and when the item was last in hand."""
    past = looks.household
    # By the last 90 days, or since the household's first line if that is later, but by 14 days at least.
    days = np.clip((looks.second - past.purchases.earliest()) / DAY, 14, 90)
    usual = 14 * (lines_90d / days)
    touched = past.key - looks.second + looks.last_touch
    at_touch = past.level.purchases.between(touched - 14 * DAY, np.minimum(touched + 1, past.key))
    return {
        "lines_14d_to_usual": ratio(past.purchases.lately(14).count(), usual),
        "lines_at_last_touch_to_usual": ratio(at_touch.count(), usual),
    }


def _same_kind(looks: Looks) -> Values:
    """Earlier and later lines of the same category and product."""
    items, row, category = looks.items, looks.item, looks.category
    earlier = category.level.purchases.before(category.key - looks.age)
    since = category.level.purchases.between(category.key - looks.age + 1, category.key)
    usual_cents = ratio(earlier.sum("cents"), earlier.sum("priced"))
    gap = np.where(earlier.count() > 0, (items.bought[row] - earlier.latest()) / DAY, np.nan)
    return {
        "cost_to_usual": np.where(items.is_priced[row], ratio(items.cents[row], usual_cents), np.nan),
        "days_from_previous_in_category": np.minimum(gap, MAX_DAYS),
        "category_lines_since": np.minimum(since.count(), _MAX_LINES),
        "product_open_items": np.minimum(looks.product.n_open, _MAX_LINES),
    }
