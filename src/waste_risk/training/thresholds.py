"""Thresholds chosen on out-of-fold predictions, so that the test window has no say in them."""

import numpy as np
import pandas as pd

from waste_risk.metrics import count_scores
from waste_risk.model.calibration import Calibrator
from waste_risk.parameters import Costs


def choose_threshold(out_of_fold: pd.DataFrame, calibrator: Calibrator) -> float:
    """Return the calibrated probability from which classifying an item as wasted has the highest F1.

    Of thresholds that are equally good, the highest.

    Args:
        out_of_fold: ``score`` and ``wasted`` of each validation row.
        calibrator: turns scores into probabilities.
    """
    probability = calibrator.transform(out_of_fold["score"])
    tally = count_scores(y_true=out_of_fold["wasted"], probability=probability)
    found, alerts = np.cumsum(tally.positives), np.cumsum(tally.totals)
    return float(tally.scores[np.argmax(2 * found / (alerts + tally.positives.sum()))])


def choose_cheapest_threshold(out_of_fold: pd.DataFrame, calibrator: Calibrator, costs: Costs) -> float:
    """Return the calibrated probability from which alerts cost least; 1 if no alert at all costs least.

    Of thresholds that cost the same, the highest. With perfect calibration it is near the cost of a false alarm over
    the sum of both costs (Elkan, The foundations of cost-sensitive learning, 2001).

    Args:
        out_of_fold: ``score`` and ``wasted`` of each validation row.
        calibrator: turns scores into probabilities.
        costs: of a false alarm, and of a missed item.
    """
    tally = count_scores(y_true=out_of_fold["wasted"], probability=calibrator.transform(out_of_fold["score"]))
    false_alarms, found = np.cumsum(tally.negatives), np.cumsum(tally.positives)
    missed = tally.positives.sum() - found
    totals = costs.false_alarm * false_alarms + costs.missed_item * missed
    never = costs.missed_item * tally.positives.sum()
    return float(np.append(1.0, tally.scores)[np.argmin(np.append(never, totals))])
