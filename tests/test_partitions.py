"""Work done on parts of the households gives what it gives on all at once."""

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from waste_risk import partitions
from waste_risk.features import build_features
from waste_risk.observations import observe_items, open_items
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record
from waste_risk.parameters import DataGeneration, Observation
from waste_risk.partitions import in_blocks
from waste_risk.pipelines.data_engineering.pipeline import create_pipeline as engineer
from waste_risk.pipelines.data_generation.pipeline import create_pipeline as generate
from waste_risk.simulation import Tables, simulate, simulate_consumption, simulate_households, simulate_shopping
from waste_risk.tables.checks import check_tables

HOUSEHOLD_BY_HOUSEHOLD = [simulate_shopping, simulate_consumption, observe_items, open_items, build_features]
OF_WHOLE_TABLES = [simulate_households, check_tables, latest_record, assemble_model_input]


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
    assert_frame_equal(result, lines)


@pytest.mark.usefixtures("two_in_a_block")
def test_rows_in_another_order_than_the_households_are_done_at_once() -> None:
    lines = frame(9, 5, 7)
    result, seen = blocks_of(frame(5, 7, 9), lines)
    assert seen == [[[0, 1, 2], [0, 1, 2]]]
    assert_frame_equal(result, lines)


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
        assert_frame_equal(getattr(at_once, name), getattr(in_parts, name), check_exact=True)


def arguments(function: Any, seed: int) -> tuple[list[Any], list[Any]]:
    """Tables and other arguments for a function that works household by household."""
    params = DataGeneration(
        n_households=12,
        n_items_per_household=25,
        seed=seed,
        period_days=180,
        starts_on=date(2024, 1, 1),
        scenario="usual",
    )
    households, habits = simulate_households(params)
    if function is simulate_shopping:
        return [households], [params]
    purchases = simulate_shopping(households, params)
    if function is simulate_consumption:
        return [households, habits, purchases], [params]
    items, events, _ = simulate_consumption(households, habits, purchases, params)
    moment = pd.Timestamp("2024-03-15")
    if function is observe_items:
        return [items, events], [Observation(horizon_days=30, max_age_days=30, per_item=2), moment]
    if function is open_items:
        return [items, events], [moment]
    assert function is build_features, "a function per household that has no arguments here"
    return [open_items(items, events, moment), households, items, events], []


@pytest.mark.parametrize("function", HOUSEHOLD_BY_HOUSEHOLD, ids=lambda function: function.__name__)
@settings(max_examples=8, derandomize=True)
@given(seed=st.integers(0, 2**31 - 1), part_of=st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_households_in_parts_give_what_all_give_at_once(function: Any, seed: int, part_of: list[int]) -> None:
    tables, others = arguments(function, seed)
    part_of_household = pd.Series(part_of, index=range(1, 13))
    whole = as_tuple(function(*tables, *others))
    parts = [
        as_tuple(function(*(table[table["household_id"].map(part_of_household) == part] for table in tables), *others))
        for part in sorted(set(part_of))
    ]
    for table, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        together = pd.concat(pieces, ignore_index=True)
        keys = [name for name in ("item_id", "observed_on", "occurred_on", "kind", "quantity") if name in table]
        expected, joined = (one.sort_values(keys, ignore_index=True) for one in (table, together))
        assert_frame_equal(joined, expected, check_exact=True)


def test_every_node_before_training_is_tested_in_parts_or_needs_whole_tables() -> None:
    nodes = {node.func for create in (generate, engineer) for node in create().nodes}
    core = {function for function in nodes if not function.__module__.startswith("waste_risk.reporting")}
    assert core == {*HOUSEHOLD_BY_HOUSEHOLD, *OF_WHOLE_TABLES} - {open_items}


def as_tuple(result: Any) -> tuple[pd.DataFrame, ...]:
    return result if isinstance(result, tuple) else (result,)
