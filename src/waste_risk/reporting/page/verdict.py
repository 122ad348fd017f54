"""The gates as a table of the page: what was measured, what was asked, and the sentence of each gate."""

from dataclasses import dataclass

from waste_risk.formatting import (
    format_count,
    format_interval,
    format_limit,
    format_number,
    make_typographic,
)
from waste_risk.validation.gates import Gate, GateDecision


@dataclass(frozen=True)
class GateRow:
    """A gate in words; the reason is empty if it is passed. On too little data, a pass is not claimed."""

    label: str
    passed: bool
    claimed: bool
    measured: str
    interval: str
    bound: str
    why: str
    reason: str


def explain_gates(decision: GateDecision) -> list[GateRow]:
    """Return each gate with its measured value, its bound, and the reason if it failed."""
    return [_explain(gate, gate.name not in decision.unclaimed) for gate in decision.gates]


def _explain(gate: Gate, claimed: bool) -> GateRow:
    write = format_count if gate.is_count else format_limit
    if isinstance(gate.limit, tuple):
        bound = make_typographic(" to ".join(map(write, gate.limit)))
    else:
        bound = f"{gate.relation.replace('>=', '≥').replace('<=', '≤')} {write(gate.limit)}"
    return GateRow(
        label=gate.title,
        passed=gate.passed,
        claimed=claimed,
        measured=format_count(gate.value) if gate.is_count else make_typographic(format_number(gate.value)),
        interval=make_typographic(format_interval(gate.estimate)),
        bound=bound,
        why=gate.why,
        reason=gate.reason,
    )
