"""PantryPal's PostgreSQL, a real server: what was put in comes out, as of one moment, and nothing is ever written."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import quote

import pandas as pd
import psycopg
import pytest
from kedro.io import DatasetError
from pantry_database import NAMES, SCHEMA, WORDS, connect, entries, execute, fill, from_uuid, plain, read
from postgres_server import PASSWORD
from sqlalchemy import make_url

from waste_risk.adapters.pantrypal import PantryPalDatabaseDataset, PantryPalDataset
from waste_risk.features import FEATURE_NAMES, build_features
from waste_risk.observations import open_items
from waste_risk.simulation import Tables, simulate
from waste_risk.sources.pantrypal_seed import seed_pantrypal
from waste_risk.tables.contracts import check

NOT_RECORDED = {"households": ["children", "income_band"], "items": ["on_promotion"], "events": []}
OF_WHAT_IS_NOT_RECORDED = ["household_children", "income_is_low", "income_is_middle", "income_is_high", "on_promotion"]
ONE = """
    INSERT INTO households (id, created_at) VALUES (md5('h')::uuid, '2024-01-01Z');
    INSERT INTO items_catalog (id, name, canonical_name, category)
        VALUES (md5('c')::uuid, 'Milk', 'milk (fresh)', 'Dairy');
    INSERT INTO pantry_entries (id, household_id, item_catalog_id, name, quantity, original_quantity, unit,
                                purchase_date, storage_type)
        VALUES (md5('e')::uuid, md5('h')::uuid, md5('c')::uuid, 'Milk', 1, 1, 'l', '2024-03-01', 'refrigerator')
"""
A_USE = """
    INSERT INTO consumption_logs (id, pantry_entry_id, household_id, quantity, "timestamp")
        VALUES (gen_random_uuid(), md5('e')::uuid, md5('h')::uuid, 0.25, '{}')
"""
A_WASTE = """
    INSERT INTO waste_events (id, pantry_entry_id, household_id, quantity, created_at)
        VALUES (gen_random_uuid(), md5('e')::uuid, md5('h')::uuid, 0.25, '2024-03-05Z')
"""


@pytest.fixture(scope="module")
def source() -> Tables:
    return simulate(n_households=60, n_items_per_household=40, seed=11, period_days=400)


@pytest.fixture
def seeded(database: str, source: Tables) -> str:
    fill(database, source)
    return database


@pytest.fixture
def one(database: str) -> str:
    """A database with one entry."""
    execute(database, SCHEMA, ONE)
    return database


def with_integers(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A table as it was before its ids became UUIDs."""
    ids = [name for name in ("item_id", "household_id") if name in frame]
    return check(table, frame.assign(**{name: from_uuid(frame[name]) for name in ids}))


def put_in(source: Tables, name: str) -> pd.DataFrame:
    """A simulated table, less what PantryPal cannot record."""
    table = getattr(source, name)
    unknown = {"children": pd.NA, "income_band": "unknown", "on_promotion": pd.NA}
    return check(name, table.assign(**{column: unknown[column] for column in NOT_RECORDED[name]}))


@pytest.mark.parametrize("name", NAMES)
def test_what_was_put_in_comes_out(seeded: str, source: Tables, name: str) -> None:
    """Rows in the same order, every value to the last bit; the columns of NOT_RECORDED are unknown."""
    came_out = with_integers(name, getattr(read(seeded), name))
    pd.testing.assert_frame_equal(came_out, put_in(source, name), check_exact=True)


def test_the_rows_come_in_the_same_order_wherever_the_server_keeps_them(seeded: str, source: Tables) -> None:
    moving = [f"UPDATE {table} SET id = id WHERE get_byte(uuid_send(id), 15) % 2 = 0" for table in ("waste_events",)]
    execute(seeded, *moving, "UPDATE consumption_logs SET quantity = quantity WHERE extract(day from timestamp) < 9")
    came_out = with_integers("events", read(seeded).events)
    pd.testing.assert_frame_equal(came_out, put_in(source, "events"), check_exact=True)


def test_features_are_equal_where_the_columns_are(seeded: str, source: Tables) -> None:
    moment = pd.Timestamp("2024-11-01")
    tables = [with_integers(name, table) for name, table in zip(NAMES, read(seeded), strict=True)]
    observations = open_items(source.items, source.events, moment)
    pd.testing.assert_frame_equal(open_items(tables[1], tables[2], moment), observations)
    ours = build_features(observations, source.households, source.items, source.events)
    theirs = build_features(observations, *tables)
    equal = [name for name in FEATURE_NAMES if name not in OF_WHAT_IS_NOT_RECORDED]
    pd.testing.assert_frame_equal(theirs[equal], ours[equal], check_exact=True)
    assert theirs[["household_children", "on_promotion"]].isna().all(axis=None)
    assert (theirs[["income_is_low", "income_is_middle", "income_is_high"]] == 0).all(axis=None)


