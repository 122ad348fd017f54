"""What must hold of a source's tables together, checked once before anything is learned from them."""

from typing import TypedDict

import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.parameters import Cleaning
from waste_risk.tables.cleaning import Counts, clean
from waste_risk.tables.contracts import check
from waste_risk.tables.rules import kind_of_ids, rows_broken


class TableCounts(TypedDict):
    """What a source holds, and what its cleaning took: by rule, only rules that rows broke."""

    households: int
    items: int
    events: int
    items_wasted_share: float
    data_until: str
    dropped: Counts
    repaired: Counts


def check_tables(
    households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, cleaning: Cleaning
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, TableCounts]:
    """Return the three tables in the types of their contracts and fitting each other, and their counts.

    The tables are checked here although their catalog entries check them too: an environment that replaces an entry
    without its validator would otherwise let anything through.

    Raises:
        ContractError: in one line, every broken rule as "events.item_id: must be an item (2 of 400 rows)".
    """
    households, items, events = check("households", households), check("items", items), check("events", events)
    _refuse_empty(households=households, items=items)
    _refuse_mixed_ids(households, items, events)
    items, events, cleaned = clean(households, items, events, cleaning)
    _refuse_empty(items=items)
    return households, items, events, count_tables(households, items, events, **cleaned)


def count_tables(
    households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, *, dropped: Counts, repaired: Counts
) -> TableCounts:
    """Count the rows of each table, the share of items with any waste, and the last moment that is recorded."""
    wasted = events.loc[events["kind"] == "wasted", "item_id"].nunique()
    until = pd.concat([items["purchased_on"], events["occurred_on"]]).max()
    return {
        "households": len(households),
        "items": len(items),
        "events": len(events),
        "items_wasted_share": wasted / len(items),
        "data_until": until.isoformat(),
        "dropped": dropped,
        "repaired": repaired,
    }


def _refuse_mixed_ids(households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame) -> None:
    """Refuse ids that are text in one table and numbers in another: none of them would be found."""
    lines = [
        *_mixed("household_id", households=households, items=items),
        *_mixed("household_id", households=households, events=events),
        *_mixed("item_id", items=items, events=events),
    ]
    if lines:
        raise ContractError("; ".join(lines))


def _mixed(column: str, **tables: pd.DataFrame) -> list[str]:
    (one, ids), (other, others) = ((name, frame[column]) for name, frame in tables.items())
    words = {"integer": "numbers", "string": "text"}
    kind, wanted = words.get(kind_of_ids(others)), words.get(kind_of_ids(ids))
    if not kind or kind == wanted:
        return []
    rule = f"must be {wanted} as in {one}, is {kind}; write the ids of all tables in one way"
    return rows_broken(other, column, rule, others.notna())


def _refuse_empty(**tables: pd.DataFrame) -> None:
    empty = [f"{name}: must not be empty (0 rows)" for name, frame in tables.items() if frame.empty]
    if empty:
        raise ContractError("; ".join(empty))
