"""Drift: how differently rows are spread over the bins of each column than they were in a reference, and by chance.

The population stability index (PSI) of the newest moment is compared with those of the reference's own moments, with
their households resampled. So the alarm has a stated rate of false alarms over all columns together, and what varies
from week to week anyway, or grows as histories grow, raises its own limit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.arrays import Floats
from waste_risk.errors import ContractError
from waste_risk.metrics import FEWEST_HOUSEHOLDS
from waste_risk.metrics.tally import ratio
from waste_risk.model.predictor import WastePredictor
from waste_risk.monitoring.expected import expected_log_loss
from waste_risk.observations.observe import open_items
from waste_risk.parameters import Monitoring

Bins = NDArray[np.intp]

PROBABILITY = "waste_probability"

_IN_AN_EMPTY_BIN = 0.5  # rows added to every bin, so that an empty one does not make the index infinite
_FEWEST_MOMENTS = 4


@dataclass(frozen=True)
class Drift:
    """The drift of one column.

    Attributes:
        psi: of the newest moment against the reference; 0 is no change.
        usual: the mean of the reference's own moments, each with its households resampled.
        limit: what the PSI must exceed for an alarm: the quantile of those over all columns, or the least that matters.
    """

    name: str
    psi: float
    usual: float
    limit: float

    @property
    def is_beyond(self) -> bool:
        """Whether the PSI lies above its limit."""
        return self.psi > self.limit


@dataclass(frozen=True)
class Change:
    """How the rows of the newest moment differ from those of the reference.

    Attributes:
        as_of: the newest moment, as ISO text.
        reference_from: the first moment of the reference, as ISO text; reference_until the last one.
        n_moments: weekly moments of the reference.
        expected_log_loss: of the reference, in nats, if its probabilities are calibrated.
        columns: the drift of each feature and of the probability, the largest relative to its limit first.
    """

    as_of: str
    reference_from: str
    reference_until: str
    n_moments: int
    expected_log_loss: float
    columns: tuple[Drift, ...]


@dataclass(frozen=True, eq=False)
class DriftReference:
    """The rows of some weekly moments, as counts in bins, and what their own moments differ by.

    Attributes:
        names: of the columns.
        edges: the inner edges of each column's bins, which hold equal shares of the reference; null has its own bin.
        counts: rows of the reference in each bin, by column; shape (n_columns, n_bins).
        usual: mean PSI of the resampled moments, by column.
        limits: of the PSI, by column.
    """

    names: tuple[str, ...]
    edges: tuple[Floats, ...]
    counts: Floats
    usual: Floats
    limits: Floats

    def measure(self, newest: pd.DataFrame) -> tuple[Drift, ...]:
        """Measure the drift of every column at one moment, the largest PSI relative to its limit first."""
        bins = _place(newest, self.names, self.edges)
        psi = stability_index(_count(bins, np.ones(len(newest)), self.counts.shape[1]), self.counts)
        order = np.argsort(-psi / self.limits, kind="stable")
        return tuple(
            Drift(self.names[each], float(psi[each]), float(self.usual[each]), float(self.limits[each]))
            for each in order
        )


def observe_weekly(
    items: pd.DataFrame, events: pd.DataFrame, as_of: pd.Timestamp, until: pd.Timestamp, params: Monitoring
) -> pd.DataFrame:
    """Observe the open items at a moment, and at the weekly moments before it that make up the reference.

    Items older than those that the predictor has learned from are left out.

    Args:
        items: the items table.
        events: the events table.
        as_of: the moment that is compared with the reference.
        until: the reference ends here: its moments have the weekday and the time of day of ``as_of``.
        params: the section ``monitoring`` of the parameters.

    Returns:
        item_id, household_id, observed_on: the reference in the order of time, then the moment itself.

    Raises:
        ContractError: no such item is open at the moment.
    """
    weeks_ago = max(math.ceil((as_of - until) / pd.Timedelta(weeks=1)), 1)
    ago = [0, *range(weeks_ago, weeks_ago + params.reference_weeks)]
    moments = [open_items(items, events, as_of - pd.Timedelta(weeks=each)) for each in reversed(ago)]
    rows = pd.concat(moments, ignore_index=True)
    purchased_on = items.set_index("item_id")["purchased_on"].reindex(rows["item_id"]).to_numpy()
    is_learned = (rows["observed_on"] - purchased_on <= pd.Timedelta(days=params.max_age_days)).to_numpy()
    if not (is_learned & (rows["observed_on"] == as_of).to_numpy()).any():
        raise ContractError(
            f"items: none that is up to {params.max_age_days} days old is open at {as_of.isoformat()}, the newest "
            "scored moment, so its drift cannot be measured; score another one"
        )
    return rows.iloc[np.flatnonzero(is_learned)].reset_index(drop=True)


def measure_change(features: pd.DataFrame, predictor: WastePredictor, params: Monitoring) -> Change:
    """Measure the drift of every feature that the predictor reads, and of its probability, at the newest moment.

    Args:
        features: of the observations of ``observe_weekly``.
        predictor: the champion, which predicts the reference and the newest moment alike.
        params: the section ``monitoring`` of the parameters.

    Raises:
        ContractError: the reference is too small.
    """
    columns = (*predictor.metadata.feature_names, PROBABILITY)
    rows = features.assign(**{PROBABILITY: predictor.predict(features)[PROBABILITY]})
    as_of = rows["observed_on"].max()
    is_newest = rows["observed_on"] == as_of
    reference = rows[~is_newest].reset_index(drop=True)
    drift = describe_reference(reference, columns, params).measure(rows[is_newest])
    return Change(
        as_of=as_of.isoformat(),
        reference_from=reference["observed_on"].min().isoformat(),
        reference_until=reference["observed_on"].max().isoformat(),
        n_moments=reference["observed_on"].nunique(),
        expected_log_loss=expected_log_loss(reference[PROBABILITY]),
        columns=drift,
    )


def describe_reference(rows: pd.DataFrame, columns: Sequence[str], params: Monitoring) -> DriftReference:
    """Count the rows of the reference in bins, and find by resampling what drift is usual among its moments.

    A resample takes the rows of one moment, its households drawn with replacement, and compares them with all other
    moments; what drawing anew adds on average to the index is subtracted. The roots of the indices are standardized
    column by column, and the largest over all columns stays below its limit with the probability `alarm_confidence`:
    a rate of false alarms for the family.

    Args:
        rows: observations at several moments: ``household_id``, ``observed_on`` and the columns.
        columns: those whose drift is measured.
        params: the section ``monitoring`` of the parameters.

    Raises:
        ContractError: the rows have too few moments or households to say what is usual.
    """
    moments = rows["observed_on"].unique()
    _refuse_few(rows, len(moments))
    edges = tuple(_find_edges(rows[name], params.n_bins) for name in columns)
    bins, n_bins = _place(rows, columns, edges), max(map(len, edges)) + 2
    counts = _count(bins, np.ones(len(rows)), n_bins)
    random = np.random.default_rng(params.seed)
    draws = np.concatenate(
        [
            _resample(bins[here], rows["household_id"][here], counts, params.n_resamples // len(moments) + 1, random)
            for here in (rows["observed_on"] == moment for moment in moments)
        ]
    )
    roots = np.sqrt(np.maximum(draws, 0))  # of the index, which is a sum of squares, the root is nearly normal
    mean, deviation = roots.mean(axis=0), roots.std(axis=0)
    # Of a column that is the same in all rows, no resample differs.
    standardized = np.where(deviation > 0, ratio(roots - mean, deviation), 0)
    reach = np.quantile(standardized.max(axis=1), params.alarm_confidence)
    limits = np.maximum((mean + reach * deviation) ** 2, params.min_psi)
    return DriftReference(tuple(columns), edges, counts, draws.mean(axis=0), limits)


def stability_index(counts: Floats, reference: Floats) -> Floats:
    """Compute the population stability index of counts against others, over the last axis; the first bin is of nulls.

    It is the sum over the bins of the difference of the shares times the difference of their logarithms (Siddiqi,
    Credit risk scorecards, 2006), over the known values, and over null or not where nulls have become more. That nulls
    become fewer is no drift: a household's history grows, and what it has done once is known from then on.
    """
    known = _index(counts[..., 1:], reference[..., 1:])
    of_null = _index(_by_null(counts), _by_null(reference))
    is_more = ratio(counts[..., 0], counts.sum(axis=-1)) > ratio(reference[..., 0], reference.sum(axis=-1))
    return known + np.where(is_more, of_null, 0)


def _index(counts: Floats, reference: Floats) -> Floats:
    shares, other = (_shares(each) for each in (counts, reference))
    return np.asarray(((shares - other) * np.log(shares / other)).sum(axis=-1), dtype=np.float64)


def _by_null(counts: Floats) -> Floats:
    return np.stack([counts[..., 0], counts[..., 1:].sum(axis=-1)], axis=-1)


def _shares(counts: Floats) -> Floats:
    filled = counts + _IN_AN_EMPTY_BIN
    return ratio(filled, filled.sum(axis=-1, keepdims=True))


def _find_edges(values: pd.Series, n_bins: int) -> Floats:
    known = values.to_numpy(dtype=np.float64)
    known = known[~np.isnan(known)]
    inner = np.linspace(0, 1, n_bins + 1)[1:-1]
    return np.unique(np.quantile(known, inner)) if len(known) else np.empty(0)


def _place(rows: pd.DataFrame, columns: Sequence[str], edges: Sequence[Floats]) -> Bins:
    """Return the bin of each row in each column; the first one is that of null."""
    placed = np.empty((len(rows), len(columns)), dtype=np.intp)
    for number, (name, inner) in enumerate(zip(columns, edges, strict=True)):
        values = rows[name].to_numpy(dtype=np.float64)
        placed[:, number] = np.where(np.isnan(values), 0, 1 + np.searchsorted(inner, values))
    return placed


def _count(bins: Bins, weights: Floats, n_bins: int) -> Floats:
    """Sum the weights of the rows in each bin of each column; shape (n_columns, n_bins)."""
    return np.stack([np.bincount(column, weights, minlength=n_bins) for column in bins.T])


def _resample(bins: Bins, households: pd.Series, counts: Floats, n_draws: int, random: np.random.Generator) -> Floats:
    """Return the PSI of each column in each resample of one moment; shape (n_draws, n_columns)."""
    household, n_bins = pd.factorize(households)[0], counts.shape[1]
    n_households = household.max() + 1
    drawn = random.multinomial(n_households, np.full(n_households, 1 / n_households), size=n_draws)
    psi = np.empty((n_draws, bins.shape[1]))
    for number, column in enumerate(bins.T):
        cells = np.bincount(household * n_bins + column, minlength=n_households * n_bins)
        by_household = cells.reshape(n_households, n_bins).astype(np.float64)
        others = counts[number] - by_household.sum(axis=0)
        alone, resampled = (stability_index(each @ by_household, others) for each in (np.ones(n_households), drawn))
        psi[:, number] = resampled - (resampled.mean() - alone)
    return psi


def _refuse_few(rows: pd.DataFrame, n_moments: int) -> None:
    n_households = rows.groupby("observed_on")["household_id"].nunique().min() if n_moments else 0
    if n_moments < _FEWEST_MOMENTS or n_households < FEWEST_HOUSEHOLDS:
        raise ContractError(
            f"reference of the drift: at least {_FEWEST_MOMENTS} weekly moments with open items of "
            f"{FEWEST_HOUSEHOLDS} households each are needed, there are {n_moments} with {n_households} at the fewest"
        )