def test_nothing_after_the_end_is_known(seeded: str, source: Tables) -> None:
    """Reading as of a day is reading a database that never held anything later."""
    end = pd.Timestamp("2024-05-01")
    households = source.households[source.households["joined_on"] < end]
    items = source.items[(source.items["purchased_on"] < end)]
    events = source.events[(source.events["occurred_on"] < end)]
    assert len(households) < len(source.households)
    cut = {"households": households, "items": items, "events": events}
    expected = source._replace(**{name: table.reset_index(drop=True) for name, table in cut.items()})
    came_out = read(seeded, end=date(2024, 5, 1))
    for name in NAMES:
        pd.testing.assert_frame_equal(with_integers(name, getattr(came_out, name)), put_in(expected, name))
    assert came_out.items["purchased_on"].max() == end - pd.Timedelta(days=1)


def test_history_before_the_start_is_read(seeded: str) -> None:
    for table, whole in zip(read(seeded, start=date(2024, 9, 15)), read(seeded), strict=True):
        pd.testing.assert_frame_equal(table, whole)


def test_the_present_state_of_an_entry_changes_nothing(seeded: str) -> None:
    before = read(seeded)
    state = "quantity = 0, active = NOT active, wasted = NOT wasted, consumed_completely = NOT consumed_completely"
    execute(seeded, f"UPDATE pantry_entries SET {state}, estimated_shelf_life_days = 3")
    for table, known in zip(read(seeded), before, strict=True):
        pd.testing.assert_frame_equal(table, known)
    present = ("quantity", "active", "wasted", "consumed_completely", "estimated_shelf_life_days")
    execute(seeded, *(f"ALTER TABLE pantry_entries DROP COLUMN {column}" for column in present))
    for table, known in zip(read(seeded), before, strict=True):
        pd.testing.assert_frame_equal(table, known)


def test_deleted_rows_do_not_count(seeded: str, source: Tables) -> None:
    last = with_integers("items", read(seeded).items)["household_id"].max()
    gone = f"00000000-0000-8001-8000-{last:012x}"
    execute(seeded, f"UPDATE households SET deleted_at = now() WHERE id = '{gone}'")
    execute(seeded, "UPDATE pantry_entries SET deleted_at = now() WHERE purchase_date < '2024-03-01'")
    came_out = read(seeded)
    items = put_in(source, "items")
    kept = items[(items["household_id"] != last) & (items["purchased_on"] >= "2024-03-01")].reset_index(drop=True)
    pd.testing.assert_frame_equal(with_integers("items", came_out.items), kept)
    assert gone not in set(came_out.households["household_id"])
    assert set(came_out.events["item_id"]) <= set(came_out.items["item_id"])


ZONES = {"+05:30": "Asia/Kolkata", "-08:00": "America/Los_Angeles"}
# The clocks of Los Angeles: 10:00 UTC on 10 March (2:00 becomes 3:00), 9:00 UTC on 3 November (2:00 becomes 1:00).
LOCAL = {
    "+05:30": {
        "2024-03-10 02:30:00+05:30": "2024-03-09T21:00",
        "2024-11-03 00:15:00.000001+05:30": "2024-11-02T18:45:00.000001",
    },
    "-08:00": {
        "2024-03-10 01:59:59.999999-08:00": "2024-03-10T09:59:59.999999",
        "2024-03-10 03:00:00-07:00": "2024-03-10T10:00",
        "2024-11-03 01:30:00-07:00": "2024-11-03T08:30",
        "2024-11-03 01:30:00-08:00": "2024-11-03T09:30",
    },
}


