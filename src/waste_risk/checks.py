"""What must hold between tables, checked once before anything is learned from them."""

from typing import Any

import numpy as np
import pandas as pd

from waste_risk.contract import ContractError, rows_broken
from waste_risk.schema import check

THOUSANDTHS = 1_000  # quantities are compared as whole thousandths: sums of floats depend on their order
ENDS = ("consumed", "wasted")

TableCounts = dict[str, int | float | str | None]


def check_tables(
    households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, TableCounts]:
    """Return the three tables in the types of their contracts, and their counts, if they also fit each other.

    The tables are checked here although their catalog entries check them too: an environment that replaces an entry
    without its validator would otherwise let anything through.

    Raises:
        ContractError: in one line, every broken rule as "events.item_id: must be an item (2 of 400 rows)".
    """
    households, items, events = check("households", households), check("items", items), check("events", events)
    position = pd.Index(items["item_id"]).get_indexer(pd.Index(events["item_id"]))
    broken = [
        *_unknown("items", items, households, "household_id", "a household"),
        *_unknown("events", events, households, "household_id", "a household"),
        *rows_broken("events", "item_id", "must be an item", pd.Series(position < 0)),
    ]
    if not broken:  # the rest compares each event with its item
        broken = _against_items(items, events, position)
    if broken:
        raise ContractError("; ".join(broken))
    return households, items, events, count_tables(households, items, events)


def count_tables(households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame) -> TableCounts:
    """Count the rows of each table, the share of items with any waste, and the last moment that is recorded.

    The share is null without items, ``data_until`` (ISO 8601) without items and events.
    """
    wasted = events.loc[events["kind"] == "wasted", "item_id"].nunique()
    until = pd.concat([items["purchased_on"], events["occurred_on"]]).max()
    return {
        "households": len(households),
        "items": len(items),
        "events": len(events),
        "items_wasted_share": wasted / len(items) if len(items) else None,
        "data_until": None if pd.isna(until) else until.isoformat(),
    }


def _unknown(table: str, frame: pd.DataFrame, known: pd.DataFrame, key: str, what: str) -> list[str]:
    return rows_broken(table, key, f"must be {what}", ~frame[key].isin(known[key]))


def _against_items(items: pd.DataFrame, events: pd.DataFrame, position: Any) -> list[str]:
    item = items.take(position)
    other_household = events["household_id"].to_numpy() != item["household_id"].to_numpy()
    # By days, since one of the two times may have no time of day.
    early = _day(events["occurred_on"]) < _day(item["purchased_on"])
    return [
        *rows_broken("events", "household_id", "must be the item's", other_household),
        *rows_broken("events", "occurred_on", "must not lie before the purchase", early),
        *rows_broken("items", "quantity", "must cover what was eaten and wasted", _overdrawn(items, events, position)),
    ]


def _overdrawn(items: pd.DataFrame, events: pd.DataFrame, position: Any) -> Any:
    """Whether more was taken from an item than was bought, beyond the rounding of each event to thousandths."""
    taken, corrected = events["kind"].isin(ENDS).to_numpy(), (events["kind"] == "corrected").to_numpy()
    amounts = _thousandths(events["quantity"])
    used = _sum_by(position[taken], amounts[taken], len(items))
    added = _sum_by(position[corrected], np.maximum(amounts[corrected], 0), len(items))
    rounding = 1 + np.bincount(position[taken], minlength=len(items))
    return used > _thousandths(items["quantity"]) + added + rounding


def _thousandths(quantities: pd.Series) -> Any:
    return np.rint(quantities.to_numpy() * THOUSANDTHS).astype("int64")


def _sum_by(position: Any, amounts: Any, size: int) -> Any:
    totals = np.zeros(size, dtype="int64")
    np.add.at(totals, position, amounts)
    return totals


def _day(times: pd.Series) -> Any:
    return times.to_numpy().astype("datetime64[D]")
