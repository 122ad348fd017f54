"""The log knows every move, what was interrupted, and where a rollback leads."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waste_risk.errors import ContractError
from waste_risk.parameters import Promotion, load
from waste_risk.promotion import Assignment, LogEntry, PromotionLog, decide_rollback
from waste_risk.promotion.decision import PromotionDecision
from waste_risk.promotion.log import find_open

BASE = load(Promotion, Path(__file__).parents[2] / "conf/base/parameters_promotion.yml")
NOTHING = Assignment(None, None, None)


def sha256(version_set: str | None) -> str | None:
    return None if version_set is None else f"sha256 of {version_set}"


def write(log: PromotionLog, after: Assignment, decision: str) -> PromotionLog:
    """Add a move, intention and end."""
    number = len(log.entries) + 1
    evidence = {
        "decision": decision,
        "challenger_sha256": sha256(after.champion),
        "champion_sha256": sha256(log.now.champion),
    }
    intended = LogEntry(
        *(str(number), number, "intended", None, log.now, after),
        *(evidence, "simulated", "run", "ann", "2025-01-01"),
    )
    done = replace(intended, id=f"{number} done", number=number + 1, event="done", of=number)
    return replace(log, entries=(*log.entries, intended, done), now=after, champion_sha256=sha256(after.champion))


def promote(log: PromotionLog, version_set: str, *, becomes_reference: bool = True) -> PromotionLog:
    return write(log, log.assign_promoted(version_set, becomes_reference=becomes_reference), "promote")


def roll_back(log: PromotionLog) -> PromotionLog:
    return write(log, log.assign_former(), "rollback")


def start(*version_sets: str) -> PromotionLog:
    log = PromotionLog((), NOTHING, usable=frozenset("abcdex"))
    for each in version_sets:
        log = promote(log, each)
    return log


def test_a_promotion_keeps_the_former_champion_as_previous_and_the_reference_unless_it_is_surpassed():
    log = start("a", "b")
    assert log.now == Assignment("b", "a", "b")
    assert promote(log, "c", becomes_reference=False).now == Assignment("c", "b", "b")
    assert promote(log, "c").now == Assignment("c", "b", "c")


def test_a_champion_made_by_hand_is_the_reference_of_what_is_not_better():
    by_hand = PromotionLog((), Assignment("x", None, None), sha256("x"))
    assert promote(by_hand, "a", becomes_reference=False).now == Assignment("a", "x", "x")


def test_a_rollback_restores_champion_previous_and_reference_of_before():
    before = promote(start("a", "b"), "c", becomes_reference=False)
    assert roll_back(promote(before, "d")).now == before.now


def test_one_rollback_after_the_other_leads_back_to_the_first_champion_and_no_further():
    log = start("a", "b", "c")
    log = roll_back(roll_back(log))
    assert log.now == Assignment("a", None, "a")
    with pytest.raises(ContractError, match="knows no earlier champion that a rollback could return to"):
        log.assign_former()


def test_an_empty_log_has_nothing_to_return_to():
    with pytest.raises(ContractError, match="no earlier champion"):
        start().assign_former()


def test_a_rollback_from_a_champion_made_by_hand_returns_to_the_last_that_the_log_knows():
    log = replace(start("a", "b"), now=Assignment("x", None, None))
    assert log.assign_former() == Assignment("b", "a", "b")


def test_a_rollback_can_return_to_a_champion_made_by_hand_that_was_replaced_by_a_promotion():
    by_hand = Assignment("x", "a", "a")
    log = promote(replace(start("a", "b"), now=by_hand), "c")
    assert log.assign_former() == by_hand
    assert roll_back(roll_back(log)).now == Assignment("b", "a", "b")


def test_what_was_rolled_back_is_known_until_it_is_promoted_again():
    log = roll_back(start("a", "b"))
    assert log.find_rolled_back() == {sha256("b")}
    assert promote(log, "b").find_rolled_back() == set()
    assert roll_back(promote(log, "c")).find_rolled_back() == {sha256("b"), sha256("c")}


def test_intentions_are_open_until_they_are_done_or_withdrawn():
    log = start("a", "b")
    intended = replace(log.entries[2], number=5)
    open_log = replace(log, entries=(*log.entries, intended))
    assert find_open(log.entries) == []
    assert find_open(open_log.entries) == [intended]
    withdrawn = replace(intended, number=6, event="withdrawn", of=5)
    closed = replace(open_log, entries=(*open_log.entries, withdrawn))
    assert find_open(closed.entries) == []
    assert closed.find_moves() == log.find_moves()


def test_a_rollback_tells_who_returns_who_leaves_and_why():
    decision = decide_rollback(start("a", "b"), BASE.model_copy(update={"override": "too many alerts"}))
    assert decision == PromotionDecision(
        decision="rollback",
        reasons=("A person returns to the former champion: too many alerts.",),
        challenger_sha256="sha256 of a",
        champion_sha256="sha256 of b",
        override="too many alerts",
    )
    assert "no reason was given" in decide_rollback(start("a", "b"), BASE).reasons[0]


def test_the_first_end_of_an_intention_counts():
    log = start("a", "b")
    late = replace(log.entries[3], number=6)
    for ends, moves in ((("withdrawn", "done"), 1), (("done", "withdrawn"), 2), (("done", "done"), 2)):
        first, second = replace(log.entries[3], event=ends[0]), replace(late, event=ends[1])
        assert len(replace(log, entries=(*log.entries[:3], first, second)).find_moves()) == moves


def test_no_rollback_returns_to_what_was_rolled_back_however_often_it_was_promoted():
    log = start("a", "b")
    by_hand = replace(log, now=Assignment("a", "b", "a"))
    log = promote(by_hand, "b")
    log = roll_back(log)
    assert log.now.champion == "a"
    with pytest.raises(ContractError, match="no earlier champion"):
        log.assign_former()


def test_a_rollback_passes_over_version_sets_that_are_gone():
    log = replace(start("a", "b", "c"), usable=frozenset("ac"))
    assert log.assign_former().champion == "a"
    assert replace(log, now=NOTHING).assign_former().champion == "c"


@given(st.lists(st.one_of(st.sampled_from("abcde"), st.just("rollback")), max_size=20))
def test_any_sequence_of_promotions_and_rollbacks_is_a_stack_without_what_was_rolled_back(moves):
    log, stack = start(), []
    for move in moves:
        if move == "rollback":
            remaining = [each for each in stack if each.champion != log.now.champion]
            if not remaining:
                with pytest.raises(ContractError):
                    log.assign_former()
                continue
            log, stack = roll_back(log), remaining
        elif move != log.now.champion:  # which is kept
            log = promote(log, move)
            stack.append(log.now)
        assert log.now == stack[-1]
