"""What the contracts of the tables accept, refuse, and say."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from waste_risk.errors import ContractError
from waste_risk.features import FEATURES
from waste_risk.tables import contracts
from waste_risk.tables.contracts import check

DAY = pd.Timestamp("2024-05-01")


def text(*words: str) -> pd.Series:
    """Words as Python's strings, which may hold half a surrogate pair."""
    return pd.Series(words, dtype=object)


def households(**changes: object) -> pd.DataFrame:
    rows = {
        "household_id": [1, 2, 3],
        "size": [1, 2, 5],
        "children": pd.array([0, None, 3], dtype="Int64"),
        "income_band": ["low", "unknown", "high"],
        "joined_on": DAY,
    }
    return pd.DataFrame({**rows, **changes})


def items(**changes: object) -> pd.DataFrame:
    rows = {
        "item_id": ["a", "b", "c"],
        "household_id": [1, 1, 2],
        "product": ["milk", "ham", "rice"],
        "category": ["dairy", "meat", "grains"],
        "quantity": [1.0, 0.5, 2.0],
        "unit": ["l", "kg", "kg"],
        "unit_price": [1.2, None, 0.0],
        "on_promotion": pd.array([True, None, False], dtype="boolean"),
        "purchased_on": DAY,
        "storage": ["fridge", "freezer", "pantry"],
        "expires_on": [DAY, pd.NaT, DAY],
    }
    return pd.DataFrame({**rows, **changes})


def events(**changes: object) -> pd.DataFrame:
    rows = {
        "item_id": ["a", "a", "b", "b", "c"],
        "household_id": [1, 1, 1, 1, 2],
        "kind": ["opened", "consumed", "wasted", "moved", "corrected"],
        "quantity": [0.0, 1.0, 0.5, 0.0, -1.0],
        "occurred_on": DAY,
    }
    return pd.DataFrame({**rows, **changes})


def observations(**changes: object) -> pd.DataFrame:
    rows = {
        "item_id": ["a", "b", "c"],
        "household_id": [1, 1, 2],
        "observed_on": [DAY, DAY, DAY + pd.Timedelta(days=1)],
        "wasted": [True, False, True],
        "days_to_waste": [0.0, np.nan, 30.0],
        "label_known_on": DAY + pd.Timedelta(days=31),
    }
    return pd.DataFrame({**rows, **changes})


def habits(**changes: object) -> pd.DataFrame:
    rows = {"household_id": [1, 1], "category": ["dairy", "meat"], "pace": 0.3}
    return pd.DataFrame({**rows, "propensity": 0.0, "planning": 1.0, "forgetting": 0.5, **changes})


def truth(**changes: object) -> pd.DataFrame:
    names = [name for name in contracts.schema("truth").columns if name not in {"item_id", "household_id"}]
    unknown = {"opened_life_days": [0.5, np.nan], "date_discard_days": [np.nan, 0.5]}
    latents = {**dict.fromkeys(names, 0.5), **unknown, "wasted_in_the_end": False}
    return pd.DataFrame({"item_id": ["a", "b"], "household_id": 1, **latents, **changes})


TABLES = {
    "households": households,
    "purchases": lambda **changes: items(**changes).drop(columns=["storage", "expires_on"]),
    "items": items,
    "habits": habits,
    "events": events,
    "truth": truth,
    "observations": observations,
}


