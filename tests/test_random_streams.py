"""Draws that belong to an id, and streams that never collide."""

import ast
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from waste_risk.parameters import DataGeneration
from waste_risk.random_streams import FixedSeed, Stream, derive, hash_ids, uniform


def test_a_draw_belongs_to_the_id_and_not_to_its_place() -> None:
    ids = pd.Series(np.arange(1_000))
    shuffled = ids.sample(frac=1, random_state=0)
    draws = pd.Series(uniform(hash_ids(ids, 1), Stream.ITEM_LIFE), index=ids)
    again = pd.Series(uniform(hash_ids(shuffled, 1), Stream.ITEM_LIFE), index=shuffled)
    pd.testing.assert_series_equal(draws, again.sort_index())


def test_draws_are_uniform_and_independent_between_streams_seeds_and_neighbouring_ids() -> None:
    ids = pd.Series(np.arange(200_000))
    keys = hash_ids(ids, 1)
    first, of_another_seed = uniform(keys, Stream.TRIP_WEEK), uniform(hash_ids(ids, 2), Stream.TRIP_WEEK)
    draws = [first, uniform(keys, Stream.TRIP_WEEKDAY), of_another_seed, np.roll(first, 1)]
    draws.append(uniform(derive(keys, Stream.TRIP_LINE, np.full(1, 7)), Stream.TRIP_WEEK))
    for draw in draws:
        counts = np.histogram(draw, bins=100, range=(0, 1))[0]
        assert abs(((counts - 2_000) ** 2 / 2_000).sum() - 99) < 5 * np.sqrt(2 * 99)
    correlation = np.corrcoef(draws) - np.eye(len(draws))
    assert np.abs(correlation).max() < 5 / np.sqrt(200_000)


def test_draws_never_reach_zero_or_one() -> None:
    draws = uniform(hash_ids(pd.Series(np.arange(100_000)), 0), Stream.HOUSEHOLD_TRAIT)
    assert draws.min() > 0
    assert draws.max() < 1


def test_string_ids_are_keys_too() -> None:
    keys = hash_ids(pd.Series(["a", "b", "a"], dtype="str"), 0)
    assert keys[0] == keys[2] != keys[1]


def test_a_series_of_streams_continues_its_first_number_for_one_index_and_for_one_of_each_key() -> None:
    keys = hash_ids(pd.Series(np.arange(3)), 1)
    each = derive(keys, Stream.ITEM_USE, np.array([0, 1, 5]))
    alone = [derive(keys, Stream.ITEM_USE, index)[row] for row, index in enumerate([0, 1, 5])]
    np.testing.assert_array_equal(each, alone)
    assert derive(keys, Stream.ITEM_USE, 0)[1] != each[1]


def test_no_two_streams_of_a_kind_of_key_share_a_number() -> None:
    for one, other in combinations(Stream, 2):
        is_apart = one.first + one.count <= other.first or other.first + other.count <= one.first
        assert is_apart or one.key != other.key, (one, other)


def test_no_user_can_set_the_seed_of_the_observations() -> None:
    (bounds,) = (field.metadata for name, field in DataGeneration.model_fields.items() if name == "seed")
    assert max(bound.lt for bound in bounds if hasattr(bound, "lt")) <= FixedSeed.OBSERVATIONS


SOURCE = Path(__file__).parents[1] / "src/waste_risk"
MODULES = [path for path in sorted(SOURCE.rglob("*.py")) if "random_streams import" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_draw_names_its_stream_and_every_fixed_seed_its_member(path: Path) -> None:
    """A bare number could be another draw's."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(call.func, "id", "") if isinstance(call, ast.Call) else ""
        if name in {"uniform", "derive"}:
            assert ast.unparse(call.args[1]).startswith("Stream."), ast.unparse(call)
        if name == "hash_ids":
            assert not isinstance(call.args[1], ast.Constant | ast.BinOp), ast.unparse(call)


def test_every_stream_is_drawn_from() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    members = [f"{type(member).__name__}.{member.name}" for member in (*Stream, *FixedSeed)]
    assert [member for member in members if member not in text] == []
