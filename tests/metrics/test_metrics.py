import json
import math
from functools import partial

import numpy as np
import pandas as pd
import pytest
from evaluating import evaluate_rows
from scipy.special import expit, logit
from scipy.stats import chi2, chisquare, goodness_of_fit, ks_2samp, uniform
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from waste_risk.metrics import (
    FEWEST_HOUSEHOLDS,
    Estimate,
    average_precision,
    base_rate,
    bootstrap,
    brier_decomposition,
    brier_score,
    calibration_line,
    count_scores,
    count_scores_by_household,
    debiased_calibration_error,
    equal_width_bins,
    expected_calibration_error,
    f1_score,
    hosmer_lemeshow_p_value,
    log_loss,
    mean_gap,
    mean_probability,
    precision,
    precision_at_k,
    recall,
    recall_at_k,
    reliability_bins,
    roc_auc,
)
from waste_risk.metrics.bootstrap import invert
from waste_risk.metrics.calibration import (
    LOGIT_EPSILON,
    anderson_darling_p_value,
    anderson_darling_statistic,
    calibration_error_under_null,
    simulate_calibration_errors,
)

SETTINGS = {
    "threshold": 0.4,
    "high_confidence": 0.7,
    "n_bins": 5,
    "n_resamples": 40,
    "confidence": 0.9,
    "seed": 7,
}
measure = partial(evaluate_rows, **SETTINGS)  # what a test says otherwise wins


def sample(n_rows=400, n_households=25, seed=0, decimals=None):
    """Rows of a calibrated probability; few decimals make ties, as isotonic calibration does."""
    random = np.random.default_rng(seed)
    probability = expit(random.normal(-1, 1.5, n_rows))
    y_true = random.random(n_rows) < probability
    probability = probability if decimals is None else probability.round(decimals)
    return {"y_true": y_true, "probability": probability, "household_id": random.integers(n_households, size=n_rows)}


def tally_of(rows):
    return count_scores(y_true=rows["y_true"], probability=rows["probability"])


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
    rows = sample(decimals=decimals)
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
    recalls = [recall(tally_of(sample()), threshold=threshold) for threshold in np.linspace(0, 1, 21)]
    assert recalls == sorted(recalls, reverse=True)
    assert recalls[0] == 1


@pytest.mark.parametrize("decimals", [None, 1])
def test_precision_and_recall_at_k_are_means_over_the_orders_of_equal_scores(decimals):
    rows, random = sample(decimals=decimals), np.random.default_rng(4)
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
    rows = sample()
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
    rows = sample()
    assert roc_auc(tally_of(rows)) == roc_auc(tally_of(rows | {"probability": rows["probability"] ** 3}))


# Calibration


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


def logistic_regression(rows, weights=None):
    clipped = np.clip(rows["probability"], LOGIT_EPSILON, 1 - LOGIT_EPSILON)
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    fit.fit(logit(clipped)[:, None], rows["y_true"], sample_weight=weights)
    return fit.intercept_[0], fit.coef_[0, 0]


@pytest.mark.parametrize("decimals", [None, 1])
def test_slope_and_intercept_equal_an_unpenalised_logistic_regression(decimals):
    rows = sample(decimals=decimals)
    assert calibration_line(tally_of(rows)) == pytest.approx(logistic_regression(rows), abs=1e-4)


def test_slope_and_intercept_solve_the_saturated_case_exactly():
    tally = count_scores(y_true=[1, 0, 0, 0, 1, 1, 1, 0], probability=[0.1] * 4 + [0.9] * 4)
    intercept, slope = calibration_line(tally)
    assert (intercept, slope) == pytest.approx((0, math.log(3) / math.log(9)))


def test_twice_too_confident_a_model_has_half_the_slope():
    rows = sample(n_rows=2_000)
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
    rows = sample(n_rows=1_000)
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
    rows = sample(n_rows=1_000)
    bins = equal_width_bins(tally_of(rows), n_bins=10)
    observed, expected = calibration_curve(rows["y_true"], rows["probability"], n_bins=10, strategy="uniform")
    filled = bins.rows > 0
    assert (bins.observed / bins.rows)[filled] == pytest.approx(observed)
    assert (bins.expected / bins.rows)[filled] == pytest.approx(expected)
    error = (bins.rows[filled] * np.abs(observed - expected)).sum() / 1_000
    assert measure(**rows, n_bins=10).equal_width_calibration_error.value == pytest.approx(error)


