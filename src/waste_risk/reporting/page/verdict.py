"""The gates as a table: what was measured, what was asked, and why it is asked."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from waste_risk.formatting import (
    NOT_AVAILABLE,
    format_count,
    format_interval,
    format_limit,
    format_number,
    make_typographic,
)
from waste_risk.metrics import Estimate, ValidationMetrics
from waste_risk.validation.gates import Gate, GateDecision

LABELS = {
    "auc": "AUC",
    "precision_at_high_confidence": "Precision of loud warnings",
    "expected_calibration_error": "Expected calibration error",
    "cv_std_auc": "Standard deviation of the AUC over folds",
    "gain_over_baselines": "AUC gained over simple rules",
    "calibration_slope": "Calibration slope",
    "calibration_in_the_large": "Calibration in the large",
    "newest_calibration_in_the_large": "Calibration in the large, newest 30 days",
    "not_above_oracle": "Share of the AUC with latent states known",
    "purest_feature": "Share wasted where one feature is surest",
    "alerts": "Loud warnings",
    "both_classes": "Both outcomes occur",
    "group_calibration_gap": "Calibration gap within groups",
}
WHY = {
    "auc": "How often a wasted item is ranked above one that is not.",
    "precision_at_high_confidence": "They must be right, or nobody heeds them.",
    "expected_calibration_error": "A probability must mean what it says.",
    "cv_std_auc": "Quality must not depend on which months were learnt from.",
    "gain_over_baselines": "Over the best of them, on the same rows.",
    "calibration_slope": "Below 1 the model is too sure of itself, above 1 not sure enough.",
    "calibration_in_the_large": "Mean prediction less base rate, by the near end of twice its interval.",
    "newest_calibration_in_the_large": "The same over the newest days alone, where habits that drift show first.",
    "not_above_oracle": "By the low end of its interval: only a leak knows more than the true probability.",
    "purest_feature": "By the low end of its interval: alone, only a feature that has seen the future is nearly sure.",
    "alerts": "A precision of few alerts says little.",
    "both_classes": "Rows of the rarer outcome; without both nothing can be judged.",
    "group_calibration_gap": "A probability must mean the same for every kind of household.",
}
_RELATIONS = {
    "expected_calibration_error": "<",
    "cv_std_auc": "<",
    "gain_over_baselines": ">",
    "not_above_oracle": "≤",
    "purest_feature": "<",
    "group_calibration_gap": "<",
}
_COUNTS = {"alerts", "both_classes"}


@dataclass(frozen=True)
class GateRow:
    """A gate in words; the reason is empty if it is passed."""

    label: str
    passed: bool
    measured: str
    interval: str
    bound: str
    why: str
    reason: str


def explain_gates(metrics: ValidationMetrics, decision: GateDecision) -> list[GateRow]:
    """Give each gate its measured value, its bound, and the reason if it failed."""
    reasons = iter(decision.reasons)
    return [_explain(gate, metrics, "" if gate.passed else next(reasons, "")) for gate in decision.gates]


def _explain(gate: Gate, metrics: ValidationMetrics, reason: str) -> GateRow:
    write = format_count if gate.name in _COUNTS else _four_decimals
    return GateRow(
        label=LABELS.get(gate.name, gate.label),
        passed=gate.passed,
        measured=NOT_AVAILABLE if gate.value is None else write(gate.value),
        interval=make_typographic(format_interval(_estimate(gate.name, metrics))),
        bound=_bound(gate),
        why=WHY.get(gate.name, ""),
        reason=reason,
    )


def _bound(gate: Gate) -> str:
    if isinstance(gate.limit, tuple):
        return make_typographic(" to ".join(map(format_limit, gate.limit)))
    limit = format_count(gate.limit) if gate.name in _COUNTS else format_limit(gate.limit)
    return f"{_RELATIONS.get(gate.name, '≥')} {limit}"


def _estimate(name: str, metrics: ValidationMetrics) -> Estimate | None:
    return {
        "auc": metrics.auc,
        "precision_at_high_confidence": metrics.precision_at_high_confidence,
        "expected_calibration_error": metrics.expected_calibration_error,
        "gain_over_baselines": _least(rule.auc_gain for rule in metrics.baselines.values()),
        "calibration_slope": metrics.calibration_slope,
        "calibration_in_the_large": metrics.calibration_in_the_large,
        "newest_calibration_in_the_large": metrics.newest_calibration_in_the_large,
        "not_above_oracle": metrics.attainable_share,
        "purest_feature": None if metrics.purest_feature is None else metrics.purest_feature.precision,
    }.get(name)


def _least(gains: Iterable[Estimate]) -> Estimate | None:
    return min((gain for gain in gains if not math.isnan(gain.value)), key=lambda gain: gain.value, default=None)


def _four_decimals(number: float) -> str:
    return make_typographic(format_number(number))
