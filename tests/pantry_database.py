"""A database of PantryPal's on the tests' own server, and the datasets that read it, as the project configures them."""

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import psycopg
import yaml
from sqlalchemy import make_url

from waste_risk.adapters.pantrypal import PantryPalDatabaseDataset, PantryPalDataset
from waste_risk.parameters import PantryPal
from waste_risk.simulation import Tables
from waste_risk.sources.pantrypal_seed import seed_pantrypal

ROOT = Path(__file__).parents[1]
SCHEMA = (ROOT / "deploy/postgres/pantrypal.sql").read_text(encoding="utf-8")
NAMES = ("households", "items", "events")
_ENTRY: dict[str, Any] = yaml.safe_load((ROOT / "conf/postgres/catalog.yml").read_text(encoding="utf-8"))["items"]
WORDS = PantryPal(**{name: _ENTRY[name] for name in PantryPal.model_fields})


def from_uuid(ids: pd.Series) -> pd.Series:
    """The integers that `to_uuid` was given."""
    return ids.str[-12:].map(lambda digits: int(digits, 16)).astype("int64")


class Read(NamedTuple):
    households: pd.DataFrame
    items: pd.DataFrame
    events: pd.DataFrame


def plain(url: str) -> str:
    """The address as libpq takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False).replace(" ", "%20")


def connect(url: str) -> "psycopg.Connection[Any]":
    return psycopg.connect(plain(url), autocommit=True)


def execute(url: str, *statements: str) -> None:
    with connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def fill(url: str, tables: Tables) -> None:
    seed = seed_pantrypal(tables.households, tables.items, tables.events, SCHEMA)
    PantryPalDatabaseDataset({"url": plain(url)}).save(seed)


def entries(url: str, start: date | None = None, end: date | None = None) -> dict[str, PantryPalDataset]:
    """The three entries of the catalog: they share one extraction as long as one of them lives."""
    return {name: PantryPalDataset(name, {"url": plain(url)}, start, end, **WORDS.model_dump()) for name in NAMES}


def read(url: str, start: date | None = None, end: date | None = None) -> Read:
    return Read(*(dataset.load() for dataset in entries(url, start, end).values()))
