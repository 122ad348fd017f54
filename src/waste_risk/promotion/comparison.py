"""Champion and challenger on the same rows: how much better the challenger predicts, with a paired interval.

Both are measured in the same resamples of households, so what makes a household hard for both cancels out.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import pandas as pd
from numpy.typing import ArrayLike

from waste_risk.arrays import Floats
from waste_risk.errors import ContractError
from waste_risk.metrics import (
    FEWEST_HOUSEHOLDS,
    Estimate,
    EvaluationRows,
    Resampling,
    Tally,
    calibration_in_the_large,
    log_loss,
    number_households,
    roc_auc,
)
from waste_risk.metrics.rows import as_outcomes, as_probability
from waste_risk.model.predictor import WastePredictor, hash_rows
from waste_risk.parameters import Promotion

_COLUMNS = ["item_id", "household_id", "observed_on", "wasted"]
_METRICS: dict[str, Callable[[Tally], Floats]] = {
    "log_loss": log_loss,
    "auc": roc_auc,
    "calibration_in_the_large": calibration_in_the_large,
}


class Kind(NamedTuple):
    """What two predictors must have in common to be compared: source, horizon, and features in their order."""

    source: str
    horizon_days: int
    feature_names: tuple[str, ...]

    def refuse_another(self, challenger: "Kind") -> None:
        """Refuse to compare a champion of this kind with a challenger of another.

        Raises:
            ContractError: they differ; the message says in what.
        """
        refused = "champion and challenger cannot be compared:"
        if self.source != challenger.source:
            raise ContractError(f"{refused} trained on the sources {self.source} and {challenger.source}")
        if self.horizon_days != challenger.horizon_days:
            raise ContractError(f"{refused} horizons of {self.horizon_days} and {challenger.horizon_days} days")
        if self.feature_names != challenger.feature_names:
            differing = sorted(set(self.feature_names) ^ set(challenger.feature_names))
            which = ", ".join(differing[:3]) + (", …" if len(differing) > 3 else "") or "in another order"
            raise ContractError(f"{refused} they read different features ({which})")


@dataclass(frozen=True, eq=False)
class Contender:
    """A predictor that is compared, and what it predicts for the compared rows.

    Attributes:
        sha256: of the predictor's bytes.
        source: whose records it was trained on.
        horizon_days: within how many days after the observation an item counts as wasted.
        feature_names: the features it reads, in its order, those of text marked.
        observed_until: the last day of observation of its training rows, as ISO text.
        probability: of each compared row.
        promised_log_loss: as validated before it was promoted; null if unknown.
    """

    sha256: str
    source: str
    horizon_days: int
    feature_names: tuple[str, ...]
    observed_until: str
    probability: ArrayLike
    promised_log_loss: Estimate | None = None

    @classmethod
    def predict(
        cls, predictor: WastePredictor, rows: pd.DataFrame, *, source: str, promised_log_loss: Estimate | None = None
    ) -> Self:
        """Let a predictor predict the rows that it is to be compared on.

        Raises:
            ValueError: features are missing; the message names all of them.
        """
        return cls(
            sha256=predictor.sha256,
            source=source,
            horizon_days=predictor.metadata.horizon_days,
            feature_names=predictor.metadata.encoding.contract,
            observed_until=predictor.metadata.observed_until,
            probability=predictor.predict(rows)["waste_probability"].to_numpy(),
            promised_log_loss=promised_log_loss,
        )

    @property
    def kind(self) -> Kind:
        """What it must have in common with the other one."""
        return Kind(self.source, self.horizon_days, self.feature_names)

    @property
    def labels_known_on(self) -> pd.Timestamp:
        """The day on which the labels of all its training rows were known."""
        return pd.Timestamp(self.observed_until) + pd.Timedelta(days=self.horizon_days)


@dataclass(frozen=True)
class Performance:
    """How one predictor does on the compared rows.

    Attributes:
        log_loss: mean negative log-likelihood in nats.
        auc: how often a wasted row is ranked above one that is not.
        calibration_in_the_large: mean probability less base rate.
    """

    log_loss: Estimate
    auc: Estimate
    calibration_in_the_large: Estimate


@dataclass(frozen=True)
class Comparison:
    """What a comparison of two predictors measured, and on which rows.

    Attributes:
        champion_sha256: of the predictor that is held against; also of the reference, if that is compared.
        challenger_sha256: of the predictor that wants to replace it.
        rows_sha256: of the rows' keys and outcomes, whatever their order.
        observed_from: the first day of observation of the rows, as ISO text.
        observed_until: the last one.
        confidence: probability that an interval covers.
        log_loss_gain: the champion's log loss less the challenger's; above 0 the challenger is better.
        auc_gain: the challenger's AUC less the champion's.
        promised_log_loss: the champion's, as validated before it was promoted; null if unknown.
    """

    champion_sha256: str
    challenger_sha256: str
    rows_sha256: str
    n_rows: int
    n_households: int
    observed_from: str
    observed_until: str
    confidence: float
    log_loss_gain: Estimate
    auc_gain: Estimate
    champion: Performance
    challenger: Performance
    promised_log_loss: Estimate | None

    @property
    def champion_decayed(self) -> bool:
        """Whether the champion's log loss lies above what was promised, with no overlap of the two intervals."""
        promised, low = self.promised_log_loss, self.champion.log_loss.low
        if promised is None or low is None:
            return False
        return low > (promised.value if promised.high is None else promised.high)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)


