"""Metrics and tests of calibration, beside independent implementations."""

import math
from functools import partial

import numpy as np
import pytest
from evaluating import SETTINGS, draw_rows, evaluate_rows, logistic_regression, tally_of
from scipy.special import expit, logit
from scipy.stats import chi2, chisquare, goodness_of_fit, ks_2samp, uniform
from sklearn.calibration import calibration_curve

from waste_risk.metrics import (
    Estimate,
    brier_decomposition,
    calibration_line,
    count_scores,
    debiased_calibration_error,
    equal_width_bins,
    expected_calibration_error,
    hosmer_lemeshow_p_value,
    mean_gap,
    reliability_bins,
)
from waste_risk.metrics.calibration import (
    LOGIT_EPSILON,
    anderson_darling_p_value,
    anderson_darling_statistic,
    calibration_error_under_null,
    simulate_calibration_errors,
)

measure = partial(evaluate_rows, **SETTINGS)  # what a test says otherwise wins


def test_bins_of_equal_mass_hold_equal_rows_lowest_scores_first():
    bins = reliability_bins(
        count_scores(y_true=[0, 0, 1, 0, 1, 1], probability=[0.1, 0.2, 0.3, 0.6, 0.7, 0.8]), n_bins=3
    )
    assert bins.rows.tolist() == [2, 2, 2]
    assert bins.observed.tolist() == [0, 1, 2]
    assert bins.expected.tolist() == pytest.approx([0.3, 0.9, 1.5])


def test_rows_of_equal_score_share_a_bin():
    bins = reliability_bins(count_scores(y_true=[0, 1, 0, 1, 1], probability=[0.3, 0.3, 0.3, 0.3, 0.9]), n_bins=5)
    assert bins.rows.tolist() == [0, 0, 4, 0, 1]


def test_calibration_error_is_the_mean_gap_weighted_by_rows():
    tally = count_scores(y_true=[0, 0, 0, 1, 1, 1], probability=[0.2, 0.2, 0.2, 0.2, 0.9, 0.9])
    assert expected_calibration_error(tally, n_bins=2) == pytest.approx((4 * 0.05 + 2 * 0.1) / 6)


def test_calibration_error_is_zero_when_every_bin_comes_true():
    tally = count_scores(y_true=[1, 0, 0, 0, 1, 1, 1, 0], probability=[0.25] * 4 + [0.75] * 4)
    assert expected_calibration_error(tally, n_bins=2) == 0


@pytest.mark.parametrize("decimals", [None, 1])
def test_slope_and_intercept_equal_an_unpenalised_logistic_regression(decimals):
    rows = draw_rows(decimals=decimals)
    assert calibration_line(tally_of(rows)) == pytest.approx(logistic_regression(rows), abs=1e-4)


def test_slope_and_intercept_solve_the_saturated_case_exactly():
    tally = count_scores(y_true=[1, 0, 0, 0, 1, 1, 1, 0], probability=[0.1] * 4 + [0.9] * 4)
    intercept, slope = calibration_line(tally)
    assert (intercept, slope) == pytest.approx((0, math.log(3) / math.log(9)))


def test_twice_too_confident_a_model_has_half_the_slope():
    rows = draw_rows(n_rows=2_000)
    _, slope = calibration_line(tally_of(rows))
    _, halved = calibration_line(tally_of(rows | {"probability": expit(2 * logit(rows["probability"]))}))
    assert halved == pytest.approx(slope / 2, rel=1e-3)


def test_slope_stays_finite_when_probabilities_are_zero_and_one():
    intercept, slope = calibration_line(count_scores(y_true=[0, 1, 0, 1, 0, 1], probability=[0, 0, 0, 1, 1, 1]))
    assert intercept == pytest.approx(0, abs=1e-9)
    assert slope == pytest.approx(math.log(2) / logit(1 - LOGIT_EPSILON))


