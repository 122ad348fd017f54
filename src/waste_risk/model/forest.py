"""All trees of a booster, evaluated for many rows at once: LightGBM's predictions, bit for bit, in less time.

LightGBM leads each row through each tree, and the processor guesses most branches wrong. Here a node's test is one
comparison of a whole column, packed into bits, so that one operation leads 64 rows on. Only the values of the leaves
are looked up row by row; they are summed in the order of the trees. Bit vectors are the idea of QuickScorer (Lucchese
et al., SIGIR 2015), there over leaves, here over rows.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from waste_risk.arrays import Floats
from waste_risk.model.matrix import Column

Bits = NDArray[np.uint64]  # a bit for each row

_MOST_ROWS, _FEWEST_ROWS = 65_536, 8_192  # at once
_BYTES = 2**26  # for the outcomes of all tests

_CATEGORICAL, _NULL_IS_LEFT, _MISSING = 1, 2, 12  # bits of LightGBM's decision_type
_ZERO_IS_MISSING, _NAN_IS_MISSING = 4, 8


class UnknownBoosterError(ValueError):
    """A booster has something that is not evaluated here, such as categorical tests."""


class Test(NamedTuple):
    """Leads a row to the left where the value of a column is at most the threshold; so it does with a null, or not."""

    column: int
    threshold: np.float32
    null_is_left: bool


@dataclass(frozen=True)
class Tree:
    """A binary tree.

    Attributes:
        tests: of each node, by its place among the forest's; node 0 is the root.
        left: the node to the left of each node; ``~leaf`` if it is a leaf.
        right: likewise to the right.
        values: of the leaves.
    """

    tests: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    values: Floats


@dataclass(frozen=True)
class Forest:
    """The trees of a booster.

    Attributes:
        tests: each different one once: trees share many.
        trees: in the order of the rounds.
        is_classifier: whether the sum of the leaves' values is in log-odds, and a probability is predicted.
    """

    tests: tuple[Test, ...]
    trees: tuple[Tree, ...]
    is_classifier: bool

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a booster in LightGBM's text format.

        Raises:
            UnknownBoosterError: it has something that is not evaluated here.
        """
        head, *sections = text.partition("\nend of trees")[0].split("\nTree=")
        places: dict[Test, int] = {}
        trees = tuple(_read_tree(_fields(section), places) for section in sections)
        return cls(tuple(places), trees, _is_classifier(_fields(head)))

    def predict(self, columns: Sequence[Column]) -> Floats:
        """Return one prediction per row.

        Args:
            columns: of the booster's features in their order, null as NaN.
        """
        totals = np.zeros(len(columns[0]))
        n_rows = int(np.clip(8 * _BYTES // max(len(self.tests), 1), _FEWEST_ROWS, _MOST_ROWS)) // 64 * 64
        for start in range(0, len(totals), n_rows):
            rows = slice(start, start + n_rows)
            self._add([column[rows] for column in columns], totals[rows])
        if not self.is_classifier:
            return totals
        # NumPy's own exponential differs from the C library's, which LightGBM and Python call, in the last bit.
        return np.array([1 / (1 + math.exp(-total)) for total in totals.tolist()])

    def _add(self, columns: Sequence[Column], totals: Floats) -> None:
        """Add the trees' values for some rows to their totals."""
        outcomes = self._test(columns, len(totals))
        for tree in self.trees:
            totals += tree.values.take(_find_leaves(tree, outcomes, len(totals)))

    def _test(self, columns: Sequence[Column], n_rows: int) -> Bits:
        """Return which rows each test leads to the left."""
        outcomes = np.zeros((len(self.tests), -(-n_rows // 64)), np.uint64)
        nulls = {test.column: np.isnan(columns[test.column]) for test in self.tests if test.null_is_left}
        packed_nulls = {column: np.packbits(is_null) for column, is_null in nulls.items() if is_null.any()}
        for test, outcome in zip(self.tests, outcomes.view(np.uint8), strict=True):
            packed = np.packbits(columns[test.column] <= test.threshold)  # False for NaN
            if test.null_is_left and test.column in packed_nulls:
                packed |= packed_nulls[test.column]
            outcome[: len(packed)] = packed
        return outcomes


def _find_leaves(tree: Tree, outcomes: Bits, n_rows: int) -> NDArray[Any]:
    """Return the leaf of each row: the bits of its number are collected over the leaves, then put together."""
    n_bits = max((len(tree.values) - 1).bit_length(), 1)
    bits = np.zeros((n_bits, outcomes.shape[1]), np.uint64)
    every_row = np.full(outcomes.shape[1], ~np.uint64(0))
    on_the_way = [(0, every_row)] if tree.tests else []
    while on_the_way:
        node, rows = on_the_way.pop()
        to_left = rows & outcomes[tree.tests[node]]
        for child, there in ((tree.left[node], to_left), (tree.right[node], rows ^ to_left)):
            if child >= 0:
                on_the_way.append((child, there))
            else:
                for place in _places_of_ones(~child):
                    np.bitwise_or(bits[place], there, out=bits[place])
    digits = np.unpackbits(bits.view(np.uint8), axis=1, count=n_rows)
    leaves: NDArray[Any] = digits[-1] if n_bits <= 8 else digits[-1].astype(np.uint16)
    for digit in digits[-2::-1]:
        leaves = (leaves << 1) | digit
    return leaves


def _places_of_ones(number: int) -> Iterator[int]:
    return (place for place in range(number.bit_length()) if number >> place & 1)


def _fields(section: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in section.splitlines())


def _is_classifier(head: Mapping[str, str]) -> bool:
    objective = head.get("objective", "")
    known = {"binary sigmoid:1": True, "regression": False, "regression_l1": False}
    if objective not in known or head.get("num_class") != "1" or "average_output" in head:
        raise UnknownBoosterError(f"objective {objective}")
    return known[objective]


def _read_tree(fields: Mapping[str, str], places: dict[Test, int]) -> Tree:
    """Read a tree; its tests get a place among all."""
    if fields["num_cat"] != "0" or fields.get("is_linear", "0") != "0":
        raise UnknownBoosterError("categorical tests or linear leaves")
    columns, types, left, right = (
        tuple(map(int, fields.get(name, "").split()))
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    thresholds = map(float, fields.get("threshold", "").split())
    tests = [_read_test(*each) for each in zip(columns, thresholds, types, strict=True)]
    numbers = tuple(places.setdefault(test, len(places)) for test in tests)
    return Tree(numbers, left, right, np.array(fields["leaf_value"].split(), float))


def _read_test(column: int, threshold: float, decision_type: int) -> Test:
    missing = decision_type & _MISSING
    if decision_type & _CATEGORICAL or missing == _ZERO_IS_MISSING:
        raise UnknownBoosterError("categorical tests, or zero as missing")
    rounded = np.float32(threshold)
    if float(rounded) > threshold:  # the largest float32 up to the threshold tells the same values apart
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    # Where training saw no null, LightGBM takes one for 0.
    null_is_left = bool(decision_type & _NULL_IS_LEFT) if missing == _NAN_IS_MISSING else threshold >= 0
    return Test(column, rounded, null_is_left)
