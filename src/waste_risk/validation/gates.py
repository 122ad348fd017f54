"""What a model must reach before it may be promoted, and in words why one may not.

The limits live in YAML. An undefined metric fails its gate: no evidence is not good evidence.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from waste_risk.formatting import format_beside, format_limit, format_percent, to_words
from waste_risk.metrics import FEWEST_HOUSEHOLDS, Estimate, PurestFeature, ValidationMetrics
from waste_risk.parameters import Gates

# The interval of calibration in the large knows the chance of the judged households; those trained on scatter the
# prediction, too: over sources of 150 households the gap varied by twice its standard error.
TWICE = 2


@dataclass(frozen=True)
class Gate:
    """One requirement and what was measured; the value is null where the metric is undefined.

    Attributes:
        limit: a floor or a ceiling, or both ends of a range.
    """

    name: str
    label: str
    passed: bool
    value: float | None
    limit: float | tuple[float, float]


@dataclass(frozen=True)
class GateDecision:
    """Whether a model may be promoted, every gate, one sentence for each that failed, and which bytes were judged.

    Attributes:
        unsupported: names of the gates that are passed by the estimate, and would not be by the worse end of its
            interval.
    """

    approved: bool
    gates: tuple[Gate, ...]
    reasons: tuple[str, ...]
    predictor_sha256: str | None = None
    unsupported: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """PASS, PASS by the estimate only (then it says which gates their interval does not support), or FAIL."""
        if not self.approved:
            return "FAIL"
        labels = [gate.label for gate in self.gates if gate.name in self.unsupported]
        return f"PASS by the estimate only (not by its interval: {', '.join(labels)})" if labels else "PASS"

    def to_dict(self) -> dict[str, Any]:
        """Give plain values that JSON can hold."""
        return {
            "approved": self.approved,
            "gates": [asdict(gate) for gate in self.gates],
            "reasons": list(self.reasons),
            "predictor_sha256": self.predictor_sha256,
            "unsupported": list(self.unsupported),
        }


Checked = tuple[Gate, str]


def check_gates(metrics: ValidationMetrics, params: Gates) -> GateDecision:
    """Hold a model's metrics against every gate that is on."""
    checked = list(_check(metrics, params))
    by_bound = {gate.name: gate.passed for gate, _ in _check(metrics, params.model_copy(update={"judged_by": "bound"}))}
    return GateDecision(
        approved=all(gate.passed for gate, _ in checked),
        gates=tuple(gate for gate, _ in checked),
        reasons=tuple(reason for gate, reason in checked if not gate.passed),
        predictor_sha256=metrics.predictor_sha256,
        unsupported=tuple(gate.name for gate, _ in checked if gate.passed and not by_bound[gate.name]),
    )


def _check(metrics: ValidationMetrics, params: Gates) -> Iterator[Checked]:
    yield _check_auc(metrics, params)
    yield _check_precision(metrics, params)
    yield _check_calibration(metrics, params)
    yield _check_stability(metrics, params)
    if params.min_gain_over_baselines is not None:
        yield _check_baselines(metrics, params, params.min_gain_over_baselines)
    if params.min_calibration_slope is not None and params.max_calibration_slope is not None:
        yield _check_slope(metrics, params, params.min_calibration_slope, params.max_calibration_slope)
    if params.max_calibration_in_the_large is not None:
        yield from _check_in_the_large(metrics, params, params.max_calibration_in_the_large)
    yield from _check_leaks(metrics, params)
    if params.min_alerts is not None:
        yield _check_support(metrics, params, params.min_alerts)
    if params.both_classes:
        yield _check_classes(metrics)
    if params.max_group_calibration_gap is not None:
        yield _check_groups(metrics, params, params.max_group_calibration_gap)


def _check_auc(metrics: ValidationMetrics, params: Gates) -> Checked:
    value, limit = _lower(metrics.auc, params), params.min_auc
    gate = Gate("auc", f"AUC >= {format_limit(limit)}", value >= limit, _known(value), limit)
    return gate, _reason(gate, "AUC", "below", _of(params, "low"), _no_bound(metrics.auc, metrics))


def _check_precision(metrics: ValidationMetrics, params: Gates) -> Checked:
    estimate, limit = metrics.precision_at_high_confidence, params.min_precision_at_high_confidence
    value, metric = _lower(estimate, params), f"Precision@{params.high_confidence:g}"
    label = f"{metric} >= {format_limit(limit)}"
    gate = Gate("precision_at_high_confidence", label, value >= limit, _known(value), limit)
    why = _no_bound(estimate, metrics) or f": no probability reaches {params.high_confidence:g}"
    return gate, _reason(gate, metric, "below", _of(params, "low"), why)


