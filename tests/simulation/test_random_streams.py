"""Draws that belong to an id."""

import numpy as np
import pandas as pd

from waste_risk.simulation.random_streams import derive, hash_ids, uniform


def test_a_draw_belongs_to_the_id_and_not_to_its_place() -> None:
    ids = pd.Series(np.arange(1_000))
    shuffled = ids.sample(frac=1, random_state=0)
    draws = pd.Series(uniform(hash_ids(ids, 1), 3), index=ids)
    again = pd.Series(uniform(hash_ids(shuffled, 1), 3), index=shuffled)
    pd.testing.assert_series_equal(draws, again.sort_index())


def test_draws_are_uniform_and_independent_between_streams_seeds_and_neighbouring_ids() -> None:
    ids = pd.Series(np.arange(200_000))
    keys = hash_ids(ids, 1)
    draws = [uniform(keys, 1), uniform(keys, 2), uniform(hash_ids(ids, 2), 1), np.roll(uniform(keys, 1), 1)]
    draws.append(uniform(derive(keys, np.uint64(7) + np.zeros(1, dtype=np.uint64)), 1))
    for draw in draws:
        counts = np.histogram(draw, bins=100, range=(0, 1))[0]
        assert abs(((counts - 2_000) ** 2 / 2_000).sum() - 99) < 5 * np.sqrt(2 * 99)
    correlation = np.corrcoef(draws) - np.eye(len(draws))
    assert np.abs(correlation).max() < 5 / np.sqrt(200_000)


def test_draws_never_reach_zero_or_one() -> None:
    draws = uniform(hash_ids(pd.Series(np.arange(100_000)), 0), 0)
    assert draws.min() > 0
    assert draws.max() < 1


def test_string_ids_are_keys_too() -> None:
    keys = hash_ids(pd.Series(["a", "b", "a"], dtype="str"))
    assert keys[0] == keys[2] != keys[1]
