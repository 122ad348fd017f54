"""What a model must reach before it may be promoted, and in words why one may not.

The limits live in YAML. An undefined metric fails its gate: no evidence is not good evidence.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from waste_risk.metrics import ValidationMetrics
from waste_risk.parameters import Gates


@dataclass(frozen=True)
class Gate:
    """One requirement and what was measured; the value is null where the metric is undefined."""

    name: str
    label: str
    passed: bool
    value: float | None
    limit: float


@dataclass(frozen=True)
class GateDecision:
    """Whether a model may be promoted, every gate, and one sentence for each that failed."""

    approved: bool
    gates: tuple[Gate, ...]
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values that JSON can hold."""
        return {
            "approved": self.approved,
            "gates": [asdict(gate) for gate in self.gates],
            "reasons": list(self.reasons),
        }


def check_gates(metrics: ValidationMetrics, params: Gates) -> GateDecision:
    """Hold discrimination, loud warnings, calibration and stability against their limits."""
    checked = (
        _check_auc(metrics, params),
        _check_precision(metrics, params),
        _check_calibration(metrics, params),
        _check_stability(metrics, params),
    )
    return GateDecision(
        approved=all(gate.passed for gate, _ in checked),
        gates=tuple(gate for gate, _ in checked),
        reasons=tuple(reason for gate, reason in checked if not gate.passed),
    )


def _check_auc(metrics: ValidationMetrics, params: Gates) -> tuple[Gate, str]:
    value, limit = metrics.auc.value, params.min_auc
    gate = Gate("auc", f"AUC >= {_limit(limit)}", value >= limit, _known(value), limit)
    return gate, _reason(gate, "AUC", "below")


def _check_precision(metrics: ValidationMetrics, params: Gates) -> tuple[Gate, str]:
    value, limit = metrics.precision_at_high_confidence.value, params.min_precision_at_high_confidence
    metric = f"Precision@{params.high_confidence:g}"
    label = f"{metric} >= {_limit(limit)}"
    gate = Gate("precision_at_high_confidence", label, value >= limit, _known(value), limit)
    return gate, _reason(gate, metric, "below", f": no probability reaches {params.high_confidence:g}")


def _check_calibration(metrics: ValidationMetrics, params: Gates) -> tuple[Gate, str]:
    value, limit = metrics.expected_calibration_error.value, params.max_ece
    label = f"Calibration (ECE < {_limit(limit)})"
    gate = Gate("expected_calibration_error", label, value < limit, _known(value), limit)
    return gate, _reason(gate, "Expected calibration error", "not below")


def _check_stability(metrics: ValidationMetrics, params: Gates) -> tuple[Gate, str]:
    value, limit = math.nan if metrics.cv_std_auc is None else metrics.cv_std_auc, params.max_cv_std
    gate = Gate("cv_std_auc", f"CV Stable (std < {_limit(limit)})", value < limit, _known(value), limit)
    return gate, _reason(gate, "CV standard deviation", "not below", ": fewer than two folds were measured")


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _reason(gate: Gate, metric: str, relation: str, why_undefined: str = "") -> str:
    if gate.value is None:
        return f"{metric} is undefined{why_undefined}"
    return f"{metric} {_beside(gate.value, gate.limit)} is {relation} {_limit(gate.limit)}"


def _limit(limit: float) -> str:
    return f"{limit:.2f}" if round(limit, 2) == limit else f"{limit:g}"


def _beside(value: float, limit: float) -> str:
    # 0.849996 must not read "0.8500 is below 0.85".
    texts = (f"{value:.{decimals}f}" for decimals in range(4, 17))
    return next((text for text in texts if value == limit or float(text) != limit), repr(value))
