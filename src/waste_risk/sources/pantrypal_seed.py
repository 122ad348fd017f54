"""Simulated tables converted to rows of PantryPal's, for a database to try the source on: `pantrypal` reads them back.

An integer id becomes the last 12 digits of a UUID, so that it can be recovered.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from waste_risk.arrays import Integers
from waste_risk.errors import ContractError
from waste_risk.reference.shelf_lives import reference_life

_STORAGE_TYPES = {"fridge": "refrigerator", "freezer": "freezer", "pantry": "pantry"}
_RECORDED = ("opened", "consumed", "wasted")  # PantryPal has no place for moves and corrections
_LARGEST_ID = 2**48 - 1
_TABLE_NUMBERS = {
    name: number
    for number, name in enumerate(
        ("households", "items_catalog", "pantry_entries", "consumption_logs", "waste_events"), start=1
    )
}


class PantryPalSeed(NamedTuple):
    """What an empty database gets: the statements that make its tables, and their rows."""

    schema: str
    tables: dict[str, pd.DataFrame]


def seed_pantrypal(
    households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, pantrypal_schema: str
) -> PantryPalSeed:
    """Convert the tables of a simulated source to rows of PantryPal's, in an order that satisfies their references.

    An integer id becomes the last 12 hexadecimal digits of a UUID (see `to_uuid`). PantryPal has no column for
    `children`, `income_band` and `on_promotion`, keeps prices in cents of the whole entry, and days of purchase and
    expiry without a time. Times stay naive UTC: who writes them says so to the server.

    Raises:
        ContractError: an id is no integer that fits, or an event is one that PantryPal does not record.
    """
    unrecorded = ~events["kind"].isin(_RECORDED)
    if unrecorded.any():
        raise ContractError(
            f"events.kind: PantryPal records {', '.join(_RECORDED)} only ({unrecorded.sum()} of {len(events)} rows)"
        )
    catalog_row, catalog = _to_catalog(items)
    tables = {
        "households": _to_households(households),
        "items_catalog": catalog,
        "pantry_entries": _to_entries(items, events, catalog["id"].to_numpy()[catalog_row]),
        "consumption_logs": _to_log("consumption_logs", "timestamp", events[events["kind"] == "consumed"]),
        "waste_events": _to_log("waste_events", "created_at", events[events["kind"] == "wasted"]),
    }
    return PantryPalSeed(pantrypal_schema, tables)


def to_uuid(table: str, ids: pd.Series) -> pd.Series:
    """Return a UUID for each id: ``00000000-0000-800T-8000-`` and 12 hexadecimal digits; T is the table's number.

    Those digits are the id: ``int(uuid[-12:], 16)`` recovers it.

    Raises:
        ContractError: an id is not an integer between 0 and 2^48 - 1.
    """
    fits = pd.api.types.is_integer_dtype(ids.dtype) and bool(ids.between(0, _LARGEST_ID).all())
    if not fits:
        raise ContractError(f"{ids.name}: must be integers from 0 to 2^48 - 1 to be written as UUIDs of {table}")
    prefix = f"00000000-0000-800{_TABLE_NUMBERS[table]}-8000-"
    return pd.Series([f"{prefix}{number:012x}" for number in ids], index=ids.index, dtype="str", name=ids.name)


def _to_households(households: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": to_uuid("households", households["household_id"]),
            "members_count": households["size"],
            "created_at": households["joined_on"],
        }
    )


def _to_catalog(items: pd.DataFrame) -> tuple[Integers, pd.DataFrame]:
    """Return the catalog row of each item, and the catalog: a row for each product, category, unit and storage."""
    grouped = items.groupby(["product", "category", "unit", "storage"], sort=False)
    kinds = items.loc[~items.duplicated(list(grouped.keys))].reset_index(drop=True)  # in the order of the groups
    life_days, opened_days = reference_life(kinds)
    catalog = pd.DataFrame(
        {
            "id": to_uuid("items_catalog", pd.Series(kinds.index, name="catalog_id")),
            "name": kinds["product"],
            "canonical_name": kinds["product"],
            "category": kinds["category"],
            "typical_shelf_life_days": pd.array(np.rint(life_days), dtype="Int64"),
            "shelf_life_after_opening_days": pd.array(np.rint(opened_days), dtype="Int64"),
            "storage_type": kinds["storage"].map(_STORAGE_TYPES),
            "unit": kinds["unit"],
        }
    )
    return np.asarray(grouped.ngroup(), dtype=np.int64), catalog


def _to_entries(items: pd.DataFrame, events: pd.DataFrame, catalog_id: np.ndarray) -> pd.DataFrame:
    ids = items["item_id"]
    opened_at = events[events["kind"] == "opened"].groupby("item_id")["occurred_on"].min()
    consumed, wasted = (
        events[events["kind"] == kind].groupby("item_id")["quantity"].sum().reindex(ids).fillna(0).to_numpy()
        for kind in ("consumed", "wasted")
    )
    left = (items["quantity"].to_numpy() - consumed - wasted).round(3).clip(0)
    return pd.DataFrame(
        {
            "id": to_uuid("pantry_entries", ids),
            "household_id": to_uuid("households", items["household_id"]),
            "item_catalog_id": catalog_id,
            "name": items["product"],
            "quantity": left,
            "original_quantity": items["quantity"],
            "unit": items["unit"],
            "purchase_date": items["purchased_on"].dt.strftime("%Y-%m-%d"),
            "opened_at": opened_at.reindex(ids).to_numpy(),
            "expiry_date": items["expires_on"].dt.strftime("%Y-%m-%d"),
            "storage_type": items["storage"].map(_STORAGE_TYPES),
            "price_cents": (items["unit_price"] * items["quantity"] * 100).round().astype("Int64"),
            "active": left > 0,
            "consumed_completely": (left == 0) & (wasted == 0),
            "wasted": wasted > 0,
        }
    )


def _to_log(table: str, moment: str, events: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": to_uuid(table, pd.Series(np.arange(len(events)), index=events.index, name="log_id")),
            "pantry_entry_id": to_uuid("pantry_entries", events["item_id"]),
            "household_id": to_uuid("households", events["household_id"]),
            "quantity": events["quantity"],
            moment: events["occurred_on"],
        }
    )
