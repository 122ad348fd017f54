"""PantryPal's PostgreSQL as a user runs it: seeded once, then read, judged, scored, and never written to."""

import json
import re
from datetime import date

import pandas as pd
import psycopg
import pytest
from checkout import Checkout, Outcome
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog
from pantry_database import ROOT, connect, plain
from postgres_server import PASSWORD, make_database
from sqlalchemy import URL

from waste_risk.adapters.configuration import ConfigLoader
from waste_risk.adapters.sources import SourceHook
from waste_risk.pipeline_registry import register_pipelines
from waste_risk.settings import CONFIG_LOADER_ARGS

START, END = date(2024, 6, 1), date(2025, 5, 1)
RANGE = f"start_date={START},end_date={END}"
TABLES = ("households", "items_catalog", "pantry_entries", "consumption_logs", "waste_events")


@pytest.fixture(scope="module")
def url(postgresql: URL) -> str:
    return make_database(postgresql).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.make(tmp_path_factory.mktemp("postgres") / "project")


@pytest.fixture(autouse=True)
def address(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PANTRYPAL_DATABASE_URL", plain(url))
    return url


@pytest.fixture(scope="module")
def seeded(checkout: Checkout, url: str) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PANTRYPAL_DATABASE_URL", plain(url))
        outcome = checkout.run("--env", "test", "--pipelines", "data_generation,seed_postgres")
    with connect(url) as connection:  # a category that is none of ours
        connection.execute("UPDATE items_catalog SET category = 'Snacks' WHERE canonical_name = 'oatmeal'")
    return outcome


@pytest.fixture(scope="module")
def retrained(checkout: Checkout, url: str, seeded: Outcome) -> Outcome:
    assert seeded.code == 0, seeded.errors
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PANTRYPAL_DATABASE_URL", plain(url))
        return checkout.run("--env", "postgres", "--params", f"{RANGE},validation.n_resamples=200")


def rows(url: str) -> dict[str, int]:
    with connect(url) as connection:
        return {name: connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchall()[0][0] for name in TABLES}


def kept(checkout: Checkout) -> dict[str, tuple[bytes, int]]:
    """Every file of the source but what runs keep about themselves."""
    files = [path for path in (checkout.folder / "data/postgres").rglob("[!.]*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def line(outcome: Outcome) -> str:
    """The one line of a run that failed, which shows no password."""
    assert outcome.code == 1
    (said,) = outcome.errors.splitlines()
    assert PASSWORD not in said
    assert "s3cr3t" not in outcome.screen + said
    return said


def test_a_run_goes_from_the_seeded_database_to_its_verdict(checkout: Checkout, retrained: Outcome) -> None:
    assert (retrained.code, retrained.errors) == (0, "")
    decision = json.loads((checkout.folder / "data/postgres/08_reporting/gate_decision.json").read_text())
    assert f"of {len(decision['gates'])} gates" in retrained.screen
    metrics = json.loads((checkout.folder / "data/postgres/08_reporting/validation_metrics.json").read_text())
    assert 0.75 < metrics["auc"]["value"] < 0.97
    assert "s3cr3t" not in retrained.screen
    assert not [log for log in (checkout.folder / "logs").iterdir() if "s3cr3t" in log.read_text()]


def test_observations_and_labels_come_from_inside_the_range(checkout: Checkout, retrained: Outcome) -> None:
    assert retrained.code == 0
    folder = checkout.folder / "data/postgres"
    observed = pd.read_parquet(folder / "03_primary/observations.parquet", columns=["observed_on", "label_known_on"])
    start, end = pd.Timestamp(START), pd.Timestamp(END)
    assert start <= observed["observed_on"].min() < observed["observed_on"].max() < end
    assert (observed["label_known_on"] > end).any()  # these are scored, and not learned from
    learned = pd.read_parquet(folder / "05_model_input/model_input.parquet", columns=["label_known_on", "uses_so_far"])
    assert learned["label_known_on"].max() <= end
    items = pd.read_parquet(folder / "02_intermediate/items.parquet", columns=["purchased_on"])
    assert items["purchased_on"].min() < start  # history


def test_what_is_left_out_is_told_once_although_two_steps_read_the_tables(
    checkout: Checkout, retrained: Outcome
) -> None:
    told = [text for text in retrained.screen.splitlines() if text.startswith("Left out:")]
    assert re.fullmatch(r"Left out:     pantry entries of categories without a mapping \('Snacks' (\d+)\): \1", told[0])
    assert (
        checkout.run("--env", "postgres", "--pipelines", "promotion", "--params", "promotion.override=test").code == 0
    )
    scored = checkout.run("--env", "postgres", "--pipelines", "scoring", "--params", RANGE)
    assert (scored.code, scored.errors) == (0, "")
    assert [text for text in scored.screen.splitlines() if text.startswith("Left out:")] == told
    predictions = list((checkout.folder / "data/postgres/07_model_output/predictions").glob("*.parquet"))
    assert len(predictions) == 1
    assert pd.read_parquet(predictions[0])["as_of"].max() < pd.Timestamp(END)
    monitored = checkout.run("--env", "postgres", "--pipelines", "monitoring", "--params", RANGE)
    assert (monitored.code, monitored.errors) == (0, "")


def test_nothing_writes_to_the_database_once_it_has_rows(checkout: Checkout, retrained: Outcome, address: str) -> None:
    assert retrained.code == 0
    before = rows(address)
    again = line(checkout.run("--env", "test", "--pipelines", "seed_postgres"))
    assert "is not empty (households has rows): seed an empty one" in again
    for pipeline, table in (("seed_postgres", "pantrypal_database"), ("data_generation", "events")):
        refused = line(checkout.run("--env", "postgres", "--pipelines", pipeline))
        assert refused.startswith(f"{pipeline} would write {table}")
        assert "which conf/postgres only reads" in refused
    assert rows(address) == before


def test_a_run_that_cannot_read_leaves_the_outputs_as_they_were(
    checkout: Checkout, retrained: Outcome, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert retrained.code == 0
    before = kept(checkout)
    with psycopg.connect(plain(address)) as connection:
        connection.execute("ALTER TABLE waste_events RENAME TO wasted")
        connection.commit()
        said = line(checkout.run("--env", "postgres", "--params", RANGE))
        connection.execute("ALTER TABLE wasted RENAME TO waste_events")
    assert said.count('lacks a table (relation "waste_events" does not exist); deploy/postgres/pantrypal.sql') == 1
    said = line(checkout.run("--env", "postgres", "--params", "start_date=2025-05-01,end_date=2024-05-01"))
    assert said.startswith("Parameter end_date: must lie after start_date")
    said = line(checkout.run("--env", "postgres", "--params", "end_date=2001-01-01"))
    assert "holds no pantry entry that can be used before 2001-01-01 (end_date)" in said
    monkeypatch.delenv("PANTRYPAL_DATABASE_URL")
    said = line(checkout.run("--env", "postgres"))
    assert "PANTRYPAL_DATABASE_URL is not set: write postgresql://user:password@host:5432/database" in said
    assert kept(checkout) == before


def test_one_snapshot_serves_all_steps_of_a_run_and_is_let_go_after_the_last(retrained: Outcome, address: str) -> None:
    assert retrained.code == 0
    bootstrap_project(ROOT)
    config = ConfigLoader(str(ROOT / "conf"), env="postgres", **{**CONFIG_LOADER_ARGS, "default_run_env": "postgres"})
    catalog = DataCatalog.from_config(config["catalog"], config["credentials"])
    scoring, hook = register_pipelines()["scoring"], SourceHook()
    hook._config = config
    hook.before_pipeline_run({"pipeline_names": ["scoring"]}, scoring, catalog)
    first, last = [node for node in scoring.nodes if "items" in node.inputs]
    n_items = len(catalog.load("items"))
    with connect(address) as connection:
        connection.execute("UPDATE pantry_entries SET deleted_at = now() WHERE purchase_date > '2025-05-20'")
        hook.after_node_run(first, catalog)
        assert len(catalog.load("items")) == n_items
        hook.after_node_run(last, catalog)
        assert len(catalog.load("items")) < n_items
        connection.execute("UPDATE pantry_entries SET deleted_at = NULL")