@pytest.mark.parametrize("offset", ZONES)
@pytest.mark.parametrize("server", ["UTC", *ZONES.values()])
def test_times_come_out_as_the_instants_that_were_put_in(one: str, offset: str, server: str) -> None:
    """Whatever the time zone of the server and of who wrote them; a day stays the day that the household wrote down."""
    execute(one, f"ALTER DATABASE {make_url(one).database} SET timezone TO '{server}'")
    with connect(one) as connection:
        connection.execute(f"SET timezone TO '{ZONES[offset]}'".encode())
        for text in LOCAL[offset]:
            connection.execute(A_USE.format(text).encode())
        (first, *_) = LOCAL[offset]
        connection.execute(f"UPDATE pantry_entries SET opened_at = '{first}', expiry_date = '2024-11-03'".encode())
    tables = read(one)
    moments = [pd.Timestamp(text) for text in LOCAL[offset].values()]
    assert tables.events["occurred_on"].tolist() == [moments[0], *moments]
    assert tables.events["kind"].tolist() == ["opened", *["consumed"] * len(moments)]
    assert tables.items["purchased_on"].tolist() == [pd.Timestamp("2024-03-01")]
    assert tables.items["expires_on"].tolist() == [pd.Timestamp("2024-11-03")]


def test_the_end_is_a_day_in_utc_whatever_the_servers_time_zone(one: str) -> None:
    execute(one, f"ALTER DATABASE {make_url(one).database} SET timezone TO 'Asia/Kolkata'")
    execute(one, A_USE.format("2024-03-09 23:59:59.999999Z"), A_USE.format("2024-03-10 00:00Z"))
    execute(one, "UPDATE pantry_entries SET opened_at = '2024-03-10 00:00Z'")
    events = read(one, end=date(2024, 3, 10)).events
    assert events["occurred_on"].tolist() == [pd.Timestamp("2024-03-09 23:59:59.999999")]


def test_an_endless_expiry_date_is_none(one: str) -> None:
    execute(one, "UPDATE pantry_entries SET expiry_date = 'infinity'")
    assert read(one).items["expires_on"].isna().all()


def test_the_server_refuses_a_write_of_the_reading_transaction(one: str) -> None:
    """A view that writes when it is read shows that nothing of ours, but the server itself, says no."""
    execute(
        one,
        "ALTER TABLE households RENAME TO people",
        "CREATE FUNCTION write_one() RETURNS SETOF people LANGUAGE sql VOLATILE AS"
        " 'INSERT INTO people (id) VALUES (gen_random_uuid()) RETURNING *'",
        "CREATE VIEW households AS SELECT * FROM people UNION ALL SELECT * FROM write_one()",
    )
    with pytest.raises(DatasetError, match=r"the server refused \(\w+, SQLSTATE 25006\); the log of the server"):
        read(one)
    with connect(one) as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchall() == [(1,)]
        assert len(connection.execute("SELECT * FROM households").fetchall()) == 2  # it would have written


def test_what_is_committed_between_two_tables_is_not_seen(one: str) -> None:
    datasets = entries(one)
    assert len(datasets["items"].load()) == 1
    execute(one, A_USE.format("2024-03-02Z"))
    assert datasets["events"].load().empty
    release(datasets)
    assert len(datasets["events"].load()) == 1


def release(datasets: dict[str, PantryPalDataset]) -> None:
    for dataset in datasets.values():
        dataset.release()


def wait_for_a_lock(watcher: "psycopg.Connection[Any]") -> int:
    """The process of the server that waits for a lock, as soon as there is one."""
    while True:
        found = watcher.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
        if found:
            return int(found[0])


@contextmanager
def reading_that_waits(url: str, datasets: dict[str, PantryPalDataset]) -> Iterator["psycopg.Connection[Any]"]:
    """A reading that has read all but the waste, and goes on when the offered connection ends its transaction."""
    reading = threading.Thread(target=datasets["events"].load)
    with psycopg.connect(plain(url)) as holder, connect(url) as watcher:
        holder.execute("LOCK TABLE waste_events IN ACCESS EXCLUSIVE MODE")
        reading.start()
        wait_for_a_lock(watcher)
        yield holder
    reading.join()


def test_what_is_committed_while_the_tables_are_read_is_not_seen(one: str) -> None:
    datasets = entries(one)
    with reading_that_waits(one, datasets) as holder:
        holder.execute(A_WASTE.encode())
    assert datasets["events"].load().empty
    release(datasets)
    assert datasets["events"].load()["kind"].tolist() == ["wasted"]


