"""The item at the household's own pace: how unusually long it has been untouched, and when it should be finished."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from waste_risk.arrays import Floats
from waste_risk.features.definition import Values, feature_group
from waste_risk.history.timeline import divide_by_positive

# The features that interactions are computed from.
INGREDIENTS = (
    "life_days",
    "life_used",
    "days_left",
    "days_since_last_touch",
    "share_left",
    "share_per_use",
    "category_gap_in_life",
    "category_share_per_use",
    "category_waste_rate",
)


@feature_group(
    silence_in_life="days_since_last_touch as a share of life_days",
    silence_to_usual="days_since_last_touch over the days between uses that category_gap_in_life lets expect",
    expected_uses_left="uses until finished, by its own share per use, else by the category's; null without either",
    expected_days_to_finish="expected_uses_left times the days between uses that category_gap_in_life lets expect",
    expected_finish_minus_days_left="expected_days_to_finish less days_left: above 0 it comes too late",
    share_left_minus_life_left="share left less share of life left: above 0 it is used more slowly than it ages",
    category_waste_rate_by_life_used="category_waste_rate times life_used",
)
def interactions(features: Mapping[str, npt.NDArray[np.float32]]) -> Values:
    """Combine INGREDIENTS, and nothing else, so that they know nothing that those do not."""
    known = {name: values.astype(np.float64) for name, values in features.items()}
    days_between_uses = known["category_gap_in_life"] * known["life_days"]
    share_per_use = np.where(np.isnan(known["share_per_use"]), known["category_share_per_use"], known["share_per_use"])
    uses_left = divide_by_positive(known["share_left"], share_per_use)
    days_to_finish: Floats = uses_left * days_between_uses
    return {
        "silence_in_life": divide_by_positive(known["days_since_last_touch"], known["life_days"]),
        "silence_to_usual": divide_by_positive(known["days_since_last_touch"], days_between_uses),
        "expected_uses_left": uses_left,
        "expected_days_to_finish": days_to_finish,
        "expected_finish_minus_days_left": days_to_finish - known["days_left"],
        "share_left_minus_life_left": known["share_left"] - (1 - known["life_used"]),
        "category_waste_rate_by_life_used": known["category_waste_rate"] * known["life_used"],
    }
