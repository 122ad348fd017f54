"""How much rows have changed, and how much is usual."""

import numpy as np
import pandas as pd
import pytest
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant
from predicted import DAY, MONDAY, PARAMS

from waste_risk.errors import ContractError
from waste_risk.model.calibration import Calibrator
from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.monitoring.drift import describe_reference, measure_change, observe_weekly, stability_index
from waste_risk.training.fit import fit_predictor

N_HOUSEHOLDS = 200


def rows(n_moments: int, seed: int, **columns: "object") -> pd.DataFrame:
    """Five items of each household at weekly moments, with two normal columns and one that nobody knows."""
    random, n = np.random.default_rng(seed), n_moments * N_HOUSEHOLDS * 5
    table = {
        "household_id": np.tile(np.repeat(np.arange(N_HOUSEHOLDS), 5), n_moments),
        "observed_on": np.repeat([MONDAY + 7 * week * DAY for week in range(n_moments)], N_HOUSEHOLDS * 5),
        "steady": random.normal(size=n),
        "flag": (random.random(n) < 0.3).astype(float),
        "unknown": np.full(n, np.nan),
    }
    return pd.DataFrame({**table, **columns})


COLUMNS = ("steady", "flag", "unknown")


def test_the_index_is_that_of_the_textbook() -> None:
    counts, reference = np.array([0.0, 2e6, 3e6, 5e6]), np.array([0.0, 25e5, 25e5, 5e6])
    shares, other = np.array([0.2, 0.3, 0.5]), np.array([0.25, 0.25, 0.5])
    expected = ((shares - other) * np.log(shares / other)).sum()
    assert float(stability_index(counts, reference)) == pytest.approx(expected, rel=1e-4)


def test_equal_shares_have_no_drift_whatever_their_number() -> None:
    assert float(stability_index(np.array([1e5, 2e5, 3e5]), np.array([2e5, 4e5, 6e5]))) == pytest.approx(0, abs=1e-9)


def test_nulls_that_become_fewer_are_no_drift_and_those_that_become_more_are() -> None:
    few, many = np.array([1e5, 4e5, 5e5]), np.array([5e5, 2e5, 25e4])
    assert float(stability_index(few, many)) == pytest.approx(0, abs=1e-3)
    assert float(stability_index(many, few)) > 0.5


def test_an_empty_bin_makes_no_infinite_number() -> None:
    assert np.isfinite(stability_index(np.array([0.0, 0.0, 100.0]), np.array([0.0, 100.0, 0.0])))


def test_a_shift_is_found_and_the_largest_relative_to_its_limit_comes_first() -> None:
    reference = describe_reference(rows(8, 1), COLUMNS, PARAMS)
    steady, *others = reference.measure(rows(1, 2, steady=np.random.default_rng(3).normal(1.0, 1, N_HOUSEHOLDS * 5)))
    assert steady.name == "steady"
    assert steady.is_beyond
    assert not any(each.is_beyond for each in others)


def test_of_equal_laws_few_moments_have_any_column_beyond_its_limit() -> None:
    params = PARAMS.model_copy(update={"min_psi": 0.0, "alarm_confidence": 0.95})
    reference = describe_reference(rows(12, 1), COLUMNS[:2], params)
    alarms = [any(each.is_beyond for each in reference.measure(rows(1, seed))) for seed in range(100, 200)]
    assert sum(alarms) <= 12


@pytest.mark.parametrize(("n_households", "n_items"), [(20, 2), (40, 1), (40, 5)])
def test_of_equal_laws_a_small_newest_moment_sounds_no_alarm(n_households: int, n_items: int) -> None:
    """Of few rows a bin more or less is usual, and what no row of the reference has is no bin."""
    table = rows(12, 1)
    alarms = 0
    for seed in range(100, 130):
        newest = rows(1, seed).query(f"household_id < {n_households}").groupby("household_id").head(n_items)
        reference = describe_reference(table, COLUMNS, PARAMS, newest)
        alarms += any(each.is_beyond for each in reference.measure(newest))
    assert alarms <= 2


def test_a_small_newest_moment_of_another_law_sounds() -> None:
    newest = rows(1, 2, steady=np.random.default_rng(3).normal(2.0, 1, N_HOUSEHOLDS * 5)).query("household_id < 20")
    steady, *others = describe_reference(rows(12, 1), COLUMNS, PARAMS, newest).measure(newest)
    assert (steady.name, steady.is_beyond) == ("steady", True)
    assert not any(each.is_beyond for each in others)


