"""``metric()``, by which the catalogue defines a metric, and the window and resamples that it is computed from.

A definition is a field of a record, ``auc: Estimate = metric(…)``: whoever reads the record finds label, meaning and
decimals in the field's metadata, so a metric is added in one place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

import numpy as np

from waste_risk.arrays import Floats, Mask
from waste_risk.metrics.bootstrap import Estimate, Norm
from waste_risk.metrics.calibration import ReliabilityBins, brier_decomposition, calibration_line, reliability_bins
from waste_risk.metrics.days import HouseholdErrors, sum_errors
from waste_risk.metrics.rows import EvaluationRows, Share
from waste_risk.metrics.tally import HouseholdTally, Tally
from waste_risk.parameters import Validation

SectionName = Literal[
    "classification", "calibration", "threshold", "high_confidence", "days", "label_days", "group", "unlisted"
]


@dataclass(frozen=True)
class Window:
    """The rows of an evaluation, its settings, and the optional columns; shape (n_rows,) each.

    Attributes:
        rows: outcomes, probabilities and households.
        params: the section ``validation`` of the parameters.
        threshold: probability from which a row is an alert.
        high_confidence: probability from which an alert is a high-confidence alert.
        oracle: the true probability, where the source knows it.
        newest: marks the rows of the newest days, where dates are known.
        days: days from the observation to the waste, NaN where not wasted.
        days_predicted: the model's days.
        days_on_label: days from the observation to the printed date, NaN without one.
    """

    rows: EvaluationRows
    params: Validation
    threshold: float
    high_confidence: float
    oracle: Floats | None = None
    newest: Mask | None = None
    days: Floats | None = None
    days_predicted: Floats | None = None
    days_on_label: Floats | None = None

    @cached_property
    def counts(self) -> HouseholdTally:
        """Rows and positives of each household at each probability."""
        return self.rows.count()

    @cached_property
    def oracle_counts(self) -> HouseholdTally:
        """The same at each true probability; needs ``oracle``."""
        return self.rows.count(self.oracle)

    @cached_property
    def newest_gap(self) -> Share:
        """Mean probability less base rate of the newest rows; needs ``newest``."""
        newest = np.asarray(self.newest, dtype=np.bool_)
        return self.rows.share(np.where(newest, self.rows.probability - self.rows.wasted, 0.0), newest)

    @cached_property
    def days_errors(self) -> HouseholdErrors:
        """Errors of the predicted days over the wasted rows; needs ``days`` and ``days_predicted``."""
        return self._sum_errors(self.days, self.days_predicted)

    @cached_property
    def label_errors(self) -> HouseholdErrors:
        """Errors of the days on the label over the wasted rows with a printed date; needs both columns."""
        return self._sum_errors(self.days, self.days_on_label)

    @cached_property
    def days_errors_where_label(self) -> HouseholdErrors:
        """Errors of the predicted days over the same rows; needs all three columns."""
        days, on_label = (np.asarray(each, dtype=np.float64) for each in (self.days, self.days_on_label))
        return self._sum_errors(np.where(np.isfinite(on_label), days, np.nan), self.days_predicted)

    def count_alerting_households(self, threshold: float) -> int:
        """Count the households with at least one probability at or above a threshold."""
        return self.rows.count_households(self.rows.probability >= threshold)

    def _sum_errors(self, true: Floats | None, predicted: Floats | None) -> HouseholdErrors:
        days, guess = (np.asarray(column, dtype=np.float64) for column in (true, predicted))
        return sum_errors(true=days, predicted=guess, household=self.rows.household)


@dataclass(frozen=True)
class Resample:
    """What a metric is computed from: a window with its households reweighted, once or many times at once.

    Attributes:
        window: the rows that are reweighted, and the settings.
        tally: the weighted rows and positives at each score; shape (..., n_scores).
        weights: of the households; shape (n_samples, n_households).
    """

    window: Window
    tally: Tally
    weights: Floats

    @cached_property
    def bins(self) -> ReliabilityBins:
        """The rows in bins of equal mass."""
        return reliability_bins(self.tally, n_bins=self.window.params.n_bins)

    @cached_property
    def brier_parts(self) -> tuple[Floats, Floats, Floats]:
        """Reliability, resolution and uncertainty."""
        return brier_decomposition(self.tally, self.bins)

    @cached_property
    def line(self) -> tuple[Floats, Floats]:
        """Calibration intercept and slope."""
        return calibration_line(self.tally)

    @cached_property
    def oracle_tally(self) -> Tally:
        """The weighted rows and positives at each true probability."""
        return self.window.oracle_counts.weighted(self.weights)


@dataclass(frozen=True)
class Metric:
    """The definition of a metric.

    Attributes:
        compute: maps a resample to the metric, or to the differences that ``norm`` maps to it.
        label: its name on the page; may hold fields of the record in braces, such as ``{top_k:,}``.
        meaning: one line for whoever does not know it.
        section: where reports show it.
        report: its label in the text report; empty if the report does not list it in its section.
        decimals: on the page; the text report writes four, or as many as here for what has a unit.
        unit: such as ``days``; empty for probabilities, shares and scores.
        signed: whether a value above zero is written with a plus.
        norm: see ``bootstrap``.
        needs: what the window must have for it, by the names of its attributes; without it there is no such metric.
        support: number of households that support it; by default those of the rarer outcome.
        interval: its own, none, or the name of the metric whose interval it shares.
    """

    compute: Callable[[Resample], Any]
    label: str
    meaning: str
    section: SectionName
    report: str
    decimals: int
    unit: str
    signed: bool
    norm: Norm | None
    needs: tuple[str, ...]
    support: Callable[[Window], int] | None
    interval: str

    def evaluate(self, resample: Resample) -> Floats:
        """Compute the metric itself, also where ``compute`` returns differences."""
        computed: Floats = self.compute(resample)
        return computed if self.norm is None else self.norm(computed)


OWN_INTERVAL, NO_INTERVAL = "own", "none"


def metric(
    compute: Callable[[Resample], Any],
    label: str,
    meaning: str,
    *,
    section: SectionName,
    report: str = "",
    decimals: int = 3,
    unit: str = "",
    signed: bool = False,
    norm: Norm | None = None,
    needs: tuple[str, ...] = (),
    support: Callable[[Window], int] | None = None,
    interval: str = OWN_INTERVAL,
    optional: bool = False,
) -> Any:
    """Return the field of a record that holds a metric; null by default if it is ``optional`` or needs something.

    See ``Metric`` for the other arguments.
    """
    definition = Metric(
        compute, label, meaning, section, report, decimals, unit, signed, norm, needs, support, interval
    )
    metadata = {"metric": definition, "description": meaning}  # pydantic writes the description into the JSON schema
    return field(default=None, metadata=metadata) if optional or needs else field(metadata=metadata)


def find_definitions(record: type[Any]) -> dict[str, Metric]:
    """Return the metrics that a record defines, by the names of their fields and in that order."""
    return {each.name: each.metadata["metric"] for each in fields(record) if "metric" in each.metadata}


def estimate_metrics(window: Window, definitions: Mapping[str, Metric]) -> dict[str, Estimate]:
    """Estimate each metric for which the window has what it needs, all from the same resamples."""
    known = {
        name: each
        for name, each in definitions.items()
        if all(getattr(window, need) is not None for need in each.needs)
    }
    resampled = {name: each for name, each in known.items() if each.interval == OWN_INTERVAL}

    def measure(weights: Floats) -> dict[str, Floats]:
        resample = Resample(window, window.counts.weighted(weights), weights)
        return {name: each.compute(resample) for name, each in resampled.items()}

    estimates = window.rows.estimate(
        measure,
        norms={name: each.norm for name, each in resampled.items() if each.norm is not None},
        n_behind={name: each.support(window) for name, each in resampled.items() if each.support is not None},
    )
    once = np.ones((1, window.rows.resampling.n_households))
    whole = Resample(window, window.counts.weighted(once), once)
    for name, each in known.items():
        if name not in resampled:
            shared = estimates.get(each.interval, Estimate(np.nan))
            estimates[name] = Estimate(float(each.evaluate(whole)[0]), shared.low, shared.high)
    return estimates