def test_the_debiased_error_takes_away_what_a_simulation_finds_that_chance_adds():
    rows = sample(n_rows=500)
    bins = reliability_bins(tally_of(rows), n_bins=5)
    share, mean = bins.observed / bins.rows, bins.expected / bins.rows
    drawn = np.random.default_rng(0).normal(share, np.sqrt(share * (1 - share) / bins.rows), (200_000, 5))
    added = ((np.abs(mean - drawn) - np.abs(mean - share)) * bins.rows / 500).sum(axis=1).mean()
    assert debiased_calibration_error(bins) == pytest.approx(max(0, mean_gap(bins) - added), abs=2e-4)


def test_of_a_calibrated_model_the_debiased_error_is_nearer_to_zero():
    tallies = [tally_of(sample(n_rows=1_000, seed=seed)) for seed in range(20)]
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
    found = measure(**sample())
    parts = found.brier_reliability.value - found.brier_resolution.value + found.brier_uncertainty.value
    assert parts == pytest.approx(found.brier_score.value)


def test_the_calibration_error_under_null_equals_that_of_outcomes_drawn_one_by_one():
    rows, random = sample(n_rows=300, decimals=1), np.random.default_rng(5)
    drawn = [
        expected_calibration_error(tally_of(rows | {"y_true": random.random(300) < rows["probability"]}), n_bins=5)
        for _ in range(1_500)
    ]
    errors = simulate_calibration_errors(tally_of(rows), n_bins=5, n_simulations=1_500, seed=1)
    assert ks_2samp(drawn, errors).pvalue > 0.01


def test_a_calibrated_model_is_no_rarity_among_its_simulations_and_an_overconfident_one_is():
    rows = sample(n_rows=2_000, n_households=2_000)
    sure = rows | {"probability": expit(2 * logit(rows["probability"]))}
    calm, overconfident = (evaluate_rows(**each, n_resamples=200).calibration_error_under_null for each in (rows, sure))
    assert calm.p_value > 0.05
    assert calm.mean < calm.high
    assert overconfident.p_value == pytest.approx(1 / 201)


@pytest.mark.parametrize("n_rows", [100, 600])
def test_a_calibrated_model_lies_within_what_chance_explains_in_19_of_20_draws(n_rows):
    null = [
        calibration_error_under_null(
            tally_of(sample(n_rows=n_rows, seed=seed)), n_bins=10, n_simulations=200, confidence=0.95, seed=1
        )
        for seed in range(200)
    ]
    assert 0.91 <= np.mean([each.p_value > 0.05 for each in null]) <= 0.99


def test_chance_explains_less_of_more_rows():
    few, many = (measure(**sample(n_rows=n_rows)).calibration_error_under_null for n_rows in (500, 5_000))
    assert (many.mean, many.high) == pytest.approx((few.mean / math.sqrt(10), few.high / math.sqrt(10)), rel=0.2)


def test_the_debiased_error_has_the_interval_of_the_plain_one_since_both_are_of_the_same_truth():
    found = measure(**sample())
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
    rows = sample(n_rows=4_000)
    assert measure(**rows, anderson_darling=True).anderson_darling.p_value > 0.05
    biased = rows | {"probability": rows["probability"] ** 2}
    assert measure(**biased, anderson_darling=True).anderson_darling.p_value < 1e-4
    assert measure(**rows).anderson_darling is None


# Intervals


def weighted_calibration_gaps(y_true, probability, weights, n_bins):
    """Repeat each row by its weight, sort, cut at the middle rank of each score: no code shared with the package."""
    frame = pd.DataFrame({"y": np.repeat(y_true, weights), "p": np.repeat(probability, weights)})
    middle = (frame["p"].rank(method="average") - 0.5) / len(frame)
    bins = frame.groupby(np.floor(middle * n_bins))
    return ((bins["p"].sum() - bins["y"].sum()) / len(frame)).reindex(range(n_bins), fill_value=0).to_numpy()


