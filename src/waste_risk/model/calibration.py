"""From raw scores to probabilities that mean what they say, learnt from predictions for rows the models had not seen.

A calibrator is a line through knots: plain numbers that any program can read, and no pickle on the serving path.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from waste_risk.metrics import count_scores
from waste_risk.metrics.tally import sum_by
from waste_risk.parameters import Calibration, Validation

Array = NDArray[np.float64]

LARGEST_LOG_ODDS = 12.0  # probabilities from 6e-6 to 1 - 6e-6
FEW_POSITIVES = 1_000  # below them isotonic regression tends to overfit (Niculescu-Mizil and Caruana, 2005)
N_KNOTS = 481  # every 0.05 of log-odds: the line leaves the curve by less than 0.1 % of the probability
N_BINS = 20  # of equal weight, through which the spline goes; 10 and 40 were no better
N_PIECES = 10  # lines for each piece of the spline
RESOLUTION = 9  # decimals of a score; scores that differ by less may get equal probabilities
ORDER = 1e-6  # slope that every line has at least, so that scores which differ by 1e-9 differ as floats afterwards


@dataclass(frozen=True)
class Calibrator:
    """An increasing line from score to probability, from score 0 to score 1."""

    method: Literal["isotonic", "sigmoid"]
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def transform(self, scores: ArrayLike) -> Array:
        """Read the probability off the line for each score; scores that differ by 1e-9 or more keep their order."""
        values, knots = np.asarray(scores, dtype=float), np.asarray(self.probabilities)
        after = np.searchsorted(self.scores, values, side="right").clip(1, len(knots) - 1)
        # Rounding may carry what is interpolated beyond the knot that comes next.
        probabilities: Array = np.clip(np.interp(values, self.scores, knots), knots[after - 1], knots[after])
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

    Isotonic regression assumes an order alone; here it is centred, and averaged with a monotone spline, because its
    steps would tie rows that the scores tell apart. The sigmoid (Platt, 1999, here on the logit of the score, so that
    it can be the identity) has two parameters and suits few positives; ``auto`` goes by how many there are. A row
    weighs as much as its fold's number: the later the fold, the more its model resembles the one to be calibrated.

    Raises:
        ValueError: there are no positives or no negatives.
    """
    wasted = out_of_fold["wasted"].to_numpy(dtype=bool)
    if wasted.all() or not wasted.any():
        raise ValueError("a calibrator needs both wasted and not wasted items")
    method = _choose_method(params, n_positives=int(wasted.sum()))
    fit = {"isotonic": _fit_isotonic, "sigmoid": _fit_sigmoid}[method]
    weights = out_of_fold["fold"].to_numpy(dtype=float)
    knots, probabilities = fit(out_of_fold["score"].to_numpy(dtype=float), wasted, weights)
    increasing = (1 - ORDER) * probabilities + ORDER * knots
    return Calibrator(method, tuple(knots.tolist()), tuple(increasing.tolist()))


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
    """Average centred isotonic regression with a monotone spline through coarser bins."""
    tied = Blocks.of_scores(scores, wasted, weights)
    centred, spline = centre(pool_violators(tied)), spline_through(pool_violators(tied.in_bins(N_BINS)))
    knots = np.union1d(centred[0], spline[0])
    return knots, (np.interp(knots, *centred) + np.interp(knots, *spline)) / 2


