"""The facts and choices the simulator stands on, shipped with the package; README.md here names each source."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

CATEGORIES = ("dairy", "produce", "meat", "grains", "canned", "frozen", "beverages")
STORAGES = ("fridge", "freezer", "pantry")


@cache
def products() -> pd.DataFrame:
    """One row per product: category, storage, shelf lives in days, unit, servings in a unit, weight, printed_share."""
    return _table("products.csv")


@cache
def shelf_life() -> pd.DataFrame:
    """One row per product and storage: category, product, storage, life_days, opened_life_days (null: no shorter)."""
    stored = products().assign(life_days=lambda table: (table.life_min_days + table.life_max_days) / 2)
    frozen = stored[stored.freezer_life_days.notna() & (stored.storage != "freezer")]
    frozen = frozen.assign(storage="freezer", life_days=frozen.freezer_life_days, opened_life_days=float("nan"))
    columns = ["category", "product", "storage", "life_days", "opened_life_days"]
    return pd.concat([stored[columns], frozen[columns]], ignore_index=True)


@cache
def shopping_facts() -> dict[str, Any]:
    """Aggregates of real shopping: trips, lines, units, prices, weekdays, seasons, household sizes."""
    return _mapping("shopping.json")


@cache
def behaviour() -> dict[str, Any]:
    """The chosen constants: what is not measured anywhere, and tuned to published waste rates."""
    return _mapping("behaviour.json")


@cache
def usda_consumer_loss() -> pd.DataFrame:
    """One row per category: avoidable loss at consumer level as a share of weight, and how many foods it is of."""
    return _table("usda_consumer_loss.csv")


@cache
def complete_journey_products() -> pd.DataFrame:
    """Which product of ours the Complete Journey retailer's food is: of rows that fit a product type, the first."""
    return _table("complete_journey_products.csv")


def _table(name: str) -> pd.DataFrame:
    with files(__name__).joinpath(name).open(encoding="utf-8") as file:
        return pd.read_csv(file)


def _mapping(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files(__name__).joinpath(name).read_text(encoding="utf-8"))
    return loaded
