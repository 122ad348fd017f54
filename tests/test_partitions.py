"""Work done in blocks of households gives what it gives at once."""

import pandas as pd
import pytest

from waste_risk import partitions
from waste_risk.partitions import in_blocks
from waste_risk.simulation import Tables, simulate


def frame(*household_id: int) -> pd.DataFrame:
    return pd.DataFrame({"household_id": list(household_id), "place": range(len(household_id))})


def blocks_of(*tables: pd.DataFrame) -> tuple[pd.DataFrame, list[list[list[int]]]]:
    seen: list[list[list[int]]] = []

    def watch(*block: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
        seen.append([table["place"].to_list() for table in block])
        return block[1:]

    (result,) = in_blocks(watch, *tables)
    return result, seen


@pytest.fixture
def two_in_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "HOUSEHOLDS_PER_BLOCK", 2)


@pytest.mark.usefixtures("two_in_a_block")
def test_each_block_holds_its_households_and_their_rows() -> None:
    lines = frame(7, 5, 5, 9, 9, 9)
    result, seen = blocks_of(frame(5, 7, 9), lines)
    assert seen == [[[0, 1], [0, 1, 2]], [[2], [3, 4, 5]]]
    pd.testing.assert_frame_equal(result, lines)


@pytest.mark.usefixtures("two_in_a_block")
def test_rows_in_another_order_than_the_households_are_done_at_once() -> None:
    lines = frame(9, 5, 7)
    result, seen = blocks_of(frame(5, 7, 9), lines)
    assert seen == [[[0, 1, 2], [0, 1, 2]]]
    pd.testing.assert_frame_equal(result, lines)


@pytest.mark.usefixtures("two_in_a_block")
def test_without_households_there_is_one_empty_block() -> None:
    _, seen = blocks_of(frame(), frame())
    assert seen == [[[], []]]


@pytest.mark.parametrize("scenario", ["usual", "dirty"])
def test_a_source_simulated_in_blocks_has_the_same_bits(monkeypatch: pytest.MonkeyPatch, scenario: str) -> None:
    at_once = simulate(n_households=250, n_items_per_household=30, scenario=scenario)
    monkeypatch.setattr(partitions, "HOUSEHOLDS_PER_BLOCK", 100)
    in_parts = simulate(n_households=250, n_items_per_household=30, scenario=scenario)
    for name in Tables._fields:
        pd.testing.assert_frame_equal(getattr(at_once, name), getattr(in_parts, name), check_exact=True)
