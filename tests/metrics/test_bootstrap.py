"""Intervals from resampled households."""

import math
from functools import partial

import numpy as np
import pandas as pd
import pytest
from evaluating import SETTINGS, draw_rows, evaluate_rows, logistic_regression
from sklearn import metrics as sklearn_metrics

from waste_risk.metrics import (
    FEWEST_HOUSEHOLDS,
    Estimate,
    bootstrap,
    count_scores_by_household,
    roc_auc,
)
from waste_risk.metrics.bootstrap import invert
from waste_risk.parameters import Costs

measure = partial(evaluate_rows, **SETTINGS)  # what a test says otherwise wins


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
    rows = draw_rows(n_rows=300, n_households=24, decimals=decimals)
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
    rows = draw_rows()
    repeated = {name: np.repeat(values, 4) for name, values in rows.items()}
    once, often = measure(**rows), measure(**repeated)
    for name in ("auc", "brier_score", "expected_calibration_error", "precision_at_high_confidence"):
        assert vars(getattr(often, name)) == pytest.approx(vars(getattr(once, name))), name


def test_rows_without_household_are_each_their_own():
    rows = draw_rows()
    apart = measure(**rows | {"household_id": np.arange(400)})
    alone = measure(y_true=rows["y_true"], probability=rows["probability"])
    assert (alone.auc, alone.n_households, apart.n_households) == (apart.auc, None, 400)


def test_the_order_of_the_rows_does_not_matter():
    rows = draw_rows()
    order = np.random.default_rng(1).permutation(400)
    assert measure(**{name: values[order] for name, values in rows.items()}) == measure(**rows)


def test_household_ids_may_be_numbers_or_words():
    rows = draw_rows()
    words = pd.Series(rows["household_id"]).map("h{:03d}".format)
    assert measure(**rows | {"household_id": words}) == measure(**rows)


def test_the_seed_decides_the_intervals_and_nothing_else():
    rows = draw_rows()
    first, same, other = measure(**rows), measure(**rows), evaluate_rows(**rows, **SETTINGS | {"seed": 8})
    assert first == same
    assert first.auc.low != other.auc.low
    assert first.auc.value == other.auc.value


def test_how_many_resamples_are_measured_at_once_changes_nothing():
    rows = draw_rows()
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
    rows = draw_rows()
    narrow, wide = measure(**rows), evaluate_rows(**rows, **SETTINGS | {"confidence": 0.99})
    for name in ("auc", "brier_score", "calibration_slope", "precision_at_high_confidence"):
        assert getattr(wide, name).low < getattr(narrow, name).low < getattr(narrow, name).high
        assert getattr(narrow, name).high < getattr(wide, name).high


def test_without_resamples_there_are_values_and_no_intervals():
    rows = draw_rows()
    found = evaluate_rows(**rows, **SETTINGS | {"n_resamples": 0})
    assert found.auc == Estimate(measure(**rows).auc.value, None, None)


def test_a_calibrated_model_has_a_calibration_error_whose_interval_reaches_low_and_holds_the_estimate():
    error = measure(**draw_rows(n_rows=4_000, n_households=200)).expected_calibration_error
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
    rows, random = draw_rows(n_rows=1_000), np.random.default_rng(1)
    everything = {
        **rows,
        "household_id": np.arange(1_000) % n_households,
        "item_id": np.arange(1_000),
        "observed_on": np.repeat(pd.date_range("2024-01-01", periods=100), 10),
        "days_true": random.uniform(0, 30, 1_000),
        "days_predicted": random.uniform(0, 30, 1_000),
        "oracle_probability": rows["probability"],
        "raw_score": rows["probability"],
        "costs": Costs(false_alarm=1, missed_item=2),
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
    rows = draw_rows(n_rows=1_000, n_households=50)
    loud = rows["household_id"] < 3
    found = measure(**rows | {"probability": np.where(loud, 0.9, rows["probability"] / 2)})
    assert found.precision_at_high_confidence.low is None
    assert found.trade_off[-1].precision.low is None
    assert found.auc.low < found.auc.value < found.auc.high
    hardly = measure(**rows | {"y_true": loud & rows["y_true"]})
    assert hardly.auc.low is None
    assert hardly.recall.low is None


def test_a_group_of_too_few_households_has_no_interval_and_leaves_none_to_its_gap():
    rows = draw_rows(n_rows=1_000, n_households=50)
    size = np.where(rows["household_id"] < 10, "few", "many")
    found = measure(**rows, sensitive={"size": size}, min_group_households=2, min_group_class=5).fairness["size"]
    few, many = (group.measured for group in found.groups)
    assert (few.auc.low, found.largest_calibration_gap.low) == (None, None)
    assert many.auc.low < many.auc.high
