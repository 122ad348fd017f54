"""What the project promises of its default data, by its functions alone: no Kedro, no MLflow."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from waste_risk.features import build_features
from waste_risk.metrics import ValidationMetrics, evaluate
from waste_risk.model.calibration import fit_calibrator
from waste_risk.model.predictor import WastePredictor
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.parameters import (
    Baselines,
    Calibration,
    Gates,
    Observation,
    RiskClasses,
    Split,
    Training,
    Validation,
    load,
)
from waste_risk.reference.sensitive_attributes import SENSITIVE_ATTRIBUTES
from waste_risk.simulation import Tables, oracle_probability, simulate
from waste_risk.training.cross_validation import cross_validate
from waste_risk.training.fit import fit_predictor
from waste_risk.training.splits import split_by_time
from waste_risk.training.thresholds import choose_threshold
from waste_risk.validation.baselines import predict_baselines
from waste_risk.validation.gates import GateDecision, check_gates
from waste_risk.validation.leakage import find_purest_feature, validate_adversarially

CONF = Path(__file__).parents[2] / "conf/base"
OBSERVATION = load(Observation, CONF / "parameters_data_engineering.yml")
SPLIT, TRAINING, CALIBRATION, RISK_CLASSES = (
    load(section, CONF / "parameters_training.yml") for section in (Split, Training, Calibration, RiskClasses)
)
GATES, VALIDATION, BASELINES = (
    load(section, CONF / "parameters_validation.yml") for section in (Gates, Validation, Baselines)
)


# With the gate that is off by default.
EVERY_GATE = GATES.model_copy(update={"max_group_calibration_gap": 0.05})


class Trained(NamedTuple):
    development: pd.DataFrame
    test: pd.DataFrame
    out_of_fold: pd.DataFrame
    fold_metrics: pd.DataFrame
    predictor: WastePredictor


class Verdict(NamedTuple):
    metrics: ValidationMetrics
    decision: GateDecision

    def red(self) -> set[str]:
        return {gate.name for gate in self.decision.gates if not gate.passed}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return simulate()


@pytest.fixture(scope="module")
def observations(tables: Tables) -> pd.DataFrame:
    return observe_items(tables.items, tables.events, OBSERVATION)


@pytest.fixture(scope="module")
def model_input(tables: Tables, observations: pd.DataFrame) -> pd.DataFrame:
    features = build_features(observations, tables.households, tables.items, tables.events)
    until = latest_record(tables.items, tables.events)
    return assemble_model_input(observations, features, tables.households, until)


def train(model_input: pd.DataFrame, split: Split = SPLIT) -> Trained:
    """Train as the pipeline does."""
    development, test = split_by_time(model_input, split)
    out_of_fold, fold_metrics, fold_rounds = cross_validate(development, TRAINING, split, OBSERVATION)
    calibrator = fit_calibrator(out_of_fold, CALIBRATION)
    threshold = choose_threshold(out_of_fold, calibrator)
    predictor = fit_predictor(development, fold_rounds, calibrator, threshold, TRAINING, RISK_CLASSES, OBSERVATION)
    return Trained(development, test, out_of_fold, fold_metrics, predictor)


def judge(
    trained: Trained,
    tables: Tables,
    spoil: Callable[[pd.Series], pd.Series] = lambda probability: probability,
    **settings: object,
) -> Verdict:
    """Judge as the pipeline does; the probabilities can be spoilt before."""
    development, test = trained.development, trained.test
    predicted = trained.predictor.predict(test)
    oracle = oracle_probability(test, tables.items, tables.events, tables.truth, OBSERVATION.horizon_days)
    rules = predict_baselines(development, test, BASELINES)
    metrics = evaluate(
        y_true=test["wasted"],
        probability=spoil(predicted["waste_probability"]),
        household_id=test["household_id"],
        observed_on=test["observed_on"],
        is_new_household=~test["household_id"].isin(development["household_id"]),
        baselines={name: rules[name] for name in rules},
        sensitive={attribute.column: test[attribute.column] for attribute in SENSITIVE_ATTRIBUTES},
        days_true=test["days_to_waste"],
        days_predicted=predicted["days_to_waste"],
        days_on_label=test["days_to_printed_date"].clip(0, OBSERVATION.horizon_days),
        oracle_probability=oracle["probability"],
        fold_metrics=trained.fold_metrics,
        threshold=trained.predictor.threshold,
        high_confidence=GATES.high_confidence,
        params=VALIDATION.model_copy(update=settings),
    )
    purest = find_purest_feature(development, test, trained.predictor.metadata.feature_names, VALIDATION)
    metrics = replace(metrics, purest_feature=purest)
    return Verdict(metrics, check_gates(metrics, EVERY_GATE))


@pytest.fixture(scope="module")
def trained(model_input: pd.DataFrame) -> Trained:
    return train(model_input)


@pytest.fixture(scope="module")
def verdict(trained: Trained, tables: Tables) -> Verdict:
    return judge(trained, tables)


def test_at_least_three_of_five_items_are_open_at_their_look(tables: Tables, observations: pd.DataFrame) -> None:
    until = latest_record(tables.items, tables.events)
    looked_at = tables.items["purchased_on"] < until - pd.Timedelta(days=OBSERVATION.max_age_days)
    early = observations["item_id"].isin(tables.items.loc[looked_at, "item_id"])
    assert early.sum() / looked_at.sum() >= 0.60


def test_more_looks_than_items_end_in_waste(tables: Tables, model_input: pd.DataFrame) -> None:
    items = tables.items["item_id"].isin(tables.events.loc[tables.events["kind"] == "wasted", "item_id"]).mean()
    assert items < model_input["wasted"].mean() < 0.36


def test_the_default_model_passes_its_gates_below_the_oracle(verdict: Verdict) -> None:
    metrics = verdict.metrics
    assert verdict.decision.approved, verdict.decision.reasons
    assert not {"calibration_in_the_large", "newest_calibration_in_the_large"} & verdict.red()
    assert metrics.oracle_auc is not None
    assert metrics.cv_std_auc is not None
    assert 0.85 <= metrics.auc.value < metrics.oracle_auc.value
    assert metrics.precision_at_high_confidence.value >= 0.80
    assert metrics.recall_at_high_confidence.value >= 0.30
    assert metrics.expected_calibration_error.value < 0.05
    assert metrics.cv_std_auc < 0.05


def test_every_simple_rule_is_beaten_beyond_chance(verdict: Verdict) -> None:
    assert {
        name
        for name, rule in verdict.metrics.baselines.items()
        if rule.auc_gain.low is not None and rule.auc_gain.low > 0
    } == {
        *("category_rate", "household_category_rate", "days_left_clock", "logistic_regression"),
    }


def test_within_each_kind_of_household_and_for_new_ones_the_probability_is_what_comes_true(verdict: Verdict) -> None:
    groups = [group for fairness in verdict.metrics.fairness.values() for group in fairness.groups]
    measured = [group.measured for group in [*groups, *verdict.metrics.by_known_household] if group.measured]
    assert len(measured) >= 8
    assert max(abs(each.calibration_gap.value) for each in measured) < 0.05


def test_the_mean_prediction_meets_the_base_rate(verdict: Verdict) -> None:
    assert verdict.metrics.mean_probability.value == pytest.approx(verdict.metrics.base_rate.value, abs=0.01)


def test_features_hardly_tell_the_test_window_from_development(trained: Trained) -> None:
    """With a seasonal index of the category it was 0.99, with counts of ended items and means over all of them 0.80."""
    names = trained.predictor.metadata.feature_names
    assert validate_adversarially(trained.development, trained.test, names, VALIDATION).auc.value < 0.73


def test_the_days_are_better_than_those_on_the_label(verdict: Verdict) -> None:
    metrics = verdict.metrics
    assert metrics.days_mae_where_label is not None
    assert metrics.label_days_mae is not None
    assert metrics.days_mae_where_label.value <= 0.90 * metrics.label_days_mae.value


def test_shuffled_labels_teach_nothing_and_the_gates_say_so(model_input: pd.DataFrame, tables: Tables) -> None:
    order = np.random.default_rng(1).permutation(len(model_input))
    labels = ["wasted", "days_to_waste"]
    shuffled = model_input.assign(**{name: model_input[name].to_numpy()[order] for name in labels})
    sabotaged = judge(train(shuffled), tables)
    assert sabotaged.metrics.auc.value == pytest.approx(0.5, abs=0.02)
    assert sabotaged.red() >= {"auc", "precision_at_high_confidence"}
    # Scores that mean nothing are still in an order, which beats the rules by chance in one of two cases.
    assert "gain_over_baselines" in sabotaged.red() | set(sabotaged.decision.unsupported)


def test_a_column_from_the_future_lifts_the_model_above_the_oracle(model_input: pd.DataFrame, tables: Tables) -> None:
    noise = np.random.default_rng(1).normal(0, 0.5, len(model_input))
    leaking = model_input.assign(unit_price=(model_input["wasted"] + noise).astype("float32"))
    assert judge(train(leaking), tables).red() == {"not_above_oracle", "purest_feature"}


@pytest.mark.parametrize("seed", [1, 2])
def test_without_a_truth_a_column_that_knows_a_quarter_of_the_wasted_rows_is_named(
    trained: Trained, verdict: Verdict, seed: int
) -> None:
    """No other gate sees it where the true probability is unknown: the model only looks better."""
    random = np.random.default_rng(seed)
    names = trained.predictor.metadata.feature_names
    windows = [
        rows.assign(unit_price=(rows["wasted"] & (random.random(len(rows)) < 0.25)).astype("float32"))
        for rows in (trained.development, trained.test)
    ]
    leaking = replace(verdict.metrics, purest_feature=find_purest_feature(*windows, names, VALIDATION))
    decision = check_gates(replace(leaking, attainable_share=None, oracle_auc=None), GATES)
    assert [gate.name for gate in decision.gates if not gate.passed] == ["purest_feature"]
    assert "unit_price alone marks" in decision.reasons[0]


def test_squared_probabilities_promise_too_little(trained: Trained, tables: Tables) -> None:
    squared = judge(trained, tables, np.square, n_resamples=200)
    assert squared.metrics.auc.value == judge(trained, tables, n_resamples=200).metrics.auc.value
    assert squared.red() == {
        *("expected_calibration_error", "calibration_slope", "group_calibration_gap"),
        *("calibration_in_the_large", "newest_calibration_in_the_large"),
    }


@pytest.mark.parametrize("points", [-0.05, -0.03, 0.03, 0.05])
def test_a_shift_of_all_log_odds_beyond_three_points_is_off_in_the_large(
    trained: Trained, tables: Tables, verdict: Verdict, points: float
) -> None:
    """On top of the gap that the model has by itself, and that chance gives the window."""
    gap = verdict.metrics.mean_probability.value - verdict.metrics.base_rate.value

    def shifted(probability: pd.Series, by: float) -> pd.Series:
        return expit(logit(probability) + by)

    probability = trained.predictor.predict(trained.test)["waste_probability"]
    wanted = probability.mean() - gap + points
    by = brentq(lambda by: shifted(probability, by).mean() - wanted, -3, 3)
    sabotaged = judge(trained, tables, lambda probability: shifted(probability, by), n_resamples=200)
    assert "calibration_in_the_large" in sabotaged.red()


def test_habits_that_drift_after_what_was_learned_are_off_in_the_large() -> None:
    """By default the model learns from so much of the drift that its gap is one to be lived with (docs/gates.md)."""
    tables = simulate(scenario="drift")
    observations = observe_items(tables.items, tables.events, OBSERVATION)
    features = build_features(observations, tables.households, tables.items, tables.events)
    until = latest_record(tables.items, tables.events)
    model_input = assemble_model_input(observations, features, tables.households, until)
    drifted = judge(train(model_input, SPLIT.model_copy(update={"test_days": None})), tables)
    assert drifted.red() >= {"calibration_in_the_large", "newest_calibration_in_the_large"}


def test_a_constant_is_refused_by_all_gates_that_ask_for_an_order(trained: Trained, tables: Tables) -> None:
    constant = judge(trained, tables, lambda probability: probability * 0 + 0.3, n_resamples=200)
    assert constant.red() == {
        *("auc", "precision_at_high_confidence", "gain_over_baselines", "calibration_slope", "alerts"),
    }


def test_inverted_probabilities_of_one_group_are_seen_within_it(trained: Trained, tables: Tables) -> None:
    inverted = trained.test["sensitive_size_group"] == "2"
    sabotaged = judge(trained, tables, lambda probability: probability.mask(inverted, 1 - probability), n_resamples=200)
    assert sabotaged.red() >= {"auc", "precision_at_high_confidence", "group_calibration_gap"}
    gaps = {
        group.name: abs(group.measured.calibration_gap.value)
        for group in sabotaged.metrics.fairness["sensitive_size_group"].groups
        if group.measured
    }
    assert max(gaps, key=lambda name: gaps[name]) == "2"


def test_a_fold_whose_model_saw_mixed_up_rows_is_told_by_the_folds(trained: Trained, tables: Tables) -> None:
    judged = trained.out_of_fold[trained.out_of_fold["fold"] == 2]
    mixed = judged["score"].sample(frac=1, random_state=0).to_numpy()
    aucs = trained.fold_metrics["auc"].mask(trained.fold_metrics["fold"] == 2, roc_auc_score(judged["wasted"], mixed))
    broken = trained._replace(fold_metrics=trained.fold_metrics.assign(auc=aucs))
    assert judge(broken, tables, n_resamples=200).red() == {"cv_std_auc"}


def test_the_readme_shows_what_a_run_prints(verdict: Verdict, tables: Tables, model_input: pd.DataFrame) -> None:
    """Its output is generated (`make docs`); other processors may differ in the last digits."""
    readme = (CONF.parents[1] / "README.md").read_text(encoding="utf-8")
    said = re.search(
        r"Model: +AUC ([\d.]+), of ([\d.]+) (?:attainable|with latent states known); .* error ([\d.]+)",
        readme,
    )
    assert said is not None
    metrics = verdict.metrics
    assert metrics.oracle_auc is not None
    measured = [metrics.auc.value, metrics.oracle_auc.value, metrics.expected_calibration_error.value]
    assert [float(number) for number in said.groups()] == pytest.approx(measured, abs=0.003)
    assert f"{len(tables.items):,} items, {len(tables.events):,} events" in readme
    assert f"of open items, {len(model_input):,} with a known label, " in readme
