"""Calibration: from raw scores to probabilities, fitted on out-of-fold predictions.

A calibrator is a piecewise linear curve through knots: plain numbers that any program can read, so that serving needs
no pickle.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from waste_risk.arrays import Floats, Mask
from waste_risk.metrics.tally import sum_by
from waste_risk.parameters import Calibration

LARGEST_LOG_ODDS = 12.0  # probabilities from 6e-6 to 1 - 6e-6
FEW_POSITIVES = 1_000  # below them isotonic regression tends to overfit (Niculescu-Mizil and Caruana, 2005)
N_KNOTS = 481  # every 0.05 of log-odds: linear interpolation is off by less than 0.1 % of the probability
N_BINS = 20  # of equal weight, through which the spline goes; 10 and 40 were no better
N_PIECES = 10  # linear pieces between two knots of the spline
RESOLUTION = 9  # decimals of a score; scores that differ by less may get equal probabilities
ORDER = 1e-6  # least slope, so that scores which differ by 1e-9 still differ as floats once calibrated


@dataclass(frozen=True)
class Calibrator:
    """An increasing piecewise linear function from score to probability.

    Attributes:
        method: how it was fitted.
        scores: the knots' scores, increasing from 0 to 1.
        probabilities: the knots' probabilities.
    """

    method: Literal["isotonic", "sigmoid"]
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def transform(self, scores: ArrayLike) -> Floats:
        """Return the probability of each score; scores that differ by 1e-9 or more keep their order."""
        values, knots = np.asarray(scores, dtype=float), np.asarray(self.probabilities)
        after = np.searchsorted(self.scores, values, side="right").clip(1, len(knots) - 1)
        # Rounding may carry an interpolated value beyond the next knot.
        probabilities: Floats = np.clip(np.interp(values, self.scores, knots), knots[after - 1], knots[after])
        return probabilities

    def to_json(self) -> str:
        """Return the knots as JSON, from which every float is read back bit for bit."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the calibrator that ``to_json`` wrote."""
        known = json.loads(text)
        return cls(known["method"], tuple(known["scores"]), tuple(known["probabilities"]))

    def to_isotonic(self) -> IsotonicRegression:
        """Return scikit-learn's estimator of the same function, for analysts."""
        return IsotonicRegression(out_of_bounds="clip").fit(self.scores, self.probabilities)


def fit_calibrator(out_of_fold: pd.DataFrame, params: Calibration) -> Calibrator:
    """Fit a calibrator on out-of-fold predictions.

    Isotonic regression assumes monotonicity alone; here it is centered and averaged with a monotone spline, because its
    steps would tie rows that the scores tell apart. The sigmoid (Platt, 1999, here on the logit of the score, so that
    it can be the identity) has two parameters and suits few positives. A row's weight is the number of its fold: the
    later the fold, the more its model resembles the one to be calibrated.

    Args:
        out_of_fold: ``score``, ``wasted`` and ``fold`` of each validation row.
        params: the method; ``auto`` is the sigmoid below 1,000 positives, else isotonic.

    Raises:
        ValueError: there are no positives or no negatives.
    """
    wasted = out_of_fold["wasted"].to_numpy(dtype=bool)
    if wasted.all() or not wasted.any():
        raise ValueError("a calibrator needs both wasted and not wasted items")
    auto: Literal["isotonic", "sigmoid"] = "sigmoid" if wasted.sum() < FEW_POSITIVES else "isotonic"
    method = auto if params.method == "auto" else params.method
    fit = {"isotonic": _fit_isotonic, "sigmoid": _fit_sigmoid}[method]
    weights = out_of_fold["fold"].to_numpy(dtype=float)
    knots, probabilities = fit(out_of_fold["score"].to_numpy(dtype=float), wasted, weights)
    increasing = (1 - ORDER) * probabilities + ORDER * knots
    return Calibrator(method, tuple(knots.tolist()), tuple(increasing.tolist()))


def _fit_isotonic(scores: Floats, wasted: Mask, weights: Floats) -> tuple[Floats, Floats]:
    """Return knots and probabilities: the mean of centered isotonic regression and a monotone spline through bins."""
    tied = Blocks.of_scores(scores, wasted, weights)
    centered, spline = center(pool_violators(tied)), spline_through(pool_violators(tied.in_bins(N_BINS)))
    knots = np.union1d(centered[0], spline[0])
    return knots, (np.interp(knots, *centered) + np.interp(knots, *spline)) / 2


