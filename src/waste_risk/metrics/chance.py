"""What chance alone would do to a calibrated probability: the yardstick beside a calibration error.

Outcomes are drawn row by row, so households' likeness is left out: it makes chance larger than it is here.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from waste_risk.metrics.calibration import mean_gap, reliability_bins
from waste_risk.metrics.parts import CalibrationByChance
from waste_risk.metrics.tally import Array, Tally

_SIMULATIONS_AT_ONCE = 200


def calibration_error_by_chance(
    tally: Tally, *, n_bins: int, n_simulations: int, confidence: float, seed: int
) -> CalibrationByChance:
    """Draw outcomes from the probabilities themselves, and say how large the calibration error then is.

    This is the consistency resampling of reliability diagrams (Bröcker and Smith 2007), for the error of the whole.
    """
    measured = float(mean_gap(reliability_bins(tally, n_bins=n_bins)))
    draws = simulate_calibration_errors(tally, n_bins=n_bins, n_simulations=n_simulations, seed=seed)
    return CalibrationByChance(
        mean=float(draws.mean()),
        high=float(np.quantile(draws, confidence)),
        p_value=float((1 + (draws >= measured).sum()) / (1 + n_simulations)),
    )


def simulate_calibration_errors(tally: Tally, *, n_bins: int, n_simulations: int, seed: int) -> Array:
    """Give the calibration errors of outcomes drawn from the probabilities; shape (n_simulations,)."""
    random = np.random.default_rng(seed)
    rows, scores = tally.totals.astype(np.int64), np.clip(tally.scores, 0, 1)
    errors = []
    for start in range(0, n_simulations, _SIMULATIONS_AT_ONCE):
        n_samples = min(_SIMULATIONS_AT_ONCE, n_simulations - start)
        drawn = random.binomial(rows, scores, size=(n_samples, len(rows))).astype(np.float64)
        sample = Tally(tally.scores, drawn, np.broadcast_to(tally.totals, drawn.shape))
        errors.append(mean_gap(reliability_bins(sample, n_bins=n_bins)))
    return np.concatenate(errors)


def anderson_darling(*, y_true: ArrayLike, probability: ArrayLike, seed: int) -> tuple[float, float]:
    """Test calibration by the Anderson-Darling statistic of the probability integral transform.

    A binary outcome's transform is spread at random over the part of [0, 1] that the outcome takes, which makes it
    uniform for a calibrated model (Czado, Gneiting and Held, Predictive model assessment for count data, 2009). With
    many rows the test rejects every model; the seed decides the spread.

    Returns:
        statistic and p-value.
    """
    wasted, chance = np.asarray(y_true, dtype=float) == 1, np.asarray(probability, dtype=float)
    spread = np.random.default_rng(seed).random(len(wasted))
    transform = np.where(wasted, 1 - chance + spread * chance, spread * (1 - chance))
    statistic = anderson_darling_statistic(transform)
    return statistic, anderson_darling_p_value(statistic)


def anderson_darling_statistic(values: ArrayLike) -> float:
    """Measure how far values are from uniform on [0, 1], with weight on the ends (Anderson and Darling 1954)."""
    tiny = np.finfo(np.float64).tiny
    ordered = np.sort(np.asarray(values, dtype=float))
    n, position = len(ordered), np.arange(1, len(ordered) + 1)
    low, high = np.log(np.maximum(ordered, tiny)), np.log(np.maximum(1 - ordered[::-1], tiny))
    return float(-n - ((2 * position - 1) * (low + high)).sum() / n)


def anderson_darling_p_value(statistic: float) -> float:
    """Give the chance of a larger statistic of uniform values, for many of them.

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
