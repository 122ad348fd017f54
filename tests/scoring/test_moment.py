"""Which moment is scored, and by whom."""

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from pydantic import ValidationError
from random_pantry import random_pantry

from waste_risk.errors import ContractError
from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.parameters import Cleaning, Scoring, load
from waste_risk.scoring import check_records_before, find_as_of, learned_until, take_champion
from waste_risk.simulation import simulate

CLEANING = load(Cleaning, Path(__file__).parents[2] / "conf/base/parameters_data_engineering.yml")
_, _, ITEMS, EVENTS = random_pantry(1)
LATEST = max(ITEMS["purchased_on"].max(), EVENTS["occurred_on"].max())


def scoring(as_of: object, champion_source: str | None = None) -> Scoring:
    return Scoring(as_of=as_of, champion_source=champion_source, page_households=10)  # type: ignore[arg-type]


def test_the_default_moment_is_that_of_the_latest_record() -> None:
    assert find_as_of(ITEMS, EVENTS, scoring(None)) == LATEST


@pytest.mark.parametrize("as_of", ["2024-05-01", "2024-05-01T18:30:00", datetime(2024, 5, 1)])
def test_another_moment_is_taken_as_it_is_configured(as_of: object) -> None:
    assert find_as_of(ITEMS, EVENTS, scoring(as_of)) == pd.Timestamp(as_of)  # type: ignore[arg-type]
    assert find_as_of(ITEMS, EVENTS, scoring(as_of)).unit == "us"


def test_the_latest_record_itself_may_be_asked_for_and_nothing_later() -> None:
    assert find_as_of(ITEMS, EVENTS, scoring(LATEST.isoformat())) == LATEST
    with pytest.raises(
        ContractError, match=r"^scoring.as_of is .*, after the latest record of the source at"
    ) as refusal:
        find_as_of(ITEMS, EVENTS, scoring((LATEST + pd.Timedelta(microseconds=1)).isoformat()))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("as_of", "reason"),
    [
        (20_000, "a moment such as"),
        (True, "a moment such as"),
        ("yesterday", "valid datetime"),
        ("2024-05-01T18:30:00+02:00", "no time zone"),
        ("1970-01-01", "between 2000-01-01 and 2099-12-31"),
    ],
)
def test_what_is_no_moment_is_refused(as_of: object, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        scoring(as_of)


def test_without_a_champion_nothing_is_scored() -> None:
    with pytest.raises(ContractError, match="^there is no champion yet: run kedro run, then kedro run --pipelines"):
        take_champion(None, "grocy", scoring(None))


@pytest.mark.parametrize(
    ("champion_source", "wanted"), [(None, "grocy"), ("grocy", "grocy"), ("complete_journey", "complete_journey")]
)
def test_a_champion_of_another_source_scores_only_if_it_is_named(champion_source: str | None, wanted: str) -> None:
    lent = champion_of("simulated")
    with pytest.raises(ContractError) as refusal:
        take_champion(lent, "grocy", scoring(None, champion_source))
    assert str(refusal.value) == (
        f"the champion, version 3 of waste_risk_predictor, is of source simulated, not of {wanted}; to score with it "
        "all the same, set scoring.champion_source=simulated"
    )
    assert take_champion(lent, "grocy", scoring(None, "simulated")) == lent._replace(is_lent=True)


def test_the_own_champion_is_not_lent_and_knows_outcomes_of_its_source() -> None:
    own = champion_of("grocy")
    assert take_champion(own, "grocy", scoring(None)) == take_champion(own, "grocy", scoring(None, "grocy")) == own
    assert learned_until(own) == pd.Timestamp("2025-05-01")
    assert learned_until(own._replace(is_lent=True)) == pd.Timestamp("2000-01-01")


def champion_of(source: str) -> RegisteredPredictor:
    """A registered predictor, of which nothing is asked but until when it has learned."""
    predictor = SimpleNamespace(metadata=SimpleNamespace(labels_known_on=pd.Timestamp("2025-05-01")))
    return RegisteredPredictor(predictor, "3", source, {})  # type: ignore[arg-type]


@pytest.mark.parametrize("moment", ["2024-05-01", "2024-05-20T13:00"])
def test_the_records_before_a_moment_are_the_same_whatever_comes_after(moment: str) -> None:
    as_of = pd.Timestamp(moment)
    source = simulate(40, 60, seed=4, period_days=200, scenario="dirty")
    items, events = source.items, source.events
    is_later = items["purchased_on"] >= as_of
    known = check_records_before(source.households, items, events, as_of, CLEANING)
    futures = (
        (items[~is_later], events[events["occurred_on"] < as_of]),
        (items.assign(quantity=items["quantity"].mask(is_later, 0.001)), events),
        (items, events.assign(quantity=events["quantity"].mask(events["occurred_on"] >= as_of, 500.0))),
    )
    for later_items, later_events in futures:
        cut = check_records_before(source.households, later_items, later_events, as_of, CLEANING)
        for one, other in zip(known, cut, strict=True):
            pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))
    assert known[1]["purchased_on"].max() < as_of
    assert known[2]["occurred_on"].max() < as_of
    assert len(known[2]) > 100


def test_before_the_first_purchase_there_is_nothing_to_score() -> None:
    source = simulate(5, 20, seed=4, period_days=200)
    with pytest.raises(ContractError, match=r"^items: must not be empty \(0 rows\)$"):
        check_records_before(source.households, source.items, source.events, pd.Timestamp("2023-06-01"), CLEANING)
