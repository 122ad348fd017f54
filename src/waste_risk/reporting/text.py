"""The validation report as plain text: the page someone reads to decide about a model."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from waste_risk.formatting import NOT_AVAILABLE, count_noun, format_count, format_number, format_percent, to_words
from waste_risk.metrics import Estimate, ValidationMetrics
from waste_risk.reporting.text_parts import (
    WIDTH,
    alerts,
    baselines,
    calibration_and_chance,
    fairness,
    line,
    stability,
)
from waste_risk.validation.gates import Gate, GateDecision

CEILING = (  # measured by `make learnability`, a test compares
    "No feature shows latent states. Training on eight times the rows raised the AUC",
    "by 0.004 on the default source, a more honest ceiling (docs/learnability.md).",
)
LEAK = "A model above the true probability has seen what it must not: look for a leak."

_HEAVY_RULE = "=" * WIDTH
_LIGHT_RULE = "-" * WIDTH


@dataclass(frozen=True)
class SourceSummary:
    """What the judged window was cut from.

    Attributes:
        n_items: items that the source knows.
        item_waste_ratio: share of the items with any waste by the end of the data.
        n_observations: observations whose label is known.
        observation_waste_ratio: share of those that were wasted within the horizon.
        dropped: records that the cleaning of the source left out, by rule.
        repaired: records that it changed, by rule.
    """

    n_items: int
    item_waste_ratio: float
    n_observations: int
    observation_waste_ratio: float
    dropped: Mapping[str, int] = field(default_factory=dict)
    repaired: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Judgements:
    """How often the test window has been judged, this time included.

    Attributes:
        n_times: validations of these rows.
        n_predictors: predictors among them that differ by their SHA-256.
    """

    n_times: int
    n_predictors: int

    def sentences(self) -> list[str]:
        """Say the counts, and from the second predictor on what they do to the figures."""
        counts = f"{count_noun(self.n_times, 'time')}, {count_noun(self.n_predictors, 'predictor')}"
        warning = "Choosing among predictors by the same window makes its figures optimistic."
        return [f"The test window has been judged {counts}.", *([warning] if self.n_predictors > 1 else [])]


def render_text(
    metrics: ValidationMetrics,
    decision: GateDecision | None = None,
    *,
    generated_at: datetime | None = None,
    source: SourceSummary | None = None,
    judgements: Judgements | None = None,
) -> str:
    """Write the validation report, 80 columns wide, ending in a newline; what is not given is left out."""
    lines = [
        _HEAVY_RULE,
        "MODEL VALIDATION REPORT",
        _HEAVY_RULE,
        *([] if generated_at is None else [f"Generated: {generated_at:%Y-%m-%d %H:%M:%S}"]),
        *_section("CLASSIFICATION METRICS", _classification(metrics)),
        *_section("CALIBRATION METRICS", _calibration(metrics)),
        *_section("THRESHOLD OPTIMIZATION", _threshold(metrics)),
        *_section(f"BUSINESS METRICS (threshold={metrics.high_confidence:g})", _business(metrics)),
        *([] if decision is None else _decision(decision)),
        *_section("CEILING (LATENT STATES KNOWN)", _ceiling(metrics)),
        *_section("DATA", _data(metrics, source, judgements)),
        *_section("CALIBRATION AND CHANCE", calibration_and_chance(metrics)),
        *_section("BASELINES", baselines(metrics)),
        *_section(f"FAIRNESS: GAPS (threshold={metrics.threshold:.3f})", fairness(metrics)),
        *_section("STABILITY", stability(metrics)),
        *_section("ALERTS", alerts(metrics)),
        _HEAVY_RULE,
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    return ["", title, _LIGHT_RULE, *body] if body else []


def _classification(metrics: ValidationMetrics) -> list[str]:
    return [
        line("AUC-ROC", format_number(metrics.auc)),
        line("Average Precision", format_number(metrics.average_precision)),
        line("Brier Score", format_number(metrics.brier_score)),
        line("Log Loss", format_number(metrics.log_loss)),
    ]


def _calibration(metrics: ValidationMetrics) -> list[str]:
    return [
        line("Expected Calibration Error", format_number(metrics.expected_calibration_error)),
        line("Calibration Slope", format_number(metrics.calibration_slope)),
        line("Calibration Intercept", format_number(metrics.calibration_intercept)),
        line("Hosmer-Lemeshow p-value", format_number(metrics.hosmer_lemeshow_p_value)),
    ]


def _threshold(metrics: ValidationMetrics) -> list[str]:
    return [
        line("Optimal Threshold", format_number(metrics.threshold, 3)),
        line("  Precision", format_number(metrics.precision)),
        line("  Recall", format_number(metrics.recall)),
        line("  F1 Score", format_number(metrics.f1)),
    ]


def _business(metrics: ValidationMetrics) -> list[str]:
    return [
        line("Precision", format_number(metrics.precision_at_high_confidence)),
        line("Recall", format_number(metrics.recall_at_high_confidence)),
    ]


def _decision(decision: GateDecision) -> list[str]:
    gates = [line(gate.label, _reading(gate, decision)) for gate in decision.gates]
    return [*_section("GATE REQUIREMENTS", gates), *_section("REASONS", decision.reasons)]


def _reading(gate: Gate, decision: GateDecision) -> str:
    if not gate.passed:
        return "✗ FAIL"
    return "✓ PASS (estimate only)" if gate.name in decision.unsupported else "✓ PASS"


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


def _data(metrics: ValidationMetrics, source: SourceSummary | None, judgements: Judgements | None) -> list[str]:
    return [
        *_source(source),
        line("Rows judged", f"{metrics.n_rows:,}"),
        line("Households", format_count(metrics.n_households)),
        line("Wasted", f"{metrics.n_wasted:,}"),
        line("Base rate", format_number(metrics.base_rate)),
        line("Mean prediction", format_number(metrics.mean_probability)),
        line("Alerts", f"{metrics.n_alerts:,} at or above {metrics.high_confidence:g}"),
        *_horizon(metrics),
        *([] if judgements is None else judgements.sentences()),
        *_days(metrics),
    ]


def _source(source: SourceSummary | None) -> list[str]:
    if source is None:
        return []
    items, observations = format_percent(source.item_waste_ratio), format_percent(source.observation_waste_ratio)
    return [
        line("Items", f"{source.n_items:,}, {items} wasted so far"),
        line("Observations", f"{source.n_observations:,}, {observations} wasted within the horizon"),
        *_cleaned("Dropped", source.dropped),
        *_cleaned("Repaired", source.repaired),
    ]


def _cleaned(label: str, counts: Mapping[str, int]) -> list[str]:
    return [line(label, _counted(count, rule)) for rule, count in counts.items() if count]


def _counted(count: int, rule: str) -> str:
    words = to_words(rule)
    one = re.sub(r"(item|event)s", r"\1", words, count=1)
    return f"{count:,} {one if count == 1 else words}"


def _horizon(metrics: ValidationMetrics) -> list[str]:
    return [] if metrics.horizon_days is None else [line("Horizon", f"{metrics.horizon_days} days after the look")]


def _days(metrics: ValidationMetrics) -> list[str]:
    if metrics.days_mae is None or metrics.days_rmse is None:
        return []
    return [
        "",
        "Days to waste, given that the item is wasted within the horizon:",
        line("  Mean absolute error", _in_days(metrics.days_mae)),
        line("  Root mean squared error", _in_days(metrics.days_rmse)),
        *_label_days(metrics),
    ]


def _label_days(metrics: ValidationMetrics) -> list[str]:
    if metrics.label_days_mae is None or metrics.days_mae_where_label is None:
        return []
    return [
        "  Where a label has a date, mean absolute error of",
        line("    the model", _in_days(metrics.days_mae_where_label)),
        line("    the days on the label", _in_days(metrics.label_days_mae)),
    ]


def _in_days(estimate: Estimate) -> str:
    return NOT_AVAILABLE if math.isnan(estimate.value) else f"{format_number(estimate, 2)} days"
