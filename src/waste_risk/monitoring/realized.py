"""Realized performance: what became of the predicted items, beside what was expected of them, week by week.

Successive scorings repeat the same open items, so of each week and predictor only the newest moment counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logit

from waste_risk.errors import ContractError
from waste_risk.metrics import (
    Estimate,
    EvaluationRows,
    Resampling,
    calibration_line,
    expected_calibration_error,
    number_households,
)
from waste_risk.metrics.rows import as_outcomes, as_probability
from waste_risk.monitoring.expected import LEARNED, measure, name_ages, read_estimates
from waste_risk.observations.observe import label_items, latest_record
from waste_risk.parameters import Monitoring

_TINY = np.finfo(np.float64).eps
_PREDICTOR = ["model_version", "predictor_sha256"]


@dataclass(frozen=True)
class RealizedPerformance:
    """What became of the items of one moment.

    Attributes:
        metrics: the realized value of each metric that was expected; NaN where undefined.
        calibration_in_the_large: mean probability less base rate.
        calibration_slope: 1 is ideal; below it the predictor is too sure of itself.
        expected_calibration_error: mean gap between probability and share, over bins of equal mass.
    """

    metrics: dict[str, float]
    calibration_in_the_large: Estimate
    calibration_slope: float
    expected_calibration_error: float


@dataclass(frozen=True)
class Week:
    """The newest moment of a week at which a predictor scored the open items, without those of older ages.

    Attributes:
        number: of the week, counted from the first one with predictions.
        begins_on: its Monday, as ISO text.
        as_of: the moment, as ISO text.
        expected: each metric as it was estimated at that moment, with the interval of the realized value.
        realized: null until the labels are mature.
    """

    number: int
    begins_on: str
    as_of: str
    model_version: str
    predictor_sha256: str
    n_rows: int
    n_households: int
    expected: dict[str, Estimate]
    realized: RealizedPerformance | None

    @property
    def unexpected(self) -> list[str]:
        """The metrics whose realized value lies outside the interval of the estimate."""
        realized = {} if self.realized is None else self.realized.metrics
        return [name for name, value in realized.items() if not _holds(self.expected[name], value)]


@dataclass(frozen=True)
class RowGroup:
    """Mature rows of one kind: what was predicted for them, and what became of them.

    Attributes:
        gap: mean probability less base rate.
    """

    name: str
    n_rows: int
    n_households: int
    mean_probability: float
    base_rate: float
    gap: Estimate


@dataclass(frozen=True)
class RecentPerformance:
    """The mature rows of the newest weeks of one predictor, evaluated together.

    Attributes:
        gap: mean probability less base rate.
        log_loss_excess: realized less expected log loss, in nats; below 0 the predictor does better than it expects.
    """

    model_version: str
    n_weeks: int
    first_as_of: str
    last_as_of: str
    n_rows: int
    n_households: int
    gap: Estimate
    log_loss_excess: Estimate


def leave_out_hindsight(predictions: pd.DataFrame, sha256: str, learned_until: pd.Timestamp) -> pd.DataFrame:
    """Leave out what a predictor predicted for moments before it was trained: it could know what became of the items.

    Args:
        predictions: the table ``predictions``, of all moments.
        sha256: of the predictor.
        learned_until: the last day of the outcomes that it has learned from.

    Raises:
        ContractError: there are no predictions, or no others.
    """
    if predictions.empty:
        raise ContractError("predictions: there are none yet; run kedro run --pipelines scoring, best every week")
    is_hindsight = (predictions["predictor_sha256"] == sha256) & (predictions["as_of"] < learned_until)
    if is_hindsight.all():
        raise ContractError(
            f"predictions: all are of moments before {learned_until:%Y-%m-%d}, until when the champion has learned "
            "what became of the items; score later moments"
        )
    return predictions[~is_hindsight].reset_index(drop=True)


def match_outcomes(
    predictions: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, horizon_days: int, params: Monitoring
) -> pd.DataFrame:
    """Return the predictions of each week's newest moment beside what became of the items.

    Args:
        predictions: the table ``predictions``, of all moments.
        items: the items table; predictions of items that it no longer holds are left out.
        events: the events table.
        horizon_days: of the predictor, within which an item counts as wasted.
        params: the section ``monitoring`` of the parameters.

    Returns:
        the predictions with ``week`` (its Monday), ``ages``, ``wasted``, ``label_known_on`` and ``is_mature``.
    """
    newest = choose_weekly(predictions)
    newest = newest[newest["item_id"].isin(items["item_id"])].reset_index(drop=True)
    observed = newest[["item_id", "as_of"]].rename(columns={"as_of": "observed_on"})
    labels = label_items(observed, items, events, horizon_days)
    return newest.assign(
        ages=name_ages(newest, items, params),
        wasted=labels["wasted"],
        label_known_on=labels["label_known_on"],
        is_mature=labels["label_known_on"] <= latest_record(items, events),
    )


def choose_weekly(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions of the newest moment of each week and predictor, with the Monday of that ``week``."""
    monday = predictions["as_of"].dt.normalize() - pd.to_timedelta(predictions["as_of"].dt.day_of_week, unit="D")
    weekly = predictions.assign(week=monday.astype("datetime64[us]"))
    newest = weekly.groupby(["week", *_PREDICTOR])["as_of"].transform("max")
    return weekly[weekly["as_of"] == newest].reset_index(drop=True)