def _check_calibration(metrics: ValidationMetrics, params: Gates) -> Checked:
    value, limit = _upper(metrics.expected_calibration_error, params), params.max_ece
    label = f"Calibration (ECE < {format_limit(limit)})"
    gate = Gate("expected_calibration_error", label, value < limit, _known(value), limit)
    why = _no_bound(metrics.expected_calibration_error, metrics)
    return gate, _reason(gate, "Expected calibration error", "not below", _of(params, "high"), why)


def _check_stability(metrics: ValidationMetrics, params: Gates) -> Checked:
    value, limit = math.nan if metrics.cv_std_auc is None else metrics.cv_std_auc, params.max_cv_std
    gate = Gate("cv_std_auc", f"CV Stable (std < {format_limit(limit)})", value < limit, _known(value), limit)
    return gate, _reason(gate, "CV standard deviation", "not below", "", ": fewer than two folds were measured")


def _check_baselines(metrics: ValidationMetrics, params: Gates, limit: float) -> Checked:
    gains = {name: _lower(baseline.auc_gain, params) for name, baseline in metrics.baselines.items()}
    # NaN first: a baseline that cannot be compared is not beaten.
    best = min(gains, key=lambda name: (not math.isnan(gains[name]), gains[name]), default="")
    value = gains.get(best, math.nan)
    gate = Gate("gain_over_baselines", "Better than simple rules", value > limit, _known(value), limit)
    metric = f"AUC gain over {to_words(best)}"
    if not gains:
        return gate, "Gain over simple rules is undefined: none was measured"
    return gate, _reason(
        gate, metric, "not above", _of(params, "low"), _no_bound(metrics.baselines[best].auc_gain, metrics)
    )


def _check_slope(metrics: ValidationMetrics, params: Gates, low: float, high: float) -> Checked:
    least, most = _lower(metrics.calibration_slope, params), _upper(metrics.calibration_slope, params)
    value, limit = (most, high) if most > high else (least, low)
    label = f"Slope in [{format_limit(low)}, {format_limit(high)}]"
    gate = Gate("calibration_slope", label, low <= least and most <= high, _known(value), (low, high))
    if gate.value is None:
        return gate, f"Calibration slope is undefined{_no_bound(metrics.calibration_slope, metrics)}"
    side, relation = ("high", "above") if most > high else ("low", "below")
    return (
        gate,
        f"Calibration slope{_of(params, side)} {format_beside(value, limit)} is {relation} {format_limit(limit)}",
    )


def _check_in_the_large(metrics: ValidationMetrics, params: Gates, limit: float) -> Iterator[Checked]:
    whole, newest = metrics.calibration_in_the_large, metrics.newest_calibration_in_the_large
    name, label = "calibration_in_the_large", f"In the large (gap < {format_limit(limit)})"
    yield _check_gap(name, label, Estimate(math.nan) if whole is None else whole, metrics, params)
    if newest is not None:
        yield _check_gap(f"newest_{name}", "In the large, newest month", newest, metrics, params)


def _check_gap(name: str, label: str, gap: Estimate, metrics: ValidationMetrics, params: Gates) -> Checked:
    limit, value, end = params.max_calibration_in_the_large or 0.0, gap.value, ""
    if params.judged_by == "bound":
        value, end = max(_lower(gap, params), _upper(gap, params), key=abs), " (far end of its interval)"
    elif gap.low is not None and gap.high is not None:
        limit, end = params.calibration_in_the_large_tolerance, " (near end of twice its interval)"
        value = _near_end(gap.value + TWICE * (gap.low - gap.value), gap.value + TWICE * (gap.high - gap.value))
    gate = Gate(name, label, abs(value) < limit, _known(value), (-limit, limit))
    what = "Mean prediction of the newest 30 days" if name.startswith("newest") else "Mean prediction"
    if gate.value is None:
        return gate, f"{what} cannot be held against the base rate{_no_bound(gap, metrics)}"
    side = "above" if value > 0 else "below"
    return (
        gate,
        f"{what}{end} lies {format_beside(abs(value), limit)} {side} the base rate, "
        f"not less than {format_limit(limit)}",
    )


def _near_end(low: float, high: float) -> float:
    return 0.0 if low <= 0 <= high else min(low, high, key=abs)


