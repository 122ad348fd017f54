"""Small random tables with everything that may occur: ties, gaps, corrections, unknown words, outcomes of all kinds."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from waste_risk.reference import products

START = np.datetime64("2024-03-01", "us")


class Pantry(NamedTuple):
    """The tables that features are made of."""

    observations: pd.DataFrame
    households: pd.DataFrame
    items: pd.DataFrame
    events: pd.DataFrame


def random_pantry(seed: int, n_households: int = 6, n_items: int = 150, n_events: int = 450) -> Pantry:
    """Draw tables; the last household is missing from `households`."""
    rng = np.random.default_rng(seed)
    items = _items(rng, n_households, n_items)
    events = _events(rng, items, n_events)
    bought = items["purchased_on"].to_numpy()
    row = np.sort(rng.choice(n_items, n_items // 2, replace=False))
    midnight = bought[row].astype("datetime64[D]") + rng.integers(1, 40, len(row)).astype("timedelta64[D]")
    # Some right after the purchase, before whatever else is bought on that day.
    observed = np.where(rng.random(len(row)) < 0.2, bought[row] + np.timedelta64(1, "h"), midnight)
    observations = items.loc[row, ["item_id", "household_id"]].reset_index(drop=True)
    return Pantry(
        observations.assign(observed_on=observed.astype("datetime64[us]")),
        _households(rng, n_households - 1),
        items,
        events,
    )


def _households(rng: np.random.Generator, n: int) -> pd.DataFrame:
    children = [None if child == 3 else child for child in rng.integers(0, 4, n).tolist()]
    return pd.DataFrame(
        {
            "household_id": np.arange(1, n + 1),
            "size": rng.integers(1, 6, n),
            "children": pd.array(children, dtype="Int64"),
            "income_band": rng.choice(["low", "middle", "high", "unknown"], n),
            "joined_on": START,
        }
    )


def _items(rng: np.random.Generator, n_households: int, n: int) -> pd.DataFrame:
    # A short list, so that products repeat.
    known = products().sample(8, random_state=int(rng.integers(1_000)))
    product = rng.choice([*known["product"], "something else"], n)
    category = dict(zip(known["product"], known["category"], strict=True)) | {"something else": "unheard of"}
    hours = rng.choice([0, 0, 7, 18], n)
    bought = START + rng.integers(0, 150, n).astype("timedelta64[D]") + hours.astype("timedelta64[h]")
    printed = bought.astype("datetime64[D]") + rng.integers(1, 40, n).astype("timedelta64[D]")
    printed = np.where(rng.random(n) < 0.03, np.datetime64("2999-12-31"), printed)
    return pd.DataFrame(
        {
            "item_id": rng.permutation(n) + 100,
            "household_id": rng.integers(1, n_households + 1, n),
            "product": product,
            "category": [category[name] for name in product],
            "quantity": rng.choice([0.25, 1, 1, 2, 3.5], n),
            "unit": "piece",
            "unit_price": np.where(rng.random(n) < 0.2, np.nan, rng.integers(50, 900, n) / 100),
            "on_promotion": pd.array(rng.choice([True, False, None], n), dtype="boolean"),
            "purchased_on": bought,
            "storage": rng.choice(["fridge", "freezer", "pantry", "cellar"], n, p=[0.5, 0.2, 0.2, 0.1]),
            "expires_on": np.where(rng.random(n) < 0.5, np.datetime64("NaT"), printed).astype("datetime64[us]"),
        }
    )


def _events(rng: np.random.Generator, items: pd.DataFrame, n: int) -> pd.DataFrame:
    """Some before the purchase, some in the same second, some of an item that nobody bought."""
    row = rng.integers(0, len(items), n)
    kind = rng.choice(["opened", "consumed", "wasted", "moved", "corrected"], n, p=[0.1, 0.55, 0.15, 0.1, 0.1])
    quantity = items["quantity"].to_numpy()[row] * rng.choice([0.1, 0.25, 0.333, 0.5, 1], n)
    quantity = np.where(kind == "corrected", quantity * rng.choice([-0.5, 1], n), quantity)
    hours = rng.integers(-10, 600, n) * rng.choice([1, 1, 0], n)
    moment = items["purchased_on"].to_numpy()[row] + hours.astype("timedelta64[h]")
    moment += rng.choice([0, 0, 999_999, 45_500_000], n).astype("timedelta64[us]")
    item_id = np.where(rng.random(n) < 0.02, 7, items["item_id"].to_numpy()[row])
    return pd.DataFrame(
        {
            "item_id": item_id,
            "household_id": items["household_id"].to_numpy()[row],
            "kind": kind,
            "quantity": np.where(np.isin(kind, ["opened", "moved"]), 0.0, quantity),
            "occurred_on": moment,
        }
    )
