"""The closing lines of a run: what someone reads before believing any metric."""

from typing import TypedDict

import pandas as pd

from waste_risk.formatting import format_number, format_percent
from waste_risk.metrics import ValidationMetrics
from waste_risk.parameters import Observation
from waste_risk.promotion import PromotionDecision
from waste_risk.reporting.text import LEAK
from waste_risk.validation.gates import GateDecision


class ObservationCounts(TypedDict):
    """Observations of open items, those whose label is known, and the share of these that end in waste."""

    observations: int
    mature: int
    mature_wasted_share: float


def summarise_source(households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame) -> list[str]:
    """Return how large the source is and which share of its items was thrown away, by category."""
    wasted = items["item_id"].isin(events.loc[events["kind"] == "wasted", "item_id"])
    rates = wasted.groupby(items["category"]).mean().sort_values(ascending=False)
    by_category = ", ".join(f"{category} {format_percent(rate)}" for category, rate in rates.items())
    return [
        f"Source:       {len(households):,} households, {len(items):,} items, {len(events):,} events",
        f"Items:        {format_percent(wasted.mean())} wasted so far ({by_category})",
    ]


def count_observations(observations: pd.DataFrame, model_input: pd.DataFrame) -> ObservationCounts:
    """Count the observations of open items, those whose label is known, and the share of these that end in waste."""
    return {
        "observations": len(observations),
        "mature": len(model_input),
        "mature_wasted_share": float(model_input["wasted"].mean()),
    }


def summarise_observations(observation_counts: ObservationCounts, observation: Observation) -> list[str]:
    """Return how many observations have a label, and which share of them ends in waste: more than of the items."""
    return [
        f"Observations: {observation_counts['observations']:,} of open items, {observation_counts['mature']:,} with a "
        f"known label, {format_percent(observation_counts['mature_wasted_share'])} wasted within "
        f"{observation.horizon_days} days"
    ]


def summarise_verdict(metrics: ValidationMetrics, decision: GateDecision) -> list[str]:
    """Return whether the model passed, and if not, why; and whether it knows more than there is to know: a leak."""
    oracle = metrics.oracle_auc
    ceiling = "" if oracle is None else f", of {format_number(oracle)} with latent states known"
    return [
        f"Model:        AUC {format_number(metrics.auc)}{ceiling}; expected calibration error "
        f"{format_number(metrics.expected_calibration_error)}",
        f"Verdict:      {decision.verdict}, {sum(gate.passed for gate in decision.gates)} of "
        f"{len(decision.gates)} gates",
        *(f"              {reason}" for reason in decision.reasons),
        *([f"Leak:         {LEAK}"] if metrics.beats_oracle else []),
    ]


def summarise_promotion(decision: PromotionDecision) -> list[str]:
    """Return what was decided about the champion, and why; and whether nothing was moved all the same."""
    outcome = {
        "promote": "the challenger is promoted",
        "keep": "the champion stays",
        "inconclusive": "inconclusive, the champion stays",
        "rollback": "the former champion returns",
    }[decision.decision]
    who = "its SHA-256" if decision.is_move else "the challenger's SHA-256"
    return [
        f"Promotion:    {outcome} ({who} is {decision.challenger_sha256[:12]}…)",
        *(f"              {reason}" for reason in decision.reasons),
        *(["              A dry run: nothing was moved or recorded."] if decision.dry_run else []),
    ]