def measure_weeks(outcomes: pd.DataFrame, expected_performance: pd.DataFrame, params: Monitoring) -> tuple[Week, ...]:
    """Put the realized beside the expected performance of each week and predictor, as far as labels are mature.

    Args:
        outcomes: from ``match_outcomes``.
        expected_performance: as stored when the predictions were made.
        params: the section ``monitoring`` of the parameters.

    Raises:
        ContractError: a moment was scored without an estimate of the performance.
    """
    estimates = expected_performance[expected_performance["ages"] == LEARNED]
    learned = outcomes[outcomes["ages"] == LEARNED]
    first = outcomes["week"].min()
    return tuple(_measure_weeks(learned, estimates, first, params))


def measure_recent(outcomes: pd.DataFrame, params: Monitoring) -> RecentPerformance | None:
    """Evaluate together the mature rows of the newest weeks of the predictor that has the newest ones; null if none."""
    mature = outcomes[outcomes["is_mature"] & (outcomes["ages"] == LEARNED)]
    if mature.empty:
        return None
    newest = mature.sort_values("as_of", kind="stable").iloc[-1]
    own = mature[mature["predictor_sha256"] == newest["predictor_sha256"]]
    weeks = np.sort(own["week"].unique())[-params.recent_weeks :]
    rows = own[own["week"].isin(weeks)]
    estimates = _estimate_gaps(rows, params, params.alarm_confidence)
    return RecentPerformance(
        model_version=str(newest["model_version"]),
        n_weeks=len(weeks),
        first_as_of=rows["as_of"].min().isoformat(),
        last_as_of=rows["as_of"].max().isoformat(),
        n_rows=len(rows),
        n_households=rows["household_id"].nunique(),
        gap=estimates["gap"],
        log_loss_excess=estimates["log_loss_excess"],
    )


def measure_groups(outcomes: pd.DataFrame, params: Monitoring) -> tuple[RowGroup, ...]:
    """Compare predictions and outcomes of the mature rows: alerted by then, not alerted, and of older ages."""
    mature = outcomes[outcomes["is_mature"]]
    is_learned, is_alerted = mature["ages"] == LEARNED, mature["alerted_on"].notna()
    kinds = {
        "alerted": mature[is_learned & is_alerted],
        "not alerted": mature[is_learned & ~is_alerted],
        "older": mature[~is_learned],
    }
    return tuple(_measure_group(name, rows, params) for name, rows in kinds.items() if len(rows))


