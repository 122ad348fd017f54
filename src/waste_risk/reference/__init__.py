"""What is known of food and shopping, and the constants chosen for the simulator; README.md names each source."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from waste_risk.reference.vocabulary import CATEGORIES, STORAGES

__all__ = [
    "CATEGORIES",
    "STORAGES",
    "behaviour",
    "complete_journey_products",
    "products",
    "shelf_life",
    "shopping_facts",
    "usda_consumer_loss",
]


@cache
def products() -> pd.DataFrame:
    """Return one row per product: category, storage, shelf lives in days, unit, servings, weight, printed_share."""
    return _table("products.csv")


@cache
def shelf_life() -> pd.DataFrame:
    """Return one row per product and storage: life_days, opened_life_days (null: no shorter), and the category."""
    stored = products().assign(life_days=lambda table: (table.life_min_days + table.life_max_days) / 2)
    frozen = stored[stored.freezer_life_days.notna() & (stored.storage != "freezer")]
    frozen = frozen.assign(storage="freezer", life_days=frozen.freezer_life_days, opened_life_days=float("nan"))
    columns = ["category", "product", "storage", "life_days", "opened_life_days"]
    return pd.concat([stored[columns], frozen[columns]], ignore_index=True)


@cache
def shopping_facts() -> dict[str, Any]:
    """Return aggregates of real shopping: trips, lines, units, prices, weekdays, seasons, household sizes."""
    return _mapping("shopping.json")


@cache
def behaviour() -> dict[str, Any]:
    """Return the chosen constants, which nobody measured: they are tuned to published waste rates."""
    return _mapping("behaviour.json")


@cache
def usda_consumer_loss() -> pd.DataFrame:
    """Return one row per category: avoidable loss at consumer level as a share of weight, and the number of foods."""
    return _table("usda_consumer_loss.csv")


@cache
def complete_journey_products() -> pd.DataFrame:
    """Return which product of ours each of the Complete Journey retailer's foods is: the first row that fits counts."""
    return _table("complete_journey_products.csv")


def _table(name: str) -> pd.DataFrame:
    with files(__name__).joinpath(name).open(encoding="utf-8") as file:
        return pd.read_csv(file)


def _mapping(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files(__name__).joinpath(name).read_text(encoding="utf-8"))
    return loaded
