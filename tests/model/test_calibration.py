"""Calibration: from scores to probabilities."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator
from scipy.special import logit
from sklearn.metrics import average_precision_score

from waste_risk.model.calibration import (
    Blocks,
    Calibrator,
    center,
    fit_calibrator,
    pool_violators,
    spline_through,
)
from waste_risk.parameters import Calibration

METHODS = ["isotonic", "sigmoid"]


def predictions(n_rows: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Scores whose log-odds are twice too extreme."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(-1, 1, n_rows)
    wasted = random.random(n_rows) < 1 / (1 + np.exp(-log_odds))
    return pd.DataFrame({"wasted": wasted, "score": 1 / (1 + np.exp(-2 * log_odds)), "fold": 1})


def few(scores: list[float], wasted: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"score": scores, "wasted": np.array(wasted, dtype=bool), "fold": 1})


@pytest.mark.parametrize("method", METHODS)
def test_scores_that_are_too_extreme_become_true_probabilities(method):
    calibrator = fit_calibrator(predictions(100_000), Calibration(method=method))
    log_odds = np.array([-2.5, -1.0, 0.0, 1.0])
    true = 1 / (1 + np.exp(-log_odds))
    assert calibrator.transform(1 / (1 + np.exp(-2 * log_odds))) == pytest.approx(true, abs=0.03)


@pytest.mark.parametrize("method", METHODS)
def test_calibrated_rows_keep_the_share_that_was_wasted(method):
    rows = predictions()
    calibrated = fit_calibrator(rows, Calibration(method=method)).transform(rows["score"])
    assert calibrated.mean() == pytest.approx(rows["wasted"].mean(), abs=0.001)


@given(
    rows=st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40).filter(
        lambda rows: len({wasted for _, wasted in rows}) == 2
    ),
    method=st.sampled_from(METHODS),
    scores=st.lists(st.floats(-1, 2), min_size=1, max_size=20),
)
def test_a_higher_score_is_never_a_lower_probability(rows, method, scores):
    calibrator = fit_calibrator(few(*map(list, zip(*rows, strict=True))), Calibration(method=method))
    probabilities = calibrator.transform(np.sort(scores))
    assert (np.diff(probabilities) >= 0).all()
    assert ((probabilities > 0) & (probabilities < 1)).all()


ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(1, 5)), min_size=2, max_size=60).filter(
    lambda rows: len({wasted for _, wasted, _ in rows}) == 2
)


@given(rows=ROWS, method=st.sampled_from(METHODS), scores=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted))
def test_a_higher_score_is_a_higher_probability_unless_they_agree_to_nine_decimals(rows, method, scores):
    score, wasted, fold = map(list, zip(*rows, strict=True))
    low, high = fit_calibrator(few(score, wasted).assign(fold=fold), Calibration(method=method)).transform(scores)
    assert low < high or scores[1] - scores[0] < 1e-9


@given(rows=ROWS, method=st.sampled_from(METHODS), scores=st.lists(st.integers(0, 2**24), min_size=2, unique=True))
def test_single_precision_scores_keep_their_order(rows, method, scores):
    score, wasted, fold = map(list, zip(*rows, strict=True))
    calibrator = fit_calibrator(few(score, wasted).assign(fold=fold), Calibration(method=method))
    ascending = np.sort(np.array(scores, dtype=np.float32) / np.float32(2**24))
    assert (np.diff(calibrator.transform(ascending)) > 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_calibration_leaves_the_ranking_and_the_distinct_scores_as_they_are(method):
    rows = predictions(12_000)
    calibrated = fit_calibrator(rows, Calibration(method=method)).transform(rows["score"])
    assert len(np.unique(calibrated)) == len(np.unique(rows["score"]))
    assert average_precision_score(rows["wasted"], calibrated) == average_precision_score(rows["wasted"], rows["score"])


def test_steps_become_knots_at_their_mean_score_as_centered_isotonic_regression_has_them():
    # Blocks of the scores .1 (0 of 1, so the rule of succession), .2 to .4 (1 of 3) and .5 to .6 (2 of 3, pooled).
    tied = Blocks.of_scores(np.arange(1, 8) / 10, np.array([0, 1, 0, 0, 1, 0, 1], dtype=bool), np.ones(7))
    knots, shares = center(pool_violators(tied))
    assert knots == pytest.approx([0, 0.1, 0.3, 0.55, 0.7, 1])
    assert shares == pytest.approx([1 / 12, 1 / 6, 1 / 3, 1 / 2, 3 / 4, 7 / 8])


def blocks(score: list[float], wasted: list[int], weights: list[float]) -> Blocks:
    return Blocks.of_scores(np.array(score), np.array(wasted, dtype=bool), np.array(weights, dtype=float))


def test_rows_whose_scores_agree_to_nine_decimals_are_one_block():
    tied = blocks([0.3 + 2e-9, 0.3, 0.3 + 4e-10], [1, 0, 1], [1, 2, 6])
    assert tied.score == pytest.approx([0.3, 0.3 + 2e-9], abs=1e-12)
    assert tied.share == pytest.approx([6 / 8, 1])
    assert (tied.weight.tolist(), tied.n_rows.tolist()) == ([8, 1], [2, 1])


def test_blocks_are_merged_into_bins_of_equal_weight_by_their_midpoints():
    tied = blocks([0.1, 0.2, 0.3, 0.4, 0.5], [0, 1, 0, 1, 1], [1, 1, 1, 3, 2])
    bins = tied.in_bins(2)  # the midpoints of weight lie at .5, 1.5, 2.5, 4.5 and 7 of 8
    assert (bins.weight.tolist(), bins.n_rows.tolist()) == ([3, 5], [3, 2])
    assert bins.score == pytest.approx([0.2, (3 * 0.4 + 2 * 0.5) / 5])
    assert bins.share == pytest.approx([1 / 3, 1])
    assert tied.in_bins(8).weight.tolist() == [1, 1, 1, 3, 2]


def test_the_spline_goes_through_the_knots_in_ten_straight_pieces_each():
    four = blocks([0.2] * 4 + [0.7] * 4, [0, 0, 0, 1, 0, 1, 1, 1], [1] * 8)
    scores, shares = spline_through(four)
    knots, through = [0, 0.2, 0.7, 1], [1 / 8, 1 / 4, 3 / 4, 7 / 8]
    assert scores[::10] == pytest.approx(knots)
    assert shares[::10] == pytest.approx(through)
    assert np.diff(scores) == pytest.approx([0.02] * 10 + [0.05] * 10 + [0.03] * 10)
    assert shares == pytest.approx(PchipInterpolator(knots, through)(scores))


def test_isotonic_calibration_is_the_mean_of_line_and_spline():
    scores, wasted = [0.2] * 4 + [0.7] * 4, [0, 0, 0, 1, 0, 1, 1, 1]
    calibrator = fit_calibrator(few(scores, wasted), Calibration(method="isotonic"))
    knots, through, at = [0, 0.2, 0.7, 1], [1 / 8, 1 / 4, 3 / 4, 7 / 8], np.array([0.1, 0.3, 0.45, 0.88])
    expected = (np.interp(at, knots, through) + PchipInterpolator(knots, through)(at)) / 2
    assert calibrator.transform(at) == pytest.approx(expected, abs=1e-5)


def test_many_rows_have_a_knot_at_each_block_and_at_each_of_twenty_bins():
    blocks_at = np.arange(1, 41) / 50
    score = np.repeat(blocks_at, 50)
    wasted = np.concatenate([np.arange(50) < n for n in range(5, 45)])
    calibrator = fit_calibrator(few(score, wasted), Calibration(method="isotonic"))
    bins_at = (blocks_at[::2] + blocks_at[1::2]) / 2  # each bin holds two of the forty blocks
    for scores in (blocks_at, bins_at):
        distance = np.abs(np.subtract.outer(scores, calibrator.scores)).min(axis=1)
        assert distance == pytest.approx(np.zeros(len(scores)), abs=1e-9)


def test_the_sigmoid_goes_through_two_shares_moved_by_the_rule_of_succession():
    scores, wasted = [0.2] * 4 + [0.8] * 4, [0, 0, 0, 1, 0, 1, 1, 1]
    calibrator = fit_calibrator(few(scores, wasted), Calibration(method="sigmoid"))
    assert calibrator.transform([0, 0.2, 0.8, 1]) == pytest.approx([1 / 10, 3 / 10, 7 / 10, 9 / 10], abs=1e-4)


def test_the_sigmoid_has_a_knot_at_every_twentieth_of_log_odds():
    calibrator = fit_calibrator(predictions(500), Calibration(method="sigmoid"))
    lowest, *knots, highest = calibrator.scores
    assert (lowest, highest) == (0, 1)
    assert logit(knots) == pytest.approx(np.arange(-240, 241) / 20, abs=1e-6)


def test_where_the_scores_say_nothing_a_slope_of_a_millionth_keeps_their_order():
    for method in METHODS:
        calibrator = fit_calibrator(few([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]), Calibration(method=method))
        assert calibrator.transform([0, 1]) == pytest.approx([0.5 - 5e-7, 0.5 + 5e-7], abs=1e-12)


@pytest.mark.parametrize(("n_positives", "method"), [(999, "sigmoid"), (1_000, "isotonic")])
def test_auto_takes_the_sigmoid_while_positives_are_few(n_positives, method):
    random = np.random.default_rng(0)
    wasted = np.arange(3_000) < n_positives
    rows = pd.DataFrame({"wasted": wasted, "score": random.random(3_000) * 0.5 + wasted * 0.3, "fold": 1})
    assert fit_calibrator(rows, Calibration(method="auto")) == fit_calibrator(rows, Calibration(method=method))


def test_pure_blocks_do_not_prove_certainty():
    calibrator = fit_calibrator(few([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), Calibration(method="isotonic"))
    assert calibrator.transform([0.15, 0.5, 0.85]) == pytest.approx([1 / 4, 1 / 2, 3 / 4], abs=1e-5)
    assert calibrator.transform([0.0, 1.0]) == pytest.approx([1 / 8, 7 / 8], abs=1e-5)


def test_what_a_pure_block_admits_does_not_exceed_the_next_block():
    scores = [0.1, *np.linspace(0.2, 0.3, 100)]
    calibrator = fit_calibrator(few(scores, [0, *[1] * 10, *[0] * 90]), Calibration(method="isotonic"))
    first, next_block = calibrator.transform([0.1, 0.25])
    assert 0 < first < next_block == pytest.approx(0.1, abs=0.001)


def test_later_folds_weigh_more():
    rows = few([0.3] * 6, [1, 1, 1, 0, 0, 1]).assign(fold=[1, 1, 1, 2, 2, 2])
    for method in METHODS:
        assert fit_calibrator(rows, Calibration(method=method)).transform(0.3) == pytest.approx(5 / 9)


def test_scores_in_the_wrong_order_say_nothing():
    for method in METHODS:
        calibrator = fit_calibrator(few([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]), Calibration(method=method))
        assert calibrator.transform([0.0, 0.5, 1.0]) == pytest.approx([0.5, 0.5, 0.5], abs=1e-5)


@pytest.mark.parametrize("wasted", [[0, 0], [1, 1]])
def test_one_class_cannot_calibrate(wasted):
    with pytest.raises(ValueError, match="both wasted and not wasted"):
        fit_calibrator(few([0.2, 0.6], wasted), Calibration(method="isotonic"))


@pytest.mark.parametrize("method", METHODS)
def test_the_knots_survive_json_bit_for_bit(method):
    calibrator = fit_calibrator(predictions(500), Calibration(method=method))
    assert Calibrator.from_json(calibrator.to_json()) == calibrator


@pytest.mark.parametrize("method", METHODS)
def test_the_estimator_for_analysts_is_the_same_line(method):
    calibrator = fit_calibrator(predictions(), Calibration(method=method))
    scores = np.linspace(-0.1, 1.1, 1_001)
    assert calibrator.to_isotonic().predict(scores) == pytest.approx(calibrator.transform(scores), abs=1e-9)
