"""Every gate with its limit and its sentences: what a model must reach before it may be promoted.

To add a gate, add its definition to ``GATES``, and its limit to ``parameters.Gates`` and the YAML: text report, page,
JSON and tags follow. An undefined metric fails its gate: no evidence is not good evidence.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from waste_risk.formatting import format_beside, format_limit, format_percent, to_words
from waste_risk.metrics import FEWEST_HOUSEHOLDS, Estimate, ValidationMetrics
from waste_risk.parameters import Gates
from waste_risk.validation.gate_definition import Gate, GateDefinition, Measured, Relation, read_worse_end

__all__ = ["GATES", "Gate", "GateDecision", "GateDefinition", "Measured", "Relation", "check_gates"]

# The interval of calibration in the large knows the chance of the validated households; those trained on scatter the
# prediction, too: over sources of 150 households the gap varied by twice its standard error.
TWICE = 2

# A change of habits turns these red for months, whatever is trained: the test window knows what no predictor has yet
# learnt, the champion included.
OF_DRIFT = frozenset({"calibration_in_the_large", "newest_calibration_in_the_large"})


# Below these a source is too small for any gate to mean something: those that it would pass are not claimed.
OF_SUPPORT = frozenset({"rows", "wasted"})
NOT_CLAIMED = "Too little data to claim it"


@dataclass(frozen=True)
class GateDecision:
    """Whether a model may be promoted, every gate, one sentence for each that failed, and which bytes were validated.

    Attributes:
        unsupported: names of the gates that are passed by the estimate, and would not be by the worse end of its
            interval.
        unclaimed: names of the gates that the metrics pass, on too little data to claim that: they are not passed.
    """

    approved: bool
    gates: tuple[Gate, ...]
    reasons: tuple[str, ...]
    predictor_sha256: str | None = None
    unsupported: tuple[str, ...] = ()
    unclaimed: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """PASS, PASS by the estimate only (with the gates that their interval does not support), or FAIL.

        A FAIL says so if it rests on too little data to claim a gate.
        """
        if not self.approved:
            return "FAIL (too little data to claim a gate)" if self.unclaimed else "FAIL"
        labels = [gate.label for gate in self.gates if gate.name in self.unsupported]
        return f"PASS by the estimate only (not by its interval: {', '.join(labels)})" if labels else "PASS"

    @property
    def may_contend(self) -> bool:
        """Whether it may be held against a champion: approved, or refused for nothing but a gap that drift makes."""
        failed = {gate.name for gate in self.gates if not gate.passed}
        return self.approved or (bool(failed) and failed <= OF_DRIFT)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)


def check_gates(
    metrics: ValidationMetrics, params: Gates, definitions: Sequence[GateDefinition] | None = None
) -> GateDecision:
    """Hold a model's metrics against every gate that is on.

    Args:
        metrics: of the model.
        params: the limits, and which end of an interval decides.
        definitions: of the gates; ``GATES`` unless given.
    """
    defined = GATES if definitions is None else definitions
    gates = _check(metrics, params, defined)
    is_little = any(gate.name in OF_SUPPORT and not gate.passed for gate in gates)
    unclaimed = tuple(gate.name for gate in gates if is_little and gate.passed)
    gates = tuple(replace(gate, passed=False, reason=NOT_CLAIMED) if gate.name in unclaimed else gate for gate in gates)
    failed = [gate for gate in gates if not gate.passed and gate.name not in unclaimed]
    failed.sort(key=lambda gate: gate.name not in OF_SUPPORT)
    by_bound = {gate.name: gate for gate in _check(metrics, params.model_copy(update={"judged_by": "bound"}), defined)}
    return GateDecision(
        approved=all(gate.passed for gate in gates),
        gates=gates,
        reasons=tuple(gate.reason for gate in failed),
        predictor_sha256=metrics.predictor_sha256,
        unsupported=tuple(gate.name for gate in gates if gate.passed and not by_bound[gate.name].passed),
        unclaimed=unclaimed,
    )


def _check(metrics: ValidationMetrics, params: Gates, definitions: Sequence[GateDefinition]) -> tuple[Gate, ...]:
    checked = (definition.apply(metrics, params) for definition in definitions)
    return tuple(gate for gate in checked if gate is not None)


def _cv_std(metrics: ValidationMetrics, _: Gates) -> Measured:
    std = math.nan if metrics.cv_std_auc is None else metrics.cv_std_auc
    return Measured("CV standard deviation", value=std, undefined=": fewer than two folds were measured")


def _gain(metrics: ValidationMetrics, params: Gates) -> Measured:
    gains = {name: baseline.auc_gain for name, baseline in metrics.baselines.items()}
    if not gains:
        return Measured("Gain over baselines", value=math.nan, undefined=": none was measured")
    lows = {name: read_worse_end(gain, Relation.ABOVE, 0.0, params)[0] for name, gain in gains.items()}
    # NaN first: a baseline that cannot be compared is not beaten.
    best = min(lows, key=lambda name: (not math.isnan(lows[name]), lows[name]))
    return Measured(f"AUC gain over {to_words(best)}", gains[best])


def _mean_prediction(name: str, gap: Estimate | None, params: Gates) -> Measured:
    gap = Estimate(math.nan) if gap is None else gap
    measured = Measured(name, gap, target="the base rate")
    if params.judged_by == "bound" or gap.low is None or gap.high is None:
        return measured
    low, high = (gap.value + TWICE * (end - gap.value) for end in (gap.low, gap.high))
    return replace(
        measured,
        value=0.0 if low <= 0 <= high else min(low, high, key=abs),
        end=" (near end of twice its interval)",
        limit=params.calibration_in_the_large_tolerance,
    )


def _share_of_oracle(metrics: ValidationMetrics, _: Gates) -> Measured | None:
    share = metrics.attainable_share
    if share is None:
        return None
    # A model may lie above by chance, so the interval decides in either case.
    value = share.value if share.low is None else min(share.low, share.value)
    bound = "" if share.low is None else " at least"
    reason = f"The model reaches{bound} {format_percent(value)} of the AUC with latent states known: look for a leak"
    return Measured("Share of the AUC with latent states known", share, value=value, reason=reason)


def _purest_feature(metrics: ValidationMetrics, params: Gates) -> Measured | None:
    purest, limit = metrics.purest_feature, params.max_feature_precision
    if purest is None or limit is None:
        return None
    # The low end in either case: the purest of many ranges is pure by chance, too.
    value = purest.precision.low
    if value is None or math.isnan(value):
        few = f": no range of one holds rows of {FEWEST_HOUSEHOLDS} households"
        return Measured("Whether a feature tells the outcome", value=math.nan, undefined=few)
    reason = (
        f"Of the {purest.n_rows} rows that {purest.name} alone marks, at least {format_beside(value, limit)} were "
        f"wasted, which is not below {format_limit(limit)}: look for a leak"
    )
    return Measured("Share wasted where one feature is surest", purest.precision, value=value, reason=reason)


def _alerts(metrics: ValidationMetrics, params: Gates) -> Measured:
    n_alerts = metrics.n_alerts
    reason = f"{n_alerts} rows at or above {params.high_confidence:g} are fewer than {params.min_alerts}"
    return Measured("High-confidence alerts", value=float(n_alerts), reason=reason)


def _rarer_outcome(metrics: ValidationMetrics, _: Gates) -> Measured:
    fewest = min(metrics.n_wasted, metrics.n_rows - metrics.n_wasted)
    missing = "wasted" if metrics.n_wasted == 0 else "not wasted"
    reason = f"None of {metrics.n_rows} rows is {missing}"
    return Measured("Rows of the rarer outcome", value=float(fewest), reason=reason)


def _support(name: str, number: int, asked: int | None) -> Measured:
    reason = f"Too little data to claim a gate: {number} {name}, fewer than {asked}"
    return Measured(name, value=float(number), reason=reason)


def _group_gap(metrics: ValidationMetrics, params: Gates) -> Measured:
    gaps = {name: each.largest_calibration_gap for name, each in metrics.fairness.items()}
    known = {name: gap for name, gap in gaps.items() if gap is not None}
    if not known:
        undefined = ": no group was large enough"
        return Measured("Calibration gap within groups", value=math.nan, undefined=undefined)
    highs = {name: read_worse_end(gap, Relation.BELOW, 0.0, params)[0] for name, gap in known.items()}
    worst = max(highs, key=lambda name: (math.isnan(highs[name]), highs[name]))
    return Measured(f"Calibration gap within a group of {to_words(worst)}", known[worst])


GATES = (
    GateDefinition(
        name="auc",
        label="AUC {bound}",
        title="AUC",
        why="How often a wasted item is ranked above one that is not.",
        relation=Relation.AT_LEAST,
        limit=lambda gates: gates.min_auc,
        measure=lambda metrics, _: Measured("AUC", metrics.auc),
    ),
    GateDefinition(
        name="precision_at_high_confidence",
        label="Precision@{gates.high_confidence:g} {bound}",
        title="Precision of high-confidence alerts",
        why="They must be right, or nobody heeds them.",
        relation=Relation.AT_LEAST,
        limit=lambda gates: gates.min_precision_at_high_confidence,
        measure=lambda metrics, gates: Measured(
            f"Precision@{gates.high_confidence:g}",
            metrics.precision_at_high_confidence,
            undefined=f": no probability reaches {gates.high_confidence:g}",
        ),
    ),
    GateDefinition(
        name="expected_calibration_error",
        label="Calibration (ECE {bound})",
        title="Expected calibration error",
        why="A probability must mean what it says.",
        relation=Relation.BELOW,
        limit=lambda gates: gates.max_ece,
        measure=lambda metrics, _: Measured("Expected calibration error", metrics.expected_calibration_error),
    ),
    GateDefinition(
        name="cv_std_auc",
        label="CV Stable (std {bound})",
        title="Standard deviation of the AUC over folds",
        why="Quality must not depend on which months the model was trained on.",
        relation=Relation.BELOW,
        limit=lambda gates: gates.max_cv_std,
        measure=_cv_std,
    ),
    GateDefinition(
        name="gain_over_baselines",
        label="Better than baselines",
        title="AUC gained over baselines",
        why="Over the best of them, on the same rows.",
        relation=Relation.ABOVE,
        limit=lambda gates: gates.min_gain_over_baselines,
        measure=_gain,
    ),
    GateDefinition(
        name="calibration_slope",
        label="Slope in {bound}",
        title="Calibration slope",
        why="Below 1 the model is too sure of itself, above 1 not sure enough.",
        relation=Relation.WITHIN,
        limit=lambda gates: (
            None
            if gates.min_calibration_slope is None or gates.max_calibration_slope is None
            else (gates.min_calibration_slope, gates.max_calibration_slope)
        ),
        measure=lambda metrics, _: Measured("Calibration slope", metrics.calibration_slope),
    ),
    GateDefinition(
        name="calibration_in_the_large",
        label="In the large (gap {bound})",
        title="Calibration in the large",
        why="Mean prediction less base rate, by the near end of twice its interval.",
        relation=Relation.NEAR,
        limit=lambda gates: gates.max_calibration_in_the_large,
        measure=lambda metrics, gates: _mean_prediction("Mean prediction", metrics.calibration_in_the_large, gates),
    ),
    GateDefinition(
        name="newest_calibration_in_the_large",
        label="In the large, newest month",
        title="Calibration in the large, newest 30 days",
        why="The same over the newest days alone, where habits that drift show first.",
        relation=Relation.NEAR,
        limit=lambda gates: gates.max_calibration_in_the_large,
        measure=lambda metrics, gates: (
            None
            if (gap := metrics.newest_calibration_in_the_large) is None
            else _mean_prediction("Mean prediction of the newest 30 days", gap, gates)
        ),
    ),
    GateDefinition(
        name="not_above_oracle",
        label="Not above the oracle",
        title="Share of the AUC with latent states known",
        why="By the low end of its interval: only a leak knows more than the true probability.",
        relation=Relation.AT_MOST,
        limit=lambda gates: 1.0 if gates.not_above_oracle else None,
        measure=_share_of_oracle,
        undefined_fails=False,  # without a signal there is nothing to leak
    ),
    GateDefinition(
        name="purest_feature",
        label="Purest feature ({bound})",
        title="Share wasted where one feature is surest",
        why="By the low end of its interval: alone, only a feature that has seen the future is nearly sure.",
        relation=Relation.BELOW,
        limit=lambda gates: gates.max_feature_precision,
        measure=_purest_feature,
    ),
    GateDefinition(
        name="alerts",
        label="Alerts@{gates.high_confidence:g} {bound}",
        title="High-confidence alerts",
        why="A precision of few alerts says little.",
        relation=Relation.AT_LEAST,
        limit=lambda gates: None if gates.min_alerts is None else float(gates.min_alerts),
        measure=_alerts,
        is_count=True,
    ),
    GateDefinition(
        name="both_classes",
        label="Both outcomes occur",
        title="Both outcomes occur",
        why="Rows of the rarer outcome; without both the model cannot be evaluated.",
        relation=Relation.AT_LEAST,
        limit=lambda gates: 1.0 if gates.both_classes else None,
        measure=_rarer_outcome,
        is_count=True,
    ),
    GateDefinition(
        name="group_calibration_gap",
        label="Groups (gap {bound})",
        title="Calibration gap within groups",
        why="A probability must mean the same for every kind of household.",
        relation=Relation.BELOW,
        limit=lambda gates: gates.max_group_calibration_gap,
        measure=_group_gap,
    ),
    GateDefinition(
        name="rows",
        label="Rows {bound}",
        title="Rows evaluated",
        why="Fewer say too little about any gate.",
        relation=Relation.AT_LEAST,
        limit=lambda gates: None if gates.min_rows is None else float(gates.min_rows),
        measure=lambda metrics, gates: _support("rows evaluated", metrics.n_rows, gates.min_rows),
        is_count=True,
    ),
    GateDefinition(
        name="wasted",
        label="Wasted rows {bound}",
        title="Wasted rows",
        why="Fewer say too little about any gate.",
        relation=Relation.AT_LEAST,
        limit=lambda gates: None if gates.min_wasted is None else float(gates.min_wasted),
        measure=lambda metrics, gates: _support("wasted rows", metrics.n_wasted, gates.min_wasted),
        is_count=True,
    ),
)
