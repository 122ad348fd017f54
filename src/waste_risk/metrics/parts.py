"""The parts that a validation's record is made of. A value is NaN where the rows do not define it."""

from collections.abc import Iterable
from dataclasses import dataclass

from waste_risk.metrics.bootstrap import Estimate


@dataclass(frozen=True)
class ScoreMetrics:
    """Metrics of one column of scores in [0, 1]; f1 at the model's threshold."""

    auc: Estimate
    average_precision: Estimate
    brier_score: Estimate
    log_loss: Estimate
    precision_at_k: Estimate
    recall_at_k: Estimate
    f1: Estimate


@dataclass(frozen=True)
class CalibrationByChance:
    """The calibration error of a perfectly calibrated model: its mean, its upper quantile, and how rare ours is."""

    mean: float
    high: float
    p_value: float


@dataclass(frozen=True)
class AndersonDarling:
    """Whether the probability integral transform is uniform."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class TradeOff:
    """What a threshold would give."""

    threshold: float
    n_alerts: int
    precision: Estimate
    recall: Estimate


@dataclass(frozen=True)
class CostlyThreshold:
    """The threshold that was cheapest out of fold, judged on the window; costs are means over the rows.

    Attributes:
        threshold: the cheapest, out of fold.
        cost: at that threshold.
        cost_at_threshold: at the threshold of the highest F1.
        cost_without_alerts: if the app never said anything.
    """

    threshold: float
    precision: Estimate
    recall: Estimate
    cost: Estimate
    cost_at_threshold: Estimate
    cost_without_alerts: Estimate


@dataclass(frozen=True)
class LeadTime:
    """Days from an item's first alert to its waste.

    Attributes:
        n_items: wasted items that were warned of.
        mean_days: over these items; likewise median_days.
    """

    n_items: int
    mean_days: Estimate
    median_days: Estimate


@dataclass(frozen=True)
class WeeklyAlerts:
    """What comes of at most ``per_week`` alerts a week for each household."""

    per_week: int
    n_alerts: int
    precision: Estimate
    recall: Estimate


@dataclass(frozen=True)
class Baseline:
    """A simple rule on the same rows; auc_gain is the model's AUC less the rule's, household by household."""

    auc: Estimate
    average_precision: Estimate
    brier_score: Estimate
    auc_gain: Estimate


@dataclass(frozen=True)
class AdversarialValidation:
    """How well a model tells the test window from development on households that it has not seen; 0.5 is not at all.

    Attributes:
        features: those it goes by, the strongest first.
    """

    auc: Estimate
    features: tuple[str, ...]


@dataclass(frozen=True)
class PurestFeature:
    """The feature that by itself comes nearest to marking nothing but wasted rows; none is nearly sure but by a leak.

    Attributes:
        precision: share of truly wasted among the rows in one range of it; ``n_rows`` are there.
    """

    name: str
    precision: Estimate
    n_rows: int


@dataclass(frozen=True)
class GroupMetrics:
    """Metrics within a group; calibration_gap is its mean probability less its base rate."""

    auc: Estimate
    expected_calibration_error: Estimate
    calibration_gap: Estimate
    base_rate: Estimate
    alert_rate: Estimate
    recall: Estimate
    false_positive_rate: Estimate


@dataclass(frozen=True)
class Group:
    """Some of the rows; ``measured`` is null for a group too small to say anything about."""

    name: str
    n_rows: int
    n_households: int
    n_wasted: int
    measured: GroupMetrics | None


@dataclass(frozen=True)
class Fairness:
    """How differently the groups of one attribute are treated; gaps are over the measured groups, null below two.

    Attributes:
        groups: every group, small ones too.
        demographic_parity_difference: between the largest and the smallest share of alerts.
        equalised_odds_difference: the larger of the gaps in recall and in the false positive rate.
        auc_difference: between the largest and the smallest AUC.
        largest_calibration_gap: largest |mean probability − base rate| within a group; null without any.
    """

    groups: tuple[Group, ...]
    demographic_parity_difference: Estimate | None
    equalised_odds_difference: Estimate | None
    auc_difference: Estimate | None
    largest_calibration_gap: Estimate | None


def keep_measured(groups: Iterable[Group]) -> list[tuple[Group, GroupMetrics]]:
    """Give the groups that were large enough, each with its metrics."""
    return [(group, group.measured) for group in groups if group.measured is not None]