def _measure_weeks(
    learned: pd.DataFrame, estimates: pd.DataFrame, first: pd.Timestamp, params: Monitoring
) -> Iterator[Week]:
    for _, rows in learned.groupby(["week", *_PREDICTOR]):
        week, as_of, version, sha256 = (rows[name].iloc[0] for name in ("week", "as_of", *_PREDICTOR))
        stored = estimates[(estimates["as_of"] == as_of) & (estimates["predictor_sha256"] == sha256)]
        if stored.empty:
            raise ContractError(
                f"expected_performance: has no estimate for the predictions of {as_of.isoformat()}; move their file "
                "away and score this moment anew"
            )
        is_mature = bool(rows["is_mature"].all())
        yield Week(
            number=(week - first).days // 7,
            begins_on=f"{week:%Y-%m-%d}",
            as_of=as_of.isoformat(),
            model_version=str(version),
            predictor_sha256=str(sha256),
            n_rows=len(rows),
            n_households=rows["household_id"].nunique(),
            expected=read_estimates(stored.iloc[0]),
            realized=_realize(rows, float(stored["alert_from"].iloc[0]), params) if is_mature else None,
        )


def _realize(rows: pd.DataFrame, alert_from: float, params: Monitoring) -> RealizedPerformance:
    tally = _evaluation_rows(rows, params, params.confidence).tally()
    return RealizedPerformance(
        metrics={name: float(value) for name, value in measure(tally, alert_from, params.high_confidence).items()},
        calibration_in_the_large=_estimate_gaps(rows, params, params.confidence)["gap"],
        calibration_slope=float(calibration_line(tally)[1]),
        expected_calibration_error=float(expected_calibration_error(tally, n_bins=params.n_bins)),
    )


def _measure_group(name: str, rows: pd.DataFrame, params: Monitoring) -> RowGroup:
    return RowGroup(
        name=name,
        n_rows=len(rows),
        n_households=rows["household_id"].nunique(),
        mean_probability=float(rows["waste_probability"].mean()),
        base_rate=float(rows["wasted"].mean()),
        gap=_estimate_gaps(rows, params, params.confidence)["gap"],
    )


def _estimate_gaps(rows: pd.DataFrame, params: Monitoring, confidence: float) -> Mapping[str, Estimate]:
    """Estimate how far the realized lies from the expected base rate and log loss, by resampling households."""
    evaluated = _evaluation_rows(rows, params, confidence)
    too_high, ones = evaluated.probability - evaluated.wasted, np.ones(len(rows))
    # The log loss of an outcome less that expected of it, which clipping keeps finite where it is 0 · infinity.
    excess = too_high * logit(evaluated.probability.clip(_TINY, 1 - _TINY))
    gap, log_loss_excess = evaluated.share(too_high, ones), evaluated.share(excess, ones)
    n_households = evaluated.resampling.n_households
    return evaluated.estimate(
        lambda weights: {"gap": gap(weights), "log_loss_excess": log_loss_excess(weights)},
        n_behind=dict.fromkeys(("gap", "log_loss_excess"), n_households),
    )


def _evaluation_rows(rows: pd.DataFrame, params: Monitoring, confidence: float) -> EvaluationRows:
    household = number_households(rows["household_id"], len(rows))
    return EvaluationRows(
        wasted=as_outcomes(rows["wasted"]),
        probability=as_probability(rows["waste_probability"], len(rows), "waste_probability"),
        household=household,
        resampling=Resampling(int(household.max()) + 1, params.n_resamples, confidence, params.seed),
    )


def _holds(estimate: Estimate, value: float) -> bool:
    """Return whether an interval holds a value; what is undefined or has no interval contradicts nothing."""
    if estimate.low is None or estimate.high is None or np.isnan(value):
        return True
    return estimate.low <= value <= estimate.high
