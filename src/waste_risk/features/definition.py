"""How features are defined: a group is one function that computes them, and beside it the meaning of each.

The columns of the features table, its contract and docs/features.md follow from these definitions. A word such as a
category is a feature for each value it may have, 0 in all of them for any other value. A meaning always refers to what
was known before the observation. Rates are shares in [0, 1], durations days, and "usual" is the household's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy.typing as npt

Values = dict[str, npt.NDArray[Any]]
Source = TypeVar("Source")


@dataclass(frozen=True)
class Feature:
    """One column of the features table: its meaning is a phrase that also says when the value is null or capped."""

    name: str
    dtype: Literal["float32"]
    group: str
    meaning: str


@dataclass(frozen=True)
class FeatureGroup(Generic[Source]):
    """Features that one function computes, in the order of their columns."""

    features: tuple[Feature, ...]
    function: Callable[[Source], Values]

    def compute(self, source: Source) -> Values:
        """Compute the features, by name.

        Raises:
            ValueError: the function returns other names than the group defines.
        """
        values, defined = self.function(source), {feature.name for feature in self.features}
        if values.keys() != defined:
            names = ", ".join(sorted(values.keys() ^ defined))
            raise ValueError(f"{self.function.__name__} must define and return the same features, unlike {names}")
        return values


def feature_group(**meanings: str) -> Callable[[Callable[[Source], Values]], FeatureGroup[Source]]:
    """Define a group, named after the function, by the meaning of each feature that the function returns."""

    def define(function: Callable[[Source], Values]) -> FeatureGroup[Source]:
        group = function.__name__
        return FeatureGroup(tuple(Feature(name, "float32", group, text) for name, text in meanings.items()), function)

    return define
