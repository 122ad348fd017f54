"""What must hold between tables."""

import json
from pathlib import Path

import pandas as pd
import pytest

from waste_risk.errors import ContractError
from waste_risk.parameters import Cleaning, load
from waste_risk.tables.checks import TableCounts, check_tables

MONDAY = pd.Timestamp("2024-05-06")
CONFIGURED = load(Cleaning, Path(__file__).parents[2] / "conf/base/parameters_data_engineering.yml")
RULES = [name for name in Cleaning.model_fields if name not in {"max_share", "max_gap_days"}]
STRICT = CONFIGURED.model_copy(update=dict.fromkeys(RULES, "reject"))


def tables(n_items: int = 2) -> dict[str, pd.DataFrame]:
    """Two households; each item is bought on Monday as 1.0 and opened, half eaten and half wasted on Tuesday."""
    households = pd.DataFrame(
        {"household_id": ["h0", "h1"], "size": 2, "children": 0, "income_band": "low", "joined_on": MONDAY}
    )
    numbers = range(n_items)
    items = pd.DataFrame(
        {
            "item_id": [f"i{number}" for number in numbers],
            "household_id": [f"h{number % 2}" for number in numbers],
            "product": "milk",
            "category": "dairy",
            "quantity": 1.0,
            "unit": "l",
            "unit_price": 1.0,
            "on_promotion": False,
            "purchased_on": MONDAY,
            "storage": "fridge",
            "expires_on": pd.NaT,
        }
    )
    events = items[["item_id", "household_id"]].merge(
        pd.DataFrame({"kind": ["opened", "consumed", "wasted"], "quantity": [0.0, 0.5, 0.5]}), how="cross"
    )
    return {
        "households": households,
        "items": items,
        "events": events.assign(occurred_on=MONDAY + pd.Timedelta(days=1)),
    }


def change(frame: pd.DataFrame, row: int, **values: object) -> pd.DataFrame:
    changed = frame.copy()
    for name, value in values.items():
        changed.loc[row, name] = value
    return changed


def refusal(cleaning: Cleaning = STRICT, **changed: pd.DataFrame) -> str:
    with pytest.raises(ContractError) as error:
        check_tables(**{**tables(), **changed}, cleaning=cleaning)
    return str(error.value)


def counts(cleaning: Cleaning = STRICT, **changed: pd.DataFrame) -> TableCounts:
    return check_tables(**{**tables(), **changed}, cleaning=cleaning)[3]


def test_tables_that_fit_pass_with_their_counts() -> None:
    sound = tables()
    households, items, events, counted = check_tables(**sound, cleaning=CONFIGURED)
    for checked, given in ((households, "households"), (items, "items"), (events, "events")):
        pd.testing.assert_frame_equal(checked, sound[given], check_dtype=False)
    assert counted == {
        "households": 2,
        "items": 2,
        "events": 6,
        "items_wasted_share": 1.0,
        "data_until": "2024-05-07T00:00:00",
        "dropped": {},
        "repaired": {},
    }
    assert json.loads(json.dumps(counted)) == counted


def test_the_share_counts_items_and_not_waste_events() -> None:
    sound = tables(n_items=4)
    events = sound["events"]
    kept = events[(events["kind"] != "wasted") | (events["item_id"] == "i0")]
    twice = pd.concat([kept, kept[kept["kind"] == "wasted"].assign(quantity=0.001)])
    assert counts(**{**sound, "events": twice})["items_wasted_share"] == 0.25


def test_the_inputs_stay_as_they_were() -> None:
    sound, before = tables(), tables()
    check_tables(**sound, cleaning=CONFIGURED)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(sound[name], frame)


def test_a_table_that_breaks_its_own_contract_is_refused() -> None:
    assert refusal(items=change(tables()["items"], 0, quantity=-1.0)) == (
        "items.quantity: must be at least 0.001 (1 of 2 rows)"
    )


def test_items_of_unknown_households_are_refused_and_their_events_not_counted_again() -> None:
    assert refusal(households=tables()["households"].iloc[:1]) == (
        "items.household_id: must be a household (1 of 2 rows)"
    )


