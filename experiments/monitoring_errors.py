"""How soon monitoring sounds an alarm, and how often in vain, into docs/monitoring.md: `make monitoring-errors`.

A predictor is trained on the first days of a source and scores its open items for 52 weeks; every week monitoring sees
what it would have seen then. Finished sources are kept, so a run that was stopped goes on where it was. ``--page``
measures nothing.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pandas as pd
from bench_projects import ROOT
from gate_sources import section
from monitoring_page import render

from waste_risk.features import FEATURE_NAMES, build_features
from waste_risk.model.calibration import fit_calibrator
from waste_risk.model.predictor import RegisteredPredictor, WastePredictor
from waste_risk.monitoring import Change, estimate_performance, find_alarms, match_outcomes, measure_recent
from waste_risk.monitoring.drift import PROBABILITY, describe_reference, observe_weekly
from waste_risk.monitoring.expected import LEARNED, expected_log_loss
from waste_risk.monitoring.realized import Week, measure_weeks
from waste_risk.observations import open_items
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import observe_items
from waste_risk.parameters import (
    Calibration,
    DataGeneration,
    Monitoring,
    Observation,
    RiskClasses,
    Split,
    Training,
    load,
)
from waste_risk.reference import behaviour
from waste_risk.simulation import Tables, simulate
from waste_risk.tables.contracts import EXPECTED_METRICS
from waste_risk.training.cross_validation import cross_validate
from waste_risk.training.fit import fit_predictor
from waste_risk.training.splits import split_by_time
from waste_risk.training.thresholds import choose_threshold

SEEDS = range(911, 916)  # the parameters of the alarms were chosen on 901 to 904
SCENARIOS = ("usual", "drift")
HOUSEHOLDS, TRAINED_DAYS, WEEKS = 1_000, 540, 52
KEPT = ROOT / "experiments/monitoring_errors.json"


def main() -> None:
    """Measure the sources that are not there yet, unless told to render alone, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--seed", type=int, help="another than the page's: print the figures alone")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        for scenario in SCENARIOS:
            sys.stdout.write(json.dumps(measure(scenario, chosen.seed), indent=1) + "\n")
        return
    sources = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []
    if not chosen.page:
        done = {(each["scenario"], each["seed"]) for each in sources}
        for scenario, seed in ((scenario, seed) for seed in SEEDS for scenario in SCENARIOS):
            if (scenario, seed) not in done:
                sources.append(measure(scenario, seed))
                KEPT.write_text(json.dumps(sources, indent=1) + "\n", encoding="utf-8")
                sys.stdout.write(f"{scenario} {seed}: alarms in weeks {_alarm_weeks(sources[-1])}\n")
                sys.stdout.flush()
    (ROOT / "docs/monitoring.md").write_text(render(sources, params()), encoding="utf-8")


@cache
def params() -> Monitoring:
    """Read the base parameters of monitoring."""
    return load(Monitoring, ROOT / "conf/base/parameters_monitoring.yml")


class Source(NamedTuple):
    """A simulated source, the moment at which the predictor was trained on its records, and the weekly moments."""

    tables: Tables
    trained_on: pd.Timestamp
    moments: list[pd.Timestamp]
    drifts_on: float | None


def measure(scenario: str, seed: int) -> dict[str, Any]:
    """Monitor a predictor for 52 weeks."""
    source = simulate_source(scenario, seed)
    champion = train(source)
    predictions = score(source, champion)
    items, events = source.tables.items, source.tables.events
    expected = pd.concat([estimate_performance(each, items, params()) for _, each in predictions.groupby("as_of")])
    outcomes = match_outcomes(predictions, items, events, champion.predictor.metadata.horizon_days, params())
    weeks = measure_weeks(outcomes, expected, params())
    changes = list(measure_changes(source, champion.predictor))
    older = outcomes[outcomes["ages"] != LEARNED]
    return {
        "scenario": scenario,
        "seed": seed,
        "drift_week": source.drifts_on,
        "weeks": [follow(number, weeks, outcomes, change) for number, change in enumerate(changes)],
        "metrics": [compare(week) for week in weeks],
        "older": {
            "share": len(older) / len(outcomes),
            "mean_probability": older["waste_probability"].mean(),
            "base_rate": older["wasted"].mean(),
        },
    }


def simulate_source(scenario: str, seed: int) -> Source:
    """Simulate the default source for longer, as dense as it is by default."""
    base, horizon = section(DataGeneration), section(Observation).horizon_days
    days = TRAINED_DAYS + 7 * WEEKS + horizon + 1
    tables = simulate(
        n_households=HOUSEHOLDS,
        n_items_per_household=base.n_items_per_household * days / base.period_days,
        seed=seed,
        period_days=days,
        starts_on=str(base.starts_on),
        scenario=scenario,  # type: ignore[arg-type]
    )
    trained_on = pd.Timestamp(base.starts_on) + pd.Timedelta(days=TRAINED_DAYS)
    moments = [trained_on + pd.Timedelta(weeks=week) for week in range(1, WEEKS + 1)]
    changed = behaviour()["scenarios"]["drift"]["last_share_of_period"]
    drifts_on = ((1 - changed) * days - TRAINED_DAYS) / 7 if scenario == "drift" else None
    return Source(tables, trained_on, moments, drifts_on)


