"""The rule of promotion: superior, or fresh and not worse; and never downhill by many small steps.

A challenger that has passed its gates replaces the champion if it is surely better; or if the champion is older, the
challenger seems better, and it surely is not worse by more than a margin, neither than the champion nor than the
reference. The reference is the last predictor that was surely better than the one before it, so it only moves uphill.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from waste_risk.errors import ContractError
from waste_risk.formatting import (
    format_interval,
    format_limit,
    format_number,
    format_percent,
    format_signed,
    join_words,
)
from waste_risk.parameters import Promotion
from waste_risk.promotion.comparison import Comparison
from waste_risk.promotion.log import PromotionLog
from waste_risk.validation.gates import GateDecision

_EXCUSE = "The gates refuse the challenger for a gap that the champion has as well, and no smaller, on the same rows:"

Outcome = Literal["promote", "keep", "inconclusive", "rollback"]


@dataclass(frozen=True)
class PromotionDecision:
    """Whether the challenger replaces the champion, why, and on what evidence.

    Attributes:
        decision: ``promote``, ``keep`` (the champion), ``inconclusive``, which keeps it, too, or ``rollback``.
        reasons: in sentences.
        challenger_sha256: of the predictor that the decision is about; of a rollback, of the one that returns.
        champion_sha256: of the predictor that is expected to be replaced; null without one.
        becomes_reference: whether the challenger, once promoted, is the reference of later decisions.
        override: the reason that a person gave for promoting or rolling back; null unless a person did.
        dry_run: whether nothing is to be moved.
        comparison: with the champion; null without one.
        reference: with the reference; null if there is none beside the champion.
    """

    decision: Outcome
    reasons: tuple[str, ...]
    challenger_sha256: str
    champion_sha256: str | None = None
    becomes_reference: bool = False
    override: str | None = None
    dry_run: bool = False
    comparison: Comparison | None = None
    reference: Comparison | None = None

    @property
    def is_move(self) -> bool:
        """Whether another predictor is to become the champion."""
        return self.decision in {"promote", "rollback"}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)


def decide(
    comparison: Comparison | None,
    verdict: GateDecision,
    params: Promotion,
    *,
    challenger_sha256: str,
    champion_sha256: str | None = None,
    champion_age_days: float | None = None,
    reference: Comparison | None = None,
    was_rolled_back: bool = False,
    not_compared: str | None = None,
) -> PromotionDecision:
    """Decide whether the challenger replaces the champion.

    Args:
        comparison: of champion and challenger; null if there is no champion yet, or the gates said no.
        verdict: of the gates about the challenger.
        params: the section ``promotion`` of the parameters.
        challenger_sha256: of the predictor that is to be promoted.
        champion_sha256: of the champion; null if there is none yet, or the comparison tells.
        champion_age_days: days from the newest row that the champion has learnt from to the challenger's; needed with a
            comparison.
        reference: the comparison of the reference (as champion) and the challenger on the same rows; null if the
            champion is the reference itself.
        was_rolled_back: whether the challenger has been champion before, and a rollback has ended that.
        not_compared: why there is no comparison, in a sentence; a person may override that.

    Raises:
        ContractError: the evidence is about other bytes than the challenger's, the two comparisons are of other rows,
            a gain has no interval, or there is a champion without a comparison although the gates said yes.
        ValueError: there is a champion without an age.
    """
    _refuse_other_evidence(comparison, verdict, challenger_sha256, reference)
    champion_sha256 = comparison.champion_sha256 if comparison else champion_sha256
    plain = _decide_without_comparison(verdict, champion_sha256, was_rolled_back)
    if plain is not None:
        outcome, reasons = plain
    elif comparison is None and params.override is not None:
        outcome, reasons = "inconclusive", (not_compared or "Champion and challenger were not compared.",)
    elif comparison is None:
        raise ContractError(
            "champion and challenger were not compared, since the registry's challenger is not the predictor that the "
            "gates decided about; run training and validation again"
        )
    elif champion_age_days is None:
        raise ValueError("a champion needs champion_age_days")
    elif not verdict.approved and not _is_excused(comparison):
        outcome, reasons = "keep", ("The challenger has not passed its gates.", *verdict.reasons)
    else:
        outcome, reasons = _weigh(comparison, params, champion_age_days, reference)
        reasons = (*reasons, *(() if verdict.approved else (_EXCUSE, *verdict.reasons)))
    reasons = (*reasons, *(_describe_decay(comparison) if comparison else ()))
    override = None if champion_sha256 == challenger_sha256 else params.override  # it is the champion already
    if override is not None:
        told = f"A person promotes the challenger: {override}. The rule alone says {outcome}:"
        reasons = (told, *reasons)
    decision = outcome if override is None else "promote"
    is_superior = comparison is not None and _is_superior(reference or comparison, params)
    return PromotionDecision(
        decision=decision,
        reasons=reasons,
        challenger_sha256=challenger_sha256,
        champion_sha256=champion_sha256,
        becomes_reference=outcome == "promote" and is_superior if champion_sha256 else decision == "promote",
        override=override,
        dry_run=params.dry_run,
        comparison=comparison,
        reference=reference,
    )


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


def _decide_without_comparison(
    verdict: GateDecision, champion_sha256: str | None, was_rolled_back: bool
) -> tuple[Outcome, tuple[str, ...]] | None:
    """Return outcome and reasons where no comparison is needed, else null."""
    if not verdict.approved and (champion_sha256 is None or not verdict.may_contend):
        return "keep", ("The challenger has not passed its gates.", *verdict.reasons)
    if was_rolled_back:
        return "keep", ("The challenger was champion before, and was rolled back.",)
    if champion_sha256 is None:
        return "promote", ("There is no champion to compare with, and the challenger has passed its gates.",)
    if champion_sha256 == verdict.predictor_sha256:
        return "keep", ("The challenger is the champion, byte for byte.",)
    return None


def _is_excused(comparison: Comparison) -> bool:
    """Return whether the gap that the gates refuse is no larger than the champion's on the same rows."""
    challenger, champion = (
        each.calibration_in_the_large.value for each in (comparison.challenger, comparison.champion)
    )
    return abs(challenger) <= abs(champion)


