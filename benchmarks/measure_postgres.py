"""The figures on PantryPal's PostgreSQL: a million pantry entries and their events, read by several clients."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench_projects import ROOT, environment
from postgres_cases import CASES

from waste_risk.adapters.pantrypal import PantryPalDatabaseDataset
from waste_risk.simulation import simulate
from waste_risk.sources.pantrypal_seed import seed_pantrypal

Figures = dict[str, Any]

_N_HOUSEHOLDS = 10_000  # of 100 items
_SEED = 78
_REPEATS = 3


def reading() -> Figures:
    """The fastest of some repeats of each case, taken in turns: what else the machine does only adds to it."""
    from postgres_server import execute, make_database, serve  # noqa: PLC0415, of the tests, for this alone

    with serve() as server:
        url = make_database(server)
        address = url.set(drivername="postgresql").render_as_string(hide_password=False).replace(" ", "%20")
        rows = _fill(address)
        execute(url, "VACUUM ANALYZE")
        measured: dict[str, list[Figures]] = {name: [] for name in CASES}
        for _ in range(_REPEATS):
            for name, figures in measured.items():
                figures.append(_case(name, address))
    return {"rows": rows, **{name: min(each, key=lambda one: one["wall_s"]) for name, each in measured.items()}}


def _fill(address: str) -> dict[str, int]:
    source = simulate(n_households=_N_HOUSEHOLDS, seed=_SEED)
    schema = (ROOT / "deploy/postgres/pantrypal.sql").read_text(encoding="utf-8")
    seed = seed_pantrypal(source.households, source.items, source.events, schema)
    PantryPalDatabaseDataset({"url": address}).save(seed)
    return {name: len(table) for name, table in seed.tables.items()}


def _case(name: str, address: str) -> Figures:
    script = str(Path(__file__).with_name("postgres_cases.py"))
    variables = {**environment(ROOT / "src"), "PANTRYPAL_DATABASE_URL": address}
    done = subprocess.run([sys.executable, script, name], check=True, capture_output=True, text=True, env=variables)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures
