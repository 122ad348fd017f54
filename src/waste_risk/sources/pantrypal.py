"""PantryPal's records converted to households, items and events.

Prices in cents of a whole entry become prices of a unit, and PantryPal's words those of our vocabulary, by a mapping
that the configuration states. A record that has no place in our tables is left out and counted, never guessed at.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from waste_risk.arrays import Integers, Mask
from waste_risk.errors import ContractError
from waste_risk.formatting import count_noun, format_count
from waste_risk.parameters import PantryPal
from waste_risk.reference.vocabulary import EVENT_KINDS, UNKNOWN, thousandths

_OPENED, _CONSUMED, _WASTED = map(EVENT_KINDS.index, ("opened", "consumed", "wasted"))
STATEMENTS = ("households", "entries", "consumption", "waste")  # files in sql/
_KINDS = pd.array(EVENT_KINDS, dtype="str")
_MOST_WORDS = 10  # of a report


class PantryPalTables(NamedTuple):
    """Our tables, and how many records had no place in them, by the reason."""

    households: pd.DataFrame
    items: pd.DataFrame
    events: pd.DataFrame
    left_out: dict[str, int]


def read_pantrypal(records: Iterator[pd.DataFrame], words: PantryPal) -> PantryPalTables:
    """Convert PantryPal's records to our tables, sorted by id, and by time where there is one.

    `children` and `income_band` are not recorded and unknown, `on_promotion` is null. `expires_on` is the expiry date
    alone: an estimated shelf life is no printed date, and may have been estimated anew when the entry was opened.

    Args:
        records: what the statements in ``sql/`` return, in the order of `STATEMENTS`. Each is taken when it is needed
            and then let go, since together they may be most of the memory. The order of rows means nothing.
        words: what PantryPal's words mean.

    Raises:
        ContractError: prices are in several currencies and none is chosen.
    """
    payers = next(records).sort_values("household_id", ignore_index=True)
    households = _households(payers)
    entries, left_out = _known_entries(next(records), words)
    items = _items(entries, _is_priced_alike(payers, entries, words.currency))
    ids, opened_at = (households["household_id"], items["item_id"]), entries["opened_at"]
    del entries
    logs = [_openings(items, opened_at, ids[0])]
    for name, kind in (("consumption", _CONSUMED), ("waste", _WASTED)):
        log, lost = _read_log(name, kind, next(records), *ids)
        logs.append(log)
        left_out |= lost
    return PantryPalTables(households, items, _events(logs, *ids), left_out)


def summarise_left_out(left_out: Mapping[str, int]) -> list[str]:
    """Return a line for each kind of records that were left out: why, and how many."""
    return [f"Left out:     {reason}: {format_count(count)}" for reason, count in left_out.items()]


def _households(known: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "household_id": known["household_id"],
            "size": known["size"],
            "children": pd.array([pd.NA] * len(known), dtype="Int64"),
            "income_band": pd.Series(UNKNOWN, index=known.index, dtype="str"),
            "joined_on": known["joined_on"],
        }
    )


def _known_entries(entries: pd.DataFrame, words: PantryPal) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the entries that can be items, in the order of their ids, in our words; and those that cannot, counted."""
    category, other_categories = _translate(entries["category"], words.categories)
    storage, other_storages = _translate(entries["storage"], words.storages)
    of_catalog, measured = entries["category"].notna().to_numpy(), _is_measured(entries)
    left_out = {
        "pantry entries without an item of the catalog": int((~of_catalog).sum()),
        f"pantry entries of categories without a mapping ({other_categories})": int(
            (of_catalog & category.isna().to_numpy()).sum()
        ),
        f"pantry entries of storages without a mapping ({other_storages})": int(storage.isna().sum()),
        "pantry entries of less than a thousandth": int((~measured).sum()),
    }
    kept = np.flatnonzero(category.notna() & storage.notna() & measured)
    ids = pa.array(entries["item_id"].take(kept))
    kept = kept[pc.sort_indices(ids).to_numpy()]
    known = entries.assign(category=category, storage=storage).take(kept).reset_index(drop=True)
    return known, {reason: count for reason, count in left_out.items() if count}


def _translate(texts: pd.Series, mapping: Mapping[str, str]) -> tuple[pd.Series, str]:
    """Return our word for each text, null without one; and the texts that have none, with their counts."""
    code, uniques = pd.factorize(texts)
    folded = {_fold(text): ours for text, ours in mapping.items()}
    ours = [folded.get(_fold(text)) for text in uniques]
    words = pd.Series(pd.array([*ours, None], dtype="str").take(code), index=texts.index)
    unmapped = Counter({text: int((code == place).sum()) for place, text in enumerate(uniques) if ours[place] is None})
    shown = [f"{text!r} {format_count(count)}" for text, count in unmapped.most_common(_MOST_WORDS)]
    more = len(unmapped) - len(shown)
    return words, ", ".join([*shown, *([f"and {count_noun(more, 'other')}"] if more > 0 else [])])


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _is_measured(rows: pd.DataFrame) -> Mask:
    """Return which rows have a quantity of a thousandth or more: features count in thousandths."""
    measured: Mask = thousandths(rows["quantity"].fillna(0)) > 0
    return measured


