"""The gates as a table: what was measured, what was asked, and why it is asked."""

from dataclasses import dataclass

from waste_risk.formatting import (
    NOT_AVAILABLE,
    format_count,
    format_interval,
    format_limit,
    format_number,
    make_typographic,
)
from waste_risk.validation.gates import Gate, GateDecision


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


def explain_gates(decision: GateDecision) -> list[GateRow]:
    """Return each gate with its measured value, its bound, and the reason if it failed."""
    return [
        GateRow(
            label=gate.title,
            passed=gate.passed,
            measured=_measured(gate),
            interval=make_typographic(format_interval(gate.estimate)),
            bound=_bound(gate),
            why=gate.why,
            reason=gate.reason,
        )
        for gate in decision.gates
    ]


def _measured(gate: Gate) -> str:
    if gate.value is None:
        return NOT_AVAILABLE
    return format_count(gate.value) if gate.is_count else make_typographic(format_number(gate.value))


def _bound(gate: Gate) -> str:
    write = format_count if gate.is_count else format_limit
    if isinstance(gate.limit, tuple):
        return make_typographic(" to ".join(map(write, gate.limit)))
    return f"{gate.relation.replace('>=', '≥').replace('<=', '≤')} {write(gate.limit)}"
