"""How much rows have changed, and how much is usual."""

import numpy as np
import pandas as pd
import pytest
from predicted import DAY, MONDAY, PARAMS

from waste_risk.errors import ContractError
from waste_risk.monitoring.drift import describe_reference, observe_weekly, stability_index

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


def test_a_moment_without_a_young_item_is_refused_in_one_line() -> None:
    items = pd.DataFrame({"item_id": [1], "household_id": 1, "quantity": 1.0, "purchased_on": [MONDAY - 40 * DAY]})
    events = pd.DataFrame(
        {
            "item_id": np.array([1]),
            "household_id": 1,
            "kind": "opened",
            "quantity": 0.0,
            "occurred_on": np.array([MONDAY], dtype="datetime64[us]"),
        }
    )
    items["purchased_on"] = items["purchased_on"].astype("datetime64[us]")
    with pytest.raises(ContractError, match="items: none that is up to 30 days old is open at 2024-06-03T00:00:00"):
        observe_weekly(items, events, MONDAY, MONDAY - 7 * DAY, PARAMS)
