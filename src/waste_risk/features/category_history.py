"""How the household's items of the same category and product ended, and at what pace they are used."""

import numpy as np

from waste_risk.arrays import Floats
from waste_risk.features.definition import Values, feature_group
from waste_risk.features.household import waste_to_usual
from waste_risk.features.observed_items import ObservedItems
from waste_risk.history.timeline import DAY, Span, divide_by_positive
from waste_risk.reference.vocabulary import usual_waste_permille

# How many entries the wider group (the household for a category, the category for a product) counts for.
WIDER_ITEMS = 5
WIDER_USES = 3


@feature_group(
    category_waste_rate="share wasted of the household's ended items in the category, shrunk by 5 items towards the "
    "usual rate of the category times waste_to_usual",
    category_last_wasted="1 if the category's latest ended item was wasted, 0 if used up; null without one",
    category_mean_days_between_uses="mean days between uses of an item of the category; null without any",
    category_gap_in_life="mean days between uses as a share of the item's life, in the category, shrunk by 3 uses "
    "towards the household's; null if it never used anything",
    category_first_gap_in_life="mean days from purchase to first use as a share of life, in the category; null "
    "without any",
    category_share_per_use="mean share of an item taken at a use in the category, shrunk like category_gap_in_life",
    product_waste_rate="share wasted of the household's ended items of the product, shrunk by 5 items towards "
    "category_waste_rate",
)
def category_history(observed: ObservedItems) -> Values:
    """Compute rates shrunk towards the household's own, and paces as shares of an item's life."""
    uses = observed.category.uses
    usual = usual_waste_permille(observed.items.category[observed.item]) / 1000
    rate = _shrunk_rate(observed.category.ended, np.minimum(usual * waste_to_usual(observed), 1))
    # Several items may have ended in the last second in which any did: the share wasted of these.
    key, ended = observed.category.key, observed.category.ended
    last = ended.timeline.between(key - observed.second + ended.latest(), key)
    return {
        "category_waste_rate": rate,
        "category_last_wasted": np.where(ended.count() > 0, last.mean("wasted"), np.nan),
        "category_mean_days_between_uses": uses.mean("gap") / DAY,
        "category_gap_in_life": _shrunk_mean(observed, "gap_in_life"),
        "category_first_gap_in_life": divide_by_positive(uses.sum("first_gap_in_life") / 1000, uses.sum("first")),
        "category_share_per_use": _shrunk_mean(observed, "share"),
        "product_waste_rate": _shrunk_rate(observed.product.ended, rate),
    }


def _shrunk_rate(ended: Span, wider: Floats) -> Floats:
    prior = WIDER_ITEMS * wider
    rate: Floats = (ended.sum("wasted") + prior) / (ended.count() + WIDER_ITEMS)
    return rate


def _shrunk_mean(observed: ObservedItems, name: str) -> Floats:
    """Shrink a mean over the category's uses, of a column in thousandths, towards the household's mean."""
    uses, overall = observed.category.uses, observed.household.uses.mean(name)
    return (uses.sum(name) + WIDER_USES * overall) / (uses.count() + WIDER_USES) / 1000
