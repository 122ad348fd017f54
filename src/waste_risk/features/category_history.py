"""How the household's items of the same category and product ended, and at what pace they are used."""

import numpy as np

from waste_risk.features.household import waste_to_usual
from waste_risk.features.observations import Looks
from waste_risk.features.own_item import Values
from waste_risk.history.timeline import DAY, Floats, Span, ratio
from waste_risk.reference.vocabulary import usual_waste_permille

# How many entries the wider group (the household for a category, the category for a product) counts for.
PRIOR_ITEMS = 5
PRIOR_USES = 3


def category_history(looks: Looks) -> Values:
    """Rates shrunk towards the household's own, paces as shares of an item's life."""
    uses = looks.category.uses
    rate = _category_waste_rate(looks)
    return {
        "category_waste_rate": rate,
        "category_last_wasted": _last_wasted(looks),
        "category_mean_days_between_uses": uses.mean("gap") / DAY,
        "category_gap_in_life": _shrunk_mean(looks, "gap_in_life"),
        "category_first_gap_in_life": ratio(uses.sum("first_gap_in_life") / 1000, uses.sum("first")),
        "category_share_per_use": _shrunk_mean(looks, "share"),
        "product_waste_rate": _shrunk_rate(looks.product.ended, rate),
    }


def _category_waste_rate(looks: Looks) -> Floats:
    """Shrunk towards the category's usual rate times the household's excess over the usual."""
    usual = usual_waste_permille(looks.items.category[looks.item]) / 1000
    return _shrunk_rate(looks.category.ended, np.minimum(usual * waste_to_usual(looks), 1))


def _shrunk_rate(ended: Span, wider: Floats) -> Floats:
    prior = PRIOR_ITEMS * wider
    rate: Floats = (ended.sum("wasted") + prior) / (ended.count() + PRIOR_ITEMS)
    return rate


def _last_wasted(looks: Looks) -> Floats:
    """The share wasted among the items that ended in the latest second in which one did."""
    key, ended = looks.category.key, looks.category.ended
    last = ended.timeline.between(key - looks.second + ended.latest(), key)
    return np.where(ended.count() > 0, last.mean("wasted"), np.nan)


def _shrunk_mean(looks: Looks, name: str) -> Floats:
    """The mean over the category's uses of a column in thousandths, shrunk towards that over all the household's."""
    uses, overall = looks.category.uses, looks.household.uses.mean(name)
    return (uses.sum(name) + PRIOR_USES * overall) / (uses.count() + PRIOR_USES) / 1000
