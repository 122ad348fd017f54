"""What the item is, how old it is and how much of it is left."""

from typing import Any

import numpy as np
import numpy.typing as npt

from waste_risk.features.observations import Looks
from waste_risk.history.timeline import DAY, NEVER, ratio
from waste_risk.reference.vocabulary import CATEGORIES, STORAGES, indicators

Values = dict[str, npt.NDArray[Any]]

_MAX_USES = 50


def item(looks: Looks) -> Values:
    """What was known when it was bought, and whether it was moved since."""
    items, row = looks.items, looks.item
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
        "was_moved": looks.pantry.first_moved[row] < looks.second,
    }


def time(looks: Looks) -> Values:
    """Where the item stands between purchase, opening and expiry."""
    items, row = looks.items, looks.item
    days_since_opened, printed = looks.days_since(looks.opened), items.printed[row]
    return {
        "age_days": looks.age / DAY,
        "life_days": items.life[row] / DAY,
        "days_left": (items.expiry[row] - looks.second) / DAY,
        "days_to_printed_date": np.where(printed > NEVER, (printed - looks.second) / DAY, np.nan),
        "life_used": looks.age / items.life[row],
        "is_opened": looks.opened > NEVER,
        "days_since_opened": days_since_opened,
        "opened_life_used": days_since_opened / items.opened_days[row],
        "days_since_last_touch": (looks.second - looks.last_touch) / DAY,
    }


def quantity(looks: Looks) -> Values:
    """How much is left, and the pace at which the item was used so far."""
    items, row = looks.items, looks.item
    uses, used = looks.own_uses.count(), looks.own_uses.sum("amount")
    time_in_use = looks.own_uses.latest() - items.bought[row]
    days_to_finish = ratio(looks.left * (looks.age / DAY), used)
    return {
        "share_left": ratio(looks.left, items.amount[row]),
        "uses_so_far": np.minimum(uses, _MAX_USES),
        "share_per_use": ratio(used, items.amount[row] * uses),
        "mean_days_between_uses": ratio(time_in_use / DAY, uses),
        "days_to_finish_at_pace": days_to_finish,
        "days_to_finish_minus_days_left": days_to_finish - (items.expiry[row] - looks.second) / DAY,
    }
