"""The timeline: what happened to whom and when, counted and summed over spans of time."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from waste_risk.history.timeline import DAY, FOREVER, NEVER, Timeline, divide_by_positive, pack, to_seconds

# Owner 0 has entries at the seconds 10, 20 and 20, owner 1 none, owner 2 one at 5; given in no order.
OWNER = np.array([2, 0, 0, 0])
SECOND = np.array([5, 20, 10, 20])
AMOUNT = np.array([7, 2, 1, 3])
TIMELINE = Timeline(OWNER, SECOND, 3, {"amount": AMOUNT, "flag": np.array([1, 0, 1, 0])})


def keys(*moments: tuple[int, int]) -> np.ndarray:
    owner, second = np.array(moments).T
    return pack(owner, second)


def test_times_are_whole_seconds_rounded_down() -> None:
    times = pd.Series(pd.to_datetime(["1970-01-01 00:00:01.9", "1969-12-31 23:59:59.5"]).astype("datetime64[us]"))
    assert to_seconds(times).tolist() == [1, -1]


def test_a_missing_time_was_never_and_a_far_one_comes_before_forever() -> None:
    times = pd.Series(np.array(["NaT", "1800-01-01", "2999-12-31"], dtype="datetime64[s]"))
    assert to_seconds(times).tolist() == [NEVER, NEVER, FOREVER - 1]
    assert (NEVER, FOREVER) == (-4_294_967_296, 4_294_967_295)


def test_only_a_positive_number_divides() -> None:
    quotients = divide_by_positive([6, 6, 6], [4, 0, -2])
    assert quotients.tolist() == pytest.approx([1.5, np.nan, np.nan], nan_ok=True)


def test_owner_and_second_sort_as_one_number() -> None:
    moments = [(0, NEVER), (0, -1), (0, 0), (0, FOREVER - 1), (1, NEVER), (1, 0)]
    assert (np.diff(keys(*moments)) > 0).all()


def test_entries_lie_in_the_order_of_owner_and_time_with_their_columns() -> None:
    assert TIMELINE.owner.tolist() == [0, 0, 0, 2]
    assert TIMELINE.second.tolist() == [10, 20, 20, 5]
    assert TIMELINE.column("amount").tolist() == [1, 2, 3, 7]
    assert TIMELINE.starts.tolist() == [0, 3, 3]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_entries_may_be_given_in_any_order(order: tuple[int, ...]) -> None:
    at = list(order)
    timeline = Timeline(OWNER[at], SECOND[at], 3, {"second": SECOND[at]})
    assert timeline.keys.tolist() == TIMELINE.keys.tolist()
    assert timeline.column("second").tolist() == [10, 20, 20, 5]


def test_the_rows_of_the_columns_can_be_chosen() -> None:
    columns = {"amount": np.array([9, 8, 7, 6])}
    in_order = Timeline(np.array([0, 1]), np.array([5, 5]), 2, columns, np.array([3, 0]))
    assert in_order.column("amount").tolist() == [6, 9]
    sorted_first = Timeline(np.array([1, 0]), np.array([5, 5]), 2, columns, np.array([3, 0]))
    assert sorted_first.column("amount").tolist() == [9, 6]


def test_running_sums_begin_with_nothing() -> None:
    assert TIMELINE.running("amount").tolist() == [0, 1, 3, 6, 13]


def test_only_what_happened_before_counts() -> None:
    span = TIMELINE.before(keys((0, 10), (0, 11), (0, 20), (0, 21), (1, 99), (2, 5), (2, 6)))
    assert span.count().tolist() == [0, 1, 1, 3, 0, 0, 1]
    assert span.sum("amount").tolist() == [0, 1, 1, 6, 0, 0, 7]
    assert span.mean("amount").tolist() == pytest.approx([np.nan, 1, 1, 2, np.nan, np.nan, 7], nan_ok=True)
    assert span.earliest().tolist() == [NEVER, 10, 10, 10, NEVER, NEVER, 5]
    assert span.latest().tolist() == [NEVER, 10, 10, 20, NEVER, NEVER, 5]
    assert span.latest_where("flag").tolist() == [NEVER, 10, 10, 10, NEVER, NEVER, 5]


def test_a_flag_of_another_owner_is_not_the_latest() -> None:
    timeline = Timeline(np.array([0, 1]), np.array([10, 10]), 2, {"flag": np.array([1, 0])})
    assert timeline.before(keys((1, 20))).latest_where("flag").tolist() == [NEVER]


def test_without_any_flag_there_is_no_latest_not_even_of_the_last_owner() -> None:
    timeline = Timeline(np.array([0]), np.array([10]), 1, {"flag": np.array([0])})
    assert timeline.before(keys((0, 20))).latest_where("flag").tolist() == [NEVER]


def test_a_span_of_days_begins_with_its_first_second() -> None:
    timeline = Timeline(np.zeros(3, dtype=int), np.array([0, 1, DAY]), 1, {})
    assert timeline.before(keys((0, DAY), (0, DAY + 1), (0, DAY + 2))).lately(1).count().tolist() == [2, 2, 1]


def test_a_span_between_two_moments_holds_the_first_alone() -> None:
    first, until = keys((0, 10), (0, 11), (0, 30)), keys((0, 20), (0, 21), (0, 20))
    span = TIMELINE.between(first, until)
    assert span.count().tolist() == [1, 2, 0]
    assert span.sum("amount").tolist() == [1, 5, 0]


def test_the_first_flagged_entry_of_each_owner() -> None:
    assert TIMELINE.first(TIMELINE.column("amount") >= 2).tolist() == [20, FOREVER, 5]
    assert TIMELINE.first(TIMELINE.column("amount") < 0).tolist() == [FOREVER] * 3


def test_the_next_flagged_entry_may_lie_at_the_moment_itself() -> None:
    moments = keys((0, 10), (0, 11), (0, 21), (1, 0), (2, 5), (2, 6))
    assert TIMELINE.next(moments, np.full(4, True)).tolist() == [10, 20, FOREVER, FOREVER, 5, FOREVER]


@pytest.mark.parametrize("rows", [None, np.array([3, 2, 1, 0])], ids=["all rows", "chosen rows"])
def test_a_part_numbers_its_owners_from_zero(rows: np.ndarray | None) -> None:
    part = Timeline(OWNER, SECOND, 3, {"amount": AMOUNT}, rows).part(1, 3)
    assert (part.owner.tolist(), part.second.tolist(), part.starts.tolist()) == ([1], [5], [0, 0])
    assert part.column("amount").tolist() == [7 if rows is None else 3]
    whole = Timeline(np.array([0, 1]), np.array([5, 6]), 2, {"amount": np.array([1, 2])})
    assert whole.part(1, 2).column("amount").tolist() == [2]


def test_the_first_entry_of_each_owner_in_each_day() -> None:
    second = np.array([0, DAY - 1, DAY, 0])
    firsts = Timeline(np.array([0, 0, 0, 1]), second, 2, {}).first_of_each(DAY)
    assert firsts.owner.tolist() == [0, 0, 1]
    assert firsts.second.tolist() == [0, DAY, 0]


def test_a_timeline_may_be_empty() -> None:
    nothing = Timeline(np.array([], dtype=int), np.array([], dtype=int), 2, {"amount": np.array([], dtype=int)})
    span = nothing.before(keys((0, 5), (1, 5)))
    assert span.count().tolist() == span.sum("amount").tolist() == [0, 0]
    assert span.latest().tolist() == span.latest_where("amount").tolist() == [NEVER, NEVER]
    assert nothing.first_of_each(DAY).owner.tolist() == []
