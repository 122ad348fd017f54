"""Expected performance: what calibrated probabilities alone say about how right they will prove to be.

Of rows with probability p, a share p will be wasted. So each metric has an expected value before any label is mature,
which is the metric of a tally whose positives are the sums of the probabilities (confidence-based estimation).
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from waste_risk.arrays import Floats
from waste_risk.metrics import (
    Estimate,
    EvaluationRows,
    Resampling,
    Tally,
    base_rate,
    brier_score,
    log_loss,
    number_households,
    precision,
    recall,
    roc_auc,
)
from waste_risk.metrics.rows import as_probability
from waste_risk.parameters import Monitoring
from waste_risk.tables.contracts import EXPECTED_METRICS

LEARNED, OLDER = "learned", "older"


def estimate_performance(predictions: pd.DataFrame, items: pd.DataFrame, params: Monitoring) -> pd.DataFrame:
    """Estimate the performance that predictions will prove to have, before any label is known.

    Items older than those that the predictor has learned from are estimated apart: only for the others is it known to
    be calibrated. Intervals are of the realized value: households are resampled, outcomes drawn from the probabilities.

    Args:
        predictions: the table ``predictions``, of one or more moments and predictors.
        items: the items table, for the ages.
        params: the section ``monitoring`` of the parameters.

    Returns:
        the table ``expected_performance``: for each moment, predictor and kind of ages (``learned`` or ``older``) that
        occurs, counts of rows, households and alerts, the lowest probability of an alert (null without one), and for
        each of EXPECTED_METRICS its expected value and the ends of its interval.
    """
    aged = predictions.assign(ages=name_ages(predictions, items, params))
    keys = ["as_of", "model_version", "predictor_sha256", "ages"]
    rows = [
        {**dict(zip(keys, key, strict=True)), **_describe(group, params), **_columns(_estimate(group, params))}
        for key, group in aged.groupby(keys, observed=True)
    ]
    columns = [*keys, *_COUNTS, "alert_from", *(f"{name}{end}" for name in EXPECTED_METRICS for end in _ENDS)]
    text = dict.fromkeys(keys[1:], "str")
    return pd.DataFrame(rows, columns=columns).astype({"as_of": "datetime64[us]", **text})


def read_estimates(row: pd.Series) -> dict[str, Estimate]:
    """Return each of EXPECTED_METRICS from a row of the table ``expected_performance``."""
    return {
        name: Estimate(float(row[name]), _end(row[f"{name}_low"]), _end(row[f"{name}_high"]))
        for name in EXPECTED_METRICS
    }


def name_ages(predictions: pd.DataFrame, items: pd.DataFrame, params: Monitoring) -> pd.Series:
    """Return for each prediction whether the predictor has learned from items of that age, or its item is older."""
    purchased_on = items.set_index("item_id")["purchased_on"].reindex(predictions["item_id"]).to_numpy()
    age = predictions["as_of"] - purchased_on
    return pd.Series(np.where(age <= pd.Timedelta(days=params.max_age_days), LEARNED, OLDER), predictions.index)


def measure(tally: Tally, alert_from: float, high_confidence: float) -> dict[str, Floats]:
    """Compute each of EXPECTED_METRICS; precision is NaN without alerts."""
    return {
        "base_rate": base_rate(tally),
        "log_loss": log_loss(tally),
        "brier_score": brier_score(tally),
        "auc": roc_auc(tally),
        "precision": precision(tally, threshold=alert_from),
        "recall": recall(tally, threshold=alert_from),
        "precision_at_high_confidence": precision(tally, threshold=high_confidence),
        "recall_at_high_confidence": recall(tally, threshold=high_confidence),
    }


def lowest_alert(predictions: pd.DataFrame) -> float:
    """Return the lowest probability of an alert, which separates these rows as the threshold does; NaN without one."""
    return float(predictions["waste_probability"].where(predictions["is_alert"]).min())


def expected_log_loss(probability: pd.Series) -> float:
    """Return the log loss that calibrated probabilities will have: their mean entropy, in nats."""
    values = probability.to_numpy(dtype=np.float64)
    scores, counts = np.unique(values, return_counts=True)
    return float(log_loss(Tally(scores, counts * scores, counts.astype(np.float64))))


_COUNTS = ("n_rows", "n_households", "n_alerts", "n_high_confidence")
_ENDS = ("", "_low", "_high")


def _describe(rows: pd.DataFrame, params: Monitoring) -> dict[str, Any]:
    return {
        "n_rows": len(rows),
        "n_households": rows["household_id"].nunique(),
        "n_alerts": int(rows["is_alert"].sum()),
        "n_high_confidence": int((rows["waste_probability"] >= params.high_confidence).sum()),
        "alert_from": lowest_alert(rows),
    }


def _estimate(rows: pd.DataFrame, params: Monitoring) -> dict[str, Estimate]:
    probability = as_probability(rows["waste_probability"], len(rows), "waste_probability")
    household = number_households(rows["household_id"], len(rows))
    resampling = Resampling(int(household.max()) + 1, params.n_resamples, params.confidence, params.seed)
    counts = EvaluationRows(probability, probability, household, resampling).count()
    random, thresholds = np.random.default_rng(params.seed), (lowest_alert(rows), params.high_confidence)

    def draw(weights: Floats) -> dict[str, Floats]:
        totals = counts.weighted(weights).totals
        drawn = random.binomial(totals.astype(np.int64), counts.scores).astype(np.float64)
        return measure(Tally(counts.scores, drawn, totals), *thresholds)

    intervals = resampling.estimate(draw, n_columns=len(rows))
    expected = measure(counts.weighted(np.ones((1, resampling.n_households))), *thresholds)
    return {name: replace(intervals[name], value=float(expected[name][0])) for name in EXPECTED_METRICS}


def _columns(estimates: dict[str, Estimate]) -> dict[str, float]:
    return {
        f"{name}{end}": np.nan if number is None else number
        for name, estimate in estimates.items()
        for end, number in zip(_ENDS, (estimate.value, estimate.low, estimate.high), strict=True)
    }


def _end(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