def test_a_column_that_was_the_same_everywhere_and_is_no_longer_drifts() -> None:
    constant = np.zeros(8 * N_HOUSEHOLDS * 5)
    reference = describe_reference(rows(8, 1, flag=constant), ("flag",), PARAMS)
    (flag,) = reference.measure(rows(1, 2))
    assert flag.is_beyond


def test_rows_that_are_alike_within_households_have_a_higher_limit() -> None:
    trait = np.random.default_rng(5).normal(size=N_HOUSEHOLDS)
    table = rows(8, 1)
    moved = np.random.default_rng(6)
    alike = np.concatenate([np.repeat(trait + moved.normal(0, 0.5, N_HOUSEHOLDS), 5) for _ in range(8)])
    params = PARAMS.model_copy(update={"min_psi": 0.0})
    limits = dict(
        zip(
            ("steady", "alike"),
            describe_reference(table.assign(alike=alike), ("steady", "alike"), params).limits,
            strict=True,
        )
    )
    assert limits["alike"] > 1.5 * limits["steady"]


def test_the_least_index_that_matters_is_a_floor_of_the_limits() -> None:
    assert describe_reference(rows(8, 1), COLUMNS, PARAMS).limits.min() == PARAMS.min_psi


@pytest.mark.parametrize("table", [rows(3, 1), rows(8, 1).query("household_id < 19"), rows(8, 1).iloc[:0]])
def test_a_reference_that_is_too_small_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(ContractError, match="reference of the drift: at least 4 weekly moments with open items of 20"):
        describe_reference(table, COLUMNS, PARAMS)


def test_the_reference_ends_with_the_training_and_has_the_weekday_of_the_newest_moment() -> None:
    days = pd.date_range(MONDAY - 200 * DAY, MONDAY, freq="D").astype("datetime64[us]")
    items = pd.DataFrame({"item_id": np.arange(len(days)), "household_id": 1, "quantity": 1.0, "purchased_on": days})
    events = pd.DataFrame(
        {
            "item_id": np.array([0]),
            "household_id": 1,
            "kind": "consumed",
            "quantity": 0.1,
            "occurred_on": np.array([days[1]], dtype="datetime64[us]"),
        }
    )
    observed = observe_weekly(items, events, MONDAY, MONDAY - 17 * DAY, PARAMS)
    moments = observed["observed_on"].unique()
    assert list(moments) == [MONDAY - 7 * ago * DAY for ago in (8, 7, 6, 5, 4, 3, 0)]
    age = (
        observed["observed_on"].to_numpy() - items.set_index("item_id")["purchased_on"][observed["item_id"]].to_numpy()
    )
    assert age.max() == np.timedelta64(30, "D")


@pytest.fixture(scope="module")
def champion() -> RegisteredPredictor:
    folds = pd.DataFrame({"n_train": [1_000], "rounds_classifier": [5], "rounds_regressor": [5]})
    calibrator = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
    predictor = fit_predictor(plant(1_000), folds, calibrator, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)
    return RegisteredPredictor(predictor, "7", "simulated", {})


def features(n_households: "list[int]") -> pd.DataFrame:
    """Open items of so many households at weekly moments, the last of which is the newest."""
    moments = [
        plant(200, seed=week).assign(household_id=np.arange(200) % n, observed_on=MONDAY + 7 * week * DAY).iloc[: 5 * n]
        for week, n in enumerate(n_households)
    ]
    return pd.concat(moments, ignore_index=True)


@pytest.mark.parametrize(
    ("n_households", "n_moments"),
    [
        ([30, 40, 30, 30, 30], 4),
        ([3, 30, 19, 30, 30, 20, 30], 4),  # as in a source's first weeks, or over a holiday
        ([30, 30, 30, 30], None),
        ([1, 30, 30, 30, 19, 30], None),
        ([30, 30, 30, 30, 19], None),
        ([2, 2, 2, 2, 2], None),
    ],
)
def test_moments_of_few_households_are_left_out_and_a_source_that_is_too_small_has_no_drift(
    champion: RegisteredPredictor, n_households: "list[int]", n_moments: int | None
) -> None:
    table = features(n_households)
    change = measure_change(table, table["observed_on"].max(), champion, PARAMS)
    assert (None if change is None else change.n_moments) == n_moments


def test_a_newest_moment_without_an_item_has_no_drift(champion: RegisteredPredictor) -> None:
    assert measure_change(features([30] * 6), MONDAY + 99 * DAY, champion, PARAMS) is None
    assert measure_change(features([30] * 6).iloc[:0], MONDAY, champion, PARAMS) is None
