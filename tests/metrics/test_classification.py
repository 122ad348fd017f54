"""Metrics of ranking and of decisions at a threshold, beside scikit-learn."""

import math
from functools import partial

import numpy as np
import pytest
from evaluating import SETTINGS, draw_rows, evaluate_rows, tally_of
from sklearn import metrics as sklearn_metrics

from waste_risk.metrics import (
    average_precision,
    base_rate,
    brier_score,
    count_scores,
    f1_score,
    log_loss,
    mean_probability,
    precision,
    precision_at_k,
    recall,
    recall_at_k,
    roc_auc,
)

measure = partial(evaluate_rows, **SETTINGS)  # what a test says otherwise wins


# Published examples: the docstrings of scikit-learn's functions of the same names.


def test_auc_and_average_precision_give_the_published_example():
    tally = count_scores(y_true=[0, 0, 1, 1], probability=[0.1, 0.4, 0.35, 0.8])
    assert roc_auc(tally) == 0.75
    assert average_precision(tally) == pytest.approx(0.8333333333)


def test_brier_score_and_log_loss_give_the_published_examples():
    assert brier_score(count_scores(y_true=[0, 1, 1, 0], probability=[0.1, 0.9, 0.8, 0.3])) == pytest.approx(0.0375)
    tally = count_scores(y_true=[1, 0, 0, 1], probability=[0.9, 0.1, 0.2, 0.65])
    assert log_loss(tally) == pytest.approx(0.21616, abs=5e-6)


def test_a_tie_between_a_positive_and_a_negative_counts_half_in_the_auc():
    assert roc_auc(count_scores(y_true=[1, 0], probability=[0.5, 0.5])) == 0.5
    assert roc_auc(count_scores(y_true=[1, 0, 0], probability=[0.5, 0.5, 0.2])) == 0.75


@pytest.mark.parametrize("decimals", [None, 2, 1, 0])
def test_every_point_estimate_equals_scikit_learn(decimals):
    rows = draw_rows(decimals=decimals)
    y_true, probability, said = rows["y_true"], rows["probability"], rows["probability"] >= 0.4
    found, tally = measure(**rows), tally_of(rows)
    assert found.auc.value == pytest.approx(sklearn_metrics.roc_auc_score(y_true, probability))
    assert found.average_precision.value == pytest.approx(sklearn_metrics.average_precision_score(y_true, probability))
    assert found.brier_score.value == pytest.approx(sklearn_metrics.brier_score_loss(y_true, probability))
    assert found.log_loss.value == pytest.approx(sklearn_metrics.log_loss(y_true, probability))
    assert found.precision.value == pytest.approx(sklearn_metrics.precision_score(y_true, said))
    assert found.recall.value == pytest.approx(sklearn_metrics.recall_score(y_true, said))
    assert found.f1.value == pytest.approx(sklearn_metrics.f1_score(y_true, said))
    assert (found.base_rate.value, found.mean_probability.value) == pytest.approx((y_true.mean(), probability.mean()))
    assert (base_rate(tally), mean_probability(tally)) == pytest.approx((y_true.mean(), probability.mean()))


def test_a_probability_at_the_threshold_is_an_alert():
    tally = count_scores(y_true=[1, 0, 1], probability=[0.7, 0.7, 0.2])
    assert (precision(tally, threshold=0.7), recall(tally, threshold=0.7)) == (0.5, 0.5)
    assert f1_score(tally, threshold=0.7) == 0.5


def test_without_alerts_precision_is_undefined_and_recall_is_zero():
    tally = count_scores(y_true=[1, 0], probability=[0.6, 0.2])
    assert math.isnan(precision(tally, threshold=0.7))
    assert (recall(tally, threshold=0.7), f1_score(tally, threshold=0.7)) == (0, 0)


def test_a_higher_threshold_never_finds_more():
    recalls = [recall(tally_of(draw_rows()), threshold=threshold) for threshold in np.linspace(0, 1, 21)]
    assert recalls == sorted(recalls, reverse=True)
    assert recalls[0] == 1


@pytest.mark.parametrize("decimals", [None, 1])
def test_precision_and_recall_at_k_are_means_over_the_orders_of_equal_scores(decimals):
    rows, random = draw_rows(decimals=decimals), np.random.default_rng(4)
    found = []
    for _ in range(400):
        order = np.lexsort((random.random(400), -rows["probability"]))
        found.append(rows["y_true"][order[:30]].sum())
    tally = tally_of(rows)
    assert precision_at_k(tally, k=30) == pytest.approx(np.mean(found) / 30, abs=0.01)
    assert recall_at_k(tally, k=30) == pytest.approx(np.mean(found) / rows["y_true"].sum(), abs=0.01)


def test_a_k_beyond_the_rows_means_all_of_them():
    tally = count_scores(y_true=[1, 0, 1], probability=[0.9, 0.5, 0.1])
    assert (precision_at_k(tally, k=10), recall_at_k(tally, k=10)) == (pytest.approx(2 / 3), 1)
    assert (precision_at_k(tally, k=1), recall_at_k(tally, k=1)) == (1, 0.5)


def test_raw_scores_are_measured_like_the_calibrated_ones():
    rows = draw_rows()
    found = measure(**rows, raw_score=rows["probability"] ** 2, top_k=50)
    assert found.raw.auc == found.auc
    assert found.raw.brier_score.value == pytest.approx(
        sklearn_metrics.brier_score_loss(rows["y_true"], rows["probability"] ** 2)
    )
    assert found.raw.precision_at_k == found.precision_at_k
    assert found.raw.f1.value == pytest.approx(
        sklearn_metrics.f1_score(rows["y_true"], rows["probability"] ** 2 >= 0.4)
    )


def test_auc_depends_on_the_order_of_the_scores_alone():
    rows = draw_rows()
    assert roc_auc(tally_of(rows)) == roc_auc(tally_of(rows | {"probability": rows["probability"] ** 3}))
