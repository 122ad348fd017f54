"""The log of promotions: what was decided and moved, what was rolled back, and which champion a rollback returns to.

A move is an entry with the intention, followed by one that it is done or was withdrawn; so whoever reads the log sees
what was interrupted, and no entry is ever changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from waste_risk.errors import ContractError

Event = Literal["decided", "intended", "resumed", "done", "withdrawn"]

_ENDS = ("done", "withdrawn")


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
        id: unique.
        number: entries are numbered from 1 in the order in which they were made.
        event: ``decided`` if nothing was to be moved, ``intended`` before a move, then ``done`` or ``withdrawn``;
            between them ``resumed`` by each run that found it interrupted.
        of: the number of the intention that was resumed, is done or was withdrawn; null in the others.
        before: the assignment that the move replaces.
        after: the one that it leads to; equal to ``before`` if nothing was to be moved.
        decision: as ``PromotionDecision.to_dict`` returns it.
        source: whose records the predictors were trained on.
        run_id: the run that made the entry.
        by: who ran it.
        at: when, as ISO text in UTC.
    """

    id: str
    number: int
    event: Event
    of: int | None
    before: Assignment
    after: Assignment
    decision: Mapping[str, Any]
    source: str
    run_id: str
    by: str
    at: str


def find_open(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Return the intentions that were neither carried out nor withdrawn, the first one first."""
    concluded = {entry.of for entry in entries if entry.event in _ENDS}
    return [entry for entry in entries if entry.event == "intended" and entry.number not in concluded]


@dataclass(frozen=True)
class PromotionLog:
    """What happened, and what is.

    Attributes:
        entries: the oldest first.
        now: what the registry's aliases point at.
        champion_sha256: of the champion; null without one.
        usable: the version sets that a rollback may return to: whole, and of the source.
    """

    entries: tuple[LogEntry, ...]
    now: Assignment
    champion_sha256: str | None = None
    usable: frozenset[str] = frozenset()

    def find_moves(self) -> list[LogEntry]:
        """Return the entries of the moves that are done, in the order of their intentions; the first end counts."""
        ends: dict[int, LogEntry] = {}
        for entry in self.entries:
            if entry.event in _ENDS and entry.of is not None:
                ends.setdefault(entry.of, entry)
        return [entry for _, entry in sorted(ends.items()) if entry.event == "done"]

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
                former = [each for each in former if each.champion != entry.before.champion]
            elif entry.before.champion and [each.champion for each in former[-1:]] != [entry.before.champion]:
                former.append(entry.before)  # it was made the champion by hand
            if not former or former[-1].champion != entry.after.champion:
                former.append(entry.after)
        candidates = [each for each in former if each.champion in self.usable]
        while candidates and candidates[-1].champion == self.now.champion:
            candidates.pop()
        if not candidates:
            raise ContractError("the log of promotions knows no earlier champion that a rollback could return to")
        return candidates[-1]

    def sha256_of(self, version_set: str | None) -> str | None:
        """Return the SHA-256 of the predictor of a version set that was ever moved; null if the log does not know."""
        for entry in self.find_moves():
            known = {
                entry.before.champion: entry.decision["champion_sha256"],
                entry.after.champion: entry.decision["challenger_sha256"],
            }
            if known.get(version_set) is not None:
                return str(known[version_set])
        return None
