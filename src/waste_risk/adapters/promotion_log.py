"""The log of promotions in the MLflow registry, and moves that are carried out by it.

Entries are versions of a registered model of their own: creating a version is the one thing that the registry numbers
atomically, and the MLflow page shows them. A version's tags are set when it is created, and never changed.
"""

import getpass
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, cast
from uuid import uuid4

from kedro.io import AbstractDataset, DatasetError
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from waste_risk.adapters.datasets import AtomicJSONDataset
from waste_risk.adapters.registry import (
    CHAMPION,
    PREVIOUS,
    REFERENCE,
    VersionSet,
    create_version,
    find_version_set,
    find_version_sets,
    is_running,
    move,
    point,
    set_stage,
    version_set_of_alias,
)
from waste_risk.adapters.signals import uninterrupted
from waste_risk.adapters.tracking import active_run_id
from waste_risk.promotion.log import Assignment, Event, LogEntry, PromotionLog, find_open

if TYPE_CHECKING:
    from waste_risk.promotion import PromotionDecision

LOG = "waste_risk_promotion_log"
ABANDONED_AFTER = 600  # seconds; a move takes a few, so whoever has begun one longer ago is gone, whatever its run says
GIVEN_UP_AFTER = 120  # seconds from the intention to the first change, after which it might be taken for abandoned


@dataclass(frozen=True)
class _Move:
    """What is to be moved, why, and for which source."""

    before: Assignment
    after: Assignment
    decision: Mapping[str, Any]
    source: str


def read_log(source: str) -> PromotionLog:
    """Return the log of promotions, what the aliases point at, and what a rollback of a source may return to."""
    usable = frozenset(each.id for each in find_version_sets(source) if each.is_complete)
    champion = version_set_of_alias(CHAMPION)
    return PromotionLog(_read_entries(), _read_now(), None if champion is None else champion.predictor_sha256, usable)


def carry_out(decision: "PromotionDecision", source: str) -> LogEntry:
    """Record a decision in the log, and move the version sets if it says so.

    Returns:
        The entry that ends it.

    Raises:
        ContractError: there is no champion to roll back to.
        DatasetError: the predictor is not registered whole, the champion is not the one that was decided about, or
            another move is at work. Nothing was moved then.
    """
    finish_interrupted()
    log = read_log(source)
    _refuse_at_work(find_open(log.entries))
    if not decision.is_move:
        return _append("decided", _Move(log.now, log.now, decision.to_dict(), source))
    if decision.champion_sha256 != log.champion_sha256:
        raise DatasetError("the champion is not the one that was decided about; nothing was moved, run again")
    if decision.decision == "rollback":
        after = log.assign_former()
    else:
        challenger = _find_registered(decision.challenger_sha256, source)
        after = log.assign_promoted(challenger.id, becomes_reference=decision.becomes_reference)
    return _move(_Move(log.now, after, decision.to_dict(), source))


def finish_interrupted() -> list[str]:
    """Carry out moves that ended half-way, as long as the champion is theirs or still the one before.

    Whoever resumes a move enters that first; of several, the first one that is at work goes on.

    Returns:
        What was carried out or withdrawn, in sentences.
    """
    told = []
    for intention in find_open(_read_entries()):
        if not _is_abandoned(_find_owner(intention, _read_entries())):
            continue
        what = _Move(intention.before, intention.after, intention.decision, intention.source)
        claim = _append("resumed", what, of=intention.number)
        entries = _read_entries()
        if intention not in find_open(entries) or _find_owner(intention, entries).number != claim.number:
            continue
        try:
            if _read_now().champion not in {what.before.champion, what.after.champion}:
                raise DatasetError("the champion is another one by now")
            _assign(what.after)
        except DatasetError as error:
            _append("withdrawn", what, of=intention.number)
            told.append(f"{_name(intention)} had been interrupted, and was withdrawn: {error}")
            continue
        _append("done", what, of=intention.number)
        told.append(f"{_name(intention)} had been interrupted, and was carried out")
    return told


def _read_entries() -> tuple[LogEntry, ...]:
    """Return the entries by their number; what a client entered twice, since the first answer was lost, counts once."""
    versions = MlflowClient().search_model_versions(f"name = '{LOG}'")
    known: dict[str, LogEntry] = {}
    for version in sorted(versions, key=lambda each: int(each.version)):
        if "entry" in version.tags:  # else somebody else has made it
            known.setdefault(version.tags["entry"], _to_entry(version))
    return tuple(known.values())


def _read_now() -> Assignment:
    sets = {alias: version_set_of_alias(alias) for alias in (CHAMPION, PREVIOUS, REFERENCE)}
    return Assignment(**{alias: None if each is None else each.id for alias, each in sets.items()})


def _find_registered(predictor_sha256: str, source: str) -> VersionSet:
    """Return the newest complete version set of a predictor."""
    found = [each for each in find_version_sets(source) if each.predictor_sha256 == predictor_sha256]
    complete = [each for each in found if each.is_complete]
    if not complete:
        raise DatasetError(
            f"the challenger {predictor_sha256[:12]} is not registered "
            f"{'whole' if found else f'as a model of source {source}'}; run training and validation again"
        )
    return complete[-1]


def _move(what: _Move) -> LogEntry:
    """Move by the log: whoever has entered the first open intention may move, all others withdraw theirs."""
    began = time.time()
    intention = _append("intended", what)
    try:
        _refuse_at_work([entry for entry in find_open(_read_entries()) if entry.number < intention.number])
        if _read_now().champion != what.before.champion:
            raise DatasetError("the champion was replaced meanwhile; nothing was moved, run again")
        if time.time() - began > GIVEN_UP_AFTER:
            raise DatasetError("the registry has answered too slowly; nothing was moved, run again")
        _assign(what.after)
    except DatasetError:
        _append("withdrawn", what, of=intention.number)
        raise
    return _append("done", what, of=intention.number)


