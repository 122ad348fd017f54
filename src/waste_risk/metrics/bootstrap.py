"""Intervals by resampling households: the rows of one household are no independent evidence.

A resample takes as many households as there are, with replacement; all metrics of a resample come from the same draw.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from waste_risk.metrics.tally import Array

Measure = Callable[[Array], Mapping[str, Array]]

_NUMBERS_IN_MEMORY = 2_000_000
# Resampling fewer clusters than some 20 gives intervals that are too narrow, of width 0 for a single one (Cameron,
# Gelbach and Miller, Bootstrap-based improvements for inference with clustered errors, 2008).
FEWEST_HOUSEHOLDS = 20


@dataclass(frozen=True)
class Estimate:
    """A value and the interval that households' chance leaves it; NaN when undefined, ends null when unknown."""

    value: float
    low: float | None = None
    high: float | None = None

    def __float__(self) -> float:
        """Give the value alone."""
        return self.value


@dataclass(frozen=True)
class Resampling:
    """How intervals are made; equal settings draw equal households, so whatever they estimate is paired.

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
        reflected: frozenset[str] = frozenset(),
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
            reflected=reflected,
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
    reflected: frozenset[str] = frozenset(),
    n_behind: Callable[[str], int] | None = None,
) -> dict[str, Estimate]:
    """Estimate each metric and its interval over resamples of the households (Efron and Tibshirani 1993).

    Intervals are percentiles of the resamples. A metric that noise pushes up, like the mean of absolute differences in
    a calibration error, is pushed up once more in each resample; its percentiles are reflected about the estimate.

    Args:
        measure: maps weights of shape (n_samples, n_households) to metrics of shape (n_samples,).
        n_households: how many households the weights are for.
        n_resamples: how many resamples; 0 leaves the intervals out.
        confidence: probability that the interval covers, e.g. 0.95.
        seed: the same seed gives the same intervals.
        n_at_once: how many resamples are measured together, which bounds the memory.
        reflected: names of the non-negative metrics whose intervals are reflected.
        n_behind: maps the name of a metric to the number of households that it rests on, all of them by default; of
            fewer than ``FEWEST_HOUSEHOLDS`` there is no interval.
    """
    values = measure(np.ones((1, n_households)))
    batches = [measure(weights) for weights in _resample(n_households, n_resamples, seed, n_at_once)]
    draws = {name: np.concatenate([batch[name] for batch in batches] or [np.empty(0)]) for name in values}
    estimates = {name: _percentile(float(value[0]), draws[name], confidence) for name, value in values.items()}
    unsupported = {name for name in values if (n_behind(name) if n_behind else n_households) < FEWEST_HOUSEHOLDS}
    estimates |= {name: Estimate(estimates[name].value) for name in unsupported}
    return {name: _reflect(estimate) if name in reflected else estimate for name, estimate in estimates.items()}


def _resample(n_households: int, n_resamples: int, seed: int, n_at_once: int) -> Iterator[Array]:
    random = np.random.default_rng(seed)
    for start in range(0, n_resamples, n_at_once):
        n_samples = min(n_at_once, n_resamples - start)
        drawn = random.integers(n_households, size=(n_samples, n_households))
        cells = drawn + n_households * np.arange(n_samples)[:, None]
        counts = np.bincount(cells.ravel(), minlength=n_samples * n_households)
        yield counts.reshape(n_samples, n_households).astype(float)


def _percentile(value: float, draws: Array, confidence: float) -> Estimate:
    defined = draws[np.isfinite(draws)]
    # A metric that most resamples leave undefined has no interval worth the name.
    if len(defined) == 0 or 2 * len(defined) < len(draws):
        return Estimate(value)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, float(low), float(high))


def _reflect(estimate: Estimate) -> Estimate:
    if estimate.low is None or estimate.high is None:
        return estimate
    # The bias can exceed the noise; an interval without its own estimate would only confuse.
    low, high = 2 * estimate.value - estimate.high, 2 * estimate.value - estimate.low
    return Estimate(estimate.value, min(max(low, 0.0), estimate.value), max(high, estimate.value))