def share_below(error, gaps, draws, lucky=0.0):
    """Which share of the draws, moved to where the calibration error is ``error``, has at most the measured one."""
    measured, noise = np.abs(gaps).sum(), draws - gaps
    limit = max(measured, np.quantile(np.abs(noise).sum(axis=1), lucky))
    return (np.abs(error / measured * gaps + noise).sum(axis=1) <= limit).mean()


@pytest.mark.parametrize("decimals", [None, 1])
def test_the_vectorised_bootstrap_equals_a_plain_loop_over_weighted_scikit_learn(decimals):
    rows = sample(n_rows=300, n_households=24, decimals=decimals)
    y_true, probability = rows["y_true"].astype(int), rows["probability"]
    drawn = np.random.default_rng(SETTINGS["seed"]).integers(24, size=(SETTINGS["n_resamples"], 24))
    draws, gaps = [], []
    for households in drawn:
        weights = np.bincount(households, minlength=24)[rows["household_id"]]
        weighted = {"sample_weight": weights}
        draws.append(
            {
                "auc": sklearn_metrics.roc_auc_score(y_true, probability, **weighted),
                "average_precision": sklearn_metrics.average_precision_score(y_true, probability, **weighted),
                "brier_score": sklearn_metrics.brier_score_loss(y_true, probability, **weighted),
                "log_loss": sklearn_metrics.log_loss(y_true, probability, **weighted),
                "precision": sklearn_metrics.precision_score(y_true, probability >= 0.4, **weighted),
                "recall_at_high_confidence": sklearn_metrics.recall_score(y_true, probability >= 0.7, **weighted),
                "f1": sklearn_metrics.f1_score(y_true, probability >= 0.4, **weighted),
                "calibration_intercept": logistic_regression(rows, weights)[0],
                "calibration_slope": logistic_regression(rows, weights)[1],
            }
        )
        gaps.append(weighted_calibration_gaps(y_true, probability, weights, n_bins=5))
    expected = pd.DataFrame(draws).quantile([0.05, 0.95])
    measured = weighted_calibration_gaps(y_true, probability, np.ones(300, dtype=int), n_bins=5)
    found = measure(**rows)
    for name, (low, high) in expected.items():
        estimate = getattr(found, name)
        assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-4), name
    error, scattered = found.expected_calibration_error, (measured, np.array(gaps))
    few, most = (1 - SETTINGS["confidence"]) / 2, (1 + SETTINGS["confidence"]) / 2
    assert share_below(error.low + 1e-5, *scattered) <= most
    assert error.low == 0 or share_below(error.low - 1e-5, *scattered) > most
    lucky = 2 * few
    assert share_below(error.high + 1e-5, *scattered, lucky) <= few < share_below(error.high - 1e-5, *scattered, lucky)


def test_more_rows_of_the_same_households_are_no_more_evidence():
    rows = sample()
    repeated = {name: np.repeat(values, 4) for name, values in rows.items()}
    once, often = measure(**rows), measure(**repeated)
    for name in ("auc", "brier_score", "expected_calibration_error", "precision_at_high_confidence"):
        assert vars(getattr(often, name)) == pytest.approx(vars(getattr(once, name))), name


def test_rows_without_household_are_each_their_own():
    rows = sample()
    apart = measure(**rows | {"household_id": np.arange(400)})
    alone = measure(y_true=rows["y_true"], probability=rows["probability"])
    assert (alone.auc, alone.n_households, apart.n_households) == (apart.auc, None, 400)


def test_the_order_of_the_rows_does_not_matter():
    rows = sample()
    order = np.random.default_rng(1).permutation(400)
    assert measure(**{name: values[order] for name, values in rows.items()}) == measure(**rows)


def test_household_ids_may_be_numbers_or_words():
    rows = sample()
    words = pd.Series(rows["household_id"]).map("h{:03d}".format)
    assert measure(**rows | {"household_id": words}) == measure(**rows)


