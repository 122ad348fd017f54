"""Ids are opaque: whatever integers of 64 bits or texts they are, each row keeps its own, and no figure changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from evaluating import evaluate_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import OBSERVATION, SPLIT, TRAINING, plant
from scipy.special import expit

from waste_risk.errors import ContractError
from waste_risk.features import build_features
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record, observe_items, open_items
from waste_risk.parameters import Baselines, Cleaning, load
from waste_risk.simulation import oracle_probability, simulate
from waste_risk.tables.checks import check_tables
from waste_risk.tables.contracts import check
from waste_risk.training.cross_validation import cross_validate
from waste_risk.training.splits import split_by_time
from waste_risk.validation.baselines import predict_baselines

CLEANING = load(Cleaning, Path(__file__).parents[2] / "conf/base/parameters_data_engineering.yml")
SOURCE = simulate(n_households=8, n_items_per_household=25, seed=3, period_days=180)
KEYS = ["item_id", "household_id"]

Naming = Callable[[int], Any]

# Consecutive, so that two of them are one float; the simulated item numbers are spread, and so become places first.
FIRST = st.one_of(
    st.integers(-(2**63), 2**63 - 1_000), st.sampled_from([-(2**63), 2**53, 17 * 10**17, 2**62, 2**63 - 1_000])
)
DTYPES = st.sampled_from(["int64", "uint64", "object"])
PLACES = {number: place for place, number in enumerate(SOURCE.items["item_id"])}


def renamed(frame: pd.DataFrame, first: int, dtype: str) -> pd.DataFrame:
    """Number items and households from the first id on."""
    wanted = dtype if dtype != "uint64" or first >= 0 else "int64"
    ids = {"item_id": PLACES.__getitem__, "household_id": lambda number: number}
    named = {name: [first + ids[name](number) for number in frame[name]] for name in frame.columns.intersection(KEYS)}
    return frame.assign(**{name: pd.Series(values, dtype=wanted) for name, values in named.items()})


@settings(max_examples=30, derandomize=True)
@given(FIRST, DTYPES, DTYPES)
def test_every_integer_id_of_64_bits_stays_what_it_is_from_the_tables_to_the_model_input(
    first: int, dtype: str, other: str
) -> None:
    named = [renamed(table, first, dtype) for table in (SOURCE.households, SOURCE.items)]
    households, items, events, counts = check_tables(*named, renamed(SOURCE.events, first, other), CLEANING)
    assert (counts["items"], counts["events"], counts["dropped"]) == (len(SOURCE.items), len(SOURCE.events), {})
    until = latest_record(items, events)
    observations = check("observations", observe_items(items, events, OBSERVATION, until))
    features = check("features", build_features(observations, households, items, events))
    rows = check("model_input", assemble_model_input(observations, features, households, until))
    owner = dict(zip(SOURCE.items["item_id"], SOURCE.items["household_id"], strict=True))
    number = {first + place: item for item, place in PLACES.items()}
    own = observations.assign(item_id=[number[item] for item in observations["item_id"].tolist()])
    own["household_id"] = [household - first for household in observations["household_id"].tolist()]
    assert own["household_id"].tolist() == [owner[item] for item in own["item_id"]]
    assert set(rows["item_id"].tolist()) <= set(observations["item_id"].tolist())
    expected = build_features(own, SOURCE.households, SOURCE.items, SOURCE.events)
    pd.testing.assert_frame_equal(features.drop(columns=KEYS), expected.drop(columns=KEYS), check_exact=True)
    true = oracle_probability(observations, items, events, renamed(SOURCE.truth, first, other), 30)
    own_true = oracle_probability(own, SOURCE.items, SOURCE.events, SOURCE.truth, 30)
    pd.testing.assert_frame_equal(true, own_true, check_exact=True)
    assert len(open_items(items, events, until)) == len(open_items(SOURCE.items, SOURCE.events, until))


@settings(max_examples=10, derandomize=True)
@given(st.integers(2**63 - 100, 2**64 - 1_000))
def test_an_unsigned_id_beyond_63_bits_is_refused_by_the_rule_it_breaks(first: int) -> None:
    with pytest.raises(ContractError, match=r"^items.item_id: must lie between -2\^63 and 2\^63 - 1 \(\d+ of \d+ rows"):
        check("items", renamed(SOURCE.items, first, "uint64"))


NAMINGS: dict[str, Naming] = {
    "in milliseconds": lambda number: 17 * 10**17 + number,
    "near the largest": lambda number: 2**63 - 10_000 + number,
    "near the smallest": lambda number: -(2**63) + number,
    "text": lambda number: f"id {number:05}",
}


@pytest.mark.parametrize("naming", NAMINGS.values(), ids=NAMINGS)
def test_windows_folds_baselines_and_metrics_do_not_depend_on_what_ids_are(naming: Naming) -> None:
    rows = plant(1_500)
    named = rows.assign(**{name: [naming(number) for number in rows[name].tolist()] for name in KEYS})
    (development, test), (plain_development, plain_test) = split_by_time(named, SPLIT), split_by_time(rows, SPLIT)
    assert development["item_id"].tolist() == [naming(number) for number in plain_development["item_id"].tolist()]
    predicted = predict_baselines(development, test, Baselines(prior_rows=10))
    plain = predict_baselines(plain_development, plain_test, Baselines(prior_rows=10))
    pd.testing.assert_frame_equal(predicted, plain, check_exact=True)
    training = TRAINING.model_copy(
        update={"classifier": (few := TRAINING.classifier.model_copy(update={"num_boost_round": 3})), "regressor": few}
    )
    judged, *_ = cross_validate(development, training, SPLIT, OBSERVATION)
    plain_judged, *_ = cross_validate(plain_development, training, SPLIT, OBSERVATION)
    assert judged["household_id"].tolist() == [naming(number) for number in plain_judged["household_id"].tolist()]
    pd.testing.assert_frame_equal(judged.drop(columns=KEYS), plain_judged.drop(columns=KEYS), check_exact=True)
    measured, plainly = (
        evaluate_rows(
            y_true=frame["wasted"],
            probability=expit(frame["life_used"]),
            household_id=frame["household_id"],
            item_id=frame["item_id"],
            observed_on=frame["observed_on"],
            days_true=frame["days_to_waste"],
            n_resamples=50,
        )
        for frame in (test, plain_test)
    )
    assert measured == plainly