def _weigh(
    comparison: Comparison, params: Promotion, champion_age_days: float, reference: Comparison | None
) -> tuple[Outcome, tuple[str, ...]]:
    """Apply the rule to the gain over a champion of other bytes."""
    gain = _describe_gain(comparison, "the champion")
    if _is_superior(comparison, params):
        return "promote", (gain, f"The lower bound lies above the least gain of {format_limit(params.min_gain)}.")
    is_due, why = _is_due(comparison, params, champion_age_days, reference)
    if is_due:
        return "promote", (gain, *why)
    if _read_bounds(comparison)[1] < 0:
        return "keep", (gain, "The challenger is worse: even the upper bound lies below 0.", *why)
    return "inconclusive", (gain, "The interval does not say which of the two is better.", *why)


def _is_due(
    comparison: Comparison, params: Promotion, champion_age_days: float, reference: Comparison | None
) -> tuple[bool, tuple[str, ...]]:
    """Return whether the champion is old, and the challenger seems better and is surely not worse than any rival."""
    if champion_age_days < 0:
        return False, ("The champion has learnt from newer rows than the challenger.",)
    age, limit = f"The champion is {champion_age_days:g} days old", f"{params.max_age_days} days"
    if champion_age_days <= params.max_age_days:
        return False, (f"{age}, not more than {limit}.",)
    rivals = {"champion": comparison} | ({"reference": reference} if reference else {})
    held = () if reference is None else (_describe_gain(reference, "the reference"),)
    why = (f"{age}, more than {limit}.", *held)
    if comparison.log_loss_gain.value <= 0:
        return False, (*why, "The challenger does not even seem better.")
    margin = f"worse by more than the margin of {format_limit(params.margin)}"
    better = [name for name, each in rivals.items() if _read_bounds(each)[0] <= -params.margin]
    if better:
        return False, (*why, f"The challenger may be {margin} than the {join_words(better)}.")
    return True, (*why, f"The challenger is not {margin} than the {join_words(list(rivals))}.")


def _is_superior(comparison: Comparison, params: Promotion) -> bool:
    return _read_bounds(comparison)[0] > params.min_gain


def _read_bounds(comparison: Comparison) -> tuple[float, float]:
    gain = comparison.log_loss_gain
    if gain.low is None or gain.high is None:
        raise ContractError("the gain in log loss has no interval, so it cannot be decided by")
    return gain.low, gain.high


def _describe_gain(comparison: Comparison, rival: str) -> str:
    gain, level = comparison.log_loss_gain, format_percent(comparison.confidence, 0)
    return (
        f"Over {rival} the challenger gains {format_signed(gain, 4)} nats of log loss "
        f"({level} interval {format_interval(gain, 4)}), on {comparison.n_rows:,} rows of "
        f"{comparison.n_households:,} households."
    )


def _describe_decay(comparison: Comparison) -> tuple[str, ...]:
    """Return what is wrong with the champion on the compared rows, if anything is."""
    found, gap = [], comparison.champion.calibration_in_the_large
    if gap.low is not None and gap.high is not None and not gap.low <= 0 <= gap.high:
        direction = "high" if gap.value > 0 else "low"
        found.append(f"The champion predicts too {direction}: its mean probability is {format_signed(gap)} off.")
    if comparison.champion_decayed:
        loss, promised = (format_number(each) for each in (comparison.champion.log_loss, comparison.promised_log_loss))
        found.append(f"The champion does not keep its promise: a log loss of {loss}, where {promised} was validated.")
    return tuple(found)


def _refuse_other_evidence(
    comparison: Comparison | None, verdict: GateDecision, challenger_sha256: str, reference: Comparison | None
) -> None:
    told = {"the verdict": verdict.predictor_sha256}
    told |= {"the comparison": comparison.challenger_sha256} if comparison else {}
    told |= {"the comparison with the reference": reference.challenger_sha256} if reference else {}
    for name, sha256 in told.items():
        if sha256 != challenger_sha256:
            raise ContractError(
                f"{name} is about other bytes than the challenger's: {_shorten(sha256)} instead of "
                f"{_shorten(challenger_sha256)}; validate and compare the challenger itself"
            )
    if comparison and reference and comparison.rows_sha256 != reference.rows_sha256:
        raise ContractError("champion and reference were compared with the challenger on different rows")


def _shorten(sha256: str | None) -> str:
    return "unknown" if sha256 is None else sha256[:12]
