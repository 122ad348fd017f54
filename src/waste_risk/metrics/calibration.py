"""Calibration: whether a probability of 0.3 comes true in three of ten cases, and whether chance explains the rest.

Bins hold equal mass, not equal width, so that each one is estimated equally well; rows of equal score share a bin.
Bins of equal width stand beside them, for comparison with what others publish.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, expit, logit, ndtr

from waste_risk.arrays import Floats
from waste_risk.metrics.classification import base_rate, brier_score
from waste_risk.metrics.tally import Tally, ratio, sum_by

# Isotonic calibration says 0 and 1, whose logits are infinite. A calibrator of some ten thousand rows cannot tell
# probabilities nearer to 0 or 1 than this apart, and a smaller value would let a handful of rows decide the slope.
LOGIT_EPSILON = 1e-4
_MOST_NEWTON_STEPS = 30
_NEWTON_TOLERANCE = 1e-8
_SIMULATIONS_AT_ONCE = 200


@dataclass(frozen=True)
class ReliabilityBins:
    """Expected and observed positives in each bin, lowest scores first; shapes (..., n_bins).

    Attributes:
        expected: sum of the probabilities in each bin.
        observed: number of positives in each bin.
        rows: number of rows in each bin; ties can leave a bin empty.
    """

    expected: Floats
    observed: Floats
    rows: Floats


def reliability_bins(tally: Tally, *, n_bins: int) -> ReliabilityBins:
    """Sum probabilities, positives and rows in bins of equal mass; a score belongs where its middle rank falls."""
    ascending = np.flip(tally.totals, axis=-1)
    middle_rank = np.cumsum(ascending, axis=-1) - ascending / 2
    return _fill_bins(tally, ratio(middle_rank, tally.totals.sum(axis=-1, keepdims=True)), n_bins)


def equal_width_bins(tally: Tally, *, n_bins: int) -> ReliabilityBins:
    """Sum probabilities, positives and rows in bins of equal width; a score at a border belongs to the upper bin."""
    return _fill_bins(tally, np.broadcast_to(tally.scores[::-1], tally.totals.shape), n_bins)


def expected_calibration_error(tally: Tally, *, n_bins: int) -> Floats:
    """Compute the mean |mean probability − observed share| over bins of equal mass, by rows (Naeini et al. 2015)."""
    return mean_gap(reliability_bins(tally, n_bins=n_bins))


def mean_gap(bins: ReliabilityBins) -> Floats:
    """Compute the mean |mean probability − observed share| over any bins, by rows."""
    return sum_absolute(weigh_gaps(bins))


def weigh_gaps(bins: ReliabilityBins) -> Floats:
    """Compute mean probability − observed share of each bin, times its share of the rows; shape (..., n_bins)."""
    return ratio(bins.expected - bins.observed, bins.rows.sum(axis=-1, keepdims=True))


def sum_absolute(gaps: Floats) -> Floats:
    """Sum the sizes of weighted gaps."""
    return np.asarray(np.abs(gaps).sum(axis=-1), dtype=np.float64)


def scale_gaps(bins: ReliabilityBins) -> Floats:
    """Compute the gap of each bin times the root of its share of the rows: the squares sum to the reliability."""
    gaps = ratio(bins.expected - bins.observed, np.sqrt(bins.rows * bins.rows.sum(axis=-1, keepdims=True)))
    return np.where(bins.rows > 0, gaps, 0)


def sum_squares(gaps: Floats) -> Floats:
    """Sum the squares of scaled gaps."""
    return np.asarray((gaps**2).sum(axis=-1), dtype=np.float64)


def debiased_calibration_error(bins: ReliabilityBins) -> Floats:
    """Compute the mean gap less what chance alone adds to it; at least 0.

    A bin's observed share scatters about its own value like a normal variable with its binomial variance; the mean of
    the gap's absolute value then exceeds the gap (Kumar, Liang and Ma, Verified uncertainty calibration, 2019, the
    estimator for the first power; here by the mean of the folded normal distribution instead of by simulation).
    Rows count as independent; households make them less so, and the true bias larger.
    """
    share, gap = ratio(bins.observed, bins.rows), ratio(bins.expected - bins.observed, bins.rows)
    spread = np.sqrt(ratio(share * (1 - share), bins.rows))
    at = ratio(gap, spread)
    folded = spread * math.sqrt(2 / math.pi) * np.exp(-(at**2) / 2) + gap * (1 - 2 * ndtr(-at))
    excess = np.where(spread > 0, folded - np.abs(gap), 0)
    return np.maximum(mean_gap(bins) - ratio((bins.rows * excess).sum(axis=-1), bins.rows.sum(axis=-1)), 0)


def brier_decomposition(tally: Tally, bins: ReliabilityBins) -> tuple[Floats, Floats, Floats]:
    """Split the Brier score into reliability − resolution + uncertainty, over bins (Murphy 1973).

    The resolution includes what scores differ by within bins (Stephenson, Coelho and Jolliffe, Two extra components in
    the Brier score decomposition, 2008), so that the three parts make up the score exactly.

    Returns:
        reliability (smaller is better), resolution (larger is better), uncertainty (of the outcomes alone).
    """
    reliability = sum_squares(scale_gaps(bins))
    uncertainty = base_rate(tally) * (1 - base_rate(tally))
    return reliability, reliability + uncertainty - brier_score(tally), uncertainty


def hosmer_lemeshow_p_value(tally: Tally, *, n_groups: int) -> Floats:
    """Test calibration by the Hosmer-Lemeshow chi-square over groups by score, on data the model has not seen.

    The degrees of freedom are the number of groups, not groups − 2, because no coefficient was fitted to these rows
    (Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression, 3rd edition, section 5.2). Groups that ties leave
    empty do not count. With many rows the test rejects every model: report it, never gate on it.
    """
    groups = reliability_bins(tally, n_bins=n_groups)
    squares = (groups.observed - groups.expected) ** 2
    variance = groups.expected * (1 - ratio(groups.expected, groups.rows))
    impossible = np.where(squares > 0, np.inf, 0)
    terms = np.where(variance > 0, ratio(squares, variance), impossible)
    filled = groups.rows > 0
    return np.asarray(chdtrc(filled.sum(axis=-1), np.where(filled, terms, 0).sum(axis=-1)), dtype=np.float64)


def calibration_line(tally: Tally) -> tuple[Floats, Floats]:
    """Fit logit P(positive) = intercept + slope · logit(probability), both at once (Cox 1958); ideal is (0, 1).

    Because the fit is joint, the intercept is not calibration-in-the-large (which holds the slope at 1). Probabilities
    are clipped to [LOGIT_EPSILON, 1 − LOGIT_EPSILON]. NaN where no finite fit exists: one class, one score, separation.

    Returns:
        intercept and slope, each of the tally's leading shape.
    """
    logits = logit(np.clip(tally.scores, LOGIT_EPSILON, 1 - LOGIT_EPSILON))
    with np.errstate(all="ignore"):
        intercept = logit(tally.positives.sum(axis=-1) / tally.totals.sum(axis=-1))
        slope = np.zeros_like(intercept)
        for _ in range(_MOST_NEWTON_STEPS):
            step = _newton_step(tally, logits, intercept, slope)
            intercept, slope = intercept + step[0], slope + step[1]
            size = np.maximum(np.abs(step[0]), np.abs(step[1]))
            if not (size > _NEWTON_TOLERANCE).any():
                break
        found = size <= _NEWTON_TOLERANCE
    return np.where(found, intercept, np.nan), np.where(found, slope, np.nan)


@dataclass(frozen=True)
class NullDistribution:
    """The calibration error that a perfectly calibrated model would show on the same rows, by chance alone.

    Attributes:
        mean: over the simulations.
        high: the quantile at the level of confidence.
        p_value: share of the simulations with at least the measured error.
    """

    mean: float
    high: float
    p_value: float


def calibration_error_under_null(
    tally: Tally, *, n_bins: int, n_simulations: int, confidence: float, seed: int
) -> NullDistribution:
    """Simulate outcomes from the probabilities themselves, and measure the calibration error that they have.

    This is the consistency resampling of reliability diagrams (Bröcker and Smith 2007), for the error as a whole.
    Outcomes are drawn row by row; that rows of a household are alike, which makes chance larger, is left out.
    """
    measured = float(mean_gap(reliability_bins(tally, n_bins=n_bins)))
    draws = simulate_calibration_errors(tally, n_bins=n_bins, n_simulations=n_simulations, seed=seed)
    return NullDistribution(
        mean=float(draws.mean()),
        high=float(np.quantile(draws, confidence)),
        p_value=float((1 + (draws >= measured).sum()) / (1 + n_simulations)),
    )


def simulate_calibration_errors(tally: Tally, *, n_bins: int, n_simulations: int, seed: int) -> Floats:
    """Return the calibration errors of outcomes drawn from the probabilities; shape (n_simulations,)."""
    random = np.random.default_rng(seed)
    rows, scores = tally.totals.astype(np.int64), np.clip(tally.scores, 0, 1)
    errors = []
    for start in range(0, n_simulations, _SIMULATIONS_AT_ONCE):
        n_samples = min(_SIMULATIONS_AT_ONCE, n_simulations - start)
        drawn = random.binomial(rows, scores, size=(n_samples, len(rows))).astype(np.float64)
        sample = Tally(tally.scores, drawn, np.broadcast_to(tally.totals, drawn.shape))
        errors.append(mean_gap(reliability_bins(sample, n_bins=n_bins)))
    return np.concatenate(errors)


@dataclass(frozen=True)
class AndersonDarling:
    """Whether the probability integral transform is uniform, as it is for a calibrated model."""

    statistic: float
    p_value: float


def anderson_darling(*, y_true: ArrayLike, probability: ArrayLike, seed: int) -> AndersonDarling:
    """Test calibration by the Anderson-Darling statistic of the probability integral transform.

    A binary outcome's transform is spread at random over the part of [0, 1] that the outcome takes, which makes it
    uniform for a calibrated model (Czado, Gneiting and Held, Predictive model assessment for count data, 2009). With
    many rows the test rejects every model; the seed decides the spread.
    """
    wasted, chance = np.asarray(y_true, dtype=float) == 1, np.asarray(probability, dtype=float)
    spread = np.random.default_rng(seed).random(len(wasted))
    transform = np.where(wasted, 1 - chance + spread * chance, spread * (1 - chance))
    statistic = anderson_darling_statistic(transform)
    return AndersonDarling(statistic, anderson_darling_p_value(statistic))


def anderson_darling_statistic(values: ArrayLike) -> float:
    """Compute the distance of values from uniform on [0, 1], with weight on the ends (Anderson and Darling 1954)."""
    tiny = np.finfo(np.float64).tiny
    ordered = np.sort(np.asarray(values, dtype=float))
    n, position = len(ordered), np.arange(1, len(ordered) + 1)
    low, high = np.log(np.maximum(ordered, tiny)), np.log(np.maximum(1 - ordered[::-1], tiny))
    return float(-n - ((2 * position - 1) * (low + high)).sum() / n)


def anderson_darling_p_value(statistic: float) -> float:
    """Compute the probability that many uniform values have a larger statistic.

    The approximation of Marsaglia and Marsaglia, Evaluating the Anderson-Darling distribution, 2004 (adinf).
    """
    z = statistic
    if z <= 0:
        return 1.0
    if z < 2:
        below = 2.00012 + (0.247105 - (0.0649821 - (0.0347962 - (0.011672 - 0.00168691 * z) * z) * z) * z) * z
        return 1 - math.exp(-1.2337141 / z) / math.sqrt(z) * below
    inner = 1.0776 - (2.30695 - (0.43424 - (0.082433 - (0.008056 - 0.0003146 * z) * z) * z) * z) * z
    return -math.expm1(-math.exp(inner))


def _newton_step(tally: Tally, logits: Floats, intercept: Floats, slope: Floats) -> tuple[Floats, Floats]:
    fitted = expit(intercept[..., None] + slope[..., None] * logits)
    surplus = tally.positives - tally.totals * fitted
    weight = tally.totals * fitted * (1 - fitted)
    mass, first, second = weight.sum(axis=-1), weight @ logits, weight @ logits**2
    gradient, gradient_slope = surplus.sum(axis=-1), surplus @ logits
    determinant = mass * second - first**2
    # Rounding leaves a little of a determinant that is zero, when all rows have one score.
    determinant = np.where(determinant > 1e-12 * mass * second, determinant, np.nan)
    return (
        (second * gradient - first * gradient_slope) / determinant,
        (mass * gradient_slope - first * gradient) / determinant,
    )


def _fill_bins(tally: Tally, position: Floats, n_bins: int) -> ReliabilityBins:
    """Sum in bins; ``position`` says where in [0, 1] each score lies, lowest score first."""
    ascending = np.flip(tally.totals, axis=-1)
    bins = np.minimum(np.nan_to_num(position) * n_bins, n_bins - 1).astype(np.intp)
    return ReliabilityBins(
        expected=_sum_by_bin(ascending * tally.scores[::-1], bins, n_bins),
        observed=_sum_by_bin(np.flip(tally.positives, axis=-1), bins, n_bins),
        rows=_sum_by_bin(ascending, bins, n_bins),
    )


def _sum_by_bin(values: Floats, bins: NDArray[np.intp], n_bins: int) -> Floats:
    n_samples = values.size // values.shape[-1]
    cells = bins.reshape(n_samples, -1) + n_bins * np.arange(n_samples)[:, None]
    sums = sum_by(cells.ravel(), values.ravel(), n_samples * n_bins)
    return sums.reshape(*values.shape[:-1], n_bins)