def train(source: Source) -> RegisteredPredictor:
    """Train on what was on record by then, as the pipelines do; no alarm asks for the days."""
    (households, _, _, items, events, _), until = source.tables, source.trained_on
    items, events = items[items["purchased_on"] < until], events[events["occurred_on"] < until]
    items, events = items.reset_index(drop=True), events.reset_index(drop=True)
    observations = observe_items(items, events, section(Observation), until)
    features = build_features(observations, households, items, events)
    development, _ = split_by_time(assemble_model_input(observations, features, households, until), section(Split))
    training = section(Training)
    training = training.model_copy(update={"regressor": training.regressor.model_copy(update={"num_boost_round": 1})})
    out_of_fold, _, rounds = cross_validate(development, training, section(Split), section(Observation))
    calibrator = fit_calibrator(out_of_fold, section(Calibration))
    threshold = choose_threshold(out_of_fold, calibrator)
    predictor = fit_predictor(
        development, rounds, calibrator, threshold, training, section(RiskClasses), section(Observation)
    )
    return RegisteredPredictor(predictor, "1", "simulated", {})


def score(source: Source, champion: RegisteredPredictor) -> pd.DataFrame:
    """Score the open items of every week; without reasons, which take most of the time."""
    households, items, events = source.tables.households, source.tables.items, source.tables.events
    observed = pd.concat([open_items(items, events, moment) for moment in source.moments], ignore_index=True)
    predicted = champion.predictor.predict(build_features(observed, households, items, events))
    table = observed.rename(columns={"observed_on": "as_of"}).assign(
        waste_probability=predicted["waste_probability"],
        is_alert=predicted["waste_probability"] >= champion.predictor.threshold,
        model_version=champion.version,
        predictor_sha256=champion.predictor.sha256,
    )
    first = table["as_of"].where(table["is_alert"]).groupby(table["item_id"]).cummin()
    return table.assign(alerted_on=first.groupby(table["item_id"]).ffill())


def measure_changes(source: Source, predictor: WastePredictor) -> Iterator[Change]:
    """Measure the drift of each week against the same reference, as ``measure_change`` does."""
    items, events = source.tables.items, source.tables.events
    until = pd.Timestamp(predictor.metadata.observed_until)
    columns = (*FEATURE_NAMES, PROBABILITY)
    observed = observe_weekly(items, events, source.moments[0], until, params())
    reference = _predicted(source, predictor, observed[observed["observed_on"] < source.moments[0]])
    described = describe_reference(reference, columns, params())
    for moment in source.moments:
        newest = observe_weekly(items, events, moment, moment, params().model_copy(update={"reference_weeks": 1}))
        rows = _predicted(source, predictor, newest[newest["observed_on"] == moment])
        yield Change(
            as_of=moment.isoformat(),
            reference_from=reference["observed_on"].min().isoformat(),
            reference_until=reference["observed_on"].max().isoformat(),
            n_moments=reference["observed_on"].nunique(),
            expected_log_loss=expected_log_loss(reference[PROBABILITY]),
            columns=described.measure(rows),
        )


def _predicted(source: Source, predictor: WastePredictor, observed: pd.DataFrame) -> pd.DataFrame:
    tables = source.tables
    features = build_features(observed.reset_index(drop=True), tables.households, tables.items, tables.events)
    return features.assign(**{PROBABILITY: predictor.predict(features)[PROBABILITY]})


def follow(number: int, weeks: tuple[Week, ...], outcomes: pd.DataFrame, change: Change) -> dict[str, Any]:
    """Return the alarms of one week, from what was known then."""
    now = pd.Timestamp(change.as_of)
    known = outcomes[outcomes["as_of"] <= now]
    recent = measure_recent(known.assign(is_mature=known["label_known_on"] <= now), params())
    alarms = find_alarms(weeks[: number + 1], recent, change, params())
    strongest = change.columns[0]
    return {
        "week": number + 1,
        "alarms": sorted({alarm.kind for alarm in alarms}),
        "gap": None if recent is None else [recent.gap.value, recent.gap.low, recent.gap.high],
        "excess": None if recent is None else recent.log_loss_excess.value,
        "drifted": [drift.name for drift in change.columns if drift.is_beyond],
        "strongest": [strongest.name, strongest.psi, strongest.limit],
    }


def compare(week: Week) -> dict[str, list[float]]:
    """Return for each metric the expected and the realized value, and whether the interval holds the latter."""
    if week.realized is None:
        return {}
    unexpected, realized = week.unexpected, week.realized.metrics
    return {
        name: [week.expected[name].value, realized[name], float(name not in unexpected)] for name in EXPECTED_METRICS
    }


def _alarm_weeks(source: dict[str, Any]) -> list[int]:
    return [each["week"] for each in source["weeks"] if each["alarms"]]


if __name__ == "__main__":
    main()