def message(loading: Callable[[], Any]) -> str:
    """The one line of an error, which says where, and shows no password."""
    with pytest.raises(DatasetError) as error:
        loading()
    said = str(error.value)
    assert "\n" not in said
    assert not [secret for secret in (PASSWORD, quote(PASSWORD, safe=""), "s3cr3t", "wr0ng") if secret in said]
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wr0ng"}, 'password authentication failed for user "tester"'),
        ({"port": 1}, "Connection refused"),
        ({"database": "absent"}, 'database "absent" does not exist'),
    ],
)
@pytest.mark.parametrize("writes", [False, True])
def test_a_database_that_cannot_be_reached_is_told_in_one_line(
    database: str, source: Tables, changes: dict[str, Any], reason: str, writes: bool
) -> None:
    url = make_url(database).set(**changes)
    address = url.render_as_string(hide_password=False)
    said = message(lambda: fill(address, source) if writes else read(address))
    database_is_at = f"PantryPal at 127.0.0.1:{url.port}/{url.database}"
    assert said == f"{database_is_at} cannot be reached: {reason}; check PANTRYPAL_DATABASE_URL"


@pytest.mark.parametrize("writes", [False, True])
def test_a_host_that_is_not_found_is_told_in_one_line(source: Tables, writes: bool) -> None:
    """Why it is not found depends on the network of whoever runs the tests."""
    address = "postgresql://me:s3cr3t@nowhere.invalid/pantry"
    said = message(lambda: fill(address, source) if writes else read(address))
    assert said.startswith("PantryPal at nowhere.invalid:5432/pantry cannot be reached: ")
    assert said.endswith("; check PANTRYPAL_DATABASE_URL")


@pytest.mark.parametrize("url", [None, ""])
def test_an_address_that_is_not_set_is_told_with_how_to_write_one(url: str | None) -> None:
    said = message(lambda: PantryPalDatabaseDataset({"url": url}))
    assert said.startswith("PANTRYPAL_DATABASE_URL is not set: write postgresql://user:password@host:5432/database")
    assert message(lambda: PantryPalDataset("items", {"url": url}, **WORDS.model_dump())) == said


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:s3cr3t@host/pantry",
        "s3cr3t",
        "postgresql://me:s3cr3t%zz@host/db",
        "postgresql://me:p@s3cr3t@host/db",
    ],
)
def test_an_address_that_is_none_is_told_without_quoting_it(url: str) -> None:
    said = message(lambda: PantryPalDatabaseDataset({"url": url}))
    assert said.startswith("PANTRYPAL_DATABASE_URL is no address of PostgreSQL's: write postgresql://user:password@")


def reader(url: str) -> str:
    """The address for a user who may do nothing yet."""
    name = f"reader_{make_url(url).database}"
    execute(url, f"CREATE ROLE {name} LOGIN PASSWORD 's3cr3t'")
    return make_url(url).set(username=name, password="s3cr3t").render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            "DROP TABLE waste_events",
            'lacks a table (relation "waste_events" does not exist); deploy/postgres/pantrypal.sql',
        ),
        (
            "ALTER TABLE pantry_entries DROP COLUMN original_quantity",
            "lacks a column (column entry.original_quantity does not exist); deploy/postgres/pantrypal.sql says",
        ),
    ],
)
def test_what_the_database_lacks_is_named(one: str, statement: str, reason: str) -> None:
    execute(one, statement)
    assert reason in message(lambda: read(one))


def test_a_user_needs_nothing_but_the_right_to_select(one: str) -> None:
    user = reader(one)
    assert "denies this user what is needed (permission denied for table households); grant it" in message(
        lambda: read(user)
    )
    execute(one, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {make_url(user).username}")
    assert len(read(user).items) == 1


WAITING = (
    "ALTER TABLE waste_events RENAME TO wasted",
    "CREATE FUNCTION waiting() RETURNS SETOF wasted LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN; END'",
    "CREATE VIEW waste_events AS"
    " SELECT gen_random_uuid() AS id, md5('e')::uuid AS pantry_entry_id, md5('h')::uuid AS household_id,"
    " 0.001::numeric AS quantity, NULL::text AS reason, '2024-03-05Z'::timestamptz AS created_at"
    " FROM generate_series(1, 200000) UNION ALL SELECT * FROM waiting()",
)


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ("pg_terminate_backend", "the connection was cut; run the same command again"),
        ("pg_cancel_backend", "a statement was canceled, as by statement_timeout: set a longer one for this user"),
    ],
)
@pytest.mark.parametrize("is_in_mid_table", [False, True])
def test_a_reading_that_is_cut_off_is_told_and_the_next_one_is_whole(
    one: str, ends: str, reason: str, is_in_mid_table: bool
) -> None:
    """Before the rows of a table, which is locked; or after 200,000 of them, which wait for another lock."""
    if is_in_mid_table:
        execute(one, *WAITING)
    locking = "SELECT pg_advisory_lock(7)" if is_in_mid_table else "LOCK TABLE waste_events IN ACCESS EXCLUSIVE MODE"
    datasets, said = entries(one), []
    reading = threading.Thread(target=lambda: said.append(message(datasets["events"].load)))
    with psycopg.connect(plain(one)) as holder, connect(one) as watcher:
        holder.execute(locking)
        reading.start()
        watcher.execute(f"SELECT {ends}(%s)".encode(), (wait_for_a_lock(watcher),))
        reading.join()
    assert said == [f"{place(one)}: {reason}"]
    assert message(datasets["items"].load) == said[0]  # they were read at once; no third reading
    assert len(datasets["events"].load()) == (200_000 if is_in_mid_table else 0)


