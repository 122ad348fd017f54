"""The closing lines of a run: what someone reads before believing any metric."""

from typing import TypedDict

import pandas as pd

from waste_risk.formatting import count_noun, format_count, format_number, format_percent
from waste_risk.metrics import ValidationMetrics
from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.monitoring import MonitoringMetrics
from waste_risk.parameters import Monitoring, Observation
from waste_risk.promotion import PromotionDecision
from waste_risk.reporting.monitoring.sentences import tell_maturity, tell_recent
from waste_risk.reporting.text import LEAK
from waste_risk.scoring import count_older, learned_until
from waste_risk.sources.grocy import GrocyCounts
from waste_risk.training.splits import PoolCounts
from waste_risk.validation.gates import GateDecision

LENT = "of source {source}, as scoring.champion_source says; it was neither trained nor evaluated on this one"


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


def summarise_grocy(grocy_counts: GrocyCounts, items: pd.DataFrame, events: pd.DataFrame) -> list[str]:
    """Return how little there is in a Grocy database, and what was left out of it, without the user's words."""
    n_wasted = events.loc[events["kind"] == "wasted", "item_id"].nunique()
    groups = grocy_counts["items_in_groups_without_a_category"]
    locations = grocy_counts["items_in_locations_without_a_storage"]
    unknown = grocy_counts["bookings_of_no_known_item"] + grocy_counts["edits_without_a_pair"]
    left_out = {
        f"in {count_noun(len(groups), 'product group')} without a category": sum(groups.values()),
        f"in {count_noun(len(locations), 'location')} without a storage": sum(locations.values()),
        "that are no food": grocy_counts["items_that_are_no_food"],
        "below a thousandth of a unit": grocy_counts["items_below_a_thousandth"],
    }
    lines = {
        f"Grocy:        {count_noun(len(items), 'item')} of one household, {format_count(n_wasted)} thrown away; "
        f"{count_noun(grocy_counts['bookings'], 'booking')}, {format_count(grocy_counts['undone'])} undone": True,
        f"Found:        {count_noun(grocy_counts['found_items'], 'item')} by an inventory, taken as bought then": (
            grocy_counts["found_items"]
        ),
        **{f"Left out:     {count_noun(count, 'item')} {reason}": count for reason, count in left_out.items()},
        f"Left out:     {count_noun(unknown, 'booking')} of items that nobody booked in": unknown,
        "              The file of grocy_counts names what conf/grocy/parameters.yml could map": groups or locations,
    }
    return [line for line, is_told in lines.items() if is_told]


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


def summarise_pool(pool_counts: PoolCounts) -> list[str]:
    """Return how much of what a predictor learns from is of another source, if anything is."""
    if not pool_counts["pooled"]:
        return []
    return [
        f"Learned from: {count_noun(pool_counts['own'], 'own observation')} ({format_count(pool_counts['own_wasted'])} "
        f"wasted) and {format_count(pool_counts['pooled'])} of another source; evaluated on own ones alone"
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
        *(["              A dry run: the decision was neither carried out nor recorded."] if decision.dry_run else []),
    ]


def summarise_scoring(  # noqa: PLR0917
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    as_of: pd.Timestamp,
    champion: RegisteredPredictor,
    monitoring: Monitoring,
) -> list[str]:
    """Return what was scored by which model, how many alerts there are, and what the model knows less or too well."""
    scored = items.loc[items["item_id"].isin(predictions["item_id"]), "purchased_on"]
    n_older = count_older(scored, as_of, monitoring.max_age_days)
    older = (
        f"Older:        {format_count(n_older)} of them were bought more than {monitoring.max_age_days} days before; "
        "the model has learned from none that old, and is less certain about them than it says"
    )
    n_households, known = predictions["household_id"].nunique(), learned_until(champion)
    is_sure = predictions["is_alert"] & (predictions["waste_probability"] >= monitoring.high_confidence)
    is_new = predictions["alerted_on"] == predictions["as_of"]
    hindsight = (
        f"Hindsight:    the model has learned from what happened until {known:%Y-%m-%d}, after this moment;"
        " it may know what became of these items"
    )
    return [
        f"Scored:       {format_count(len(predictions))} open items of {count_noun(n_households, 'household')} at "
        f"{as_of.floor('s')}, by version {champion.version} of the model",
        *([f"Champion:     {LENT.format(source=champion.source)}"] if champion.is_lent else []),
        f"Alerts:       {format_count(predictions['is_alert'].sum())} at or above "
        f"{format_number(champion.predictor.threshold, 3)}, {format_count(is_sure.sum())} of them with high confidence,"
        f" {format_count(is_new.sum())} new",
        *([older] if n_older else []),
        *([hindsight] if as_of < known else []),
    ]


def summarise_monitoring(monitoring_metrics: MonitoringMetrics) -> list[str]:
    """Return how far predictions are followed, what the newest mature weeks say, and every alarm."""
    alarms = [alarm.message for alarm in monitoring_metrics.alarms]
    return [
        f"Monitored:    {tell_maturity(monitoring_metrics)}",
        *(f"Lately:       {each}" for each in tell_recent(monitoring_metrics)),
        f"Alarms:       {alarms[0] if alarms else 'none'}",
        *(f"              {each}" for each in alarms[1:]),
    ]
