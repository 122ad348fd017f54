"""Which moment is scored, and by whom."""

from datetime import datetime

import pandas as pd
import pytest
from pydantic import ValidationError
from random_pantry import random_pantry

from waste_risk.errors import ContractError
from waste_risk.parameters import Scoring
from waste_risk.scoring import find_as_of, take_champion

_, _, ITEMS, EVENTS = random_pantry(1)
LATEST = max(ITEMS["purchased_on"].max(), EVENTS["occurred_on"].max())


def scoring(as_of: object) -> Scoring:
    return Scoring(as_of=as_of, page_households=10)  # type: ignore[arg-type]


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
        take_champion(None)