def test_the_seed_decides_the_intervals_and_nothing_else():
    rows = sample()
    first, same, other = measure(**rows), measure(**rows), evaluate_rows(**rows, **SETTINGS | {"seed": 8})
    assert first == same
    assert first.auc.low != other.auc.low
    assert first.auc.value == other.auc.value


def test_how_many_resamples_are_measured_at_once_changes_nothing():
    rows = sample()
    counted = count_scores_by_household(
        y_true=rows["y_true"], probability=rows["probability"], household=rows["household_id"]
    )
    estimates = [
        bootstrap(
            lambda weights: {"auc": roc_auc(counted.weighted(weights))},
            n_households=25, n_resamples=40, confidence=0.9, seed=7, n_at_once=n_at_once,
        )
        for n_at_once in (1, 7, 100)
    ]  # fmt: skip
    assert estimates == [estimates[0]] * 3
    assert estimates[0]["auc"] == measure(**rows).auc


def test_higher_confidence_widens_every_interval():
    rows = sample()
    narrow, wide = measure(**rows), evaluate_rows(**rows, **SETTINGS | {"confidence": 0.99})
    for name in ("auc", "brier_score", "calibration_slope", "precision_at_high_confidence"):
        assert getattr(wide, name).low < getattr(narrow, name).low < getattr(narrow, name).high
        assert getattr(narrow, name).high < getattr(wide, name).high


def test_without_resamples_there_are_values_and_no_intervals():
    rows = sample()
    found = evaluate_rows(**rows, **SETTINGS | {"n_resamples": 0})
    assert found.auc == Estimate(measure(**rows).auc.value, None, None)


def test_a_calibrated_model_has_a_calibration_error_whose_interval_reaches_low_and_holds_the_estimate():
    error = measure(**sample(n_rows=4_000, n_households=200)).expected_calibration_error
    assert 0 <= error.low < error.value / 2
    assert error.low <= error.value <= error.high


def sum_absolute(gaps):
    return np.abs(gaps).sum(axis=-1)


@pytest.mark.parametrize("size", [0.1, 0.5, 1, 3])
def test_the_interval_of_a_norm_holds_the_true_one_however_small_it_is_beside_chance(size):
    random = np.random.default_rng(11)
    true = size * random.normal(size=15)
    measured = true + random.normal(size=(200, 15))
    found = [invert(each, each + random.normal(size=(300, 15)), sum_absolute, 0.95) for each in measured]
    assert np.mean([each.low <= sum_absolute(true) <= each.high for each in found]) >= 0.92
    assert all(0 <= each.low < each.high != each.value for each in found)


def test_far_from_zero_the_interval_of_a_norm_is_that_of_a_difference():
    noise = np.random.default_rng(0).normal(size=(4_000, 1))
    found = invert(np.array([10.0]), 10 + noise, sum_absolute, 0.95)
    low, high = np.quantile(-noise, [0.025, 0.975])
    assert (found.low, found.value, found.high) == pytest.approx((10 + low, 10, 10 + high), abs=0.01)


def test_the_interval_of_a_norm_has_its_unit():
    random = np.random.default_rng(2)
    gaps, noise = random.normal(size=5), random.normal(size=(200, 5))
    once, thrice = (invert(unit * gaps, unit * (gaps + noise), sum_absolute, 0.9) for unit in (1, 3))
    assert (thrice.low, thrice.high) == pytest.approx((3 * once.low, 3 * once.high))


def test_a_metric_that_most_resamples_leave_undefined_has_no_interval():
    estimates = bootstrap(
        lambda weights: {"rare": np.where(weights[:, 0] > 1, 1.0, np.nan)},
        n_households=50, n_resamples=200, confidence=0.9, seed=0, n_at_once=64,
    )  # fmt: skip
    assert estimates["rare"].low is None
    assert math.isnan(estimates["rare"].value)


