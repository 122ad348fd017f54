"""The household attributes and their groups by which fairness is evaluated, as columns that no model sees.

To add one, add it to SENSITIVE_ATTRIBUTES: the model input, its contract, metrics, gates and reports follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from waste_risk.reference.vocabulary import INCOME_BANDS, UNKNOWN

Words = npt.NDArray[Any]


@dataclass(frozen=True)
class SensitiveAttribute:
    """One attribute that divides households into groups.

    Attributes:
        name: as reports show it.
        groups: all groups, in the order of reports.
        group: returns the group of each row of the households table.
    """

    name: str
    groups: tuple[str, ...]
    group: Callable[[pd.DataFrame], Words]

    @property
    def column(self) -> str:
        """The attribute's column of the model input."""
        return f"sensitive_{self.name}"


SIZE_GROUPS = ("1", "2", "3-4", "5+")
CHILDREN_GROUPS = ("0", "1+", UNKNOWN)


def _children(households: pd.DataFrame) -> Words:
    children = households["children"].to_numpy(np.float64, na_value=np.nan)
    return np.array(CHILDREN_GROUPS)[np.where(np.isnan(children), 2, children > 0).astype(np.int64)]


SENSITIVE_ATTRIBUTES = (
    SensitiveAttribute(
        "size_group",
        SIZE_GROUPS,
        lambda households: np.array(SIZE_GROUPS)[np.searchsorted([2, 3, 5], households["size"], side="right")],
    ),
    SensitiveAttribute("children", CHILDREN_GROUPS, _children),
    SensitiveAttribute(
        "income_band", (*INCOME_BANDS, UNKNOWN), lambda households: households["income_band"].to_numpy()
    ),
)
