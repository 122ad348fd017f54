"""The validation report as plain text: the page someone reads to decide about a model."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from waste_risk.formatting import NOT_AVAILABLE, count_noun, format_count, format_number, format_percent, to_words
from waste_risk.metrics import SectionName, ValidationMetrics
from waste_risk.reporting.text_parts import (
    WIDTH,
    line,
    write_alerts,
    write_baselines,
    write_calibration_and_chance,
    write_fairness,
    write_stability,
)
from waste_risk.validation.gates import GateDecision

CEILING = (  # measured by `make learnability`, a test compares
    "No feature shows latent states. Training on eight times the rows raised the AUC",
    "by 0.004 on the default source, a more honest ceiling (docs/learnability.md).",
)
LEAK = "A model above the true probability has seen what it must not: look for a leak."

_HEAVY_RULE = "=" * WIDTH
_LIGHT_RULE = "-" * WIDTH


@dataclass(frozen=True)
class SourceSummary:
    """The source that the test window is taken from.

    Attributes:
        n_items: items of the source.
        item_waste_ratio: share of the items with any waste by the end of the data.
        n_observations: observations whose label is known.
        observation_waste_ratio: share of those that were wasted within the horizon.
        n_pooled: observations of another source that the predictor has learned from, too.
        dropped: number of records that cleaning dropped, by rule.
        repaired: number of records that it repaired, by rule.
        not_given: what the source does not have, so that it is not evaluated.
    """

    n_items: int
    item_waste_ratio: float
    n_observations: int
    observation_waste_ratio: float
    n_pooled: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    repaired: Mapping[str, int] = field(default_factory=dict)
    not_given: tuple[str, ...] = ()


@dataclass(frozen=True)
class WindowUse:
    """How often the test window has been evaluated, this time included.

    Attributes:
        n_times: validations of these rows.
        n_predictors: predictors among them that differ by their SHA-256.
    """

    n_times: int
    n_predictors: int

    def sentences(self) -> list[str]:
        """Return the counts in words and, from the second predictor on, what they mean for the metrics."""
        counts = f"{count_noun(self.n_times, 'time')}, {count_noun(self.n_predictors, 'predictor')}"
        caution = "Choosing among predictors by the same window makes its metrics optimistic."
        return [f"The test window has been evaluated {counts}.", *([caution] if self.n_predictors > 1 else [])]


def render_text(
    metrics: ValidationMetrics,
    decision: GateDecision | None = None,
    *,
    generated_at: datetime | None = None,
    source: SourceSummary | None = None,
    validation_log: WindowUse | None = None,
) -> str:
    """Return the validation report, 80 columns wide, ending in a newline; what is not given is left out.

    Args:
        metrics: what was measured; each metric defines its own label, see ``waste_risk.metrics.catalogue``.
        decision: the gates and the verdict.
        generated_at: shown at the top.
        source: what the test window is taken from.
        validation_log: how often the window has been evaluated.
    """
    threshold = line("Optimal Threshold", format_number(metrics.threshold, 3))
    lines = [
        _HEAVY_RULE,
        "MODEL VALIDATION REPORT",
        _HEAVY_RULE,
        *([] if generated_at is None else [f"Generated: {generated_at:%Y-%m-%d %H:%M:%S}"]),
        *_section("CLASSIFICATION METRICS", _listed(metrics, "classification")),
        *_section("CALIBRATION METRICS", _listed(metrics, "calibration")),
        *_section("THRESHOLD OPTIMIZATION", [threshold, *_listed(metrics, "threshold", "  ")]),
        *_section(f"BUSINESS METRICS (threshold={metrics.high_confidence:g})", _listed(metrics, "high_confidence")),
        *([] if decision is None else _decision(decision)),
        *_section("CEILING (LATENT STATES KNOWN)", _ceiling(metrics)),
        *_section("DATA", _data(metrics, source, validation_log)),
        *_section("CALIBRATION AND CHANCE", write_calibration_and_chance(metrics)),
        *_section("BASELINES", write_baselines(metrics)),
        *_section(f"FAIRNESS: GAPS (threshold={metrics.threshold:.3f})", write_fairness(metrics)),
        *_section("STABILITY", write_stability(metrics)),
        *_section("ALERTS", write_alerts(metrics)),
        _HEAVY_RULE,
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    return ["", title, _LIGHT_RULE, *body] if body else []


def _listed(metrics: ValidationMetrics, section: SectionName, indent: str = "") -> list[str]:
    """Write the metrics of a section that have a label in this report: four decimals, or those of their unit."""
    lines = []
    for metric in metrics.list_section(section):
        value = format_number(metric.estimate, metric.decimals) if metric.unit else format_number(metric.estimate)
        if metric.unit and value != NOT_AVAILABLE:
            value = f"{value} {metric.unit}"
        if metric.report:
            lines.append(line(indent + metric.report, value))
    return lines


def _decision(decision: GateDecision) -> list[str]:
    gates = []
    for gate in decision.gates:
        passed = "✓ PASS (estimate only)" if gate.name in decision.unsupported else "✓ PASS"
        failed = "– not claimed" if gate.name in decision.unclaimed else "✗ FAIL"
        gates.append(line(gate.label, passed if gate.passed else failed))
    return [*_section("GATE REQUIREMENTS", gates), *_section("REASONS", decision.reasons)]


def _ceiling(metrics: ValidationMetrics) -> list[str]:
    if metrics.oracle_auc is None or metrics.attainable_share is None:
        return []
    share = metrics.attainable_share.value
    reached = f"The model reaches {format_percent(share)} of that AUC, counted from 0.5."
    return [
        line("AUC of true probability", format_number(metrics.oracle_auc)),
        line("AUC of the model", format_number(metrics.auc)),
        "The true probability is the same everywhere: there is no signal to find." if math.isnan(share) else reached,
        *CEILING,
        *([LEAK] if metrics.beats_oracle else []),
    ]


def _data(metrics: ValidationMetrics, source: SourceSummary | None, validation_log: WindowUse | None) -> list[str]:
    days = metrics.horizon_days
    return [
        *_source(source),
        line("Rows evaluated", f"{metrics.n_rows:,}"),
        line("Households", format_count(metrics.n_households)),
        line("Wasted", f"{metrics.n_wasted:,}"),
        line("Base rate", format_number(metrics.base_rate)),
        line("Mean prediction", format_number(metrics.mean_probability)),
        line("Alerts", f"{metrics.n_alerts:,} at or above {metrics.high_confidence:g}"),
        *([] if days is None else [line("Horizon", f"{days} days after the observation")]),
        *([] if validation_log is None else validation_log.sentences()),
        *_days(metrics),
    ]


def _source(source: SourceSummary | None) -> list[str]:
    if source is None:
        return []
    items, observations = format_percent(source.item_waste_ratio), format_percent(source.observation_waste_ratio)
    return [
        line("Items", f"{source.n_items:,}, {items} wasted so far"),
        line("Observations", f"{source.n_observations:,}, {observations} wasted within the horizon"),
        *(
            [line("Pooled", f"{source.n_pooled:,} observations of another source, only to learn from")]
            if source.n_pooled
            else []
        ),
        *_cleaned("Dropped", source.dropped),
        *_cleaned("Repaired", source.repaired),
        *([line("Not given", ", ".join(source.not_given))] if source.not_given else []),
    ]


def _cleaned(label: str, counts: Mapping[str, int]) -> Iterator[str]:
    for rule, count in counts.items():
        words = to_words(rule)
        one = re.sub(r"(item|event)s", r"\1", words, count=1)
        if count:
            yield line(label, f"{count:,} {one if count == 1 else words}")


def _days(metrics: ValidationMetrics) -> list[str]:
    if metrics.days_mae is None:
        return []
    where_label = _listed(metrics, "label_days", "    ")
    return [
        "",
        "Days to waste, given that the item is wasted within the horizon:",
        *_listed(metrics, "days", "  "),
        *(["  Where a label has a date, mean absolute error of", *where_label] if where_label else []),
    ]