@dataclass(frozen=True)
class Blocks:
    """Rows that share one probability, lowest scores first; shape (n_blocks,) each.

    Attributes:
        score: weighted mean score.
        share: weighted share that was wasted.
        weight: sum of the weights.
        n_rows: number of rows.
    """

    score: Array
    share: Array
    weight: Array
    n_rows: Array

    @classmethod
    def of_scores(cls, scores: Array, wasted: NDArray[np.bool_], weights: Array) -> "Blocks":
        """Make a block of each distinct score."""
        rounded = scores.round(RESOLUTION)
        block = np.unique(rounded, return_inverse=True)[1]
        return cls(rounded, wasted.astype(float), weights, np.ones(len(scores))).merged(block)

    def merged(self, group: NDArray[np.intp]) -> "Blocks":
        """Merge blocks of equal number, of numbers that rise from 0."""
        n_groups = group.max() + 1
        weight, n_rows = sum_by(group, self.weight, n_groups), sum_by(group, self.n_rows, n_groups)
        score, share = (sum_by(group, self.weight * each, n_groups) / weight for each in (self.score, self.share))
        return Blocks(score, share, weight, n_rows)

    def in_bins(self, n_bins: int) -> "Blocks":
        """Merge them into bins of about equal weight; a block goes where its middle lies."""
        middle = (np.cumsum(self.weight) - self.weight / 2) / self.weight.sum()
        return self.merged(np.unique((middle * n_bins).astype(np.intp), return_inverse=True)[1])


def pool_violators(blocks: Blocks) -> Blocks:
    """Merge neighbours until the shares increase: isotonic regression (Zadrozny and Elkan, 2002).

    However pure the outermost blocks are, their n rows prove no certainty: the rule of succession, or half the way to
    the next block if that is nearer.
    """
    fitted = IsotonicRegression().fit_transform(blocks.score, blocks.share, sample_weight=blocks.weight)
    pooled = blocks.merged(np.cumsum(np.diff(fitted, prepend=fitted[0]) > 0))
    share = pooled.share.copy()
    if share[0] <= 0:
        share[0] = min(1 / (pooled.n_rows[0] + 2), share[1] / 2)
    if share[-1] >= 1:
        share[-1] = max(1 - 1 / (pooled.n_rows[-1] + 2), (1 + share[-2]) / 2)
    return replace(pooled, share=share)


def centre(blocks: Blocks) -> tuple[Array, Array]:
    """Give one knot for each block at its mean score (Oron and Flournoy, Centered isotonic regression, 2017).

    Beyond the outermost blocks the line goes on, to half of the way between their share and certainty at the scores
    0 and 1. A single block says that the scores do not rank: then the line is flat.
    """
    low, high = blocks.share[[0, -1]] if len(blocks.share) == 1 else (blocks.share[0] / 2, (1 + blocks.share[-1]) / 2)
    # Of equal scores the first is kept: the block's own.
    knots, first = np.unique([*blocks.score, 0.0, 1.0], return_index=True)
    return knots, np.append(blocks.share, [low, high])[first]


def spline_through(blocks: Blocks) -> tuple[Array, Array]:
    """Give a monotone cubic spline through the same knots (Fritsch and Butland, 1984), as lines of a piece each."""
    from scipy.interpolate import PchipInterpolator  # noqa: PLC0415, needed by training alone

    knots, shares = centre(blocks)
    parts = np.arange(N_PIECES) / N_PIECES
    fine = np.append((knots[:-1, np.newaxis] + np.diff(knots)[:, np.newaxis] * parts).ravel(), knots[-1])
    return fine, PchipInterpolator(knots, shares)(fine)


def _fit_sigmoid(scores: Array, wasted: NDArray[np.bool_], weights: Array) -> tuple[Array, Array]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415, a quarter of a second that few need

    log_odds = np.clip(logit(scores), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    line = LogisticRegression(C=np.inf).fit(log_odds[:, np.newaxis], wasted, sample_weight=weights)
    if line.coef_[0, 0] <= 0:  # scores that do not rank say nothing: everyone gets the base rate
        return np.array([0.0, 1.0]), np.full(2, np.average(wasted, weights=weights))
    knots = np.linspace(-LARGEST_LOG_ODDS, LARGEST_LOG_ODDS, N_KNOTS)
    inner = line.predict_proba(knots[:, np.newaxis])[:, 1]
    n_rows = len(wasted)
    bounded = (n_rows * np.concatenate([[0.0], inner, [1.0]]) + 1) / (n_rows + 2)  # the rule of succession
    return np.concatenate([[0.0], expit(knots), [1.0]]), bounded