@pytest.mark.parametrize(
    ("y_true", "probability"),
    [([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]), ([0, 1, 0, 1], [0.3] * 4)],
    ids=["separated", "one score"],
)
def test_slope_is_undefined_where_no_finite_fit_exists(y_true, probability):
    assert np.isnan(calibration_line(count_scores(y_true=y_true, probability=probability))).all()


def test_hosmer_lemeshow_equals_pearsons_chi_square_on_wasted_and_not_with_one_degree_for_each_group():
    rows = draw_rows(n_rows=1_000)
    order = np.argsort(rows["probability"])
    groups = zip(np.split(rows["y_true"][order], 10), np.split(rows["probability"][order], 10), strict=True)
    statistic = sum(chisquare([y.sum(), (~y).sum()], [p.sum(), (1 - p).sum()]).statistic for y, p in groups)
    assert measure(**rows).hosmer_lemeshow_p_value == Estimate(pytest.approx(chi2.sf(statistic, df=10)))


def test_hosmer_lemeshow_rejects_what_cannot_happen():
    possible = count_scores(y_true=[0, 0, 1, 0], probability=[0, 0, 0.5, 0.5])
    impossible = count_scores(y_true=[0, 1, 1, 0], probability=[0, 0, 0.5, 0.5])
    assert hosmer_lemeshow_p_value(possible, n_groups=2) == 1
    assert hosmer_lemeshow_p_value(impossible, n_groups=2) == 0


def test_equal_width_bins_equal_scikit_learns_uniform_curve():
    rows = draw_rows(n_rows=1_000)
    bins = equal_width_bins(tally_of(rows), n_bins=10)
    observed, expected = calibration_curve(rows["y_true"], rows["probability"], n_bins=10, strategy="uniform")
    filled = bins.rows > 0
    assert (bins.observed / bins.rows)[filled] == pytest.approx(observed)
    assert (bins.expected / bins.rows)[filled] == pytest.approx(expected)
    error = (bins.rows[filled] * np.abs(observed - expected)).sum() / 1_000
    assert measure(**rows, n_bins=10).equal_width_calibration_error.value == pytest.approx(error)


def test_the_debiased_error_takes_away_what_a_simulation_finds_that_chance_adds():
    rows = draw_rows(n_rows=500)
    bins = reliability_bins(tally_of(rows), n_bins=5)
    share, mean = bins.observed / bins.rows, bins.expected / bins.rows
    drawn = np.random.default_rng(0).normal(share, np.sqrt(share * (1 - share) / bins.rows), (200_000, 5))
    added = ((np.abs(mean - drawn) - np.abs(mean - share)) * bins.rows / 500).sum(axis=1).mean()
    assert debiased_calibration_error(bins) == pytest.approx(max(0, mean_gap(bins) - added), abs=2e-4)


def test_of_a_calibrated_model_the_debiased_error_is_nearer_to_zero():
    tallies = [tally_of(draw_rows(n_rows=1_000, seed=seed)) for seed in range(20)]
    plain = [expected_calibration_error(tally, n_bins=15) for tally in tallies]
    debiased = [debiased_calibration_error(reliability_bins(tally, n_bins=15)) for tally in tallies]
    assert np.mean(debiased) < 0.6 * np.mean(plain)


def test_the_parts_of_the_brier_score_are_murphys_where_a_bin_holds_one_score():
    probability, wasted = np.repeat([0.1, 0.5, 0.8], 4), np.array([0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1])
    tally = count_scores(y_true=wasted, probability=probability)
    shares, rate = np.array([1 / 4, 2 / 4, 4 / 4]), wasted.mean()
    expected = (((np.array([0.1, 0.5, 0.8]) - shares) ** 2).mean(), ((shares - rate) ** 2).mean(), rate * (1 - rate))
    assert brier_decomposition(tally, reliability_bins(tally, n_bins=3)) == pytest.approx(expected)


def test_the_parts_of_the_brier_score_add_up_to_it():
    found = measure(**draw_rows())
    parts = found.brier_reliability.value - found.brier_resolution.value + found.brier_uncertainty.value
    assert parts == pytest.approx(found.brier_score.value)


