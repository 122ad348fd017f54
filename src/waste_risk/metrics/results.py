"""Everything a validation measured, in one immutable record that reports, gates and logs read; and its JSON schema."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

from pydantic import TypeAdapter

from waste_risk.metrics.bootstrap import Estimate
from waste_risk.metrics.calibration import AndersonDarling, NullDistribution
from waste_risk.metrics.catalogue import WindowMetrics
from waste_risk.metrics.decisions import CheapestThreshold, LeadTime, TradeOff, WeeklyAlerts
from waste_risk.metrics.definition import SectionName, find_definitions
from waste_risk.metrics.groups import Fairness, Group


@dataclass(frozen=True)
class ScoreMetrics:
    """Metrics of another score in [0, 1], defined as in ``WindowMetrics``; f1 at the model's threshold."""

    auc: Estimate
    average_precision: Estimate
    brier_score: Estimate
    log_loss: Estimate
    precision_at_k: Estimate
    recall_at_k: Estimate
    f1: Estimate


@dataclass(frozen=True)
class Baseline:
    """A baseline on the same rows; auc_gain is the model's AUC less the baseline's, in the same resamples."""

    auc: Estimate
    average_precision: Estimate
    brier_score: Estimate
    auc_gain: Estimate


@dataclass(frozen=True)
class AdversarialValidation:
    """How well a model tells the test window from development, on unseen households; an AUC of 0.5 is not at all.

    Attributes:
        features: those it relies on, the strongest first.
    """

    auc: Estimate
    features: tuple[str, ...]


@dataclass(frozen=True)
class PurestFeature:
    """The feature that by itself comes nearest to marking nothing but wasted rows; only a leak is nearly sure.

    Attributes:
        precision: share truly wasted among the rows in one range of the feature.
        n_rows: rows in that range.
    """

    name: str
    precision: Estimate
    n_rows: int


@dataclass(frozen=True)
class ReportedMetric:
    """A metric as reports show it; see ``Metric`` for ``report``, ``decimals`` and ``unit``."""

    name: str
    label: str
    meaning: str
    report: str
    decimals: int
    unit: str
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class ValidationMetrics(WindowMetrics):
    """Metrics of one model on one window, each with its interval, and what they were measured on.

    Null is what was not asked for, or what the rows do not say.

    Attributes:
        n_alerts: rows at or above ``high_confidence``.
        cv_std_auc: sample standard deviation (ddof 1) of the AUC over the folds.
        calibration_error_under_null: the calibration error that a perfectly calibrated model would show.
        top_k: rows that precision_at_k and recall_at_k are computed on.
        confidence: probability that an interval covers; null without intervals.
        raw: the same metrics of the score before calibration.
        trade_off: precision and recall at several thresholds.
        cost: at the threshold that was cheapest out of fold.
        lead_time: days from the first alert to the waste, given waste within the horizon of that alert.
        weekly_alerts: if each household gets only its most probable items each week.
        fairness: by attribute of the household, and groups of it.
        by_month: metrics of each calendar month; by_known_household of known and new households.
        adversarial_validation: whether features tell the test window from development.
        purest_feature: whether one feature alone tells the outcome, as only a leak can.
        folds: numbers of each fold of the cross-validation; fold_means and fold_stds (ddof 1) over them.
    """

    n_rows: int
    n_households: int | None
    n_wasted: int
    n_alerts: int
    threshold: float
    high_confidence: float
    horizon_days: int | None
    predictor_sha256: str | None
    cv_mean_auc: float | None = None
    cv_std_auc: float | None = None
    calibration_error_under_null: NullDistribution | None = None
    anderson_darling: AndersonDarling | None = None
    top_k: int | None = None
    confidence: float | None = None
    raw: ScoreMetrics | None = None
    trade_off: tuple[TradeOff, ...] = ()
    cost: CheapestThreshold | None = None
    lead_time: LeadTime | None = None
    weekly_alerts: WeeklyAlerts | None = None
    baselines: dict[str, Baseline] = field(default_factory=dict)
    fairness: dict[str, Fairness] = field(default_factory=dict)
    by_month: tuple[Group, ...] = ()
    by_known_household: tuple[Group, ...] = ()
    adversarial_validation: AdversarialValidation | None = None
    purest_feature: PurestFeature | None = None
    folds: tuple[dict[str, float], ...] = ()
    fold_means: dict[str, float] = field(default_factory=dict)
    fold_stds: dict[str, float] = field(default_factory=dict)

    @property
    def beats_oracle(self) -> bool:
        """Whether the model's AUC lies above the true probability's by more than chance, as only a leak can."""
        share = self.attainable_share
        return share is not None and (share.value if share.low is None else min(share.low, share.value)) > 1

    def list_section(self, *sections: SectionName) -> list[ReportedMetric]:
        """Return the metrics of some sections of a report, as far as they were measured, in their order."""
        return [
            ReportedMetric(
                name=name,
                label=each.label.format_map(vars(self)),
                meaning=each.meaning,
                report=each.report,
                decimals=each.decimals,
                unit=each.unit,
                estimate=getattr(self, name),
            )
            for name, each in find_definitions(type(self)).items()
            if each.section in sections and getattr(self, name) is not None
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: an estimate is value, low and high; NaN becomes null."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    def flat(self) -> dict[str, float]:
        """Return one number per name to log, as ``auc``, ``auc_low``, ``baselines.category_rate.auc``.

        Tables (trade-off, groups, folds) and what is undefined are left out.
        """
        numbers = dict(_numbers("", self))
        return {name: float(value) for name, value in numbers.items() if value is not None and math.isfinite(value)}


def describe_metrics(record: type[ValidationMetrics] = ValidationMetrics) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of ``validation_metrics.json``; names it does not know are refused."""
    schema: dict[str, Any] = _adapt(TypeAdapter(record).json_schema())
    schema["$defs"]["Number"] = _NUMBER
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_NUMBER = {
    "description": "A number, or its name where JSON has none: nan is what the rows do not define.",
    "anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}],
}


def _adapt(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_adapt(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "number":
        return {"$ref": "#/$defs/Number"}
    adapted = {name: _adapt(each) for name, each in schema.items() if name != "properties"}
    if "properties" not in schema:
        return adapted
    # pydantic titles each field with its own name once more.
    properties = {
        name: _adapt({key: value for key, value in each.items() if key != "title"})
        for name, each in schema["properties"].items()
    }
    return {**adapted, "properties": properties, "additionalProperties": False}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float | None]]:
    if isinstance(value, Estimate):
        yield from ((name, value.value), (f"{name}_low", value.low), (f"{name}_high", value.high))
    elif is_dataclass(value):
        yield from _numbers(name, {each.name: getattr(value, each.name) for each in fields(value)})
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            place = re.sub(r"\W+", "_", str(key))
            yield from _numbers(f"{name}.{place}" if name else place, inner)
    elif isinstance(value, int | float):
        yield name, value
