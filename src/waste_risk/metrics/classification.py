"""How well a probability ranks and predicts; each metric for one sample or for many at once.

Every function takes a ``Tally`` and returns an array of its leading shape, NaN where the metric is undefined.
A row is an alert when its probability is at or above the threshold.
"""

import numpy as np

from waste_risk.arrays import Floats
from waste_risk.metrics.tally import Tally, ratio


def roc_auc(tally: Tally) -> Floats:
    """Compute the probability that a positive scores above a negative, a tie counting half (Mann and Whitney 1947)."""
    positives_above = np.cumsum(tally.positives, axis=-1) - tally.positives / 2
    pairs = tally.positives.sum(axis=-1) * tally.negatives.sum(axis=-1)
    return ratio((tally.negatives * positives_above).sum(axis=-1), pairs)


def average_precision(tally: Tally) -> Floats:
    """Compute the mean precision over the recall, without interpolation, as scikit-learn does."""
    precision_so_far = ratio(np.cumsum(tally.positives, axis=-1), np.cumsum(tally.totals, axis=-1))
    gained = np.where(tally.positives > 0, tally.positives * precision_so_far, 0)
    return ratio(gained.sum(axis=-1), tally.positives.sum(axis=-1))


def brier_score(tally: Tally) -> Floats:
    """Compute the mean squared distance between probability and outcome (Brier 1950)."""
    squares = tally.positives @ (1 - tally.scores) ** 2 + tally.negatives @ tally.scores**2
    return ratio(squares, tally.totals.sum(axis=-1))


def log_loss(tally: Tally) -> Floats:
    """Compute the mean negative log-likelihood in nats, probabilities clipped by epsilon as scikit-learn does."""
    epsilon = np.finfo(np.float64).eps
    scores = np.clip(tally.scores, epsilon, 1 - epsilon)
    loss = -(tally.positives @ np.log(scores) + tally.negatives @ np.log1p(-scores))
    return ratio(loss, tally.totals.sum(axis=-1))


def precision(tally: Tally, *, threshold: float) -> Floats:
    """Compute the share of the alerts that are positive; NaN without alerts."""
    return ratio(_among_alerts(tally, tally.positives, threshold), _among_alerts(tally, tally.totals, threshold))


def recall(tally: Tally, *, threshold: float) -> Floats:
    """Compute the share of the positives that are alerts; NaN without positives."""
    return ratio(_among_alerts(tally, tally.positives, threshold), tally.positives.sum(axis=-1))


def f1_score(tally: Tally, *, threshold: float) -> Floats:
    """Compute the harmonic mean of precision and recall; 0 when no alert is right, NaN without alerts and positives."""
    found, alerts = (_among_alerts(tally, counts, threshold) for counts in (tally.positives, tally.totals))
    return ratio(2 * found, alerts + tally.positives.sum(axis=-1))


def precision_at_k(tally: Tally, *, k: float) -> Floats:
    """Compute the share of positives among the ``k`` highest scores, or among all rows if there are fewer.

    Rows of the score at the border count in proportion: the mean over all orders of equal scores (McSherry and Najork,
    Computing information retrieval performance measures efficiently in the presence of tied scores, 2008).
    """
    return ratio(_positives_among(tally, k), np.minimum(k, tally.totals.sum(axis=-1)))


def recall_at_k(tally: Tally, *, k: float) -> Floats:
    """Compute the share of the positives that are among the ``k`` highest scores; ties as in ``precision_at_k``."""
    return ratio(_positives_among(tally, k), tally.positives.sum(axis=-1))


def alert_rate(tally: Tally, *, threshold: float) -> Floats:
    """Compute the share of the rows that are alerts."""
    return ratio(_among_alerts(tally, tally.totals, threshold), tally.totals.sum(axis=-1))


def false_positive_rate(tally: Tally, *, threshold: float) -> Floats:
    """Compute the share of the negatives that are alerts; NaN without negatives."""
    found, alerts = (_among_alerts(tally, counts, threshold) for counts in (tally.positives, tally.totals))
    return ratio(alerts - found, tally.totals.sum(axis=-1) - tally.positives.sum(axis=-1))


def mean_cost(tally: Tally, *, threshold: float, false_alarm: float, missed_item: float) -> Floats:
    """Compute the mean cost of a row, given the costs of a false alarm and of a missed positive."""
    found, alerts = (_among_alerts(tally, counts, threshold) for counts in (tally.positives, tally.totals))
    cost = false_alarm * (alerts - found) + missed_item * (tally.positives.sum(axis=-1) - found)
    return ratio(cost, tally.totals.sum(axis=-1))


def base_rate(tally: Tally) -> Floats:
    """Compute the share of positives among all rows."""
    return ratio(tally.positives.sum(axis=-1), tally.totals.sum(axis=-1))


def mean_probability(tally: Tally) -> Floats:
    """Compute the mean probability; it equals the base rate of a model that is calibrated in the large."""
    return ratio(tally.totals @ tally.scores, tally.totals.sum(axis=-1))


def calibration_in_the_large(tally: Tally) -> Floats:
    """Compute the mean probability less the base rate: above 0 the model predicts too much."""
    return mean_probability(tally) - base_rate(tally)


def _among_alerts(tally: Tally, counts: Floats, threshold: float) -> Floats:
    n_scores = np.count_nonzero(tally.scores >= threshold)  # they descend, so the alerts come first
    return np.asarray(counts[..., :n_scores].sum(axis=-1), dtype=np.float64)


def _positives_among(tally: Tally, k: float) -> Floats:
    """Sum the positives of the k highest scores, of the score at the border in proportion."""
    reached = np.cumsum(tally.totals, axis=-1)
    whole = tally.positives * (reached <= k)
    border = (reached > k) & (reached - tally.totals < k)
    part = np.where(border, tally.positives * ratio(k - (reached - tally.totals), tally.totals), 0)
    return np.asarray((whole + part).sum(axis=-1), dtype=np.float64)