@pytest.mark.parametrize("table", TABLES)
def test_a_sound_table_passes_unchanged_but_for_its_types(table: str) -> None:
    frame = TABLES[table]()
    before = frame.copy()
    checked = check(table, frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(checked, before, check_dtype=False)


@pytest.mark.parametrize("table", TABLES)
def test_checking_twice_changes_nothing_more(table: str) -> None:
    checked = check(table, TABLES[table]())
    assert check(table, checked) is checked


@pytest.mark.parametrize("table", TABLES)
def test_a_table_without_rows_passes_whatever_types_its_source_made_up(table: str) -> None:
    empty = pd.DataFrame(columns=list(contracts.schema(table).columns), dtype=object)
    assert len(check(table, empty)) == 0


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_needed_and_no_other_is_allowed(table: str) -> None:
    frame = TABLES[table]()
    first = frame.columns[0]
    with pytest.raises(ContractError) as error:
        check(table, frame.rename(columns={first: "colour"}))
    rows = f"({len(frame)} of {len(frame)} rows)"
    unknown = f"{table}: has 1 column that is not of its contract {rows}"
    assert str(error.value) == f"{unknown}; {table}.{first}: is missing {rows}"


def test_columns_that_are_not_of_the_contract_are_counted_and_never_named() -> None:
    """Of a file without a header the first row becomes the names, and they may be of any length and any kind."""
    headerless = pd.DataFrame([["Mayer", "\x1b[31m", 7, None]] * 2, columns=["Mayer", "\x1b[31m", 7, None])
    with pytest.raises(ContractError) as error:
        check("habits", headerless)
    missing = [f"habits.{name}: is missing (2 of 2 rows)" for name in contracts.schema("habits").columns]
    assert str(error.value) == "; ".join(["habits: has 4 columns that are not of its contract (2 of 2 rows)", *missing])


def test_ten_thousand_columns_too_many_are_one_short_line() -> None:
    wide = pd.concat(
        [items(), pd.DataFrame(0, index=range(3), columns=[f"Mayer {n % 9_000}" for n in range(10_000)])], axis=1
    )
    with pytest.raises(ContractError) as error:
        check("items", wide)
    assert str(error.value) == "items: has 10000 columns that are not of its contract (3 of 3 rows)"


@pytest.mark.parametrize("twice", [["unit", "Mayer", "Mayer"], ["unit", "unit", "Mayer"]])
def test_of_columns_that_come_twice_only_known_names_are_shown(twice: list[str]) -> None:
    frame = pd.concat([items(), items()[["unit"]].rename(columns={"unit": "Mayer"}), items()[["unit"]]], axis=1)
    with pytest.raises(ContractError) as error:
        check("items", frame[[*items().columns.drop("unit"), *twice]])
    assert "Mayer" not in str(error.value)


@pytest.mark.parametrize(
    ("table", "changes", "message"),
    [
        ("households", {"household_id": [1, 2, 2]}, "household_id: must be unique (1 of 3 rows)"),
        ("households", {"size": [0, 1, 2]}, "size: must be at least 1 (1 of 3 rows)"),
        ("households", {"size": [1.5, 1, 2]}, "size: must be whole numbers, is float64"),
        ("households", {"children": [-1, None, 0]}, "children: must be at least 0 (1 of 3 rows)"),
        ("households", {"children": [0.5, None, 0]}, "children: must be whole numbers or null, is float64"),
        ("households", {"income_band": "rich"}, "income_band: must be one of low, middle, high, unknown (3 of 3 rows)"),
        ("households", {"joined_on": "2024"}, "joined_on: must be timestamps without a time zone, is str"),
        (
            "households",
            {"joined_on": DAY.tz_localize("UTC")},
            "joined_on: must be timestamps without a time zone, is datetime64[us, UTC]",
        ),
        ("households", {"joined_on": [DAY, DAY, pd.NaT]}, "joined_on: must not be null (1 of 3 rows)"),
        ("items", {"item_id": ["a", "a", "a"]}, "item_id: must be unique (2 of 3 rows)"),
        ("items", {"item_id": [1, "b", "c"]}, "item_id: must be all integers or all strings, is object"),
        ("items", {"item_id": [1.0, 2.0, 3.0]}, "item_id: must be all integers or all strings, is float64"),
        ("items", {"household_id": ["x", None, "y"]}, "household_id: must not be null (1 of 3 rows)"),
        (
            "items",
            {"item_id": np.array([1, 2, 2**63], dtype="uint64")},
            "item_id: must lie between -2^63 and 2^63 - 1 (1 of 3",
        ),
        ("items", {"item_id": [1, 2, -(2**63) - 1]}, "item_id: must lie between -2^63 and 2^63 - 1 (1 of 3 rows)"),
        ("items", {"item_id": text("a", "b\ud800", "c")}, "item_id: must be valid Unicode (1 of 3 rows)"),
        ("items", {"product": text("milk", "\ud800", "\udfff")}, "product: must be valid Unicode (2 of 3 rows)"),
        ("items", {"unit": pd.Categorical(text("l", "\ud800", "l"))}, "unit: must be valid Unicode (1 of 3 rows)"),
        (
            "items",
            {"storage": text("fridge", "pantry", "\ud800")},
            "storage: must be valid Unicode (1 of 3 rows)",
        ),
        ("households", {"size": [1, 2, 10**7]}, "size: must be at most 1000000 (1 of 3 rows)"),
        ("households", {"children": [0, None, 10**7]}, "children: must be at most 1000000 (1 of 3 rows)"),
        ("items", {"product": ["milk", "", "rice"]}, "product: must not be empty (1 of 3 rows)"),
        ("items", {"product": 7}, "product: must be text, is int64"),
        ("items", {"category": ["dairy", "toys", None]}, "category: must not be null (1 of 3 rows)"),
        ("items", {"quantity": [1.0, 0.0, -2.0]}, "quantity: must be at least 0.001 (2 of 3 rows)"),
        ("items", {"quantity": [1.0, np.inf, 2.0]}, "quantity: must be finite (1 of 3 rows)"),
        ("items", {"quantity": "1"}, "quantity: must be numbers, is str"),
        ("items", {"unit_price": [-0.01, None, 1]}, "unit_price: must be at least 0 (1 of 3 rows)"),
        ("items", {"on_promotion": ["yes", None, "no"]}, "on_promotion: must be true, false or null, is str"),
        ("items", {"storage": ["fridge", "attic", "pantry"]}, "must be one of fridge, freezer, pantry (1 of 3 rows)"),
        ("habits", {"pace": 0.0}, "pace: must be greater than 0 (2 of 2 rows)"),
        ("habits", {"planning": [0.0, 1.1]}, "planning: must lie between 0 and 1 (1 of 2 rows)"),
        ("habits", {"category": "meat"}, "household_id, category: must be unique together (1 of 2 rows)"),
        ("events", {"kind": "eaten"}, "must be one of opened, consumed, wasted, moved, corrected (5 of 5 rows)"),
        (
            "events",
            {"quantity": 0.0},
            "quantity: must be at least 0.001 when consumed or wasted (2 of 5 rows)",
        ),
        (
            "events",
            {"quantity": [0, 0.0009, 1, 0, 0]},
            "quantity: must be at least 0.001 when consumed or wasted (1 of 5 rows)",
        ),
        (
            "events",
            {"quantity": [0, 1, 1, 0, -0.0009]},
            "quantity: must be 0 or at least 0.001, up or down, when corrected (1 of 5 rows)",
        ),
        ("events", {"quantity": [-1, 1, 1, 0, -1]}, "quantity: must not be negative unless corrected (1 of 5 rows)"),
        ("truth", {"pace": [1.0, -np.inf]}, "pace: must be finite (1 of 2 rows)"),
        ("observations", {"item_id": "a"}, "item_id, observed_on: must be unique together (1 of 3 rows)"),
        ("observations", {"wasted": [True, True, True]}, "must be given when wasted, and null when not (1 of 3 rows)"),
        ("observations", {"wasted": [1, 0, 1]}, "wasted: must be true or false, is int64"),
        ("observations", {"days_to_waste": [-1, np.nan, 0]}, "days_to_waste: must be at least 0 (1 of 3 rows)"),
        ("observations", {"days_to_waste": [0, np.nan, 30.5]}, "must end by label_known_on (1 of 3 rows)"),
        ("observations", {"label_known_on": DAY}, "label_known_on: must lie after observed_on (3 of 3 rows)"),
    ],
)
def test_a_broken_rule_is_said_with_its_column_and_count(table: str, changes: dict, message: str) -> None:
    with pytest.raises(ContractError) as error:
        check(table, TABLES[table](**changes))
    assert message in str(error.value)


def test_all_broken_rules_are_said_in_one_line() -> None:
    with pytest.raises(ContractError) as error:
        check("items", items(quantity=[-1.0, 1, 1], storage="attic"))
    assert str(error.value) == (
        "items.quantity: must be at least 0.001 (1 of 3 rows); "
        "items.storage: must be one of fridge, freezer, pantry (3 of 3 rows)"
    )


def test_a_wrong_type_is_said_once_and_not_for_every_rule_of_the_column() -> None:
    with pytest.raises(ContractError) as error:
        check("events", events(quantity="much"))
    assert str(error.value) == "events.quantity: must be numbers, is str (5 of 5 rows)"


@pytest.mark.parametrize("table", ["households", "items", "events", "observations"])
def test_no_value_of_a_table_is_in_the_error_or_behind_it(table: str) -> None:
    frame = TABLES[table]()
    spoilt = frame.assign(**dict.fromkeys(frame.columns[1:], "household-4711"))
    with pytest.raises(ContractError) as raised:
        check(table, spoilt)
    error: BaseException | None = raised.value
    while error is not None:
        assert "4711" not in str(error)
        error = error.__cause__ or error.__context__


def test_rows_are_counted_rightly_under_repeated_index_labels() -> None:
    twice = pd.concat([items(), items()])
    with pytest.raises(ContractError, match=r"^items.item_id: must be unique \(3 of 6 rows\)$"):
        check("items", twice)


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
def test_any_unit_of_time_becomes_microseconds(unit: str) -> None:
    frame = households()
    checked = check("households", frame.assign(joined_on=frame["joined_on"].astype(f"datetime64[{unit}]")))
    pd.testing.assert_frame_equal(checked, check("households", frame))


@pytest.mark.parametrize("table", ["items", "events"])
@pytest.mark.parametrize("dtype", ["int32", "uint64", "Int64", "object", "category"])
def test_ids_of_any_type_of_integer_become_one_type(table: str, dtype: str) -> None:
    """Two types side by side may be compared as floats, and their hashes may differ."""
    frame = TABLES[table]()
    numbered = frame.assign(item_id=pd.Series(range(5)[: len(frame)]))
    checked = check(table, numbered.astype({"item_id": dtype, "household_id": dtype}))
    pd.testing.assert_frame_equal(checked, check(table, numbered))
    assert checked["item_id"].dtype == checked["household_id"].dtype == "int64"


@pytest.mark.parametrize("dtype", [object, "category", pd.StringDtype("python"), pd.StringDtype("pyarrow")])
def test_ids_of_any_type_of_text_become_one_type(dtype: object) -> None:
    checked = check("items", items().astype({"item_id": dtype}))
    pd.testing.assert_frame_equal(checked, check("items", items()))


def test_what_readers_of_files_and_databases_make_of_a_column_becomes_its_type() -> None:
    read = items(
        quantity=[1, 2, 3],
        on_promotion=pd.Series([True, None, False], dtype=object),
        unit_price=pd.Series([None] * 3, dtype=object),
        category=pd.Categorical(["dairy", "meat", "grains"]),
        product=pd.Series(["milk", "ham", "rice"], dtype=object),
    )
    checked = check("items", read)
    assert checked[["quantity", "on_promotion", "unit_price"]].dtypes.astype(str).to_dict() == {
        "quantity": "float64",
        "on_promotion": "boolean",
        "unit_price": "float64",
    }
    assert check("households", households(children=[0.0, None, 3.0]))["children"].tolist() == [0, pd.NA, 3]


@pytest.mark.parametrize(("broken", "kind"), [(None, "NoneType"), ({}, "dict"), (pd.Series([1]), "Series")])
def test_something_that_is_no_table_is_refused(broken: object, kind: str) -> None:
    with pytest.raises(ContractError, match=f"^items: must be a table, is {kind}$"):
        check("items", broken)


def test_a_column_that_comes_twice_is_refused() -> None:
    frame = items()
    with pytest.raises(ContractError, match=r"^items.unit: must be one column \(3 of 3 rows\)$"):
        check("items", pd.concat([frame, frame[["unit"]]], axis=1))


def test_an_unknown_table_has_no_contract() -> None:
    with pytest.raises(KeyError, match="pantries"):
        check("pantries", items())


def test_many_threads_check_at_once_without_disturbing_each_other() -> None:
    def verdict(number: int) -> str:
        try:
            check("items", items(quantity=[1.0, 1.0, number % 2 - 0.5]))
        except ContractError as error:
            return str(error)
        return "sound"

    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(verdict, range(60)))
    assert verdicts == ["items.quantity: must be at least 0.001 (1 of 3 rows)", "sound"] * 30


