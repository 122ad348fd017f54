"""What a gate is made of, and how a metric is held against its limit."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from waste_risk.formatting import format_beside, format_limit
from waste_risk.metrics import FEWEST_HOUSEHOLDS, Estimate, ValidationMetrics
from waste_risk.parameters import Gates

Limit = float | tuple[float, float]


class Relation(StrEnum):
    """How the measured value must lie to the limit."""

    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"
    WITHIN = "within"  # a range, whose ends belong to it
    NEAR = "near"  # less than the limit away from a target, on either side; the value is the difference


@dataclass(frozen=True)
class Gate:
    """One requirement, what was measured, and all that a report says of it.

    Attributes:
        label: short, with the limit, for the text report.
        value: what was held against the limit; null where the metric is undefined.
        limit: a floor or a ceiling, or both ends of a range.
        title: what is measured, for the page.
        why: why it is asked, for the page.
        is_count: whether value and limit are whole numbers.
        estimate: that the value was read from, with its interval; null if there is none.
        reason: one sentence if the gate failed, else empty.
    """

    name: str
    label: str
    passed: bool
    value: float | None
    limit: Limit
    relation: Relation
    title: str
    why: str
    is_count: bool = False
    estimate: Estimate | None = None
    reason: str = ""


@dataclass(frozen=True)
class Measured:
    """What a gate reads of the metrics.

    Attributes:
        name: of the metric, as a sentence begins with it.
        estimate: that is held against the limit: its value, or the end of its interval that is worse for the model.
        value: in place of the estimate, whichever end would be asked for.
        end: words for the end of the interval that ``value`` is.
        limit: in place of the gate's own.
        target: what the value is the difference from, of a gate whose relation is ``NEAR``.
        undefined: why the metric is undefined, to end a sentence.
        reason: the whole sentence if the gate fails, in place of the usual one.
    """

    name: str
    estimate: Estimate = Estimate(math.nan)
    value: float | None = None
    end: str = ""
    limit: Limit | None = None
    target: str = "0"
    undefined: str = ""
    reason: str = ""


@dataclass(frozen=True)
class GateDefinition:
    """All that makes a gate.

    Attributes:
        name: of the gate in JSON and in ``GateDecision.unsupported``.
        label: for the text report; ``{bound}`` is the limit with its relation, ``{gates}`` the parameters.
        title: what is measured, for the page.
        why: why it is asked, for the page.
        relation: how the value must lie to the limit.
        limit: reads it from the parameters; null switches the gate off.
        measure: reads the metric; null if these metrics have nothing for the gate to say.
        is_count: whether value and limit are whole numbers.
        undefined_fails: whether an undefined metric fails the gate.
    """

    name: str
    label: str
    title: str
    why: str
    relation: Relation
    limit: Callable[[Gates], Limit | None]
    measure: Callable[[ValidationMetrics, Gates], Measured | None]
    is_count: bool = False
    undefined_fails: bool = True

    def apply(self, metrics: ValidationMetrics, params: Gates) -> Gate | None:
        """Hold the metric against the limit; return nothing if the gate is off or has nothing to say."""
        asked = self.limit(params)
        measured = None if asked is None else self.measure(metrics, params)
        if asked is None or measured is None:
            return None
        limit = asked if measured.limit is None else measured.limit
        value, end = measured.value, measured.end
        if value is None:
            value, end = read_worse_end(measured.estimate, self.relation, limit, params)
        undefined = math.isnan(value)
        passed = not self.undefined_fails if undefined else _holds(value, self.relation, limit)
        return Gate(
            name=self.name,
            label=self.label.format(bound=_bound(self.relation, asked, self.is_count), gates=params),
            passed=passed,
            value=None if undefined else value,
            limit=(-limit, limit) if self.relation is Relation.NEAR and not isinstance(limit, tuple) else limit,
            relation=self.relation,
            title=self.title,
            why=self.why,
            is_count=self.is_count,
            estimate=_known(measured.estimate),
            reason="" if passed else self._explain(measured, value, end, limit, metrics),
        )

    def _explain(self, measured: Measured, value: float, end: str, limit: Limit, metrics: ValidationMetrics) -> str:
        if math.isnan(value):
            cannot = f"cannot be held against {measured.target}" if self.relation is Relation.NEAR else "is undefined"
            return f"{measured.name} {cannot}{_lacks_interval(measured.estimate, metrics) or measured.undefined}"
        if measured.reason:
            return measured.reason
        if isinstance(limit, tuple):
            limit, fault = (limit[1], "above") if value > limit[1] else (limit[0], "below")
        elif self.relation is Relation.NEAR:
            side = "above" if value > 0 else "below"
            distance = f"{format_beside(abs(value), limit)} {side} {measured.target}"
            return f"{measured.name}{end} lies {distance}, not less than {format_limit(limit)}"
        else:
            fault = _FAULTS[self.relation]
        text = f"{value:.0f}" if self.is_count else format_beside(value, limit)
        return f"{measured.name}{end} {text} is {fault} {_format(limit, self.is_count)}"


def read_worse_end(estimate: Estimate, relation: Relation, limit: Limit, params: Gates) -> tuple[float, str]:
    """Return what of an estimate is held against a limit, and words for the end of the interval that it is.

    That is the value, or if gates are read by the bound, the end that is worse for the model: NaN without interval.
    """
    low, high = estimate.low, estimate.high
    if params.judged_by == "estimate":
        return estimate.value, ""
    if low is None or high is None:
        return math.nan, ""
    if relation is Relation.NEAR:
        return max(low, high, key=abs), " (far end of its interval)"
    is_high = high > limit[1] if isinstance(limit, tuple) else relation in {Relation.AT_MOST, Relation.BELOW}
    return (high, " (high end of its interval)") if is_high else (low, " (low end of its interval)")


_COMPARE = {
    Relation.AT_LEAST: operator.ge,
    Relation.ABOVE: operator.gt,
    Relation.AT_MOST: operator.le,
    Relation.BELOW: operator.lt,
}
_FAULTS = {
    Relation.AT_LEAST: "below",
    Relation.ABOVE: "not above",
    Relation.AT_MOST: "above",
    Relation.BELOW: "not below",
}


def _known(estimate: Estimate) -> Estimate | None:
    numbers = (estimate.value, estimate.low, estimate.high)
    return None if any(number is not None and math.isnan(number) for number in numbers) else estimate


def _holds(value: float, relation: Relation, limit: Limit) -> bool:
    if isinstance(limit, tuple):
        return limit[0] <= value <= limit[1]
    return abs(value) < limit if relation is Relation.NEAR else bool(_COMPARE[relation](value, limit))


def _bound(relation: Relation, limit: Limit, is_count: bool) -> str:
    if isinstance(limit, tuple):
        return f"[{', '.join(_format(end, is_count) for end in limit)}]"
    return f"{Relation.BELOW if relation is Relation.NEAR else relation} {_format(limit, is_count)}"


def _format(limit: float, is_count: bool) -> str:
    return f"{limit:.0f}" if is_count else format_limit(limit)


def _lacks_interval(estimate: Estimate, metrics: ValidationMetrics) -> str:
    if math.isnan(estimate.value):
        return ""
    if metrics.confidence is None:
        return ": no intervals were computed"
    return f": it has no interval, since it rests on fewer than {FEWEST_HOUSEHOLDS} households"
