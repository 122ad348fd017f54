"""What single choices are worth on the test window, over five fresh seeds: `make ablations`."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import pandas as pd
from ablation_page import SIGMOID, render
from bench_projects import ROOT, simulate_model_input
from sklearn.isotonic import IsotonicRegression

from waste_risk import metrics
from waste_risk.features import FEATURE_NAMES
from waste_risk.model.calibration import (
    Blocks,
    center,
    fit_calibrator,
    pool_violators,
    spline_through,
)
from waste_risk.model.lightgbm_calls import Booster, predict, read
from waste_risk.model.matrix import Matrix, Names, to_matrix
from waste_risk.parameters import Calibration, LightGBM, Observation, RiskClasses, Split, Training, load
from waste_risk.training import cross_validation, fit
from waste_risk.training.boosting import Target, bin_rows, fit_on_older
from waste_risk.training.cross_validation import cross_validate
from waste_risk.training.fit import fit_predictor
from waste_risk.training.rounds import RoundsFound
from waste_risk.training.splits import split_by_time
from waste_risk.training.thresholds import choose_threshold

CONF = ROOT / "conf/base"
KEPT = Path(__file__).with_name("ablations.json")
SEEDS = (101, 102, 103, 104, 105)
SIZES = {"full": 1_000, "small": 50}  # households; 50 leave fewer than 1,000 out-of-fold positives
N_PROCESSES = 2


class Variant(NamedTuple):
    """One change to the defaults: parameters of training, and how fits are made."""

    training: dict[str, Any] = {}
    booster: dict[str, Any] = {}
    fits: str = "as they are"


FORMER = {"learning_rate": 0.05, "feature_fraction": 0.8, "min_data_in_leaf": 20, "max_bin": 255}
BAG = "a bag of three seeds"
VARIANTS = {
    "default": Variant(),
    "rounds: found in all five folds": Variant(fits="all early-stopped"),
    "rounds: as found, not carried over to more rows": Variant(fits="unscaled"),
    "rounds: the early-stopped model, no refit": Variant(fits="not refitted"),
    "learning_rate: 0.05": Variant(booster={"learning_rate": 0.05}),
    "max_bin: 63": Variant(booster={"max_bin": 63}),
    "max_bin: 255": Variant(booster={"max_bin": 255}),
    "feature_fraction: 0.3": Variant(booster={"feature_fraction": 0.3}),
    "feature_fraction: 0.8": Variant(booster={"feature_fraction": 0.8}),
    "min_data_in_leaf: 20": Variant(booster={"min_data_in_leaf": 20}),
    "min_data_in_leaf: 300": Variant(booster={"min_data_in_leaf": 300}),
    "num_leaves: 63": Variant(booster={"num_leaves": 63}),
    "the former system's values": Variant(booster=FORMER),
    "is_unbalance: true": Variant(training={"is_unbalance": True}),
}


def main() -> None:
    """Measure all seeds and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    if not parser.parse_args().page:
        rows = pd.DataFrame(_measure_all())
        KEPT.write_text(json.dumps(rows.to_dict("records"), indent=1) + "\n", encoding="utf-8")
    page = render(pd.DataFrame(json.loads(KEPT.read_text(encoding="utf-8"))))
    (ROOT / "docs/ablations.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)


def _measure_all() -> list[dict[str, Any]]:
    tasks = [(size, seed) for size in SIZES for seed in SEEDS]
    with ProcessPoolExecutor(N_PROCESSES, mp_context=get_context("spawn")) as pool:
        return [row for rows in pool.map(measure_seed, *zip(*tasks, strict=True)) for row in rows]


def measure_seed(size: str, seed: int) -> list[dict[str, Any]]:
    """Every variant on one simulated source, all evaluated on its whole test window.

    On few households only the method of calibration is compared.
    """
    development, test = split_by_time(simulate_model_input(SIZES["full"], seed), _load(Split))
    households = np.unique(development["household_id"])[: SIZES[size]]
    development = development[development["household_id"].isin(households)].reset_index(drop=True)
    variants = VARIANTS if size == "full" else {"default": VARIANTS["default"]}
    measured = [row for name, variant in variants.items() for row in _measure(name, variant, development, test)]
    bag = [_measure_bag(development, test)] if size == "full" else []
    return [{"size": size, "seed": seed, **row} for row in (*measured, *bag)]


def _measure_bag(development: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """Mean raw scores of three trainings that differ in their seeds, calibrated together."""
    start = time.process_time()
    default, X = _load(Training), to_matrix(test, FEATURE_NAMES)
    evaluated, scores = [], []
    for seed in range(3):
        training = _change(default, Variant(training={"seed": default.seed + seed}))
        out_of_fold, _, fold_rounds = cross_validate(development, training, _load(Split), _load(Observation))
        calibrator = fit_calibrator(out_of_fold, Calibration(method="isotonic"))
        made = (development, fold_rounds, calibrator, 0.5, training, _load(RiskClasses), _load(Observation))
        evaluated.append(out_of_fold)
        scores.append(predict(fit_predictor(*made).classifier, X))
    mean = evaluated[0].assign(score=np.mean([each["score"] for each in evaluated], axis=0))
    together = fit_calibrator(mean, Calibration(method="isotonic"))
    counts = {"cpu_s": time.process_time() - start, "positives": int(mean["wasted"].sum())}
    return {"variant": BAG, **counts, **_judge(test, together.transform(np.mean(scores, axis=0)))}


def _measure(name: str, variant: Variant, development: pd.DataFrame, test: pd.DataFrame) -> Iterator[dict[str, Any]]:
    training = _change(_load(Training), variant)
    start = time.process_time()
    with FITS[variant.fits]():
        out_of_fold, _, fold_rounds = cross_validate(development, training, _load(Split), _load(Observation))
        calibrator = fit_calibrator(out_of_fold, Calibration(method="isotonic"))
        predictor = fit_predictor(
            development,
            fold_rounds,
            calibrator,
            choose_threshold(out_of_fold, calibrator),
            training,
            _load(RiskClasses),
            _load(Observation),
        )
    cpu_s = time.process_time() - start
    score = predict(predictor.classifier, to_matrix(test, FEATURE_NAMES))
    counts = {"cpu_s": cpu_s, "positives": int(out_of_fold["wasted"].sum())}
    yield {"variant": name, **counts, **_judge(test, calibrator.transform(score))}
    if name == "default":
        for method, other in _other_calibrators(out_of_fold).items():
            yield {"variant": method, **counts, **_judge(test, other(score))}


def _other_calibrators(out_of_fold: pd.DataFrame) -> dict[str, Callable[[Any], Any]]:
    """What the default, the mean of centered isotonic regression and a monotone spline, was chosen from."""
    scores, wasted, weights = (out_of_fold[name].to_numpy(dtype=float) for name in ("score", "wasted", "fold"))
    tied = Blocks.of_scores(scores, wasted == 1, weights)
    centered = center(pool_violators(tied))
    splines = {n: spline_through(pool_violators(tied.in_bins(n))) for n in (10, 20, 40)}
    steps = IsotonicRegression(out_of_bounds="clip").fit(scores, wasted, sample_weight=weights)
    return {
        "calibration: none": lambda score: score,
        SIGMOID: fit_calibrator(out_of_fold, Calibration(method="sigmoid")).transform,
        "calibration: isotonic in steps": lambda score: steps.predict(score).clip(1 / len(scores), 1 - 1 / len(scores)),
        "calibration: centred isotonic alone": lambda score: np.interp(score, *centered),
        "calibration: the spline alone": lambda score: np.interp(score, *splines[20]),
        **{
            f"calibration: a spline through {n} bins": lambda score, spline=splines[n]: (
                (np.interp(score, *centered) + np.interp(score, *spline)) / 2
            )
            for n in (10, 40)
        },
    }


def _judge(test: pd.DataFrame, probability: Any) -> dict[str, float]:
    tally = metrics.count_scores(y_true=test["wasted"], probability=probability)
    return {
        "auc": float(metrics.roc_auc(tally)),
        "average_precision": float(metrics.average_precision(tally)),
        "log_loss": float(metrics.log_loss(tally)),
        "ece": float(metrics.expected_calibration_error(tally, n_bins=15)),
    }


@contextmanager
def _as_they_are() -> Iterator[None]:
    yield


@contextmanager
def _unscaled() -> Iterator[None]:
    def keep(found: Sequence[RoundsFound], **_: int) -> int:
        return round(median(each.rounds for each in found))

    with patch.object(cross_validation, "scale_rounds", keep), patch.object(fit, "scale_rounds", keep):
        yield


@contextmanager
def _all_early_stopped() -> Iterator[None]:
    with patch.object(cross_validation, "N_EARLY_STOPPED", _load(Split).n_folds):
        yield


@contextmanager
def _not_refitted() -> Iterator[None]:
    with (
        patch.object(cross_validation, "fit_with_rounds", _fit_on_older),
        patch.object(fit, "fit_with_rounds", _fit_on_older),
    ):
        yield


def _fit_on_older(
    X: Matrix, rows: pd.DataFrame, target: Target, training: Training, feature_names: Names, **_: int
) -> Booster:
    booster = fit_on_older(bin_rows(X, rows, target, training, feature_names), target, training)
    return read(booster.model_to_string())  # up to the best round, and no further


FITS: dict[str, Callable[[], Any]] = {
    "as they are": _as_they_are,
    "all early-stopped": _all_early_stopped,
    "unscaled": _unscaled,
    "not refitted": _not_refitted,
}


def _change(training: Training, variant: Variant) -> Training:
    boosters: dict[str, LightGBM] = {
        name: getattr(training, name).model_copy(update=variant.booster) for name in ("classifier", "regressor")
    }
    return training.model_copy(update={**boosters, **variant.training, "num_threads": 1})


def _load(section: Any) -> Any:
    file = "data_engineering" if section is Observation else "training"
    return load(section, CONF / f"parameters_{file}.yml")


if __name__ == "__main__":
    # Two processes with one thread each: whatever a library would do besides, it does not.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    main()