def compare(champion: Contender, challenger: Contender, rows: pd.DataFrame, params: Promotion) -> Comparison:
    """Compare two predictors on rows that neither has learnt from.

    Args:
        champion: the predictor in use, or the reference.
        challenger: the one that wants to replace it.
        rows: mature observations that both have predicted: ``item_id``, ``household_id``, ``observed_on``,
            ``label_known_on`` and ``wasted``.
        params: the section ``promotion`` of the parameters.

    Raises:
        ContractError: the predictors differ in source, horizon or features, either may have learnt from the rows, the
            labels are of another horizon, or too few households support an interval.
        ValueError: no rows, columns of different length, or a probability that is none.
    """
    champion.kind.refuse_another(challenger.kind)
    _refuse_learnt(champion, challenger, rows)
    household = number_households(rows["household_id"], len(rows))
    resampling = Resampling(int(household.max(initial=-1)) + 1, params.n_resamples, params.confidence, params.seed)
    wasted = as_outcomes(rows["wasted"])
    evaluated = {
        name: EvaluationRows(wasted, as_probability(each.probability, len(wasted), name), household, resampling)
        for name, each in (("champion", champion), ("challenger", challenger))
    }
    _refuse_few_households(evaluated["champion"])
    estimates = _estimate(evaluated)
    return Comparison(
        champion_sha256=champion.sha256,
        challenger_sha256=challenger.sha256,
        rows_sha256=hash_rows(rows[_COLUMNS].sort_values(_COLUMNS[:3], ignore_index=True)),
        n_rows=len(wasted),
        n_households=resampling.n_households,
        observed_from=f"{rows['observed_on'].min():%Y-%m-%d}",
        observed_until=f"{rows['observed_on'].max():%Y-%m-%d}",
        confidence=params.confidence,
        log_loss_gain=estimates["log_loss_gain"],
        auc_gain=estimates["auc_gain"],
        champion=Performance(**{name: estimates[f"champion.{name}"] for name in _METRICS}),
        challenger=Performance(**{name: estimates[f"challenger.{name}"] for name in _METRICS}),
        promised_log_loss=champion.promised_log_loss,
    )


def _estimate(evaluated: dict[str, EvaluationRows]) -> dict[str, Estimate]:
    """Estimate each metric of both, and the differences, all from the same resamples."""
    counts = {name: rows.count() for name, rows in evaluated.items()}

    def measure(weights: Floats) -> dict[str, Floats]:
        measured: dict[str, Floats] = {}
        for name, each in counts.items():
            tally = each.weighted(weights)
            measured |= {f"{name}.{metric}": compute(tally) for metric, compute in _METRICS.items()}
        measured["log_loss_gain"] = measured["champion.log_loss"] - measured["challenger.log_loss"]
        measured["auc_gain"] = measured["challenger.auc"] - measured["champion.auc"]
        return measured

    return evaluated["champion"].estimate(measure)


def _refuse_learnt(champion: Contender, challenger: Contender, rows: pd.DataFrame) -> None:
    known_on = max(champion.labels_known_on, challenger.labels_known_on)
    too_early = int((rows["observed_on"] < known_on).sum())
    if too_early:
        raise ContractError(
            f"compared rows.observed_on: must not lie before {known_on:%Y-%m-%d}, when the labels that champion and "
            f"challenger learnt from were known ({too_early} of {len(rows)} rows)"
        )
    horizon = pd.Timedelta(days=champion.horizon_days)
    other = int((rows["label_known_on"] - rows["observed_on"] != horizon).sum())
    if other:
        raise ContractError(
            f"compared rows.label_known_on: must lie {champion.horizon_days} days after observed_on, the predictors' "
            f"horizon ({other} of {len(rows)} rows)"
        )


def _refuse_few_households(rows: EvaluationRows) -> None:
    fewest = rows.count_households_of_either_outcome()
    if fewest < FEWEST_HOUSEHOLDS:
        raise ContractError(
            f"compared rows: at least {FEWEST_HOUSEHOLDS} households with and {FEWEST_HOUSEHOLDS} without waste among "
            f"their rows are needed for an interval, there are {fewest} of the rarer kind"
        )
