"""A Grocy database as a user runs it: pooled with simulated rows, or scored by the champion of another source."""

import json
import re
import sqlite3
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from checkout import Checkout, Outcome
from grocy_database import GROUPS, write_grocy

from waste_risk.adapters.registry import find_version_sets, move
from waste_risk.model.predictor import WastePredictor
from waste_risk.simulation import simulate

SMALL = "data_generation.n_households=100,data_generation.n_items_per_household=60,validation.n_resamples=0"
N_ITEMS = 400


def grocy(checkout: Checkout, *pipelines: str, database: str = "grocy.db", **parameters: str) -> Outcome:
    given = ",".join(f"{name}={value}" for name, value in {"grocy_db": database, **parameters}.items())
    named = ["--pipelines", ",".join(pipelines)] if pipelines else []
    return checkout.run("--env", "grocy", *named, "--params", given)


def own(checkout: Checkout, name: str) -> Path:
    return checkout.folder / "data/grocy" / name


def refused(outcome: Outcome) -> str:
    assert outcome.code == 1
    (line,) = outcome.errors.splitlines()
    return line


def map_words(checkout: Checkout) -> None:
    """Write the words of the database into the mappings, as its user would."""
    path = checkout.folder / "conf/grocy/parameters.yml"
    text = path.read_text()
    groups = "".join(f"    Our {name}: {name}\n" for name in GROUPS)
    places = "".join(f"    My {name}: {name}\n" for name in ("fridge", "pantry"))
    path.write_text(
        text.replace("  categories:\n", f"  categories:\n{groups}").replace("  storages:\n", f"  storages:\n{places}")
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The project with a database of Grocy's, and nothing run."""
    made = Checkout.make(tmp_path_factory.mktemp("grocy") / "project")
    source = simulate(n_households=4, n_items_per_household=N_ITEMS, seed=21)
    largest = source.items["household_id"].value_counts().idxmax()
    tables = [frame[frame["household_id"] == largest] for frame in (source.items, source.events)]
    write_grocy(made.folder / "grocy.db", *tables)
    return made


@pytest.fixture(scope="module")
def unmapped(checkout: Checkout) -> Outcome:
    return grocy(checkout, "data_engineering")


@pytest.fixture(scope="module")
def mapped(checkout: Checkout, unmapped: Outcome) -> Checkout:
    assert unmapped.code == 1
    map_words(checkout)
    return checkout


@pytest.fixture(scope="module")
def alone(mapped: Checkout) -> Outcome:
    """A run before there are simulated rows."""
    return grocy(mapped)


@pytest.fixture(scope="module")
def simulated(mapped: Checkout, alone: Outcome) -> Checkout:
    assert alone.code == 1
    outcome = mapped.run("--params", SMALL)
    assert outcome.code == 0, outcome.errors
    return mapped


@pytest.fixture(scope="module")
def pooled(simulated: Checkout) -> Outcome:
    before = (simulated.folder / "grocy.db").read_bytes()
    outcome = grocy(simulated)
    assert outcome.code == 0, outcome.errors
    assert (simulated.folder / "grocy.db").read_bytes() == before
    assert [path.name for path in simulated.folder.glob("grocy.db*")] == ["grocy.db"]
    return outcome


@pytest.fixture(scope="module")
def champion(simulated: Checkout) -> Checkout:
    """The project with the simulated source's champion."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(simulated.store)
    try:
        (version_set,) = find_version_sets("simulated")
        move(version_set, "Production")
    finally:
        mlflow.set_tracking_uri(before)
    return simulated


def test_if_nothing_is_mapped_the_line_says_what_to_do_and_a_file_has_the_words(
    checkout: Checkout, unmapped: Outcome
) -> None:
    line = refused(unmapped)
    assert line.startswith("grocy: no item of this database has both a category and a storage; name its product groups")
    counts = json.loads(own(checkout, "01_raw/grocy_counts.json").read_text())
    assert set(counts["items_in_groups_without_a_category"]) == {f"Our {name}" for name in GROUPS}
    assert counts["items"] == 0
    assert "Our" not in unmapped.screen + unmapped.errors
    assert not own(checkout, "01_raw/items.parquet").exists()


def test_without_simulated_rows_the_line_says_what_to_run(alone: Outcome) -> None:
    line = refused(alone)
    assert line.startswith("pooled_rows: ")
    said = "data/simulated/05_model_input/model_input.parquet does not exist; run the pipelines of the source simulated"
    assert said in line
    assert alone.screen == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "conf/grocy/catalog.yml: the Grocy database is not named; add --params grocy_db=PATH, its SQLite file"),
        (["--params", "grocy_db=nothing.db"], "nothing.db does not exist; say in the catalog, or in its parameter,"),
        (["--params", "grocy_db=conf/base/run.yml"], "conf/base/run.yml is not a SQLite database"),
        (["--params", "grocy_db=grocy.db,grocy.categories.Our dairy=milk"], "Parameter grocy.categories.Our dairy: "),
        (["--params", "grocy_db=grocy.db,grocy.time_zone=Berlin"], "Parameter grocy.time_zone: should be the name of"),
    ],
    ids=["no parameter", "no file", "no database", "no category", "no time zone"],
)
def test_what_is_wrong_is_told_in_one_line_and_nothing_is_written(
    mapped: Checkout, arguments: list[str], said: str
) -> None:
    before = sorted(own(mapped, "").rglob("*.*"))
    line = refused(mapped.run("--env", "grocy", "--pipelines", "data_engineering", *arguments))
    assert said in line
    assert [path for path in sorted(own(mapped, "").rglob("*.*")) if path not in before and path.suffix != ".log"] == []


def test_other_sources_refuse_the_database(mapped: Checkout) -> None:
    line = refused(mapped.run("--params", "grocy_db=grocy.db"))
    assert line.startswith("Parameter grocy_db: no table of this environment's source is read by it; ")
    assert line.endswith("; leave it out, or take --env grocy.")


def test_the_predictor_learns_from_both_and_is_evaluated_on_own_rows_alone(
    simulated: Checkout, pooled: Outcome
) -> None:
    development, test, model_input = (
        pd.read_parquet(own(simulated, f"05_model_input/{name}.parquet"))
        for name in ("development", "test", "model_input")
    )
    lent = pd.read_parquet(simulated.folder / "data/simulated/05_model_input/model_input.parquet")
    is_own = development["household_id"] == "grocy"
    assert (~is_own).sum() == len(lent)
    assert set(test["household_id"]) == {"grocy"}
    begins = test["observed_on"].min()
    assert development["label_known_on"].max() == begins
    wanted = model_input[model_input["label_known_on"] <= begins]
    pd.testing.assert_frame_equal(development[is_own].reset_index(drop=True), wanted.reset_index(drop=True))
    counts = json.loads(own(simulated, "05_model_input/pool_counts.json").read_text())
    assert counts == {"own": len(wanted), "own_wasted": int(wanted["wasted"].sum()), "pooled": len(lent)}
    said = f"Learned from: {len(wanted)} own observations ({counts['own_wasted']} wasted) and {len(lent):,} of another"
    assert said in pooled.screen


def test_on_so_little_data_no_gate_is_claimed_and_every_report_says_so(simulated: Checkout, pooled: Outcome) -> None:
    assert "Verdict:      FAIL (too little data to claim a gate), 0 of " in pooled.screen
    decision = json.loads(own(simulated, "08_reporting/gate_decision.json").read_text())
    assert not decision["approved"]
    assert len(decision["unclaimed"]) >= 2
    assert not any(gate["passed"] for gate in decision["gates"])
    text = own(simulated, "08_reporting/validation_report.txt").read_text()
    page = own(simulated, "08_reporting/validation_report.html").read_text()
    assert "– not claimed" in text
    assert "– not claimed" in page
    for report in (text, page, pooled.screen):
        assert re.search(r"Too little data to claim a gate: \d+ rows evaluated, fewer than 300", report)
    assert "Pooled:" in text
    assert "Pooled observations" in page


def test_the_champion_of_another_source_scores_only_if_it_is_named(champion: Checkout, tmp_path: Path) -> None:
    line = refused(grocy(champion, "scoring"))
    assert line.startswith("the champion, version 1 of waste_risk_predictor, is of source simulated, not of grocy;")
    assert "set scoring.champion_source=simulated" in line
    assert not own(champion, "07_model_output/predictions").exists()
    outcome = grocy(champion, "scoring", **{"scoring.champion_source": "simulated"})
    assert outcome.code == 0, outcome.errors
    assert "Champion:     of source simulated, as scoring.champion_source says" in outcome.screen
    assert "Hindsight" not in outcome.screen
    (path,) = own(champion, "07_model_output/predictions").iterdir()
    predictions = pd.read_parquet(path)
    lent = WastePredictor.load(champion.folder / "data/simulated/06_models/waste_predictor_final")
    assert set(predictions["predictor_sha256"]) == {lent.sha256}
    assert set(predictions["household_id"]) == {"grocy"}
    page = own(champion, "08_reporting/pantry_risk.html").read_text()
    assert "the model is the champion of the source simulated" in page
    followed = grocy(champion, "monitoring", **{"scoring.champion_source": "simulated"})
    assert followed.code == 0, followed.errors

    copy = tmp_path / "later.db"
    copy.write_bytes((champion.folder / "grocy.db").read_bytes())
    connection = sqlite3.connect(copy, isolation_level=None)
    columns = "stock_id, purchased_date, row_created_timestamp, product_id, amount, transaction_type, user_id"
    for day in ("2025-07-01", "2025-07-02"):
        values = f"'new {day}', '{day}', '{day} 12:00:00', 1, 1, 'purchase', 1"
        connection.execute(f"INSERT INTO stock_log ({columns}) VALUES ({values})")
    connection.close()
    later = grocy(champion, "scoring", database=str(copy), **{"scoring.champion_source": "simulated"})
    assert later.code == 0, later.errors
    assert "at 2025-07-02 12:00:00, by version 1" in later.screen
