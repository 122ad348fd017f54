"""What happens to an item day by day: put away, opened, eaten in portions, forgotten, spoiled, thrown away."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from waste_risk.arrays import Floats, Integers
from waste_risk.parameters import DataGeneration
from waste_risk.partitions import in_blocks
from waste_risk.random_streams import Keys, Stream, derive, hash_ids, uniform
from waste_risk.reference.vocabulary import EVENT_KINDS, thousandths
from waste_risk.simulation.latents import draw_latents, put_away
from waste_risk.simulation.scenarios import change_laws, falsify, print_dates

_US_PER_DAY = 86_400_000_000
_KINDS = pd.array(EVENT_KINDS, dtype="str")
_OPENED, _CONSUMED, _WASTED = map(EVENT_KINDS.index, ("opened", "consumed", "wasted"))


@dataclass(frozen=True)
class _EventLog:
    """What happens to items: the item's row, the kind (index of EVENT_KINDS), thousandths, and days since purchase."""

    item: Integers
    kind: Integers
    thousandths: Integers
    day: Floats


def simulate_consumption(
    households: pd.DataFrame, habits: pd.DataFrame, purchases: pd.DataFrame, data_generation: DataGeneration
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Simulate what households do with what they bought, until the end of the period.

    A household's results depend on its own rows alone.

    Returns:
        items, events (sorted by item and time), and truth: the latents from which `oracle_probability` follows,
        with `wasted_in_the_end`, the outcome even if it lies after the period.
    """
    items, events, truth = in_blocks(partial(_consume, data_generation), households, habits, purchases)
    return items, events, truth


def _consume(
    params: DataGeneration, households: pd.DataFrame, habits: pd.DataFrame, purchases: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    keys = hash_ids(purchases["item_id"], params.seed)
    items = print_dates(put_away(purchases.reset_index(drop=True), keys, params.seed), params.scenario)
    truth = change_laws(draw_latents(items, habits, households, keys, params.seed), items, params)
    log = _live(truth, thousandths(items["quantity"]), keys)
    wasted = np.zeros(len(items), dtype=bool)
    wasted[log.item[log.kind == _WASTED]] = True
    events = _record(log, items, params)
    return *falsify(items, events, keys, params.scenario), truth.assign(wasted_in_the_end=wasted)


def _live(truth: pd.DataFrame, thousandths: Integers, keys: Keys) -> _EventLog:
    """Simulate use after use of all items at once, each until it is finished, forgotten or thrown away."""
    latent = {name: truth[name].to_numpy() for name in truth.columns[2:]}
    discard = _first_discard(latent, keys)
    portions, left = latent["portions"], thousandths.copy()
    now = np.zeros(len(truth))
    remembered = np.flatnonzero(uniform(keys, Stream.ITEM_IS_FORGOTTEN) >= latent["first_forgetting"])
    log: list[tuple[Integers, int, Integers, Floats]] = []
    for use in range(1, int(portions.max(initial=0)) + 1):
        use_key = derive(keys[remembered], Stream.ITEM_USE, use)
        day = now[remembered] - np.log(uniform(use_key, Stream.USE_DAY)) / latent["pace"][remembered]
        used = day < discard[remembered]
        item, day, use_key = remembered[used], day[used], use_key[used]
        now[item] = day
        if use == 1:
            clock = latent["opened_life_days"][item] * _weibull(
                uniform(keys[item], Stream.ITEM_SPOILS_ONCE_OPENED), latent["opened_shape"][item]
            )
            discard[item] = np.fmin(discard[item], day + clock)
            several = portions[item] > 1
            log.append((item[several], _OPENED, np.zeros(several.sum(), dtype=np.int64), day[several]))
        last = portions[item] == use
        eaten = np.where(last, left[item], thousandths[item] // portions[item])
        left[item] -= eaten
        log.append((item, _CONSUMED, eaten, day))
        remembered = item[~last & (uniform(use_key, Stream.USE_IS_FORGOTTEN) >= latent["forgetting"][item])]
    item = np.flatnonzero(left > 0)
    log.append((item, _WASTED, left[item], discard[item]))
    return _in_order(log)


def _first_discard(latent: dict[str, Floats], keys: Keys) -> Floats:
    """Return when an unopened item is thrown away: spoiled, or on its printed date."""
    spoiled: Floats = latent["life_days"] * _weibull(uniform(keys, Stream.ITEM_SPOILS), latent["life_shape"])
    by_date = np.where(
        uniform(keys, Stream.ITEM_IS_DISCARDED_BY_DATE) < latent["date_discard"], latent["date_discard_days"], np.nan
    )
    return np.fmin(spoiled, by_date)


def _weibull(draw: Floats, shape: Floats) -> Floats:
    deviate: Floats = (-np.log(draw)) ** (1 / shape)
    return deviate


def _in_order(log: list[tuple[Integers, int, Integers, Floats]]) -> _EventLog:
    """Sort by item; within an item the log is already in the order of time."""
    item = np.concatenate([rows for rows, _, _, _ in log])
    kind = np.concatenate([np.full(len(rows), kind) for rows, kind, _, _ in log])
    order = np.argsort(item, kind="stable")
    thousandths, day = (np.concatenate([entry[place] for entry in log])[order] for place in (2, 3))
    return _EventLog(item[order], kind[order], thousandths, day)


def _record(log: _EventLog, items: pd.DataFrame, params: DataGeneration) -> pd.DataFrame:
    """Return the events of the period; what happens after its end is not known yet."""
    purchased = items["purchased_on"].to_numpy().astype("datetime64[us]").astype(np.int64)
    ends = np.datetime64(params.starts_on, "us").astype(np.int64) + params.period_days * _US_PER_DAY
    # Some lives are longer than a timestamp can say.
    moment = purchased[log.item] + (log.day.clip(0, 36_500) * _US_PER_DAY).astype(np.int64)
    known = moment < ends
    item = log.item[known]
    return pd.DataFrame(
        {
            "item_id": items["item_id"].array.take(item),
            "household_id": items["household_id"].array.take(item),
            "kind": _KINDS.take(log.kind[known]),
            "quantity": log.thousandths[known] / 1000,
            "occurred_on": moment[known].astype("datetime64[us]"),
        }
    )