def _is_priced_alike(households: pd.DataFrame, entries: pd.DataFrame, currency: str | None) -> Mask:
    """Return which entries are of households that pay in the one currency of the source."""
    used = sorted(households["currency"].dropna().unique())
    if currency is None and len(used) > 1:
        raise ContractError(
            f"households.currency: must be one, is {', '.join(used)}; choose one as `currency` in the catalog, and"
            " prices in the others are unknown"
        )
    pays_in_it = households["currency"].isin(used if currency is None else [currency])
    of_entry: Mask = np.append(pays_in_it, False)[_places(households["household_id"], entries["household_id"])]
    return of_entry


def _items(entries: pd.DataFrame, is_priced_alike: Mask) -> pd.DataFrame:
    # One division of whole numbers, so that the price of a unit comes back to the last bit.
    price = entries["price_cents"].astype("float64") * 10 / thousandths(entries["quantity"])
    return pd.DataFrame(
        {
            **{name: entries[name] for name in ("item_id", "household_id", "product", "category", "quantity", "unit")},
            "unit_price": price.where(is_priced_alike),
            "on_promotion": pd.array([pd.NA] * len(entries), dtype="boolean"),
            **{name: entries[name] for name in ("purchased_on", "storage", "expires_on")},
        },
        copy=False,
    )


def _openings(items: pd.DataFrame, opened_at: pd.Series, household_ids: pd.Series) -> pd.DataFrame:
    opened = opened_at.dropna()
    row = opened.index.to_numpy(np.int64)
    household = _places(household_ids, items["household_id"].take(row))
    rows = {"item": row, "household": household}
    return pd.DataFrame({**rows, "kind": np.int8(_OPENED), "quantity": 0.0, "occurred_on": opened.to_numpy()})


def _read_log(
    name: str, kind: int, records: pd.DataFrame, household_ids: pd.Series, item_ids: pd.Series
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return what a table of records tells of items, and how many tell of none, by the reason."""
    log = _to_log(kind, records, household_ids, item_ids)
    is_nameless = records["item_id"].isna().to_numpy()
    is_known = ((log["item"] >= 0) & (log["household"] >= 0)).to_numpy()
    is_kept = is_known & _is_measured(records)
    counts = {
        f"records of {name} that name no pantry entry": is_nameless,
        f"records of {name} of pantry entries that are deleted or left out": ~is_nameless & ~is_known,
        f"records of {name} of less than a thousandth": is_known & ~is_kept,
    }
    return log[is_kept], {reason: int(rows.sum()) for reason, rows in counts.items() if rows.any()}


def _to_log(kind: int, records: pd.DataFrame, household_ids: pd.Series, item_ids: pd.Series) -> pd.DataFrame:
    """Return records with the rows of their item and household in place of the ids."""
    rows = {"item": _places(item_ids, records["item_id"]), "household": _places(household_ids, records["household_id"])}
    moved = {name: records[name].to_numpy() for name in ("quantity", "occurred_on")}
    return pd.DataFrame({**rows, "kind": np.int8(kind), **moved}, index=range(len(records)), copy=False)


def _events(logs: list[pd.DataFrame], household_ids: pd.Series, item_ids: pd.Series) -> pd.DataFrame:
    """Return what happened to items, in the order of items and time."""
    log = pd.concat(logs, ignore_index=True)
    order = _in_order(log)
    item, household, kind = (log[name].to_numpy()[order] for name in ("item", "household", "kind"))
    return pd.DataFrame(
        {
            "item_id": item_ids.array.take(item),
            "household_id": household_ids.array.take(household),
            "kind": _KINDS.take(kind),
            "quantity": log["quantity"].to_numpy()[order],
            "occurred_on": log["occurred_on"].to_numpy()[order],
        },
        copy=False,
    )


def _in_order(log: pd.DataFrame) -> Integers:
    """Return the rows by item, time, kind and quantity; they come by kind, and few share the first three."""
    order: Integers = np.lexsort((log["occurred_on"], log["item"]))
    keys = [log[name].to_numpy()[order] for name in ("kind", "occurred_on", "item")]
    is_tied = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    tied = np.flatnonzero(np.append(is_tied, False) | np.append(False, is_tied))
    by_quantity = np.lexsort([log["quantity"].to_numpy()[order[tied]], *(key[tied] for key in keys)])
    order[tied] = order[tied][by_quantity]
    return order


def _places(ids: pd.Series, wanted: pd.Series) -> Integers:
    """Return the place of each id among others; -1 where it is not. Arrow compares millions of texts in place."""
    found = pc.index_in(pa.array(wanted), value_set=pa.array(ids))
    places: Integers = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return places