def _refuse_at_work(others: list[LogEntry]) -> None:
    if others:
        raise DatasetError(f"{_name(others[0])} is at work on the registry; nothing was moved, run again")


def _find_owner(intention: LogEntry, entries: Sequence[LogEntry]) -> LogEntry:
    """Return who carries out an intention: who entered or resumed it first and is at work, else who resumed it last."""
    claims = [intention, *(each for each in entries if each.event == "resumed" and each.of == intention.number)]
    return next((each for each in claims if not _is_abandoned(each)), claims[-1])


def _is_abandoned(claim: LogEntry) -> bool:
    begun = time.time() - datetime.fromisoformat(claim.at).timestamp()
    return begun >= ABANDONED_AFTER or not is_running(claim.run_id)


def _assign(assignment: Assignment) -> None:
    """Move the version sets; repeating it completes what was interrupted.

    Raises:
        DatasetError: the champion to be is not whole any more. Nothing was moved then.
    """
    champion = find_version_set(str(assignment.champion))
    if champion is None or not champion.is_complete:
        raise DatasetError(f"version set {assignment.champion} is no longer whole in the registry; nothing was moved")
    if champion.is_new:
        set_stage(champion, "Staging")  # the challenger stays what it is
    move(champion, "Production")
    for alias, id_ in ((PREVIOUS, assignment.previous), (REFERENCE, assignment.reference)):
        other = None if id_ is None else find_version_set(id_)
        point(alias, other if other and other.is_complete else None)


def _append(event: Event, what: _Move, of: int | None = None) -> LogEntry:
    """Create an entry, with all of its tags at once."""
    tags = {
        "entry": uuid4().hex,
        "event": event,
        "outcome": str(what.decision["decision"]),
        "by": _user(),
        "of_source": what.source,
        "before": json.dumps(asdict(what.before)),
        "after": json.dumps(asdict(what.after)),
        "decision": json.dumps(what.decision, sort_keys=True),
        **({} if of is None else {"of": str(of)}),
    }
    run_id = active_run_id()
    create_version(LOG, f"runs:/{run_id}/reports", run_id, tags, description=_describe(event, what))
    # Read back: if the client has sent it twice, the first one counts.
    return next(entry for entry in _read_entries() if entry.id == tags["entry"])


def _describe(event: Event, what: _Move) -> str:
    """Return what the MLflow page shows of an entry, as Markdown."""
    decision, compared = what.decision, what.decision["comparison"]
    subject = "the champion that returns" if decision["decision"] == "rollback" else "challenger"
    lines = [
        f"**{event}: {decision['decision']}**, source {what.source}, by {_user()}",
        *decision["reasons"],
        f"{subject}: `{decision['challenger_sha256']}`",
        f"champion that is expected: `{decision['champion_sha256'] or 'none'}`",
    ]
    if compared:
        gains = {name: compared[f"{name}_gain"] for name in ("log_loss", "auc")}
        lines += [
            f"compared on {compared['n_rows']:,} rows of {compared['n_households']:,} households, "
            f"{compared['observed_from']} to {compared['observed_until']}, SHA-256 `{compared['rows_sha256']}`",
            *(
                f"gain in {name.replace('_', ' ')}: {gain['value']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})"
                for name, gain in gains.items()
            ),
        ]
    return "\n\n".join(lines)


def _to_entry(version: ModelVersion) -> LogEntry:
    tags = version.tags
    return LogEntry(
        id=tags["entry"],
        number=int(version.version),
        event=cast("Event", tags["event"]),
        of=int(tags["of"]) if "of" in tags else None,
        before=Assignment(**json.loads(tags["before"])),
        after=Assignment(**json.loads(tags["after"])),
        decision=json.loads(tags["decision"]),
        source=tags["of_source"],
        run_id=str(version.run_id),
        by=tags["by"],
        at=datetime.fromtimestamp(version.creation_timestamp / 1_000, UTC).isoformat(timespec="seconds"),
    )


def _name(entry: LogEntry) -> str:
    action = "rollback" if entry.decision["decision"] == "rollback" else "promotion"
    return f"the {action} of {entry.at} by {entry.by}"


def _user() -> str:
    """Return who runs this: the user of the MLflow server, else of the system."""
    try:
        return os.environ.get("MLFLOW_TRACKING_USERNAME") or getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"user {os.getuid()}"


class PromotionLogDataset(AbstractDataset[NoReturn, PromotionLog]):
    """The log of promotions; it grows when a decision is saved."""

    def __init__(self, source: str, metadata: dict[str, Any] | None = None) -> None:
        """Set the source of the predictors."""
        self._source = source
        self.metadata = metadata

    def load(self) -> PromotionLog:
        """Read all entries, and what the aliases point at."""
        return read_log(self._source)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: saving a decision adds to the log."""
        raise DatasetError("the log of promotions cannot be saved; save a decision instead")

    def _describe(self) -> dict[str, Any]:
        return {"registered_model": LOG, "source": self._source}


class PromotionDecisionDataset(AtomicJSONDataset):
    """A decision about the champion as JSON; saving it carries it out, unless it is a dry run."""

    kind = "a decision about the champion"

    def __init__(self, filepath: str, source: str, metadata: dict[str, Any] | None = None) -> None:
        """Set the file, and the source of the predictors."""
        super().__init__(filepath, "waste_risk.promotion.PromotionDecision", metadata)
        self._source = source

    def save(self, data: "PromotionDecision") -> None:
        """Carry out the decision, then write it."""
        if not data.dry_run:
            with uninterrupted():
                carry_out(data, self._source)
        super().save(data)
