"""Corrupted tables: one line says what is wrong and where, no value of a household is shown, and nothing is written."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError
from planted import OBSERVATION, SPLIT

from waste_risk.adapters.contracts import ContractBroken
from waste_risk.errors import ContractError
from waste_risk.features import FEATURES, build_features
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.parameters import Baselines, Cleaning, load
from waste_risk.simulation import simulate
from waste_risk.tables.checks import check_tables
from waste_risk.tables.contracts import EXPECTED_METRICS, TABLES, schema
from waste_risk.training.splits import PurgedTimeSeriesSplit, split_by_time
from waste_risk.validation.baselines import predict_baselines

# In every id and free text of the tables, and as a quantity, so that any value that slips into an error is recognised.
MARKER, NUMBER = "Mayer-4711", 47.11
NOON = pd.Timestamp("2024-05-06 12:00")
DAY = pd.Timedelta(days=1)
LATE = pd.Timestamp("2047-11-01")
NUMBERED = FEATURES[0].name

YAML = Path(__file__).parents[2] / "conf/base/parameters_data_engineering.yml"
RULES = [name for name in Cleaning.model_fields if name not in {"max_share", "max_gap_days"}]
SOUND_CLEANING = load(Cleaning, YAML)
STRICT = SOUND_CLEANING.model_copy(update=dict.fromkeys(RULES, "reject"))

Frame = pd.DataFrame
Corrupt = Callable[[Frame], Any]


def ids(*names: str) -> list[str]:
    return [f"{MARKER} {name}" for name in names]


def sound_tables() -> dict[str, Frame]:
    """Three rows of each table; item c was opened, eaten in part, and the rest was thrown away."""
    who = {"household_id": ids("x", "x", "y")}
    what = {"item_id": ids("a", "b", "c"), **who}
    bought = {"product": MARKER, "category": "dairy", "quantity": NUMBER, "unit": MARKER, "unit_price": NUMBER}
    purchases = Frame({**what, **bought, "on_promotion": [True, False, None], "purchased_on": NOON})
    latents = {name: 0.4711 for name in schema("truth").columns if name not in what}
    observations = Frame({**what, "observed_on": NOON + DAY})
    labels = {
        "wasted": [False, False, True],
        "days_to_waste": [np.nan, np.nan, 4.711],
        "label_known_on": NOON + 9 * DAY,
    }
    features = observations.assign(**{feature.name: np.ones(3, feature.dtype) for feature in FEATURES})
    sensitive = {"sensitive_size_group": "2", "sensitive_children": "0", "sensitive_income_band": "low"}
    return {
        "households": Frame(
            {"household_id": ids("x", "y", "z"), "size": 2, "children": 0, "income_band": "low", "joined_on": NOON}
        ),
        "purchases": purchases,
        "habits": Frame(
            {**who, "category": ["dairy", "meat", "dairy"], "pace": NUMBER}
            | dict.fromkeys(["propensity", "planning", "forgetting"], 0.4711)
        ),
        "items": purchases.assign(storage="fridge", expires_on=NOON + 3 * DAY),
        "events": Frame(
            {
                "item_id": ids("c", "c", "c"),
                "household_id": ids("y", "y", "y"),
                "kind": ["opened", "consumed", "wasted"],
                "quantity": [0.0, 40.11, 7.0],
                "occurred_on": [NOON + DAY, NOON + 2 * DAY, NOON + 5 * DAY],
            }
        ),
        "truth": Frame({**what, **latents, "wasted_in_the_end": True}),
        "observations": observations.assign(**labels),
        "features": features,
        "model_input": features.assign(**labels, **sensitive),
        "predictions": Frame(
            {**what, "as_of": NOON + DAY, "waste_probability": 0.4711, "days_to_waste": 4.711, "risk_class": "medium"}
            | {"is_alert": True, "alerted_on": NOON, "reason_1": MARKER, "reason_2": MARKER, "reason_3": None}
            | {"model_version": "1", "predictor_sha256": "4711"}
        ),
        "expected_performance": Frame(
            {"as_of": [NOON, NOON + DAY, NOON + 2 * DAY], "predictor_sha256": "4711", "model_version": "1"}
            | {"predictions_sha256": "0815", "ages": "learned", "horizon_days": 30, "max_age_days": 30}
            | {"high_confidence": 0.7, "learned_until": NOON}
            | dict.fromkeys(["n_rows", "n_households", "n_alerts", "n_high_confidence"], 47)
            | {"alert_from": 0.4711}
            | {f"{name}{end}": 0.4711 for name in EXPECTED_METRICS for end in ("", "_low", "_high")}
        ),
    }


def to(column: str, *values: Any) -> Corrupt:
    """Give a column other values: one for all rows, or one for each."""
    return lambda frame: frame.assign(**{column: values[0] if len(values) == 1 else list(values)})


def of_type(column: str, dtype: str) -> Corrupt:
    return lambda frame: frame.astype({column: dtype})


def without(column: str) -> Corrupt:
    return lambda frame: frame.drop(columns=column)


def rows(*numbers: int) -> Corrupt:
    return lambda frame: frame.iloc[list(numbers)]


A, B, C = ids("a", "b", "c")
KINDS = "must be one of opened, consumed, wasted, moved, corrected"
CATEGORIES = "must be one of dairy, produce, meat, grains, canned, frozen, beverages"
PERIOD = "must lie between 2000-01-01 and 2099-12-31"
ONE_TABLE: dict[str, tuple[Corrupt, str]] = {
    "households without their size": (without("size"), "households.size: is missing (3 of 3 rows)"),
    "households with a column too many": (
        to(MARKER, MARKER),
        "households: has 1 column that is not of its contract (3 of 3 rows)",
    ),
    "a household that is there twice": (rows(0, 1, 1), "households.household_id: must be unique (1 of 3 rows)"),
    "a household without an id": (
        to("household_id", MARKER, None, "z"),
        "households.household_id: must not be null (1 of 3 rows)",
    ),
    "a household of nobody": (to("size", 0, 2, 3), "households.size: must be at least 1 (1 of 3 rows)"),
    "a household of one and a half": (
        to("size", 1.5, 2, 3),
        "households.size: must be whole numbers, is float64 (3 of 3 rows)",
    ),
    "fewer children than none": (to("children", -1, 0, None), "households.children: must be at least 0 (1 of 3 rows)"),
    "an income band that no one knows": (
        to("income_band", MARKER, "low", "high"),
        "households.income_band: must be one of low, middle, high, unknown (1 of 3 rows)",
    ),
    "times of a time zone": (
        to("joined_on", NOON.tz_localize("Europe/Berlin")),
        "households.joined_on: must be timestamps without a time zone, is datetime64[us, Europe/Berlin] (3 of 3 rows)",
    ),
    "dates from the zero of a clock": (
        to("joined_on", pd.Timestamp("1970-01-01"), NOON, NOON),
        f"households.joined_on: {PERIOD} (1 of 3 rows)",
    ),
    "dates as text": (
        to("joined_on", MARKER),
        "households.joined_on: must be timestamps without a time zone, is str (3 of 3 rows)",
    ),
    "an item that is there twice": (rows(0, 0, 1), "items.item_id: must be unique (1 of 3 rows)"),
    "items of numbers and of text": (
        to("item_id", MARKER, 4711, 4712),
        "items.item_id: must be all integers or all strings, is object (3 of 3 rows)",
    ),
    "items numbered beyond 64 bits": (
        to("item_id", 4711 * 10**20, 1, 2),
        "items.item_id: must lie between -2^63 and 2^63 - 1 (1 of 3 rows)",
    ),
    "items numbered by fractions": (
        to("item_id", 47.11, 1, 2),
        "items.item_id: must be all integers or all strings, is float64 (3 of 3 rows)",
    ),
    "an item whose id is empty text": (
        to("item_id", MARKER, "", "c"),
        "items.item_id: must not be empty (1 of 3 rows)",
    ),
    "a column that is there twice": (
        lambda frame: pd.concat([frame, frame[["unit"]]], axis=1),
        "items.unit: must be one column (3 of 3 rows)",
    ),
    "a negative quantity": (to("quantity", -NUMBER, 1, 2), "items.quantity: must be at least 0.001 (1 of 3 rows)"),
    "a quantity of nothing": (to("quantity", 0, 1, 0), "items.quantity: must be at least 0.001 (2 of 3 rows)"),
    "a quantity that is no number": (
        to("quantity", np.nan, NUMBER, 2),
        "items.quantity: must not be null (1 of 3 rows)",
    ),
    "a quantity larger than any shop": (
        to("quantity", 4.711e12, 1, 2),
        "items.quantity: must be at most 1000000 (1 of 3 rows)",
    ),
    "quantities as text": (to("quantity", MARKER), "items.quantity: must be numbers, is str (3 of 3 rows)"),
    "a price of minus something": (
        to("unit_price", -NUMBER, None, 0),
        "items.unit_price: must be at least 0 (1 of 3 rows)",
    ),
    "a product without a name": (to("product", MARKER, "", ""), "items.product: must not be empty (2 of 3 rows)"),
    "products as bytes": (to("product", MARKER.encode()), "items.product: must be text, is object (3 of 3 rows)"),
    "a product with half an emoji": (
        to("product", pd.Series([f"{MARKER} \ud83c", "bread", "milk"], dtype=object)),
        "items.product: must be valid Unicode (1 of 3 rows)",
    ),
    "a category that no one knows": (
        to("category", MARKER, "dairy", "meat"),
        f"items.category: {CATEGORIES} (1 of 3 rows)",
    ),
    "categories as lists": (to("category", [MARKER], [MARKER], []), f"items.category: {CATEGORIES} (3 of 3 rows)"),
    "a place that no one knows": (
        to("storage", MARKER, "fridge", "freezer"),
        "items.storage: must be one of fridge, freezer, pantry (1 of 3 rows)",
    ),
    "a promotion called yes": (
        to("on_promotion", MARKER, "yes", "no"),
        "items.on_promotion: must be true, false or null, is str (3 of 3 rows)",
    ),
    "a purchase without a date": (
        to("purchased_on", NOON, pd.NaT, NOON),
        "items.purchased_on: must not be null (1 of 3 rows)",
    ),
    "a purchase in a century to come": (
        to("purchased_on", pd.Timestamp("2471-01-01"), NOON, NOON),
        f"items.purchased_on: {PERIOD} (1 of 3 rows)",
    ),
    "printed dates as numbers": (
        to("expires_on", 20240508),
        "items.expires_on: must be timestamps without a time zone, is int64 (3 of 3 rows)",
    ),
    "an event of a kind that no one knows": (
        to("kind", "opened", MARKER, "wasted"),
        f"events.kind: {KINDS} (1 of 3 rows)",
    ),
    "an event of no kind": (to("kind", "opened", None, None), "events.kind: must not be null (2 of 3 rows)"),
    "an event without an item": (to("item_id", C, C, None), "events.item_id: must not be null (1 of 3 rows)"),
    "something eaten that weighs nothing": (
        to("quantity", 0, 0, NUMBER),
        "events.quantity: must be at least 0.001 when consumed or wasted (1 of 3 rows)",
    ),
    "something opened that weighs less than nothing": (
        to("quantity", -NUMBER, 1, 2),
        "events.quantity: must not be negative unless corrected (1 of 3 rows)",
    ),
    "an event of an endless quantity": (
        to("quantity", 0, np.inf, NUMBER),
        "events.quantity: must be finite (1 of 3 rows)",
    ),
    "an event without a time": (
        to("occurred_on", NOON, NOON, pd.NaT),
        "events.occurred_on: must not be null (1 of 3 rows)",
    ),
    "a purchase that is there twice": (to("item_id", A, B, B), "purchases.item_id: must be unique (1 of 3 rows)"),
    "a purchase of an endless quantity": (
        to("quantity", np.inf, NUMBER, 1),
        "purchases.quantity: must be finite (1 of 3 rows)",
    ),
    "purchases with a place to keep them": (
        to("storage", "fridge"),
        "purchases: has 1 column that is not of its contract (3 of 3 rows)",
    ),
    "habits that stand still": (to("pace", 0, NUMBER, 1), "habits.pace: must be greater than 0 (1 of 3 rows)"),
    "habits that are more than certain": (
        to("forgetting", 47.11, 0, 1),
        "habits.forgetting: must lie between 0 and 1 (1 of 3 rows)",
    ),
    "habits of a household and category that are there twice": (
        to("category", "dairy", "dairy", "meat"),
        "habits.household_id, category: must be unique together (1 of 3 rows)",
    ),
    "a truth without a pace": (to("pace", NUMBER, None, 1), "truth.pace: must not be null (1 of 3 rows)"),
    "a truth that was counted": (
        to("wasted_in_the_end", 1, 0, 4711),
        "truth.wasted_in_the_end: must be true or false, is int64 (3 of 3 rows)",
    ),
    "an item observed twice at a time": (
        to("item_id", A, C, C),
        "observations.item_id, observed_on: must be unique together (1 of 3 rows)",
    ),
    "a waste without its day": (
        to("days_to_waste", np.nan),
        "observations.days_to_waste: must be given when wasted, and null when not (1 of 3 rows)",
    ),
    "a waste after the horizon": (
        to("days_to_waste", np.nan, np.nan, 47.11),
        "observations.days_to_waste: must end by label_known_on (1 of 3 rows)",
    ),
    "a label known before the observation": (
        to("label_known_on", NOON, NOON + 9 * DAY, NOON + 9 * DAY),
        "observations.label_known_on: must lie after observed_on (1 of 3 rows)",
    ),
    "an endless feature": (
        to(NUMBERED, *np.array([np.inf, 1, -np.inf], dtype="float32")),
        f"features.{NUMBERED}: must be finite (2 of 3 rows)",
    ),
    "a feature of double precision": (
        of_type(NUMBERED, "float64"),
        f"features.{NUMBERED}: must be float32 numbers, is float64 (3 of 3 rows)",
    ),
    "a feature as text": (to(NUMBERED, MARKER), f"features.{NUMBERED}: must be float32 numbers, is str (3 of 3 rows)"),
    "features with one missing": (without(NUMBERED), f"features.{NUMBERED}: is missing (3 of 3 rows)"),
    "a model input out of order": (
        rows(1, 0, 2),
        "model_input.observed_on, item_id: must be sorted and unique together (1 of 3 rows)",
    ),
    "a model input of a group that no one knows": (
        to("sensitive_children", MARKER, "0", "1+"),
        "model_input.sensitive_children: must be one of 0, 1+, unknown (1 of 3 rows)",
    ),
    "a list instead of a table": (lambda _: [MARKER], "items: must be a table, is list"),
    "nothing instead of a table": (lambda _: None, "events: must be a table, is NoneType"),
    "a single column instead of a table": (lambda frame: frame["product"], "items: must be a table, is Series"),
}


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    """Every table with its contract, and under `raw_…` the same file without one."""
    entries = {}
    for table in TABLES:
        file = {
            "type": "waste_risk.adapters.datasets.AtomicParquetDataset",
            "filepath": str(tmp_path / f"{table}.parquet"),
        }
        contract = {"class": "waste_risk.adapters.contracts.Contract", "options": {"table": table}}
        entries |= {table: {**file, "validator": contract}, f"raw_{table}": file}
    return DataCatalog.from_config(entries)


def texts(error: BaseException | None) -> Iterator[str]:
    """All that an error and those behind it say and hold."""
    while error is not None:
        yield f"{error} {error!r} {error.args} {vars(error)}"
        error = error.__cause__ or error.__context__


def assert_shows_no_value(error: BaseException) -> None:
    for text in texts(error):
        assert not re.search(r"Mayer|47\.?11", text), text


def test_the_tables_are_sound_before_they_are_corrupted(catalog: DataCatalog) -> None:
    tables = sound_tables()
    assert set(tables) == set(TABLES)
    for table, frame in tables.items():
        catalog.save(table, frame)
        assert len(catalog.load(table)) == 3
    check_tables(tables["households"], tables["items"], tables["events"], STRICT)


@pytest.mark.parametrize(("corrupt", "message"), ONE_TABLE.values(), ids=ONE_TABLE)
def test_a_corrupted_table_is_refused_in_one_line_and_not_written(
    catalog: DataCatalog, tmp_path: Path, corrupt: Corrupt, message: str
) -> None:
    table = re.split(r"\W", message)[0]
    sound = sound_tables()[table]
    catalog.save(table, sound)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ContractBroken) as refused:
        catalog.save(table, corrupt(sound))
    assert str(refused.value) == f"{message} [save of {table}]"
    assert_shows_no_value(refused.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def some(table: str, corrupt: Corrupt) -> Callable[[dict[str, Frame]], dict[str, Frame]]:
    return lambda tables: {table: corrupt(tables[table])}


BETWEEN_TABLES = {
    "an item of an unknown household": (
        some("households", rows(0, 2)),
        "items.household_id: must be a household (1 of 3 rows)",
    ),
    "an event of an unknown item": (
        some("events", to("item_id", C, C, f"{MARKER} d")),
        "events.item_id: must be an item (1 of 3 rows)",
    ),
    "an event of another household": (
        some("events", to("household_id", *ids("y", "x", "y"))),
        "events.household_id: must be the item's (1 of 3 rows)",
    ),
    "an event of an unknown household": (
        some("events", to("household_id", *ids("y", "y", "w"))),
        "events.household_id: must be the item's (1 of 3 rows)",
    ),
    "ids that are text here and numbers there": (
        some("events", to("item_id", 4711)),
        "events.item_id: must be text as in items, is numbers; write the ids of all tables in one way (3 of 3 rows)",
    ),
    "an event before the purchase": (
        some("events", to("occurred_on", NOON - DAY, NOON, NOON)),
        "events.occurred_on: must not lie before the purchase (1 of 3 rows)",
    ),
    "an event years after all purchases": (
        some("events", to("occurred_on", NOON, NOON, LATE)),
        "events.occurred_on: must not lie long after the other records (1 of 3 rows)",
    ),
    "a purchase years after all others": (
        some("items", lambda frame: frame.assign(purchased_on=[LATE, NOON, NOON], expires_on=pd.NaT)),
        "items.purchased_on: must lie in the period of most purchases (1 of 3 rows)",
    ),
    "an event that came twice": (
        some("events", rows(0, 1, 1)),
        "events.occurred_on: must not repeat an event to the second (1 of 3 rows)",
    ),
    "a printed date before the purchase": (
        some("items", to("expires_on", NOON - DAY)),
        "items.expires_on: must not lie before the purchase (3 of 3 rows)",
    ),
    "more eaten and wasted than was bought": (
        some("items", to("quantity", NUMBER, NUMBER, 47.0)),
        "items.quantity: must cover what was eaten and wasted (1 of 3 rows)",
    ),
    "no households": (some("households", rows()), "households: must not be empty (0 rows)"),
    "no items": (some("items", rows()), "items: must not be empty (0 rows)"),
    "a table that breaks its own contract": (
        some("items", to("quantity", -NUMBER, 1, 2)),
        "items.quantity: must be at least 0.001 (1 of 3 rows)",
    ),
}


@pytest.mark.parametrize(("corrupt", "message"), BETWEEN_TABLES.values(), ids=BETWEEN_TABLES)
def test_tables_that_do_not_fit_each_other_are_refused_in_one_line(
    corrupt: Callable[[dict[str, Frame]], dict[str, Frame]], message: str
) -> None:
    sound = {name: sound_tables()[name] for name in ("households", "items", "events")}
    with pytest.raises(ContractError) as refused:
        check_tables(**{**sound, **corrupt(sound)}, cleaning=STRICT)
    assert str(refused.value) == message
    assert_shows_no_value(refused.value)


def flip(content: bytes) -> bytes:
    """Another byte in the middle of the data."""
    return content[:40] + bytes(byte ^ 0xFF for byte in content[40:80]) + content[80:]


BROKEN_FILES: dict[str, Callable[[bytes], bytes]] = {
    "a file cut in half": lambda content: content[: len(content) // 2],
    "a file without its last byte": lambda content: content[:-1],
    "an empty file": lambda _: b"",
    "a text file": lambda _: f"item_id,product\n{MARKER},{MARKER}\n".encode() * 9,
    "a file with other bytes in the middle": flip,
}


@pytest.mark.parametrize("damage", BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    catalog: DataCatalog, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    catalog.save("items", sound_tables()["items"])
    path = tmp_path / "items.parquet"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DatasetError) as refused:
        catalog.load("items")
    assert re.fullmatch(rf"items: {re.escape(str(path))} cannot be read as a Parquet table: .+", str(refused.value))
    assert_shows_no_value(refused.value)


def test_a_file_that_is_not_there_is_named(catalog: DataCatalog, tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as refused:
        catalog.load("items")
    assert str(refused.value) == f"items: {tmp_path / 'items.parquet'} does not exist"


def test_a_table_that_others_wrote_is_refused_when_it_is_read(catalog: DataCatalog) -> None:
    catalog.save("raw_items", sound_tables()["items"].assign(storage=MARKER))
    with pytest.raises(DatasetError) as refused:
        catalog.load("items")
    rule = "items.storage: must be one of fridge, freezer, pantry (3 of 3 rows)"
    assert str(refused.value) == f"{rule} [load of items]"
    assert_shows_no_value(refused.value)


@pytest.mark.parametrize("values", [[MARKER, 4711, NUMBER], [4711 * 10**20, 1, 2], [MARKER, {1: 2}, b"x"]])
def test_what_parquet_cannot_hold_is_refused_without_a_value_even_where_no_contract_is(
    catalog: DataCatalog, tmp_path: Path, values: list[Any]
) -> None:
    catalog.save("raw_items", sound_tables()["items"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DatasetError, match=r"/items.parquet cannot be written as a Parquet table: \w+$") as refused:
        catalog.save("raw_items", sound_tables()["items"].assign(product=pd.Series(values, dtype=object)))
    assert_shows_no_value(refused.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("message", [message for _, message in ONE_TABLE.values()])
def test_every_message_about_a_table_names_table_column_rule_and_rows(message: str) -> None:
    assert re.fullmatch(
        r"\w+\.\w+(, \w+)*: .+ \(\d of 3 rows\)|\w+: (must be a table, is \w+|has \d .+ \(\d of 3 rows\))", message
    )


def learn(tables: dict[str, Frame]) -> Frame:
    """Go the whole way up to the baselines, as the pipelines do."""
    households, items, events, _ = check_tables(**tables, cleaning=SOUND_CLEANING)
    until = latest_record(items, events)
    observations = observe_items(items, events, OBSERVATION, until)
    features = build_features(observations, households, items, events)
    rows = assemble_model_input(observations, features, households, until)
    development, test = split_by_time(rows, SPLIT)
    list(PurgedTimeSeriesSplit(SPLIT.n_folds, 30).split(development, development["wasted"], development["observed_on"]))
    return predict_baselines(development, test, Baselines(prior_rows=10))


def everyone_wastes(tables: dict[str, Frame]) -> dict[str, Frame]:
    """All of every item, five days after its purchase: items that are still open then are observed."""
    items = tables["items"]
    wasted = items[["item_id", "household_id", "quantity"]].assign(kind="wasted")
    return {"events": wasted.assign(occurred_on=items["purchased_on"] + 5 * DAY)}


TEACHES_NOTHING: dict[str, tuple[Callable[[dict[str, Frame]], dict[str, Frame]], str]] = {
    "no households": (some("households", rows()), "households: must not be empty (0 rows)"),
    "no items": (some("items", rows()), "items: must not be empty (0 rows)"),
    "no rows at all": (
        lambda tables: {name: frame.iloc[:0] for name, frame in tables.items()},
        "households: must not be empty (0 rows); items: must not be empty (0 rows)",
    ),
    "no events": (some("events", rows()), "development.wasted: must be true and false, is always false ("),
    "nobody wastes": (
        some("events", lambda events: events[events["kind"] != "wasted"]),
        "development.wasted: must be true and false, is always false (",
    ),
    "everybody wastes": (everyone_wastes, "development.wasted: must be true and false, is always true ("),
    "no item is open when observed": (
        lambda tables: {
            "events": everyone_wastes(tables)["events"].assign(occurred_on=tables["items"]["purchased_on"])
        },
        "observations: must not be empty (0 rows); no item was open when it was observed",
    ),
    "no label is known yet": (
        lambda tables: {
            "items": tables["items"].assign(purchased_on=NOON, expires_on=pd.NaT),
            "events": tables["events"].assign(occurred_on=(NOON + 9 * DAY).floor("D")),
        },
        "observations.label_known_on: must not always lie after 2024-05-15",
    ),
    "the newest day holds too much": (
        lambda tables: {
            "items": tables["items"].assign(purchased_on=NOON, expires_on=NOON + DAY),
            "events": tables["events"].assign(occurred_on=(NOON + 90 * DAY).floor("D")),
        },
        "rows on 1 days cannot be cut into 1 windows; a longer period or fewer folds are needed",
    ),
    "the old records know one outcome": (
        lambda tables: {
            "events": tables["events"][
                (tables["events"]["kind"] != "wasted") | (tables["events"]["occurred_on"] > "2024-10-20")
            ]
        },
        "development.wasted: must be true and false, is always false (",
    ),
    "a fold knows one outcome": (
        lambda tables: {
            "events": tables["events"][
                (tables["events"]["kind"] != "wasted") | (tables["events"]["occurred_on"] > "2024-08-20")
            ]
        },
        "fold 1: the training rows hold one class only; a longer period or fewer folds are needed",
    ),
}


@pytest.fixture(scope="module")
def source() -> dict[str, Frame]:
    simulated = simulate(n_households=20, n_items_per_household=40, seed=4, period_days=360)
    return {name: getattr(simulated, name) for name in ("households", "items", "events")}


def test_the_source_teaches_something_before_it_is_emptied(source: dict[str, Frame]) -> None:
    assert learn(source).notna().all(axis=None)


@pytest.mark.parametrize(("change", "message"), TEACHES_NOTHING.values(), ids=TEACHES_NOTHING)
def test_a_source_that_teaches_nothing_is_refused_in_one_line_of_ours(
    source: dict[str, Frame], change: Callable[[dict[str, Frame]], dict[str, Frame]], message: str
) -> None:
    with pytest.raises(ContractError) as refused:
        learn({**source, **change(source)})
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
