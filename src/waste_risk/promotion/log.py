"""The log of promotions: what was decided and moved, what was rolled back, and which champion a rollback returns to.

A move is an entry with the intention, followed by one that it is done or was withdrawn; so whoever reads the log sees
what was interrupted, and no entry is ever changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from waste_risk.errors import ContractError
from waste_risk.parameters import Promotion
from waste_risk.promotion.decision import PromotionDecision

Event = Literal["decided", "intended", "done", "withdrawn"]


@dataclass(frozen=True)
class Assignment:
    """Which version set is the champion, which was before it, and which is the reference; null where there is none."""

    champion: str | None
    previous: str | None
    reference: str | None


@dataclass(frozen=True)
class LogEntry:
    """One entry of the log.

    Attributes:
        number: entries are numbered from 1 in the order in which they were made.
        event: ``decided`` if nothing was to be moved, ``intended`` before a move, then ``done`` or ``withdrawn``.
        concludes: the number of the intention that is done or was withdrawn; null in the others.
        before: the assignment that the move replaces.
        after: the one that it leads to; equal to ``before`` if nothing was to be moved.
        decision: as ``PromotionDecision.to_dict`` returns it.
        source: whose records the predictors were trained on.
        run_id: the run that made the entry.
        by: who ran it.
        at: when, as ISO text in UTC.
    """

    number: int
    event: Event
    concludes: int | None
    before: Assignment
    after: Assignment
    decision: Mapping[str, Any]
    source: str
    run_id: str
    by: str
    at: str


@dataclass(frozen=True)
class PromotionLog:
    """What happened, and what is.

    Attributes:
        entries: the oldest first.
        now: what the registry's aliases point at.
        champion_sha256: of the champion; null without one.
    """

    entries: tuple[LogEntry, ...]
    now: Assignment
    champion_sha256: str | None = None

    def find_open(self) -> list[LogEntry]:
        """Return the intentions that were neither carried out nor withdrawn, the first one first."""
        concluded = {entry.concludes for entry in self.entries}
        return [entry for entry in self.entries if entry.event == "intended" and entry.number not in concluded]

    def find_moves(self) -> list[LogEntry]:
        """Return the entries of the moves that are done, in the order of their intentions."""
        done = (entry for entry in self.entries if entry.event == "done")
        return sorted(done, key=lambda entry: entry.concludes or 0)

    def find_rolled_back(self) -> set[str]:
        """Return the SHA-256 of each predictor that a rollback has replaced, and that was not promoted since."""
        rolled_back: set[str] = set()
        for decision in (entry.decision for entry in self.find_moves()):
            if decision["decision"] == "rollback":
                rolled_back.add(decision["champion_sha256"])
            rolled_back.discard(decision["challenger_sha256"])
        return rolled_back

    def assign_promoted(self, challenger: str, *, becomes_reference: bool) -> Assignment:
        """Return the assignment after the promotion of a version set."""
        reference = challenger if becomes_reference else self.now.reference or self.now.champion
        return Assignment(challenger, self.now.champion, reference)

    def assign_former(self) -> Assignment:
        """Return the assignment before the current champion was promoted, as if it had never been.

        So one rollback after the other leads back through all champions, and never to one that was rolled back. From a
        champion that the log does not know, since it was made one by hand, the way leads to the last one that it knows.

        Raises:
            ContractError: there is no earlier champion.
        """
        former: list[Assignment] = []
        for entry in self.find_moves():
            if entry.decision["decision"] == "rollback":
                while former and former[-1].champion != entry.after.champion:
                    former.pop()
            elif entry.before.champion and [each.champion for each in former[-1:]] != [entry.before.champion]:
                former.append(entry.before)  # it was made the champion by hand
            if not former or former[-1].champion != entry.after.champion:
                former.append(entry.after)
        if former and former[-1].champion == self.now.champion:
            former.pop()
        if not former:
            raise ContractError("the log of promotions knows no earlier champion that a rollback could return to")
        return former[-1]

    def sha256_of(self, version_set: str | None) -> str | None:
        """Return the SHA-256 of the predictor of a version set that was ever moved; null if the log does not know."""
        for entry in self.find_moves():
            known = {
                entry.before.champion: entry.decision["champion_sha256"],
                entry.after.champion: entry.decision["challenger_sha256"],
            }
            if version_set in known:
                return str(known[version_set])
        return None


def decide_rollback(promotion_log: PromotionLog, promotion: Promotion) -> PromotionDecision:
    """Return the decision to replace the champion by the one before it.

    Raises:
        ContractError: there is none.
    """
    former = promotion_log.assign_former().champion
    reason = promotion.override or "no reason was given; promotion.override takes one"
    return PromotionDecision(
        decision="rollback",
        reasons=(f"A person returns to the former champion: {reason}.",),
        challenger_sha256=str(promotion_log.sha256_of(former)),
        champion_sha256=promotion_log.champion_sha256,
        override=promotion.override,
        dry_run=promotion.dry_run,
    )
