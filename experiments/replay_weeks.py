"""Weeks of retraining on one simulated source: each week's challenger, what it predicts from then on, and its verdict.

Features are built once for the whole source: what is known of an observation does not depend on what came later, so
the rows whose label was known on a day are those that an extract of that day gives (a test compares them).
"""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from gate_sources import section
from numpy.typing import NDArray

from waste_risk.features import build_features
from waste_risk.model.calibration import fit_calibrator
from waste_risk.model.predictor import WastePredictor, hash_rows
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.parameters import (
    Calibration,
    DataGeneration,
    Gates,
    Observation,
    RiskClasses,
    Split,
    Training,
    Validation,
)
from waste_risk.reference import behaviour
from waste_risk.simulation import Tables, simulate_consumption, simulate_households, simulate_shopping
from waste_risk.training.cross_validation import cross_validate
from waste_risk.training.fit import fit_predictor
from waste_risk.training.splits import split_by_time
from waste_risk.training.thresholds import choose_threshold
from waste_risk.validation.evaluation import evaluate_with_outcomes, predict_with_outcomes
from waste_risk.validation.gates import check_gates

HOUSEHOLDS, HISTORY_DAYS, WEEKS = 1_000, 540, 32  # before the first week as many days as the default source has
USUAL_WEEKS = 2  # of the replayed ones, before habits drift: all later ones have a chance to learn the new habits
# A fourth of the work of the defaults: larger steps, fewer features at a split, fewer bins, less patience, fewer folds.
BOOSTER = {"learning_rate": 0.15, "feature_fraction": 0.3, "max_bin": 63, "early_stopping_round": 15}
FOLDS = 2
N_RESAMPLES = 100  # for the verdict

Percent = NDArray[np.uint8]
Trained = tuple[WastePredictor, pd.DataFrame]


@dataclass(frozen=True)
class Plan:
    """One replay: a source, and how the test window is cut.

    Attributes:
        seed: of the source.
        scenario: whether habits drift.
        test_days: of the test window; null: ``split.test_share`` cuts.
    """

    seed: int
    scenario: Literal["usual", "drift"]
    test_days: int | None

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.seed}-{self.scenario}-{self.test_days or 'share'}"


@dataclass(frozen=True)
class Challenger:
    """One week's predictor: on which rows it was evaluated, and the verdict.

    Attributes:
        as_of: the day of the retraining, as ISO text.
        observed_until: the last day of observation of its training rows.
        tested_from: the first day of its test window, ``tested_until`` the last.
        red: names of the gates that it has not passed.
    """

    as_of: str
    observed_until: str
    tested_from: str
    tested_until: str
    red: tuple[str, ...]