def test_a_statement_that_takes_too_long_is_told(one: str) -> None:
    execute(one, f"ALTER DATABASE {make_url(one).database} SET statement_timeout TO '100ms'")
    with psycopg.connect(plain(one)) as holder:
        holder.execute("LOCK TABLE consumption_logs IN ACCESS EXCLUSIVE MODE")
        said = message(lambda: read(one))
    assert said == f"{place(one)}: a statement was canceled, as by statement_timeout: set a longer one for this user"


def place(url: str) -> str:
    return f"PantryPal at 127.0.0.1:{make_url(url).port}/{make_url(url).database}"


def test_a_range_without_any_record_is_refused(one: str) -> None:
    end, start = date(2024, 3, 1), date(2024, 3, 2)
    said = f"{place(one)} holds no pantry entry that can be used before 2024-03-01 (end_date)"
    assert message(lambda: read(one, end=end)) == said
    said = f"{place(one)} holds nothing from 2024-03-02 (start_date) on; the latest record is of 2024-03-01"
    assert message(lambda: read(one, start=start)) == said
    said = said.replace("record is", "record before 2025-01-01 (end_date) is")
    assert message(lambda: read(one, start=start, end=date(2025, 1, 1))) == said
    assert len(read(one, start=date(2024, 3, 1)).items) == 1


def test_a_word_that_is_not_ours_is_refused() -> None:
    words = {**WORDS.model_dump(), "categories": {"snacks": "sweets"}}
    said = message(lambda: PantryPalDataset("items", {"url": "postgresql://host/db"}, **words))
    assert said.startswith("categories.snacks: should be 'dairy', 'produce'")
    with pytest.raises(
        DatasetError, match=r"no table 'purchases' of PantryPal's: choose one of households, items, events"
    ):
        PantryPalDataset("purchases", {"url": "postgresql://host/db"}, **WORDS.model_dump())


def test_prices_in_several_currencies_are_told(one: str) -> None:
    execute(one, "INSERT INTO households (id, currency) VALUES (gen_random_uuid(), 'EUR')")
    said = message(lambda: read(one))
    assert said.startswith(f"{place(one)}: households.currency: must be one, is EUR, USD; choose one as `currency`")


def test_a_source_is_not_saved_to(one: str) -> None:
    said = message(lambda: entries(one)["items"].save(pd.DataFrame()))
    assert said.endswith(f"{place(one)} belongs to the source and is only read")


def rows(url: str) -> int:
    with connect(url) as connection:
        return int(connection.execute("SELECT count(*) FROM households").fetchall()[0][0])


def test_a_database_with_rows_is_not_seeded(one: str, source: Tables) -> None:
    assert message(lambda: fill(one, source)) == f"{place(one)} is not empty (households has rows): seed an empty one"
    assert rows(one) == 1


def test_a_database_is_seeded_as_a_whole_or_not_at_all(database: str, source: Tables) -> None:
    lost = source._replace(items=source.items.iloc[1:])
    said = "the tables do not fit each other: an event is of an item or household that is not there"
    assert message(lambda: fill(database, lost)) == f"{place(database)}: {said}"
    with connect(database) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [(0,)]
    execute(database, SCHEMA)
    assert place(database) in message(lambda: fill(database, lost))
    assert rows(database) == 0
    fill(database, source)
    assert rows(database) == len(source.households)


def test_the_same_tables_are_seeded_alike(source: Tables) -> None:
    first, second = (seed_pantrypal(source.households, source.items, source.events, SCHEMA) for _ in range(2))
    assert first.tables.keys() == second.tables.keys()
    for name, table in first.tables.items():
        pd.testing.assert_frame_equal(table, second.tables[name])
