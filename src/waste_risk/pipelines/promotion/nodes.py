"""Steps of promotion that belong to this pipeline alone."""

from typing import NamedTuple

import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.metrics import Estimate
from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.parameters import Promotion
from waste_risk.promotion import Comparison, Contender, Kind, PromotionDecision, PromotionLog, compare, decide
from waste_risk.validation.gates import GateDecision


class Comparisons(NamedTuple):
    """The challenger against the champion, and against the reference where that is another one; null if not compared.

    Attributes:
        champion_age_days: days from the newest row that the champion has learnt from to the challenger's.
        problem: why they cannot be compared, if a person promotes all the same.
    """

    champion: Comparison | None = None
    reference: Comparison | None = None
    champion_age_days: float | None = None
    problem: str | None = None


def compare_contenders(
    *,
    test: pd.DataFrame,
    gate_decision: GateDecision,
    champion: RegisteredPredictor | None,
    challenger: RegisteredPredictor | None,
    reference: RegisteredPredictor | None,
    promotion: Promotion,
) -> Comparisons:
    """Compare challenger and champion on the rows of the test window that none of them has learnt from.

    Nothing is compared without a champion, or if the challenger is not the predictor that the gates decided about.

    Raises:
        ContractError: they cannot be compared, or no row is later than what they have learnt from, and no person
            promotes the challenger all the same.
    """
    if champion is None or challenger is None or challenger.predictor.sha256 != gate_decision.predictor_sha256:
        return Comparisons()
    try:
        return _compare(test, champion, challenger, reference, promotion)
    except ContractError as error:
        if promotion.override is None:
            raise
        return Comparisons(problem=f"{error}.")


def _compare(
    test: pd.DataFrame,
    champion: RegisteredPredictor,
    challenger: RegisteredPredictor,
    reference: RegisteredPredictor | None,
    promotion: Promotion,
) -> Comparisons:
    rivals = {each.predictor.sha256: each for each in (champion, *([reference] if reference else []))}
    rivals.pop(challenger.predictor.sha256, None)
    for rival in rivals.values():
        _kind_of(rival).refuse_another(_kind_of(challenger))
    known_on = max(each.predictor.metadata.labels_known_on for each in (challenger, *rivals.values()))
    rows = test[test["observed_on"] >= known_on]
    if rows.empty:
        raise ContractError(
            f"test.observed_on: no row lies on or after {known_on:%Y-%m-%d}, when all labels that champion and "
            "challenger have learnt from were known; retrain on newer records"
        )
    contender = _let_predict(challenger, rows)
    compared = {
        sha256: compare(_let_predict(each, rows), contender, rows, promotion) for sha256, each in rivals.items()
    }
    newest = (pd.Timestamp(each.predictor.metadata.observed_until) for each in (challenger, champion))
    return Comparisons(
        champion=compared.pop(champion.predictor.sha256, None),
        reference=next(iter(compared.values()), None),
        champion_age_days=(next(newest) - next(newest)) / pd.Timedelta(days=1),
    )


def decide_promotion(
    *,
    comparisons: Comparisons,
    gate_decision: GateDecision,
    training_run: dict[str, str],
    promotion_log: PromotionLog,
    promotion: Promotion,
) -> PromotionDecision:
    """Decide whether the predictor that the gates decided about replaces the champion.

    Raises:
        ContractError: the verdict is about another predictor than that of the training run, or than was compared.
    """
    sha256 = training_run["predictor_sha256"]
    return decide(
        comparisons.champion,
        gate_decision,
        promotion,
        challenger_sha256=sha256,
        champion_sha256=promotion_log.champion_sha256,
        champion_age_days=comparisons.champion_age_days,
        reference=comparisons.reference,
        was_rolled_back=sha256 in promotion_log.find_rolled_back(),
        not_compared=comparisons.problem,
    )


def _kind_of(registered: RegisteredPredictor) -> Kind:
    metadata = registered.predictor.metadata
    return Kind(registered.source, metadata.horizon_days, metadata.encoding.contract)


def _let_predict(registered: RegisteredPredictor, rows: pd.DataFrame) -> Contender:
    known = registered.validated
    promised = None
    if "log_loss" in known:
        promised = Estimate(known["log_loss"], known.get("log_loss_low"), known.get("log_loss_high"))
    return Contender.predict(registered.predictor, rows, source=registered.source, promised_log_loss=promised)
