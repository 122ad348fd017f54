"""What is drawn for a household belongs to its id, is uniform, and leaves no gap between a thousand of them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from waste_risk.simulation.draws import draw

IDS = pd.Series(np.arange(3_000))


@pytest.mark.parametrize("ids", [IDS, "household " + IDS.astype("str")], ids=["numbers", "words"])
def test_a_draw_does_not_depend_on_the_other_households(ids: pd.Series) -> None:
    of_all = draw(ids, 7, "planning")
    order = np.random.default_rng(0).permutation(len(ids))[:500]
    np.testing.assert_array_equal(draw(ids.iloc[order], 7, "planning"), of_all[order])


@pytest.mark.parametrize("ids", [IDS, "household " + IDS.astype("str")], ids=["numbers", "words"])
def test_draws_are_uniform_and_differ_by_name_and_seed(ids: pd.Series) -> None:
    planning, appetite, of_another_seed = draw(ids, 7, "planning"), draw(ids, 7, "appetite"), draw(ids, 8, "planning")
    for numbers in (planning, appetite, of_another_seed):
        assert numbers.min() > 0
        assert numbers.max() < 1
        assert kstest(numbers, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(planning, appetite)[0, 1]) < 0.06
    assert not np.isclose(planning, of_another_seed, atol=1e-6).any()


def test_one_household_is_uniform_over_seeds() -> None:
    numbers = [draw(pd.Series([5]), seed, "pace meat")[0] for seed in range(300)]
    assert kstest(numbers, "uniform").pvalue > 0.01


@pytest.mark.parametrize("block", [0, 1])
def test_a_block_of_households_fills_the_unit_interval_and_the_square(block: int) -> None:
    ids = pd.Series(np.arange(1_024) + 1_024 * block)
    planning, appetite = draw(ids, 7, "planning"), draw(ids, 7, "appetite")
    assert (np.bincount((planning * 1_024).astype(np.int64)) == 1).all()
    in_cells = np.histogram2d(planning, appetite, bins=16, range=[[0, 1], [0, 1]])[0]
    assert in_cells.max() - in_cells.min() <= 4  # 16 independent draws of a cell of 4 would differ by 14 or more


def test_no_households_draw_nothing() -> None:
    assert draw(IDS.iloc[:0], 7, "planning").shape == (0,)