def estimates_of(record):
    """Every estimate in a record, wherever it stands."""
    if isinstance(record, Estimate):
        return [record]
    inner = vars(record).values() if hasattr(record, "__dict__") else record
    inner = inner.values() if isinstance(inner, dict) else inner
    return [each for one in inner if not isinstance(one, str | float | int | None) for each in estimates_of(one)]


@pytest.mark.parametrize("n_households", [1, 2, FEWEST_HOUSEHOLDS - 1])
def test_no_metric_of_too_few_households_has_an_interval(n_households):
    rows, random = sample(n_rows=1_000), np.random.default_rng(1)
    everything = {
        **rows,
        "household_id": np.arange(1_000) % n_households,
        "item_id": np.arange(1_000),
        "observed_on": np.repeat(pd.date_range("2024-01-01", periods=100), 10),
        "days_true": random.uniform(0, 30, 1_000),
        "days_predicted": random.uniform(0, 30, 1_000),
        "oracle_probability": rows["probability"],
        "raw_score": rows["probability"],
        "cost_threshold": 0.3,
        "baselines": {"rule": rows["probability"] / 2},
        "sensitive": {"size": np.where(np.arange(1_000) < 400, "1", "2")},
        "min_group_households": 1,
    }
    found = estimates_of(measure(**everything))
    assert len(found) > 60
    assert {(each.low, each.high) for each in found} == {(None, None)}
    assert measure(**everything | {"household_id": np.arange(1_000) % FEWEST_HOUSEHOLDS}).auc.low is not None


def test_what_rests_on_the_rows_of_few_households_has_no_interval_among_many():
    rows = sample(n_rows=1_000, n_households=50)
    loud = rows["household_id"] < 3
    found = measure(**rows | {"probability": np.where(loud, 0.9, rows["probability"] / 2)})
    assert found.precision_at_high_confidence.low is None
    assert found.trade_off[-1].precision.low is None
    assert found.auc.low < found.auc.value < found.auc.high
    hardly = measure(**rows | {"y_true": loud & rows["y_true"]})
    assert hardly.auc.low is None
    assert hardly.recall.low is None


def test_a_group_of_too_few_households_has_no_interval_and_leaves_none_to_its_gap():
    rows = sample(n_rows=1_000, n_households=50)
    size = np.where(rows["household_id"] < 10, "few", "many")
    found = measure(**rows, sensitive={"size": size}, min_group_households=2, min_group_class=5).fairness["size"]
    few, many = (group.measured for group in found.groups)
    assert (few.auc.low, found.largest_calibration_gap.low) == (None, None)
    assert many.auc.low < many.auc.high


# Days, oracle, folds, counts


def test_days_are_evaluated_on_wasted_rows_with_known_days_and_the_label_on_those_it_has():
    found = measure(
        y_true=[1, 1, 1, 0],
        probability=[0.9, 0.8, 0.6, 0.1],
        days_true=pd.Series([10, 4, None, 7], dtype="Float64"),
        days_predicted=[13, 5, 9, 100],
        days_on_label=[None, 9, 3, 100],
    )
    assert found.days_mae.value == 2
    assert found.days_rmse.value == pytest.approx(math.sqrt(5))
    assert found.label_days_mae.value == 5
    assert found.days_mae_where_label.value == 1


def test_days_intervals_hold_the_estimate():
    random = np.random.default_rng(3)
    rows = sample()
    found = measure(**rows, days_true=random.uniform(0, 30, 400), days_predicted=random.uniform(0, 30, 400))
    assert found.days_mae.low < found.days_mae.value < found.days_mae.high < found.days_rmse.high


def test_the_attainable_share_counts_from_a_coin_toss():
    y_true, oracle = [1, 0, 1, 0, 1, 0], [0.9, 0.1, 0.8, 0.2, 0.4, 0.5]
    found = measure(y_true=y_true, probability=[0.9, 0.1, 0.3, 0.4, 0.6, 0.5], oracle_probability=oracle)
    assert found.oracle_auc.value == pytest.approx(8 / 9)
    assert found.attainable_share.value == pytest.approx((7 / 9 - 1 / 2) / (8 / 9 - 1 / 2))


