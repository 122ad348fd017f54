"""The final fit: both boosters on all development rows, assembled with calibrator and threshold into a predictor."""

import platform
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pandas as pd

from waste_risk.features.encoding import find_encoding
from waste_risk.model.calibration import Calibrator
from waste_risk.model.lightgbm_calls import Booster, count_threads, read
from waste_risk.model.matrix import to_matrix
from waste_risk.model.predictor import NO_PROVENANCE, Metadata, Provenance, WastePredictor, hash_rows
from waste_risk.parameters import Observation, RiskClasses, Training
from waste_risk.training.boosting import CLASSIFIER, REGRESSOR, Target, fit_with_rounds
from waste_risk.training.rounds import RoundsFound, scale_rounds

LIBRARIES = ("lightgbm", "numpy", "pandas", "scikit-learn")  # on which the numbers depend


def fit_predictor(  # noqa: PLR0917
    development: pd.DataFrame,
    fold_rounds: pd.DataFrame,
    calibrator: Calibrator,
    threshold: float,
    training: Training,
    risk_classes: RiskClasses,
    observation: Observation,
    provenance: Provenance = NO_PROVENANCE,
) -> WastePredictor:
    """Fit both boosters on all development rows, for the median of the folds' rounds, scaled to their number.

    Args:
        development: rows of model_input with known labels.
        fold_rounds: of the cross-validation: ``n_train``, ``rounds_classifier``, ``rounds_regressor`` for each fold.
        calibrator: fitted on out-of-fold predictions.
        threshold: the calibrated probability from which a row is classified as wasted.
        training: the hyperparameters of both boosters.
        risk_classes: bounds between low, medium and high risk.
        observation: its horizon is that of the labels.
        provenance: which code and parameters made the predictor.

    Raises:
        ValueError: features are missing; the message names all of them.
    """
    encoding = find_encoding(development)
    X = to_matrix(development, encoding.names, encoding.levels)
    rounds = {}
    for target in (CLASSIFIER, REGRESSOR):
        found = map(RoundsFound, fold_rounds[f"rounds_{target.name}"], fold_rounds["n_train"])
        rounds[target.name] = scale_rounds(list(found), n_rows=len(development))

    def fit(target: Target) -> Booster:
        features = (encoding.names, encoding.categorical)
        booster = fit_with_rounds(X, development, target, training, *features, rounds=rounds[target.name])
        return read(booster.model_to_string())  # without its training rows, as a reader of its file gets it

    with ThreadPoolExecutor(training.num_threads // count_threads(training.num_threads, len(development))) as pool:
        classifier, regressor = pool.map(fit, (CLASSIFIER, REGRESSOR))
    metadata = Metadata(
        versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        horizon_days=observation.horizon_days,
        feature_names=encoding.names,
        levels=dict(encoding.levels),
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
