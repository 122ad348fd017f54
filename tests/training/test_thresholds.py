"""Thresholds: the highest F1, and the lowest cost, out of fold."""

import numpy as np
import pandas as pd
import pytest

from waste_risk.model.calibration import Calibrator
from waste_risk.parameters import Costs
from waste_risk.training.thresholds import choose_cheapest_threshold, choose_threshold

IDENTITY = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))


def out_of_fold(scores: list[float], wasted: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"score": scores, "wasted": np.array(wasted, dtype=bool)})


@pytest.mark.parametrize(
    ("scores", "wasted", "threshold"),
    [
        ([0.1, 0.4, 0.6, 0.9], [0, 0, 1, 1], 0.6),  # all found, none wrong
        ([0.1, 0.4, 0.6, 0.9], [0, 1, 0, 1], 0.4),  # F1 of 0.8 against 2/3 from 0.9 on
        ([0.1, 0.2, 0.3, 0.9], [1, 0, 0, 1], 0.9),  # 2/3 twice: the highest
    ],
)
def test_the_threshold_has_the_highest_f1(scores, wasted, threshold):
    assert choose_threshold(out_of_fold(scores, wasted), IDENTITY) == pytest.approx(threshold)


def test_the_threshold_is_a_calibrated_probability():
    halving = Calibrator("isotonic", (0.0, 1.0), (0.0, 0.5))
    assert choose_threshold(out_of_fold([0.1, 0.4, 0.6, 0.9], [0, 0, 1, 1]), halving) == pytest.approx(0.3)


def test_the_cost_threshold_is_the_cheapest_of_all_out_of_fold():
    random = np.random.default_rng(0)
    score = random.random(20_000).round(2)
    rows = pd.DataFrame({"score": score, "wasted": random.random(20_000) < score})
    chosen = choose_cheapest_threshold(rows, IDENTITY, Costs(false_alarm=1, missed_item=3))

    def cost(threshold):
        alerts, wasted = score >= threshold, rows["wasted"]
        return float((alerts & ~wasted).sum() + 3 * (~alerts & wasted).sum())

    assert cost(chosen) == min(cost(threshold) for threshold in [*np.unique(score), 1.0])
    assert chosen == pytest.approx(1 / (1 + 3), abs=0.1)


def test_if_false_alarms_cost_too_much_no_alert_is_cheapest():
    rows = out_of_fold([0.2, 0.8], [1, 0])
    assert choose_cheapest_threshold(rows, IDENTITY, Costs(false_alarm=100, missed_item=1)) == 1