def test_events_of_unknown_items_are_refused() -> None:
    assert refusal(items=tables()["items"].iloc[1:]) == "events.item_id: must be an item (3 of 6 rows)"


def test_an_event_belongs_to_the_household_of_its_item() -> None:
    assert refusal(events=change(tables()["events"], 0, household_id="h1")) == (
        "events.household_id: must be the item's (1 of 6 rows)"
    )


def test_nothing_happens_to_an_item_before_its_day_of_purchase() -> None:
    sunday = change(tables()["events"], 0, occurred_on=MONDAY - pd.Timedelta(days=1))
    assert refusal(events=sunday) == "events.occurred_on: must not lie before the purchase (1 of 6 rows)"


def test_a_purchase_with_a_time_of_day_may_be_opened_on_its_date() -> None:
    sound = tables()
    evening = sound["items"].assign(purchased_on=MONDAY + pd.Timedelta(hours=19))
    assert counts(items=evening, events=change(sound["events"], 0, occurred_on=MONDAY))["items"] == 2


@pytest.mark.parametrize(("bought", "fits"), [(1.0, True), (0.999, True), (0.997, True), (0.996, False)])
def test_more_than_was_bought_cannot_be_eaten_and_wasted_beyond_the_rounding_of_each_event(
    bought: float, fits: bool
) -> None:
    items = change(tables()["items"], 0, quantity=bought)
    if fits:
        assert counts(items=items)["items"] == 2
    else:
        assert refusal(items=items) == "items.quantity: must cover what was eaten and wasted (1 of 2 rows)"


def test_thirds_that_were_rounded_up_still_fit() -> None:
    sound = tables()
    thirds = sound["events"].assign(kind="consumed", quantity=0.334)
    assert counts(events=thirds)["events"] == 6


def test_a_correction_upwards_covers_what_was_eaten_beyond_the_purchase() -> None:
    sound = tables()
    half = sound["items"].assign(quantity=0.5)
    corrected = sound["events"].replace({"kind": {"opened": "corrected"}})
    upwards = corrected.assign(quantity=corrected["kind"].map({"corrected": -0.5}).fillna(0.5))
    assert counts(items=half, events=upwards)["items"] == 2


def test_the_order_of_rows_does_not_matter() -> None:
    sound = tables(n_items=6)
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in sound.items()}
    assert counts(**shuffled) == counts(**sound)


def test_ids_may_be_integers() -> None:
    def as_integers(frame: pd.DataFrame) -> pd.DataFrame:
        ids = [name for name in frame if name.endswith("_id")]
        return frame.assign(**{name: frame[name].str[1:].astype(int) for name in ids})

    assert counts(**{name: as_integers(frame) for name, frame in tables().items()}) == counts()


@pytest.mark.parametrize(
    ("table", "column", "message"),
    [
        ("households", "household_id", "items.household_id: must be numbers as in households, is text"),
        ("items", "household_id", "items.household_id: must be text as in households, is numbers"),
        ("items", "item_id", "events.item_id: must be numbers as in items, is text"),
        ("events", "household_id", "events.household_id: must be text as in households, is numbers"),
        ("events", "item_id", "events.item_id: must be text as in items, is numbers"),
    ],
)
def test_ids_that_are_text_in_one_table_and_numbers_in_another_are_said_to_be(
    table: str, column: str, message: str
) -> None:
    frame = tables()[table]
    said = refusal(**{table: frame.assign(**{column: range(len(frame))})})
    assert said.startswith(f"{message}; write the ids of all tables in one way (")


def test_households_and_items_must_have_rows_and_events_may_be_none() -> None:
    empty = {name: frame.iloc[:0] for name, frame in tables().items()}
    assert refusal(**empty) == "households: must not be empty (0 rows); items: must not be empty (0 rows)"
    assert refusal(items=empty["items"]) == "items: must not be empty (0 rows)"
    assert counts(events=empty["events"])["items_wasted_share"] == 0.0