def test_the_oracle_itself_reaches_all_that_is_attainable():
    rows = sample()
    found = measure(**rows, oracle_probability=rows["probability"])
    assert found.attainable_share == Estimate(1, 1, 1)
    assert found.oracle_auc == found.auc


def test_folds_are_summarised_by_mean_and_sample_standard_deviation():
    found = measure(**sample(), fold_metrics=pd.DataFrame({"fold": [0, 1, 2], "auc": [0.8, 0.9, 0.85]}))
    assert (found.cv_mean_auc, found.cv_std_auc) == pytest.approx((0.85, 0.05))


def test_counts_and_settings_are_carried_along():
    found = measure(
        y_true=[1, 0, 1, 0], probability=[0.7, 0.69, 0.9, 0.1], household_id=["a", "a", "b", "b"],
        horizon_days=30, predictor_sha256="abc",
    )  # fmt: skip
    assert (found.n_rows, found.n_households, found.n_wasted, found.n_alerts) == (4, 2, 2, 2)
    assert (found.threshold, found.high_confidence, found.horizon_days) == (0.4, 0.7, 30)
    assert found.predictor_sha256 == "abc"


def test_what_was_not_asked_for_is_null():
    found = measure(**sample())
    absent = (found.days_mae, found.label_days_mae, found.oracle_auc, found.cv_std_auc, found.horizon_days)
    assert absent == (None,) * 5


# Forms and refusals


def test_json_holds_every_value_and_null_for_the_undefined():
    found = measure(y_true=[1, 0], probability=[0.6, 0.2])
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["auc"]["value"] == 1
    assert plain["precision_at_high_confidence"] == {"value": None, "low": None, "high": None}
    assert plain["n_rows"] == 2


def test_flat_numbers_leave_out_what_is_undefined():
    flat = measure(y_true=[1, 0] * 20, probability=[0.6, 0.2] * 20, predictor_sha256="abc", horizon_days=30).flat()
    assert (flat["auc"], flat["auc_low"], flat["auc_high"], flat["horizon_days"]) == (1, 1, 1, 30)
    assert not {"precision_at_high_confidence", "oracle_auc", "predictor_sha256"} & set(flat)
    assert all(type(value) is float for value in flat.values())


def test_inputs_are_left_as_they_were():
    rows = sample()
    copies = {name: values.copy() for name, values in rows.items()}
    measure(**rows)
    assert all((rows[name] == copies[name]).all() for name in rows)


@pytest.mark.parametrize("outcome", [0, 1])
def test_of_one_class_what_needs_both_is_undefined_and_the_rest_is_not(outcome):
    found = measure(y_true=[outcome] * 4, probability=[0.1, 0.4, 0.8, 0.9])
    assert math.isnan(found.auc.value)
    assert math.isnan(found.calibration_slope.value)
    assert found.base_rate == Estimate(outcome)
    assert found.brier_score.value == pytest.approx(np.mean((outcome - np.array([0.1, 0.4, 0.8, 0.9])) ** 2))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_true": []}, "0 rows"),
        ({"y_true": [0, 2, 1]}, "neither 0 nor 1"),
        ({"y_true": [0, np.nan, 1]}, "neither 0 nor 1"),
        ({"probability": [0.1, 0.2]}, "probability has 2 values for 3 rows"),
        ({"probability": [0.1, np.nan, 0.2]}, "probability is missing or outside"),
        ({"probability": [0.1, 1.2, 0.2]}, "probability is missing or outside"),
        ({"oracle_probability": [0.1, None, 0.2]}, "oracle_probability is missing or outside"),
        ({"household_id": ["a", None, "b"]}, "household_id is missing"),
        ({"household_id": [1, 2]}, "household_id has 2 values for 3 rows"),
        ({"days_true": [1], "days_predicted": [1, 2, 3]}, "days_true has 1 values for 3 rows"),
    ],
)
def test_a_wrong_input_is_refused_in_one_clear_line(changed, message):
    with pytest.raises(ValueError, match=message) as refusal:
        measure(**{"y_true": [0, 1, 1], "probability": [0.1, 0.5, 0.9]} | changed)
    assert "\n" not in str(refusal.value)