def test_the_calibration_error_under_null_equals_that_of_outcomes_drawn_one_by_one():
    rows, random = draw_rows(n_rows=300, decimals=1), np.random.default_rng(5)
    drawn = [
        expected_calibration_error(tally_of(rows | {"y_true": random.random(300) < rows["probability"]}), n_bins=5)
        for _ in range(1_500)
    ]
    errors = simulate_calibration_errors(tally_of(rows), n_bins=5, n_simulations=1_500, seed=1)
    assert ks_2samp(drawn, errors).pvalue > 0.01


def test_a_calibrated_model_is_no_rarity_among_its_simulations_and_an_overconfident_one_is():
    rows = draw_rows(n_rows=2_000, n_households=2_000)
    sure = rows | {"probability": expit(2 * logit(rows["probability"]))}
    calm, overconfident = (evaluate_rows(**each, n_resamples=200).calibration_error_under_null for each in (rows, sure))
    assert calm.p_value > 0.05
    assert calm.mean < calm.high
    assert overconfident.p_value == pytest.approx(1 / 201)


@pytest.mark.parametrize("n_rows", [100, 600])
def test_a_calibrated_model_lies_within_what_chance_explains_in_19_of_20_draws(n_rows):
    null = [
        calibration_error_under_null(
            tally_of(draw_rows(n_rows=n_rows, seed=seed)), n_bins=10, n_simulations=200, confidence=0.95, seed=1
        )
        for seed in range(200)
    ]
    assert 0.91 <= np.mean([each.p_value > 0.05 for each in null]) <= 0.99


def test_chance_explains_less_of_more_rows():
    few, many = (measure(**draw_rows(n_rows=n_rows)).calibration_error_under_null for n_rows in (500, 5_000))
    assert (many.mean, many.high) == pytest.approx((few.mean / math.sqrt(10), few.high / math.sqrt(10)), rel=0.2)


def test_the_debiased_error_has_the_interval_of_the_plain_one_since_both_are_of_the_same_truth():
    found = measure(**draw_rows())
    plain, debiased = found.expected_calibration_error, found.debiased_calibration_error
    assert (debiased.low, debiased.high) == (plain.low, plain.high)
    assert debiased.value < plain.value


def test_the_anderson_darling_statistic_equals_scipys():
    values = np.random.default_rng(0).random(200)
    known = {"loc": 0, "scale": 1}
    expected = goodness_of_fit(uniform, values, known_params=known, statistic="ad", n_mc_samples=1, rng=0)
    assert anderson_darling_statistic(values) == pytest.approx(expected.statistic)


@pytest.mark.parametrize(("statistic", "p_value"), [(1.933, 0.10), (2.492, 0.05), (3.070, 0.025), (3.857, 0.01)])
def test_the_anderson_darling_p_value_gives_the_published_table(statistic, p_value):
    """Stephens, EDF statistics for goodness of fit and some comparisons, 1974, table 1.1."""
    assert anderson_darling_p_value(statistic) == pytest.approx(p_value, abs=3e-4)


@pytest.mark.parametrize("power", [1, 1.1, 1.15])
def test_the_anderson_darling_p_value_is_that_of_scipys_simulations(power):
    values = np.random.default_rng(3).random(300) ** power
    known = {"loc": 0, "scale": 1}
    expected = goodness_of_fit(uniform, values, known_params=known, statistic="ad", n_mc_samples=20_000, rng=0)
    assert anderson_darling_p_value(expected.statistic) == pytest.approx(expected.pvalue, abs=0.015)


def test_the_transform_of_a_calibrated_model_is_uniform_and_of_another_not():
    rows = draw_rows(n_rows=4_000)
    assert measure(**rows, anderson_darling=True).anderson_darling.p_value > 0.05
    biased = rows | {"probability": rows["probability"] ** 2}
    assert measure(**biased, anderson_darling=True).anderson_darling.p_value < 1e-4
    assert measure(**rows).anderson_darling is None
