"""What each rule makes of the same weekly challengers: who is in use when, and the log loss of what is predicted."""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from bench_projects import ROOT
from promotion_errors import Champion, point_rule
from replay_page import ALWAYS, NEVER, OURS, POINT
from replay_weeks import Replayed, section

from waste_risk.metrics import Estimate
from waste_risk.metrics.bootstrap import Resampling
from waste_risk.parameters import Observation, Promotion, load
from waste_risk.promotion import Comparison, Contender, PromotionDecision, compare, decide
from waste_risk.validation.gate_definition import Gate, Relation
from waste_risk.validation.gates import GateDecision

WEEK = pd.Timedelta(weeks=1)
PATIENT = {"confidence": 0.99, "max_age_days": 60}


class Asked(Enum):
    """Which gates are asked: those that decide, none, or all, without the excuse of a champion that does no better."""

    AS_DEFINED = auto()
    NONE = auto()
    EVERY = auto()


class Followed(NamedTuple):
    """A replay under one rule.

    Attributes:
        in_use: by week, the number of the predictor in use after the decision; predictors are numbered by week.
        switches: how often it changed.
        loss: the log loss of each observation of the replayed weeks, by the predictor then in use.
        household: of each of them, in a form that no two seeds share.
    """

    in_use: tuple[int, ...]
    switches: int
    loss: pd.Series
    household: pd.Series


class Week:
    """One week's challenger, held against others on its test window."""

    def __init__(self, replayed: Replayed, number: int) -> None:
        self.number, self._replayed, this = number, replayed, replayed.challengers[number]
        days = replayed.rows["observed_on"]
        self._tested = ((days >= this.tested_from) & (days <= this.tested_until)).to_numpy()
        self._rows = replayed.rows[self._tested].reset_index(drop=True)
        self.compare = cache(self._compare)

    def decide(self, champion: Champion, params: Promotion, *, gates: Asked) -> PromotionDecision:
        """Apply the project's rule."""
        challengers, sha256 = self._replayed.challengers, f"{self.number:064x}"
        learnt_until = [pd.Timestamp(challengers[each].observed_until) for each in (champion.number, self.number)]
        red = [Gate(name, name, False, None, 0.0, Relation.NEAR, name, "") for name in challengers[self.number].red]
        known = tuple(red) if gates is Asked.AS_DEFINED else ()  # a verdict of unknown gates is never excused
        return decide(
            self.compare(champion.number, params.confidence),
            GateDecision(not red or gates is Asked.NONE, gates=known, reasons=(), predictor_sha256=sha256),
            params,
            challenger_sha256=sha256,
            champion_age_days=(learnt_until[1] - learnt_until[0]).days,
            reference=None
            if champion.reference == champion.number
            else self.compare(champion.reference, params.confidence),
        )

    def estimate_gain(self, rival: int) -> float:
        """Return the gain in log loss alone."""
        return self.compare(rival, promotion().confidence).log_loss_gain.value

    def _compare(self, rival: int, confidence: float) -> Comparison:
        params = promotion().model_copy(update={"confidence": confidence})
        return compare(self._contend(rival), self._contend(self.number), self._rows, params)

    def _contend(self, number: int) -> Contender:
        observed_until = self._replayed.challengers[number].observed_until
        probability = self._replayed.probability[number, self._tested]
        return Contender(
            f"{number:064x}", "simulated", section(Observation).horizon_days, (), observed_until, probability
        )


@cache
def promotion() -> Promotion:
    """Read the base parameters of the promotion."""
    return load(Promotion, ROOT / "conf/base/parameters_promotion.yml")


def _follow_ours(champion: Champion, week: Week, *, gates: Asked = Asked.AS_DEFINED, **changes: float) -> None:
    decided = week.decide(champion, promotion().model_copy(update=changes), gates=gates)
    if decided.decision == "promote":
        champion.replace_by(week.number, decided.becomes_reference)


RULES: dict[str, Callable[[Champion, Week], None]] = {
    OURS: _follow_ours,
    "ours, whatever the gates say": partial(_follow_ours, gates=Asked.NONE),
    "ours, with every gate asked": partial(_follow_ours, gates=Asked.EVERY),
    "ours, with every gate asked, at 99 % and 60 days": partial(_follow_ours, gates=Asked.EVERY, **PATIENT),
    NEVER: lambda _champion, _week: None,
    ALWAYS: lambda champion, week: champion.replace_by(week.number, False),
    POINT: point_rule,
}


def follow_rules(replayed: Replayed, source: str) -> dict[str, Followed]:
    """Let every rule decide about each week's challenger; the first week's is in use from the beginning."""
    champions = {rule: Champion() for rule in RULES}
    in_use: dict[str, list[int]] = {rule: [0] for rule in RULES}
    for number in range(1, len(replayed.challengers)):
        week = Week(replayed, number)
        for rule, apply in RULES.items():
            apply(champions[rule], week)
            in_use[rule].append(champions[rule].number)
    return {
        rule: Followed(tuple(numbers), champions[rule].switches, *realize(replayed, numbers, source))
        for rule, numbers in in_use.items()
    }


def realize(replayed: Replayed, in_use: Sequence[int], source: str) -> tuple[pd.Series, pd.Series]:
    """Return the log loss of each observation of the replayed weeks, and its household."""
    week = (replayed.rows["observed_on"] - pd.Timestamp(replayed.challengers[0].as_of)) // WEEK
    scored = np.flatnonzero((week >= 0) & (week < len(in_use)))
    probability = replayed.probability[np.asarray(in_use)[week.iloc[scored]], scored]
    rows = replayed.rows.iloc[scored]
    loss = -np.log(np.where(rows["wasted"], probability, 1 - probability))
    return pd.Series(loss, index=rows.index), source + rows["household_id"].astype(str)


def estimate_difference(rivals: Sequence[Followed], ours: Sequence[Followed]) -> Estimate:
    """Estimate the log loss of some replays less that of others of the same rows, resampling households."""
    pairs = zip(rivals, ours, strict=True)
    lost = pd.concat(
        [
            pd.DataFrame({"more": rival.loss - own.loss, "rows": 1}).groupby(own.household, sort=False).sum()
            for rival, own in pairs
        ]
    )
    more, n_rows = lost["more"].to_numpy(), lost["rows"].to_numpy()

    def measure(weights: Any) -> dict[str, Any]:
        return {"difference": (weights @ more) / (weights @ n_rows)}

    resampling = Resampling(len(lost), n_resamples=2_000, confidence=0.95, seed=42)
    return resampling.estimate(measure, n_columns=len(lost))["difference"]