@dataclass(frozen=True)
class Replayed:
    """All challengers of one replay.

    Attributes:
        rows: keys, ``label_known_on`` and ``wasted`` of all observations, sorted by time.
        challengers: by week.
        percent: by week and row, the predicted probability in hundredths; 0 before the week's test window.
    """

    rows: pd.DataFrame
    challengers: tuple[Challenger, ...]
    percent: Percent

    @cached_property
    def probability(self) -> NDArray[np.float64]:
        """The predicted probabilities, none of them 0 or 1."""
        return (self.percent / 100).clip(0.005, 0.995)

    def save(self, path: Path) -> None:
        """Keep it; a file is whole or not there."""
        aside = path.with_suffix(".part.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            aside,
            percent=self.percent,
            challengers=json.dumps([asdict(each) for each in self.challengers]),
            **{name: self.rows[name].to_numpy() for name in self.rows},
        )
        aside.rename(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what was kept."""
        with np.load(path) as kept:
            columns = {name: kept[name] for name in kept.files if name not in {"percent", "challengers"}}
            told = json.loads(str(kept["challengers"]))
            challengers = tuple(Challenger(**each | {"red": tuple(each["red"])}) for each in told)
            return cls(pd.DataFrame(columns), challengers, kept["percent"])


def first_day() -> pd.Timestamp:
    """Return the day of the first retraining."""
    return pd.Timestamp(section(DataGeneration).starts_on) + pd.Timedelta(days=HISTORY_DAYS)


def replay(plan: Plan, trained: dict[str, Trained], n_households: int = HOUSEHOLDS, n_weeks: int = WEEKS) -> Replayed:
    """Retrain every week on what was known by then.

    Until habits drift the rows of both scenarios are the same, so what was ``trained`` on the same rows is not trained
    again; new predictors are added to it.
    """
    rows = observe(simulate_long(plan, n_households, n_weeks))
    split = section(Split).model_copy(update={"test_days": plan.test_days, "n_folds": FOLDS})
    percent = np.zeros((n_weeks, len(rows)), dtype=np.uint8)
    challengers = []
    for week in range(n_weeks):
        as_of = first_day() + pd.Timedelta(weeks=week)
        development, test = split_by_time(known_on(rows, as_of), split)
        rows_hash = hash_rows(development)
        if rows_hash not in trained:
            trained[rows_hash] = train(development, split)
        predictor, fold_metrics = trained[rows_hash]
        later = (rows["observed_on"] >= test["observed_on"].min()).to_numpy()
        percent[week, later] = (100 * predictor.predict(rows[later])["waste_probability"]).round()
        challengers.append(
            Challenger(
                as_of=f"{as_of:%Y-%m-%d}",
                observed_until=predictor.metadata.observed_until,
                tested_from=f"{test['observed_on'].min():%Y-%m-%d}",
                tested_until=f"{test['observed_on'].max():%Y-%m-%d}",
                red=_find_red(predictor, predict_with_outcomes(predictor, test), fold_metrics),
            )
        )
    kept = ["item_id", "household_id", "observed_on", "label_known_on", "wasted"]
    return Replayed(rows[kept], tuple(challengers), percent)


def simulate_long(plan: Plan, n_households: int, n_weeks: int) -> Tables:
    """Simulate a history, the replayed weeks, and the horizon after them; habits drift after the first weeks.

    The scenario changes habits for the last part of a period. Consumption is told that its period began earlier than
    the shopping did, so that this part begins where it is wanted.
    """
    default = section(DataGeneration)
    days = HISTORY_DAYS + 7 * n_weeks + section(Observation).horizon_days
    more = {"n_households": n_households, "seed": plan.seed, "scenario": plan.scenario, "period_days": days}
    more["n_items_per_household"] = default.n_items_per_household * days / default.period_days
    shopping = default.model_copy(update=more)
    drifting = days - HISTORY_DAYS - 7 * USUAL_WEEKS
    told = round(drifting / behaviour()["scenarios"]["drift"]["last_share_of_period"])
    starts_on = default.starts_on - timedelta(days=told - days)
    consumption = shopping.model_copy(update={"period_days": told, "starts_on": starts_on})
    households, habits = simulate_households(shopping)
    purchases = simulate_shopping(households, shopping)
    return Tables(households, purchases, habits, *simulate_consumption(households, habits, purchases, consumption))


def observe(tables: Tables) -> pd.DataFrame:
    """Return the model input of a whole source."""
    until = latest_record(tables.items, tables.events)
    observations = observe_items(tables.items, tables.events, section(Observation), until)
    features = build_features(observations, tables.households, tables.items, tables.events)
    return assemble_model_input(observations, features, tables.households, until)


def known_on(rows: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the rows that an extract of a day gives: what was recorded before it."""
    return rows[rows["label_known_on"] < as_of].reset_index(drop=True)


def train(development: pd.DataFrame, split: Split) -> Trained:
    """Train as the pipeline does, with fewer and larger steps; also return the metrics of the folds."""
    base, observation = section(Training), section(Observation)  # no gate and no rule evaluates the days
    boosters = {
        "classifier": base.classifier.model_copy(update=BOOSTER),
        "regressor": base.regressor.model_copy(update=BOOSTER | {"num_boost_round": 1}),
    }
    training = base.model_copy(update={**boosters, "num_threads": 1})
    out_of_fold, fold_metrics, fold_rounds = cross_validate(development, training, split, observation)
    calibrator = fit_calibrator(out_of_fold, section(Calibration))
    threshold = choose_threshold(out_of_fold, calibrator)
    predictor = fit_predictor(
        development, fold_rounds, calibrator, threshold, training, section(RiskClasses), observation
    )
    return predictor, fold_metrics


def _find_red(predictor: WastePredictor, predicted: pd.DataFrame, fold_metrics: pd.DataFrame) -> tuple[str, ...]:
    """Return the gates that are red; baselines and the oracle would cost more than the training, and are not asked."""
    in_hundredths = predicted.assign(waste_probability=predicted["waste_probability"].round(2).clip(0.005, 0.995))
    metrics = evaluate_with_outcomes(
        predictor,
        in_hundredths.drop(columns=list(predicted.filter(like="sensitive_"))),
        params=section(Validation).model_copy(update={"n_resamples": N_RESAMPLES}),
        high_confidence=section(Gates).high_confidence,
        fold_metrics=fold_metrics,
    )
    decided = check_gates(metrics, section(Gates).model_copy(update={"min_gain_over_baselines": None}))
    return tuple(gate.name for gate in decided.gates if not gate.passed)
