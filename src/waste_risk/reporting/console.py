"""What a run says when it ends: a few lines that someone reads before believing any metric."""

from typing import TypedDict

import pandas as pd

from waste_risk.formatting import format_number, format_percent
from waste_risk.metrics import ValidationMetrics
from waste_risk.parameters import Observation
from waste_risk.reporting.text import LEAK
from waste_risk.validation.gates import GateDecision


class ObservationCounts(TypedDict):
    """Looks at open items, those whose label is known, and the share of these that end in waste."""

    looks: int
    observations: int
    observations_wasted_share: float


def summarise_source(households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame) -> list[str]:
    """Say how large the source is and which share of its items was thrown away, by category."""
    wasted = items["item_id"].isin(events.loc[events["kind"] == "wasted", "item_id"])
    rates = wasted.groupby(items["category"]).mean().sort_values(ascending=False)
    by_category = ", ".join(f"{category} {format_percent(rate)}" for category, rate in rates.items())
    return [
        f"Source:       {len(households):,} households, {len(items):,} items, {len(events):,} events",
        f"Items:        {format_percent(wasted.mean())} wasted so far ({by_category})",
    ]


def count_observations(observations: pd.DataFrame, model_input: pd.DataFrame) -> ObservationCounts:
    """Count the looks at open items, those whose label is known, and the share of these that end in waste."""
    return {
        "looks": len(observations),
        "observations": len(model_input),
        "observations_wasted_share": float(model_input["wasted"].mean()),
    }


def summarise_observations(observation_counts: ObservationCounts, observation: Observation) -> list[str]:
    """Say how many looks have a label, and which share of them ends in waste: more than of the items."""
    share = format_percent(observation_counts["observations_wasted_share"])
    return [
        f"Observations: {observation_counts['observations']:,}, {share} wasted within {observation.horizon_days} days",
        f"Looks:        {observation_counts['looks']:,} at open items; the youngest have no label yet",
    ]


def summarise_verdict(metrics: ValidationMetrics, decision: GateDecision) -> list[str]:
    """Say whether the model passed, and if not, why; and warn of a model that knows more than there is to know."""
    ceiling = "" if metrics.oracle_auc is None else f", of {format_number(metrics.oracle_auc)} with latent states known"
    return [
        f"Model:        AUC {format_number(metrics.auc)}{ceiling}; expected calibration error "
        f"{format_number(metrics.expected_calibration_error)}",
        f"Verdict:      {decision.verdict}, {sum(gate.passed for gate in decision.gates)} of "
        f"{len(decision.gates)} gates",
        *(f"              {reason}" for reason in decision.reasons),
        *([f"Leak:         {LEAK}"] if metrics.beats_oracle else []),
    ]
