"""What the item is, how old it is and how much of it is left."""

import numpy as np

from waste_risk.features.definition import Values, feature_group
from waste_risk.features.observed_items import ObservedItems
from waste_risk.history.timeline import DAY, NEVER, divide_by_positive
from waste_risk.reference.vocabulary import CATEGORIES, STORAGES, indicators

_MAX_USES = 50


@feature_group(
    is_dairy="1 if it is dairy or eggs; null without a category",
    is_produce="1 if it is fruit or vegetables; null without a category",
    is_meat="1 if it is meat or fish; null without a category",
    is_grains="1 if it is bread, cereals or made of other grain; null without a category",
    is_canned="1 if it is canned or in a jar; null without a category",
    is_frozen="1 if it was sold frozen; null without a category",
    is_beverages="1 if it is a beverage; null without a category",
    is_in_fridge="1 if it was put into the fridge on the day of purchase; null if unknown",
    is_in_freezer="1 if it was put into the freezer on the day of purchase; null if unknown",
    is_in_pantry="1 if it was put into the pantry on the day of purchase; null if unknown",
    quantity="quantity bought, in its unit",
    unit_price="price of one unit; null if unknown",
    line_cost="price of the whole line; null if unknown",
    on_promotion="1 if bought on promotion, 0 if not; null if unknown",
    printed_life_days="days from purchase to the printed date; null without one",
    reference_life_days="days the product keeps unopened where it is stored; the category's median if not listed",
    reference_opened_life_days="days the product keeps once opened; null if no shorter, or if not listed",
    was_moved="1 if it was moved to another place since",
)
def item(observed: ObservedItems) -> Values:
    """Compute what was known of the item when it was bought, and whether it was moved since."""
    items, row = observed.items, observed.item
    printed_life = np.where(items.printed > NEVER, (items.printed - items.bought) / DAY, np.nan)
    return {
        **indicators("is_", items.category[row], CATEGORIES),
        **indicators("is_in_", items.storage[row], STORAGES),
        "quantity": items.amount[row] / 1000,
        "unit_price": items.price[row],
        "line_cost": np.where(items.is_priced, items.cents / 100, np.nan)[row],
        "on_promotion": items.on_promotion[row],
        "printed_life_days": printed_life[row],
        "reference_life_days": items.reference_days[row],
        "reference_opened_life_days": items.opened_days[row],
        "was_moved": observed.pantry.first_moved[row] < observed.second,
    }


@feature_group(
    age_days="days since the purchase",
    life_days="days from purchase to expiry: the printed date, else the reference; the later one in a freezer",
    days_left="days from the observation to expiry; negative after it",
    days_to_printed_date="days from the observation to the printed date; negative after it; null without one",
    life_used="age as a share of life_days",
    is_opened="1 if it was opened or used",
    days_since_opened="days since it was first opened or used; null if unopened",
    opened_life_used="days_since_opened as a share of reference_opened_life_days; null if either is",
    days_since_last_touch="days since it was last used, or first opened, or else bought",
)
def time(observed: ObservedItems) -> Values:
    """Compute where the item stands between purchase, opening and expiry."""
    items, row = observed.items, observed.item
    days_since_opened, printed = observed.days_since(observed.opened), items.printed[row]
    return {
        "age_days": observed.age / DAY,
        "life_days": items.life[row] / DAY,
        "days_left": (items.expiry[row] - observed.second) / DAY,
        "days_to_printed_date": np.where(printed > NEVER, (printed - observed.second) / DAY, np.nan),
        "life_used": observed.age / items.life[row],
        "is_opened": observed.opened > NEVER,
        "days_since_opened": days_since_opened,
        "opened_life_used": days_since_opened / items.opened_days[row],
        "days_since_last_touch": (observed.second - observed.last_touch) / DAY,
    }


@feature_group(
    share_left="share of the quantity bought that is left",
    uses_so_far="how often it was used, 50 at most",
    share_per_use="mean share of the quantity bought taken at a use; null if never used",
    mean_days_between_uses="days from purchase to the last use, per use; null if never used",
    days_to_finish_at_pace="days until it is finished at its own pace so far; null if never used",
    days_to_finish_minus_days_left="days_to_finish_at_pace less days_left: above 0 it comes too late",
)
def quantity(observed: ObservedItems) -> Values:
    """Compute how much is left, and the pace at which the item was used so far."""
    items, row = observed.items, observed.item
    uses, used = observed.own_uses.count(), observed.own_uses.sum("amount")
    time_in_use = observed.own_uses.latest() - items.bought[row]
    days_to_finish = divide_by_positive(observed.left * (observed.age / DAY), used)
    return {
        "share_left": divide_by_positive(observed.left, items.amount[row]),
        "uses_so_far": np.minimum(uses, _MAX_USES),
        "share_per_use": divide_by_positive(used, items.amount[row] * uses),
        "mean_days_between_uses": divide_by_positive(time_in_use / DAY, uses),
        "days_to_finish_at_pace": days_to_finish,
        "days_to_finish_minus_days_left": days_to_finish - (items.expiry[row] - observed.second) / DAY,
    }