def features() -> pd.DataFrame:
    keys = observations()[["item_id", "household_id", "observed_on"]]
    columns = {feature.name: np.array([1, np.nan, 0], dtype=feature.dtype) for feature in FEATURES}
    return pd.concat([keys, pd.DataFrame(columns)], axis=1)


def model_input() -> pd.DataFrame:
    labels = observations()[["wasted", "days_to_waste", "label_known_on"]]
    sensitive = {"sensitive_size_group": "3-4", "sensitive_children": "1+", "sensitive_income_band": "low"}
    return pd.concat([features(), labels], axis=1).assign(**sensitive)


@pytest.mark.parametrize("table", [features, model_input])
def test_features_pass_with_nulls_in_them(table: Callable[[], pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(check(table.__name__, table()), table(), check_dtype=False)


def test_every_feature_has_its_type_and_no_infinite_value() -> None:
    frame = features()
    number, other = FEATURES[0].name, FEATURES[1].name
    with pytest.raises(ContractError) as error:
        check("features", frame.assign(**{number: np.float32(np.inf), other: "a"}))
    assert f"features.{number}: must be finite (3 of 3 rows)" in str(error.value)
    assert f"features.{other}: must be float32 numbers, is str" in str(error.value)
    with pytest.raises(ContractError, match=f"features.{number}: must be float32 numbers, is float64"):
        check("features", frame.astype({number: "float64"}))


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 2, 1], [0, 0, 1]])
def test_model_input_is_sorted_by_time_and_then_by_item(order: list[int]) -> None:
    shuffled = model_input().iloc[order].reset_index(drop=True)
    with pytest.raises(ContractError, match="observed_on, item_id: must be sorted and unique together"):
        check("model_input", shuffled)


@pytest.mark.parametrize(
    ("days", "items", "is_sound"),
    [
        ([0, 1, 1], [3, 1, 2], True),
        ([0, 0, 1], [2, 3, 1], True),
        ([1, 0, 2], [1, 2, 3], False),
        ([0, 1, 1], [1, 3, 2], False),
        ([0, 1, 1], [1, 2, 2], False),
    ],
)
def test_the_time_counts_before_the_item(days: list[int], items: list[int], is_sound: bool) -> None:
    observed_on = pd.Series(pd.Timestamp("2024-05-01") + pd.to_timedelta(days, unit="D"))
    known_on = observed_on + pd.Timedelta(days=30)
    rows = model_input().assign(item_id=items, observed_on=observed_on, label_known_on=known_on)
    if is_sound:
        assert check("model_input", rows)["item_id"].tolist() == items
    else:
        with pytest.raises(ContractError, match=r"must be sorted and unique together \(1 of 3 rows\)$"):
            check("model_input", rows)


def test_model_input_needs_known_sensitive_groups() -> None:
    with pytest.raises(ContractError, match="sensitive_size_group: must be one of 1, 2, 3-4, 5"):
        check("model_input", model_input().assign(sensitive_size_group="7"))