@dataclass(frozen=True)
class Blocks:
    """Blocks of rows with one probability each, in increasing order of score; arrays of shape (n_blocks,).

    Attributes:
        score: weighted mean score.
        share: weighted share of rows that were wasted.
        weight: sum of the weights.
        n_rows: number of rows.
    """

    score: Floats
    share: Floats
    weight: Floats
    n_rows: Floats

    @classmethod
    def of_scores(cls, scores: Floats, wasted: Mask, weights: Floats) -> "Blocks":
        """Return a block for each distinct score."""
        rounded = scores.round(RESOLUTION)
        block = np.unique(rounded, return_inverse=True)[1]
        return cls(rounded, wasted.astype(float), weights, np.ones(len(scores))).merged(block)

    def merged(self, group: NDArray[np.intp]) -> "Blocks":
        """Merge the blocks with the same ``group``; groups are numbered from 0, in the order of the blocks."""
        n_groups = group.max() + 1
        weight, n_rows = sum_by(group, self.weight, n_groups), sum_by(group, self.n_rows, n_groups)
        score, share = (sum_by(group, self.weight * each, n_groups) / weight for each in (self.score, self.share))
        return Blocks(score, share, weight, n_rows)

    def in_bins(self, n_bins: int) -> "Blocks":
        """Merge the blocks into bins of about equal weight; a block belongs to the bin of its midpoint."""
        middle = (np.cumsum(self.weight) - self.weight / 2) / self.weight.sum()
        return self.merged(np.unique((middle * n_bins).astype(np.intp), return_inverse=True)[1])


def pool_violators(blocks: Blocks) -> Blocks:
    """Merge neighbors until the shares increase: isotonic regression (Zadrozny and Elkan, 2002).

    An outermost block of one class is no proof of certainty: its share becomes that of the rule of succession, or goes
    half the way to the next block if that is nearer.
    """
    fitted = IsotonicRegression().fit_transform(blocks.score, blocks.share, sample_weight=blocks.weight)
    pooled = blocks.merged(np.cumsum(np.diff(fitted, prepend=fitted[0]) > 0))
    share = pooled.share.copy()
    if share[0] <= 0:
        share[0] = min(1 / (pooled.n_rows[0] + 2), share[1] / 2)
    if share[-1] >= 1:
        share[-1] = max(1 - 1 / (pooled.n_rows[-1] + 2), (1 + share[-2]) / 2)
    return replace(pooled, share=share)


def center(blocks: Blocks) -> tuple[Floats, Floats]:
    """Return scores and shares of one knot for each block, at its mean score (centered isotonic regression).

    Oron and Flournoy, Centered isotonic regression, 2017. At the scores 0 and 1 there are further knots, halfway
    between the share of the outermost block and certainty. A single block means that the scores do not rank the rows:
    then the function is constant.
    """
    low, high = blocks.share[[0, -1]] if len(blocks.share) == 1 else (blocks.share[0] / 2, (1 + blocks.share[-1]) / 2)
    # Of equal scores the first is kept: the block's own.
    knots, first = np.unique([*blocks.score, 0.0, 1.0], return_index=True)
    return knots, np.append(blocks.share, [low, high])[first]


def spline_through(blocks: Blocks) -> tuple[Floats, Floats]:
    """Return a monotone cubic spline through the same knots (Fritsch and Butland, 1984), as piecewise linear knots."""
    from scipy.interpolate import PchipInterpolator  # noqa: PLC0415, only training needs it

    knots, shares = center(blocks)
    parts = np.arange(N_PIECES) / N_PIECES
    fine = np.append((knots[:-1, np.newaxis] + np.diff(knots)[:, np.newaxis] * parts).ravel(), knots[-1])
    return fine, PchipInterpolator(knots, shares)(fine)


def _fit_sigmoid(scores: Floats, wasted: Mask, weights: Floats) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415, a quarter of a second that few need

    log_odds = np.clip(logit(scores), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    line = LogisticRegression(C=np.inf).fit(log_odds[:, np.newaxis], wasted, sample_weight=weights)
    if line.coef_[0, 0] <= 0:  # the scores do not rank the rows: everyone gets the base rate
        return np.array([0.0, 1.0]), np.full(2, np.average(wasted, weights=weights))
    knots = np.linspace(-LARGEST_LOG_ODDS, LARGEST_LOG_ODDS, N_KNOTS)
    inner = line.predict_proba(knots[:, np.newaxis])[:, 1]
    n_rows = len(wasted)
    bounded = (n_rows * np.concatenate([[0.0], inner, [1.0]]) + 1) / (n_rows + 2)  # the rule of succession
    return np.concatenate([[0.0], expit(knots), [1.0]]), bounded
