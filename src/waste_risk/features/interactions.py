"""What history says of this very item: its silence, its remaining uses and its end, at the household's own pace."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from waste_risk.features.own_item import Values
from waste_risk.history.timeline import Floats, ratio


def interactions(features: Mapping[str, npt.NDArray[np.float32]]) -> Values:
    """Made of the finished features alone, so they know nothing that those do not."""
    f = {name: features[name].astype(np.float64) for name in INGREDIENTS}
    days_between_uses = f["category_gap_in_life"] * f["life_days"]
    share_per_use = np.where(np.isnan(f["share_per_use"]), f["category_share_per_use"], f["share_per_use"])
    uses_left = ratio(f["share_left"], share_per_use)
    days_to_finish: Floats = uses_left * days_between_uses
    return {
        "silence_in_life": ratio(f["days_since_last_touch"], f["life_days"]),
        "silence_to_usual": ratio(f["days_since_last_touch"], days_between_uses),
        "expected_uses_left": uses_left,
        "expected_days_to_finish": days_to_finish,
        "expected_finish_minus_days_left": days_to_finish - f["days_left"],
        "share_left_minus_life_left": f["share_left"] - (1 - f["life_used"]),
        "category_waste_rate_by_life_used": f["category_waste_rate"] * f["life_used"],
    }


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
