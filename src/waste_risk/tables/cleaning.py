"""Dirty but usable records are refused, dropped or repaired, as the parameters say, and counted.

A refused rule does not end the search: its rows are set aside, so that one error names all that is wrong.
"""

from collections import Counter

import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.parameters import Cleaning
from waste_risk.tables.record_rules import RULES, Mask, Records, Rule, without_events, without_items

Counts = dict[str, int]


def clean(
    households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, cleaning: Cleaning
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Counts]]:
    """Return items and events that fit each other, and how many rows were dropped and repaired for it, by rule.

    The tables must hold their own contracts.

    Raises:
        ContractError: in one line, every rule that is to be refused, or that more rows break than may be dirty.
    """
    records = _records(households, items, events)
    totals = {"items": len(items), "events": len(events)}
    dropped, repaired, refused = Counter[str](), Counter[str](), list[str]()
    for rule in RULES:
        rows = rule.find(records, cleaning)
        count, policy = int(rows.sum()), getattr(cleaning, rule.name)
        if not count:
            continue
        too_many = count > cleaning.max_share * totals[rule.table]
        if policy == "reject" or too_many:
            refused.append(_refusal(rule, count, totals[rule.table], policy))
        before, records = records, _apply(rule, policy, records, rows)
        (repaired if policy == "repair" else dropped)[rule.name] = count
        dropped.update(_lost_besides(rule, policy, len(before.events) - len(records.events)))
    if refused:
        raise ContractError("; ".join(refused))
    return records.items, records.events, {"dropped": dict(dropped), "repaired": dict(repaired)}


def _records(households: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame) -> Records:
    item_row = pd.Index(items["item_id"]).get_indexer(pd.Index(events["item_id"]))
    return Records(households["household_id"], items, events, item_row)


def _refusal(rule: Rule, count: int, total: int, policy: str) -> str:
    too_many = "" if policy == "reject" else f", too many to {policy}"
    return f"{rule.table}.{rule.column}: {rule.says} ({count} of {total} rows{too_many})"


def _apply(rule: Rule, policy: str, records: Records, rows: Mask) -> Records:
    if policy == "repair" and rule.repair:
        return rule.repair(records, rows)
    return without_items(records, rows) if rule.table == "items" else without_events(records, rows)


def _lost_besides(rule: Rule, policy: str, n_events: int) -> Counts:
    """Count the events that went with their items, or of which nothing was left."""
    if rule.table == "events" or not n_events:
        return {}
    return {"events_of_emptied_items" if policy == "repair" else "events_of_dropped_items": n_events}
