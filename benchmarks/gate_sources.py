"""How often usual sources pass the gates, and spoilt ones do not: many small sources, without Kedro.

``python benchmarks/gate_sources.py --households 150 --seeds 501 600`` prints a line for each source and the count. The
limits of calibration in the large were chosen on seeds from 601 on; report others.
"""

import argparse
import sys
from typing import Any

import pandas as pd
from projects import ROOT
from scipy.special import expit, logit

from waste_risk.baselines import predict_baselines
from waste_risk.calibration import choose_cheapest_threshold, choose_threshold, fit_calibrator
from waste_risk.crossval import cross_validate
from waste_risk.features import build_features
from waste_risk.gates import GateDecision, check_gates
from waste_risk.judging import evaluate_beside_truth, predict_beside_truth
from waste_risk.metrics import ValidationMetrics
from waste_risk.model import fit_predictor
from waste_risk.model_input import assemble_model_input
from waste_risk.observation import latest_record, observe_items
from waste_risk.parameters import (
    Baselines,
    Calibration,
    DataGeneration,
    Gates,
    Observation,
    RiskClasses,
    Split,
    Training,
    Validation,
    load,
)
from waste_risk.simulation import oracle_probability, simulate
from waste_risk.splits import split_by_time

N_RESAMPLES = 200
_FILES = {DataGeneration: "data_generation", Observation: "data_engineering"}
_FILES |= dict.fromkeys((Split, Training, Calibration), "training")


def main() -> None:
    """Judge all sources of a range of seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=150)
    parser.add_argument("--seeds", type=int, nargs=2, default=(501, 600), help="first and last")
    parser.add_argument("--scenario", default="usual")
    parser.add_argument("--shift", type=float, default=0.0, help="added to the log-odds of every probability")
    chosen = parser.parse_args()
    first, last = chosen.seeds
    red: list[tuple[str, ...]] = []
    for seed in range(first, last + 1):
        metrics, decision = judge_source(chosen.households, seed, chosen.scenario, chosen.shift)
        red.append(tuple(gate.name for gate in decision.gates if not gate.passed))
        sys.stdout.write(f"{seed} {_describe(metrics)} red: {', '.join(red[-1]) or 'none'}\n")
        sys.stdout.flush()
    counts = pd.Series([name for each in red for name in each], dtype=str).value_counts()
    sys.stdout.write(f"{red.count(())} of {len(red)} sources pass every gate; red gates: {counts.to_dict()}\n")


def judge_source(households: int, seed: int, scenario: str, shift: float) -> tuple[ValidationMetrics, GateDecision]:
    """Simulate, train and judge one source as the pipelines do; a shift spoils the probabilities before."""
    generation, observation = section(DataGeneration).model_dump(mode="json"), section(Observation)
    tables = simulate(**generation | {"n_households": households, "seed": seed, "scenario": scenario})
    until = latest_record(tables.items, tables.events)
    observations = observe_items(tables.items, tables.events, observation, until)
    features = build_features(observations, tables.households, tables.items, tables.events)
    model_input = assemble_model_input(observations, features, tables.households, until)
    development, test = split_by_time(model_input, section(Split))
    training = section(Training)
    out_of_fold, folds = cross_validate(development, training, section(Split), observation)
    calibrator = fit_calibrator(out_of_fold, section(Calibration))
    threshold = choose_threshold(out_of_fold, calibrator)
    predictor = fit_predictor(development, folds, calibrator, threshold, training, section(RiskClasses), observation)
    predicted = predict_beside_truth(predictor, test)
    oracle = oracle_probability(test, tables.items, tables.events, tables.truth, observation.horizon_days)
    validation = section(Validation).model_dump() | {"n_resamples": N_RESAMPLES}
    metrics = evaluate_beside_truth(
        predictor,
        predicted.assign(waste_probability=expit(logit(predicted["waste_probability"]) + shift)),
        oracle_probability=oracle["probability"],
        baselines={
            str(name): values for name, values in predict_baselines(development, test, section(Baselines)).items()
        },
        fold_metrics=folds,
        cost_threshold=choose_cheapest_threshold(out_of_fold, calibrator, section(Validation)),
        high_confidence=section(Gates).high_confidence,
        **validation,
    )
    return metrics, check_gates(metrics, section(Gates))


def section(which: Any) -> Any:
    """Read a section of the base parameters."""
    return load(which, ROOT / f"conf/base/parameters_{_FILES.get(which, 'validation')}.yml")


def _describe(metrics: ValidationMetrics) -> str:
    gaps = {"gap": metrics.calibration_in_the_large, "newest": metrics.newest_calibration_in_the_large}
    return " ".join(f"{name} {gap.value:+.4f} ({gap.low:+.4f} to {gap.high:+.4f})" for name, gap in gaps.items() if gap)


if __name__ == "__main__":
    main()
