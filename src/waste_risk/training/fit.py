"""The final fit: both boosters on all development rows, put together with calibrator and threshold."""

import platform
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pandas as pd

from waste_risk.features import FEATURE_NAMES
from waste_risk.model.calibration import Calibrator
from waste_risk.model.lightgbm_calls import Booster, read
from waste_risk.model.matrix import to_matrix
from waste_risk.model.predictor import UNKNOWN, Metadata, Provenance, WastePredictor, hash_rows
from waste_risk.parameters import Observation, RiskClasses, Training
from waste_risk.training.boosting import (
    CLASSIFIER,
    REGRESSOR,
    Probe,
    Target,
    carry_over,
    count_threads,
    fit_with_rounds,
)


def fit_predictor(  # noqa: PLR0917
    development: pd.DataFrame,
    fold_metrics: pd.DataFrame,
    calibrator: Calibrator,
    threshold: float,
    training: Training,
    risk_classes: RiskClasses,
    observation: Observation,
    provenance: Provenance = UNKNOWN,
) -> WastePredictor:
    """Fit both boosters on all development rows, for the median of the folds' rounds, carried over to their number."""
    X = to_matrix(development, FEATURE_NAMES)
    rounds = {target.name: _rounds(fold_metrics, target, len(development)) for target in (CLASSIFIER, REGRESSOR)}
    with ThreadPoolExecutor(training.num_threads // count_threads(training, len(development))) as pool:
        classifier, regressor = pool.map(
            lambda target: _plain(
                fit_with_rounds(X, development, target, training, FEATURE_NAMES, rounds=rounds[target.name])
            ),
            (CLASSIFIER, REGRESSOR),
        )
    metadata = Metadata(
        versions=_versions(),
        horizon_days=observation.horizon_days,
        feature_names=FEATURE_NAMES,
        training=training,
        risk_classes=risk_classes,
        rounds=rounds,
        n_rows=len(development),
        waste_ratio=float(development["wasted"].mean()),
        observed_from=f"{development['observed_on'].min():%Y-%m-%d}",
        observed_until=f"{development['observed_on'].max():%Y-%m-%d}",
        data_hash=hash_rows(development),
        provenance=provenance,
    )
    return WastePredictor(classifier, calibrator, regressor, threshold, metadata)


def _rounds(fold_metrics: pd.DataFrame, target: Target, n_rows: int) -> int:
    folds = zip(fold_metrics[f"rounds_{target.name}"], fold_metrics["n_train"], strict=True)
    return carry_over([Probe(*fold) for fold in folds], n_rows=n_rows)


def _plain(booster: Booster) -> Booster:
    # Free of its training rows, and the very object that a reader of the file gets.
    return read(booster.model_to_string())


def _versions() -> dict[str, str]:
    libraries = ("lightgbm", "numpy", "pandas", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in libraries}}
