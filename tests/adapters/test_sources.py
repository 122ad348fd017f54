"""A user's tables are read, and never written, whatever is run and however the source is described."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from checkout import SWAP, Checkout, Outcome
from kedro.io import DataCatalog, DatasetError

from waste_risk.adapters.sources import ReadOnlyDataset, protect
from waste_risk.simulation import simulate

TABLES = ("households", "items", "events")
OWN = "waste_risk.adapters.datasets.AtomicParquetDataset"
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1  # without it, root too may not write what is not writable
UNPRIVILEGED = f"""
import ctypes, os, sys
if os.geteuid() == 0 and ctypes.CDLL(None).prctl({PR_CAPBSET_DROP}, {CAP_DAC_OVERRIDE}, 0, 0, 0):
    raise SystemExit("cannot give up root's privilege")
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""

Trace = dict[str, tuple[bytes, int, int]]


def trace(folder: Path) -> Trace:
    """Bytes, time of change and inode of each file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in files}


def refused(outcome: Outcome) -> str:
    """The one line of a run that was refused before its first node."""
    assert (outcome.code, outcome.screen) == (1, "")
    (line,) = outcome.errors.splitlines()
    return line


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout.make(tmp_path_factory.mktemp("sources") / "project")
    tables = simulate(n_households=20, n_items_per_household=40, seed=1)
    (checkout.folder / "exports").mkdir()
    for name in TABLES:
        getattr(tables, name).to_csv(checkout.folder / f"exports/{name}.csv", index=False)
    return checkout


@pytest.fixture
def mine(checkout: Checkout) -> Iterator[Path]:
    """The README's example, as new for each test; its exports are afterwards what they were."""
    folder = checkout.folder / "conf/mine"
    folder.mkdir(exist_ok=True)
    for name, text in SWAP.items():
        (folder / name).write_text(text)
    before = trace(checkout.folder / "exports")
    yield folder
    assert trace(checkout.folder / "exports") == before
    assert not list((checkout.folder / "data/simulated").glob("[!.]*"))


