"""``check_tables``, the node: households, items and events checked together and cleaned before anything is learned."""

from collections import Counter
from typing import TypedDict

import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.parameters import Cleaning
from waste_risk.tables.cleaning_rules import RULES, Action, CleaningRule, Records
from waste_risk.tables.contracts import check
from waste_risk.tables.verification import kind_of_ids, rows_broken

Counts = dict[str, int]


class TableCounts(TypedDict):
    """What a source holds, and how many rows were dropped or repaired by each cleaning rule that any row broke."""

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
    """Return the three tables, checked, cleaned and in the types of their contracts, and their counts.

    The tables are checked here although their catalog entries check them too: an environment that replaces an entry
    without its validator would otherwise let anything through.

    Args:
        households: the households table.
        items: the items table.
        events: the events table.
        cleaning: what is done about the rows that break each of `cleaning_rules.RULES`.

    Raises:
        ContractError: in one line, every broken rule as "events.item_id: must be an item (2 of 400 rows)".
    """
    households, items, events = check("households", households), check("items", items), check("events", events)
    _refuse_empty(households=households, items=items)
    _refuse_mixed_ids(households, items, events)
    items, events, cleaned = _clean(households, items, events, cleaning)
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


def _clean(
    households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, cleaning: Cleaning
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Counts]]:
    """Return items and events that fit each other, and how many rows were dropped and repaired for it, by rule.

    A rejected rule does not end the search: its rows are set aside, so that one error names all that is wrong.
    """
    item_row = pd.Index(items["item_id"]).get_indexer(pd.Index(events["item_id"]))
    records = Records(households["household_id"], items, events, item_row)
    totals = {"items": len(items), "events": len(events)}
    dropped, repaired, rejected = Counter[str](), Counter[str](), list[str]()
    for rule in RULES.values():
        rows, action = rule.find(records, cleaning), getattr(cleaning, rule.name)
        count, total = int(rows.sum()), totals[rule.table]
        if not count:
            continue
        if action == "reject" or count > cleaning.max_share * total:
            too_many = "" if action == "reject" else f", too many to {action}"
            rejected.append(f"{rule.table}.{rule.column}: {rule.condition} ({count} of {total} rows{too_many})")
        before, records = records, rule.apply(action, records, rows)
        (repaired if action == "repair" else dropped)[rule.name] = count
        dropped.update(_lost_besides(rule, action, len(before.events) - len(records.events)))
    if rejected:
        raise ContractError("; ".join(rejected))
    return records.items, records.events, {"dropped": dict(dropped), "repaired": dict(repaired)}


def _lost_besides(rule: CleaningRule, action: Action, n_events: int) -> Counts:
    """Count the events that went with their items, or of which nothing was left."""
    if rule.table == "events" or not n_events:
        return {}
    return {"events_of_emptied_items" if action == "repair" else "events_of_dropped_items": n_events}


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
