"""Evaluating rows with the base parameters, for tests that change one or two of them."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from waste_risk.metrics import ValidationMetrics, count_scores, evaluate
from waste_risk.metrics.calibration import LOGIT_EPSILON
from waste_risk.parameters import Validation, load

PARAMS = load(Validation, Path(__file__).parents[1] / "conf/base/parameters_validation.yml")
SETTINGS = {
    "threshold": 0.4,
    "high_confidence": 0.7,
    "n_bins": 5,
    "n_resamples": 40,
    "confidence": 0.9,
    "seed": 7,
}


def evaluate_rows(**options: Any) -> ValidationMetrics:
    """Evaluate; an option that is a parameter of the section ``validation`` replaces it there."""
    changed = {name: options.pop(name) for name in Validation.model_fields if name in options}
    return evaluate(**{"high_confidence": 0.7} | options, params=PARAMS.model_copy(update=changed))


def draw_rows(n_rows=400, n_households=25, seed=0, decimals=None):
    """Draw rows of a calibrated probability; few decimals make ties, as isotonic calibration does."""
    random = np.random.default_rng(seed)
    probability = expit(random.normal(-1, 1.5, n_rows))
    y_true = random.random(n_rows) < probability
    probability = probability if decimals is None else probability.round(decimals)
    return {"y_true": y_true, "probability": probability, "household_id": random.integers(n_households, size=n_rows)}


def tally_of(rows):
    return count_scores(y_true=rows["y_true"], probability=rows["probability"])


def logistic_regression(rows, weights=None):
    """Fit the calibration line by scikit-learn; return intercept and slope."""
    clipped = np.clip(rows["probability"], LOGIT_EPSILON, 1 - LOGIT_EPSILON)
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    fit.fit(logit(clipped)[:, None], rows["y_true"], sample_weight=weights)
    return fit.intercept_[0], fit.coef_[0, 0]