def _check_leaks(metrics: ValidationMetrics, params: Gates) -> Iterator[Checked]:
    if params.not_above_oracle and metrics.attainable_share is not None:
        yield _check_oracle(metrics, metrics.attainable_share)
    if params.max_feature_precision is not None and metrics.purest_feature is not None:
        yield _check_feature(metrics.purest_feature, params.max_feature_precision)


def _check_oracle(metrics: ValidationMetrics, share: Estimate) -> Checked:
    # A model may lie above by chance, so the interval decides in either case; without signal there is nothing to leak.
    value = share.value if share.low is None else min(share.low, share.value)
    gate = Gate("not_above_oracle", "Not above the oracle", not metrics.beats_oracle, _known(value), 1.0)
    bound = "" if share.low is None else " at least"
    return (
        gate,
        f"The model reaches{bound} {format_percent(value)} of the AUC with latent states known: look for a leak",
    )


def _check_feature(purest: PurestFeature, limit: float) -> Checked:
    # The low end in either case: the purest of many ranges is pure by chance, too.
    value = math.nan if purest.precision.low is None else purest.precision.low
    gate = Gate("purest_feature", f"Purest feature (< {format_limit(limit)})", value < limit, _known(value), limit)
    if gate.value is None:
        few = f"no range of one holds rows of {FEWEST_HOUSEHOLDS} households"
        return gate, f"Whether a feature tells the outcome is undefined: {few}"
    share = format_beside(value, limit)
    wasted = f"of the {purest.n_rows} rows that {purest.name} alone marks, at least {share} were wasted"
    return gate, f"{wasted[0].upper()}{wasted[1:]}, which is not below {format_limit(limit)}: look for a leak"


def _check_support(metrics: ValidationMetrics, params: Gates, limit: int) -> Checked:
    label = f"Alerts@{params.high_confidence:g} >= {limit}"
    gate = Gate("alerts", label, metrics.n_alerts >= limit, float(metrics.n_alerts), float(limit))
    return gate, f"{metrics.n_alerts} rows at or above {params.high_confidence:g} are fewer than {limit}"


def _check_classes(metrics: ValidationMetrics) -> Checked:
    fewest = min(metrics.n_wasted, metrics.n_rows - metrics.n_wasted)
    gate = Gate("both_classes", "Both outcomes occur", fewest > 0, float(fewest), 1.0)
    missing = "wasted" if metrics.n_wasted == 0 else "not wasted"
    return gate, f"None of {metrics.n_rows} rows is {missing}"


def _check_groups(metrics: ValidationMetrics, params: Gates, limit: float) -> Checked:
    estimates = {name: each.largest_calibration_gap for name, each in metrics.fairness.items()}
    gaps = {name: _upper(gap, params) for name, gap in estimates.items() if gap is not None}
    worst = max(gaps, key=lambda name: (math.isnan(gaps[name]), gaps[name]), default="")
    value = gaps.get(worst, math.nan)
    gate = Gate("group_calibration_gap", f"Groups (gap < {format_limit(limit)})", value < limit, _known(value), limit)
    metric = f"Calibration gap within a group of {to_words(worst)}"
    if not gaps:
        return gate, "Calibration gap within groups is undefined: no group was large enough"
    return gate, _reason(gate, metric, "not below", _of(params, "high"), _no_bound(estimates[worst], metrics))


def _lower(estimate: Estimate, params: Gates) -> float:
    return _end(estimate.value, estimate.low, params)


def _upper(estimate: Estimate, params: Gates) -> float:
    return _end(estimate.value, estimate.high, params)


def _end(value: float, end: float | None, params: Gates) -> float:
    if params.judged_by == "estimate":
        return value
    return math.nan if end is None else end


def _no_bound(estimate: Estimate | None, metrics: ValidationMetrics) -> str:
    if estimate is None or math.isnan(estimate.value):
        return ""
    if metrics.confidence is None:
        return ": no intervals were computed"
    return f": it has no interval, since it rests on fewer than {FEWEST_HOUSEHOLDS} households"


def _of(params: Gates, end: str) -> str:
    return "" if params.judged_by == "estimate" else f" ({end} end of its interval)"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _reason(gate: Gate, metric: str, relation: str, end: str, why_undefined: str) -> str:
    if gate.value is None or isinstance(gate.limit, tuple):
        return f"{metric} is undefined{why_undefined}"
    return f"{metric}{end} {format_beside(gate.value, gate.limit)} is {relation} {format_limit(gate.limit)}"