@pytest.mark.parametrize(
    ("arguments", "culprit", "table"),
    [
        (["--pipelines", "data_generation"], "data_generation", "events"),
        (["--pipelines", "__default__"], "__default__", "events"),
        (["--pipelines", "receipts"], "receipts", "events"),
        (["--pipelines", "data_generation", "--to-outputs", "items"], "data_generation", "events"),
        (
            ["--pipelines", "data_generation", "--to-nodes", "data_generation.simulate_households"],
            "data_generation",
            "households",
        ),
        (
            ["--pipelines", "data_generation", "--from-nodes", "data_generation.simulate_consumption"],
            "data_generation",
            "events",
        ),
        (["--pipelines", "data_generation", "--only-missing-outputs"], "data_generation", "events"),
        (["--pipelines", "data_generation", "--runner", "ThreadRunner"], "data_generation", "events"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_run_that_would_write_a_users_table_is_refused_before_its_first_node(
    checkout: Checkout, mine: Path, arguments: list[str], culprit: str, table: str
) -> None:
    line = refused(checkout.run("--env", mine.name, *arguments))
    assert line == (
        f"{culprit} would write {table} ({checkout.folder}/exports/{table}.csv), which conf/mine only reads;"
        " choose other pipelines, with --pipelines or in conf/mine/run.yml."
    )


CATALOG = SWAP["catalog.yml"]
MISTAKES = {
    "no run.yml": (
        "run.yml",
        None,
        "conf/mine/run.yml must say what to run on items, households, events, truth, as in",
    ),
    "a mistyped key": ("run.yml", "pipeline: [training]", "pipeline is unknown; did you mean pipelines?"),
    "an empty run.yml": ("run.yml", "\n# nothing\n", "conf/mine/run.yml is empty; fill it or delete it."),
    "a text for a list": ("run.yml", "pipelines: training", "conf/mine/run.yml: pipelines must be a list of names"),
    "base's own pipelines": ("run.yml", "pipelines: [__default__]", "__default__ would write events ("),
    "no globals.yml": (
        "globals.yml",
        None,
        "conf/mine/globals.yml must name a source of its own, as in `source: mine`",
    ),
    "base's own source": ("globals.yml", "source: simulated", "conf/mine/globals.yml must name a source of its own"),
    "a mistyped source": (
        "globals.yml",
        "sorce: mine",
        "conf/mine/globals.yml: sorce is unknown; did you mean source?",
    ),
    "a source elsewhere": (
        "globals.yml",
        "source: ../exports",
        "conf/mine/globals.yml: source may hold letters, digits",
    ),
    "a mistyped table": (
        "catalog.yml",
        CATALOG.replace("households:", "houshold:"),
        "conf/mine/catalog.yml: no pipeline reads or writes houshold; did you mean households?",
    ),
    "a mistyped argument": (
        "catalog.yml",
        CATALOG.replace("filepath: exports/items", "filpath: exports/items"),
        "conf/mine/catalog.yml: CSVDataset.__init__() got an unexpected keyword argument 'filpath'.",
    ),
    "credentials that are nowhere": (
        "catalog.yml",
        CATALOG.replace("pandas.CSVDataset", "pandas.CSVDataset\n  credentials: 'user:hunter2@host'", 1),
        "conf/mine/catalog.yml: the credentials of items are in no credentials.yml.",
    ),
    "a mistyped type": (
        "catalog.yml",
        CATALOG.replace("pandas.CSVDataset", "pandas.CVSDataset", 1),
        "conf/mine/catalog.yml: An exception occurred when parsing config for dataset 'items':",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_source_that_is_described_wrongly_is_refused_in_one_line(
    checkout: Checkout, mine: Path, mistake: tuple[str, str | None, str]
) -> None:
    file, text, line = mistake
    (mine / file).unlink() if text is None else (mine / file).write_text(text)
    assert line in refused(checkout.run("--env", mine.name))


def test_one_run_tells_what_is_wrong_with_each_table(checkout: Checkout, mine: Path) -> None:
    """As docs/new_source.md says: table by table, with counts and without a value."""
    tables = simulate(n_households=20, n_items_per_household=40, seed=1)
    broken = {
        "households": tables.households.drop(columns="income_band"),
        "items": tables.items.assign(quantity=-1.0),
        "events": tables.events.replace({"kind": {"wasted": "binned"}}),
    }
    (checkout.folder / "broken").mkdir()
    (mine / "catalog.yml").write_text(CATALOG.replace("exports/", "broken/"))
    absent = refused(checkout.run("--env", mine.name, "--pipelines", "data_engineering"))
    for name, table in broken.items():
        assert f"{name}: {checkout.folder}/broken/{name}.csv does not exist" in absent
        table.to_csv(checkout.folder / f"broken/{name}.csv", index=False)
    outcome = checkout.run("--env", mine.name, "--pipelines", "data_engineering")
    n_wasted, n_events = (tables.events["kind"] == "wasted").sum(), len(tables.events)
    for told in (
        "households.income_band: is missing (20 of 20 rows)",
        f"items.quantity: must be at least 0.001 ({len(tables.items)} of {len(tables.items)} rows)",
        f"events.kind: must be one of opened, consumed, wasted, moved, corrected ({n_wasted} of {n_events} rows)",
    ):
        assert told in outcome.errors
    assert "binned" not in outcome.errors + outcome.screen


def test_tables_that_cannot_be_written_serve_as_a_source(checkout: Checkout, mine: Path) -> None:
    exports = checkout.folder / "exports"
    modes = {path: path.stat().st_mode for path in (exports, *exports.iterdir())}
    environment = {**os.environ, "PYTHONPATH": str(checkout.folder / "src")}

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, *command],
            cwd=checkout.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    try:
        for path in modes:
            path.chmod(0o555 if path.is_dir() else 0o444)
        assert "PermissionError" in run("-c", "open('exports/items.csv', 'a')").stderr
        assert "PermissionError" in run("-c", "open('exports/other.csv', 'w')").stderr
        read = run("-m", "kedro", "run", "--env", mine.name, "--pipelines", "data_engineering")
        written = run("-m", "kedro", "run", "--env", mine.name, "--pipelines", "data_generation")
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert read.returncode == 0, read.stderr
    assert "would write" in written.stderr
    assert (checkout.folder / "data/mine/05_model_input/model_input.parquet").exists()


def test_parquet_files_that_others_put_into_the_projects_folder_are_not_written_either(
    checkout: Checkout, mine: Path
) -> None:
    """Only run.yml tells them from the project's own."""
    (mine / "catalog.yml").unlink()
    (mine / "globals.yml").write_text("source: theirs")
    folder = checkout.folder / "data/theirs/01_raw"
    folder.mkdir(parents=True)
    for name in TABLES:
        pd.read_csv(checkout.folder / f"exports/{name}.csv").to_parquet(folder / f"{name}.parquet")
    before = trace(folder)
    line = refused(checkout.run("--env", mine.name, "--pipelines", "data_generation"))
    assert line.startswith("data_generation would write events, which conf/mine only reads; ")
    assert trace(folder) == before


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose data lie on another disk, and one of whose folders leads to a user's."""
    for name in ("disk/data/mine/01_raw", "exports", "project"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "project/data").symlink_to(tmp_path / "disk/data")
    (tmp_path / "disk/data/mine/linked").symlink_to(tmp_path / "exports")
    (tmp_path / "disk/data/mine/01_raw/link.parquet").symlink_to(tmp_path / "exports/items.parquet")
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("kind", "path", "is_protected"),
    [
        (OWN, "data/mine/01_raw/items.parquet", False),
        (OWN, "{project}/data/mine/01_raw/items.parquet", False),
        (OWN, "data/mine/../mine/01_raw/{{table}}.parquet", False),
        (OWN, "data/other/01_raw/items.parquet", True),
        (OWN, "data/mine/../other/items.parquet", True),
        (OWN, "exports/items.parquet", True),
        (OWN, "../exports/items.parquet", True),
        (OWN, "/exports/items.parquet", True),
        (OWN, "data/mine/linked/items.parquet", True),
        (OWN, "data/mine/01_raw/link.parquet", True),
        (OWN, "s3://bucket/data/mine/items.parquet", True),
        ("pandas.ParquetDataset", "data/mine/01_raw/items.parquet", True),
        ("pandas.CSVDataset", "/exports/items.csv", True),
    ],
)
def test_what_the_project_does_not_write_is_protected(project: Path, kind: str, path: str, is_protected: bool) -> None:
    plain = {"type": kind, "filepath": path.format(project=project)}
    nested = {"type": "kedro_mlflow.io.artifacts.MlflowArtifactDataset", "dataset": plain}
    for entry in (plain, nested):
        (kept,) = protect({"items": entry}, project, "mine").values()
        assert (kept != entry) == is_protected


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    entries: dict[str, Any] = {
        "items": {"type": "pandas.CSVDataset", "filepath": str(tmp_path / "items.csv"), "metadata": {"owner": "me"}},
        "versions": {"type": "pandas.CSVDataset", "filepath": str(tmp_path / "versions.csv"), "versioned": True},
        "secret": {"type": "pandas.SQLTableDataset", "table_name": "items", "credentials": "database"},
    }
    credentials = {"database": {"con": f"sqlite:///{tmp_path / 'items.db'}?password=hunter2"}}
    return DataCatalog.from_config(protect(entries, tmp_path / "project", "mine"), credentials)


def test_a_protected_dataset_reads_and_refuses_to_be_saved(catalog: DataCatalog, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id\n4711\n")
    before = trace(tmp_path)
    assert catalog.load("items")["item_id"].tolist() == [4711]
    for save in (lambda data: catalog.save("items", data), catalog["items"].save):
        with pytest.raises(DatasetError, match=r"items\.csv belongs to the source and is only read$"):
            save(pd.DataFrame({"item_id": [1]}))
    assert trace(tmp_path) == before
    assert catalog.exists("items")
    dataset = catalog["items"]
    assert isinstance(dataset, ReadOnlyDataset)
    assert dataset.metadata == {"owner": "me"}


def test_the_newest_version_of_a_protected_dataset_is_read(catalog: DataCatalog, tmp_path: Path) -> None:
    for version, value in (("2026-01-01T00.00.00.000Z", 1), ("2026-01-02T00.00.00.000Z", 2)):
        (tmp_path / "versions.csv" / version).mkdir(parents=True)
        (tmp_path / "versions.csv" / version / "versions.csv").write_text(f"item_id\n{value}\n")
    assert catalog.load("versions")["item_id"].tolist() == [2]


def test_no_password_is_shown(catalog: DataCatalog) -> None:
    with pytest.raises(DatasetError) as refused:
        catalog.load("secret")
    assert str(refused.value).startswith("secret: its table (pandas.SQLTableDataset) cannot be read (")
    with pytest.raises(DatasetError, match="belongs to the source") as unsaved:
        catalog.save("secret", pd.DataFrame())
    for shown in (refused.value, unsaved.value, catalog["secret"]):
        assert "hunter2" not in str(shown)
