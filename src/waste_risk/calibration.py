"""From raw scores to probabilities that mean what they say, learnt from predictions for rows the models had not seen.

A calibrator is a line through knots: plain numbers that any program can read, and no pickle on the serving path.
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from waste_risk.metrics import count_scores
from waste_risk.parameters import Calibration, Validation

Array = NDArray[np.float64]

LARGEST_LOG_ODDS = 12.0  # probabilities from 6e-6 to 1 - 6e-6
FEW_POSITIVES = 1_000  # below them isotonic regression tends to overfit (Niculescu-Mizil and Caruana, 2005)
N_KNOTS = 481  # every 0.05 of log-odds: the line leaves the curve by less than 0.1 % of the probability


@dataclass(frozen=True)
class Calibrator:
    """A non-decreasing line from score to probability; constant beyond its first and last knot."""

    method: Literal["isotonic", "sigmoid"]
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def transform(self, scores: ArrayLike) -> Array:
        """Read the probability off the line for each score."""
        probabilities: Array = np.interp(np.asarray(scores, dtype=float), self.scores, self.probabilities)
        return probabilities

    def to_json(self) -> str:
        """Write the knots; every float comes back bit for bit."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote."""
        known = json.loads(text)
        return cls(known["method"], tuple(known["scores"]), tuple(known["probabilities"]))

    def to_isotonic(self) -> IsotonicRegression:
        """Give the same line as scikit-learn's estimator, for analysts."""
        return IsotonicRegression(out_of_bounds="clip").fit(self.scores, self.probabilities)


def fit_calibrator(out_of_fold: pd.DataFrame, params: Calibration) -> Calibrator:
    """Learn how often an item with a given score is wasted, from the out-of-fold predictions.

    Isotonic regression (Zadrozny and Elkan, 2002) assumes an order alone; the sigmoid (Platt, 1999, here on the logit
    of the score, so that it can be the identity) has two parameters and suits few positives; ``auto`` goes by how many
    there are. A row weighs as much as its fold's number: the later the fold, the more its model resembles the one to be
    calibrated.

    Raises:
        ValueError: there are no positives or no negatives.
    """
    wasted = out_of_fold["wasted"].to_numpy(dtype=bool)
    if wasted.all() or not wasted.any():
        raise ValueError("a calibrator needs both wasted and not wasted items")
    method = _choose_method(params, n_positives=int(wasted.sum()))
    fit = {"isotonic": _fit_isotonic, "sigmoid": _fit_sigmoid}[method]
    weights = out_of_fold["fold"].to_numpy(dtype=float)
    scores, probabilities = fit(out_of_fold["score"].to_numpy(dtype=float), wasted, weights)
    least = 1 / (len(wasted) + 2)  # the rule of succession, over all rows
    bounded = np.clip(probabilities, least, 1 - least)
    return Calibrator(method, tuple(scores.tolist()), tuple(bounded.tolist()))


def choose_threshold(out_of_fold: pd.DataFrame, calibrator: Calibrator) -> float:
    """Give the calibrated probability from which calling an item wasted has the highest F1, out of fold.

    Of thresholds that are equally good, the highest.
    """
    probability = calibrator.transform(out_of_fold["score"])
    tally = count_scores(y_true=out_of_fold["wasted"], probability=probability)
    found, alerts = np.cumsum(tally.positives), np.cumsum(tally.totals)
    return float(tally.scores[np.argmax(2 * found / (alerts + tally.positives.sum()))])


def choose_cheapest_threshold(out_of_fold: pd.DataFrame, calibrator: Calibrator, validation: Validation) -> float:
    """Give the calibrated probability from which warning costs least, out of fold; 1 if never to warn is cheapest.

    Of thresholds that cost the same, the highest. With perfect calibration it is near the cost of a false alarm over
    the sum of both costs (Elkan, The foundations of cost-sensitive learning, 2001).
    """
    tally = count_scores(y_true=out_of_fold["wasted"], probability=calibrator.transform(out_of_fold["score"]))
    false_alarms, found = np.cumsum(tally.negatives), np.cumsum(tally.positives)
    missed = tally.positives.sum() - found
    costs = validation.cost_of_false_alarm * false_alarms + validation.cost_of_missed_item * missed
    never = validation.cost_of_missed_item * tally.positives.sum()
    return float(np.append(1.0, tally.scores)[np.argmin(np.append(never, costs))])


def _choose_method(params: Calibration, *, n_positives: int) -> Literal["isotonic", "sigmoid"]:
    if params.method != "auto":
        return params.method
    return "sigmoid" if n_positives < FEW_POSITIVES else "isotonic"


def _fit_isotonic(scores: Array, wasted: NDArray[np.bool_], weights: Array) -> tuple[Array, Array]:
    line = IsotonicRegression(out_of_bounds="clip").fit(scores, wasted, sample_weight=weights)
    fitted = line.predict(scores)
    return line.X_thresholds_, line.y_thresholds_.clip(_least(fitted), 1 - _least(1 - fitted))


def _least(fitted: Array) -> float:
    """However pure the lowest block is, its n rows prove no certainty: the rule of succession, up to the next block."""
    above = fitted[fitted > 0]
    n_never = len(fitted) - len(above)
    return min(1 / (n_never + 2), above.min()) if n_never else 0.0


def _fit_sigmoid(scores: Array, wasted: NDArray[np.bool_], weights: Array) -> tuple[Array, Array]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415, a quarter of a second that few need

    knots = np.linspace(-LARGEST_LOG_ODDS, LARGEST_LOG_ODDS, N_KNOTS)
    log_odds = np.clip(logit(scores), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    line = LogisticRegression(C=np.inf).fit(log_odds[:, np.newaxis], wasted, sample_weight=weights)
    if line.coef_[0, 0] <= 0:  # scores that do not rank say nothing: everyone gets the base rate
        return np.array([0.5]), np.array([np.average(wasted, weights=weights)])
    return expit(knots), line.predict_proba(knots[:, np.newaxis])[:, 1]
