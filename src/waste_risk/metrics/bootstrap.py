"""Intervals by resampling households: the rows of one household are not independent.

A resample takes as many households as there are, with replacement; all metrics of a resample come from the same draw.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from waste_risk.arrays import Floats

Measure = Callable[[Floats], Mapping[str, Floats]]
Norm = Callable[[Floats], Floats]

_NUMBERS_IN_MEMORY = 2_000_000
_MOST_DOUBLINGS = 20
_HALVINGS = 20
# Resampling fewer clusters than some 20 gives intervals that are too narrow, of width 0 for a single one (Cameron,
# Gelbach and Miller, Bootstrap-based improvements for inference with clustered errors, 2008).
FEWEST_HOUSEHOLDS = 20


@dataclass(frozen=True)
class Estimate:
    """A value with its confidence interval; the value is NaN when undefined, the ends are null when unknown."""

    value: float
    low: float | None = None
    high: float | None = None

    def __float__(self) -> float:
        """Return the value alone."""
        return self.value


@dataclass(frozen=True)
class Resampling:
    """How intervals are computed; equal settings draw equal households, so whatever they estimate is paired.

    Attributes:
        n_households: how many households there are.
        n_resamples: how many resamples; 0 leaves the intervals out.
        confidence: probability that an interval covers, e.g. 0.95.
        seed: the same seed gives the same intervals.
    """

    n_households: int
    n_resamples: int
    confidence: float
    seed: int

    def estimate(
        self,
        measure: Measure,
        *,
        n_columns: int,
        norms: Mapping[str, Norm] | None = None,
        n_behind: Callable[[str], int] | None = None,
    ) -> dict[str, Estimate]:
        """Estimate each metric and its interval, see ``bootstrap``; a resample holds about ``n_columns`` numbers."""
        return bootstrap(
            measure,
            n_households=self.n_households,
            n_resamples=self.n_resamples,
            confidence=self.confidence,
            seed=self.seed,
            n_at_once=max(1, _NUMBERS_IN_MEMORY // max(1, n_columns)),
            norms=norms,
            n_behind=n_behind,
        )


def bootstrap(
    measure: Measure,
    *,
    n_households: int,
    n_resamples: int,
    confidence: float,
    seed: int,
    n_at_once: int,
    norms: Mapping[str, Norm] | None = None,
    n_behind: Callable[[str], int] | None = None,
) -> dict[str, Estimate]:
    """Estimate each metric and its interval over resamples of the households (Efron and Tibshirani 1993).

    Intervals are percentiles of the resamples. A norm of several differences, like the mean of absolute differences in
    a calibration error, is pushed up by chance, and once more in each resample; its interval comes from ``invert``.

    Args:
        measure: maps weights of shape (n_samples, n_households) to metrics of shape (n_samples,), or for a norm to the
            differences of shape (n_samples, ...).
        n_households: how many households the weights are for.
        n_resamples: how many resamples; 0 leaves the intervals out.
        confidence: probability that the interval covers, e.g. 0.95.
        seed: the same seed gives the same intervals.
        n_at_once: how many resamples are measured together, which bounds the memory.
        norms: by name, what maps differences to the metric; larger multiples of them have a larger norm.
        n_behind: maps the name of a metric to the number of households that it rests on, all of them by default; of
            fewer than ``FEWEST_HOUSEHOLDS`` there is no interval.
    """
    values = measure(np.ones((1, n_households)))
    batches = [measure(weights) for weights in _resample(n_households, n_resamples, seed, n_at_once)]
    draws = {name: np.concatenate([value[:0], *(batch[name] for batch in batches)]) for name, value in values.items()}
    known = norms or {}
    estimates = {
        name: invert(value[0], draws[name], known[name], confidence)
        if name in known
        else _percentile(float(value[0]), draws[name], confidence)
        for name, value in values.items()
    }
    unsupported = {name for name in values if (n_behind(name) if n_behind else n_households) < FEWEST_HOUSEHOLDS}
    return estimates | {name: Estimate(estimates[name].value) for name in unsupported}


def invert(differences: Floats, draws: Floats, norm: Norm, confidence: float) -> Estimate:
    """Estimate a norm of differences, and the interval of true values that could well have given it.

    Chance pushes the norm up, most where the truth is small. So the true differences are taken to be the measured ones
    times a scale, and the resamples say how they scatter: the interval holds the norms of all scales that give neither
    a smaller nor a larger norm than the measured one in too few cases (Carpenter, Test inversion bootstrap confidence
    intervals, 1999). The measured norm itself may lie above the interval.

    Args:
        differences: as measured; shape (...).
        draws: the same in each resample; shape (n_resamples, ...).
        norm: maps shape (n_resamples, ...) to (n_resamples,).
        confidence: probability that the interval covers the true norm.
    """
    value = float(norm(differences))
    noise = draws[np.isfinite(norm(draws))] - differences
    if not _are_enough(len(noise), len(draws)):
        return Estimate(value)

    def find(measured: float, level: float) -> float:
        def share_below(scale: float) -> float:
            return float(np.mean(norm(scale * differences + noise) <= measured))

        return float(norm(_find_scale(share_below, level) * differences))

    # A norm that few perfect ones are below says no more than theirs; else the interval could end at 0 (Cowan et al.,
    # Power-constrained limits, 2011).
    least = float(np.quantile(norm(noise), 1 - confidence))
    return Estimate(value, find(value, (1 + confidence) / 2), find(max(value, least), (1 - confidence) / 2))


def _resample(n_households: int, n_resamples: int, seed: int, n_at_once: int) -> Iterator[Floats]:
    random = np.random.default_rng(seed)
    for start in range(0, n_resamples, n_at_once):
        n_samples = min(n_at_once, n_resamples - start)
        drawn = random.integers(n_households, size=(n_samples, n_households))
        cells = drawn + n_households * np.arange(n_samples)[:, None]
        counts = np.bincount(cells.ravel(), minlength=n_samples * n_households)
        yield counts.reshape(n_samples, n_households).astype(float)


def _percentile(value: float, draws: Floats, confidence: float) -> Estimate:
    defined = draws[np.isfinite(draws)]
    if not _are_enough(len(defined), len(draws)):
        return Estimate(value)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, float(low), float(high))


def _are_enough(n_defined: int, n_resamples: int) -> bool:
    # A metric that most resamples leave undefined has no interval worth the name.
    return n_defined > 0 and 2 * n_defined >= n_resamples


def _find_scale(share_below: Callable[[float], float], level: float) -> float:
    """Find the scale from which on at most the share ``level`` lies below what was measured."""
    low, high = 0.0, 1.0
    if share_below(low) <= level:
        return low
    for _ in range(_MOST_DOUBLINGS):
        if share_below(high) <= level:
            break
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if share_below(middle) <= level else (middle, high)
    return high
