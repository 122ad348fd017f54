"""Unusual sources: each scenario changes one thing about the simulation, and the truth follows it.

- drift: what is bought in the last part of the period is used more slowly and forgotten more easily.
- leak: the source overwrites the price of what was thrown away, so a price reveals the future.
- noise: all items follow the same laws without memory, so the true probability of waste is always the same.
- new_households: households keep joining and soon leave, so none ever has a long history.
- no_printed_dates: no item has a printed date, so none is thrown away because of it.
- dirty: a few records satisfy the contracts of their tables and yet cannot be true.
"""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from waste_risk.arrays import Integers
from waste_risk.parameters import DataGeneration, Scenario
from waste_risk.random_streams import Keys, Stream, uniform
from waste_risk.reference import behaviour

_EXPIRED, _EARLY, _UNKNOWN, _TOO_MUCH, _TWICE = range(5)


def joining_days(params: DataGeneration) -> float:
    """Return the days from the start of the period over which households join."""
    if params.scenario == "new_households":
        return params.period_days - stay_days(params)
    within: float = behaviour()["households"]["joined_within_period"]
    return within * params.period_days


def stay_days(params: DataGeneration) -> int:
    """Return the days after joining for which a household shops, unless the period ends before."""
    if params.scenario == "new_households":
        days: int = behaviour()["scenarios"]["new_households"]["stay_days"]
        return days
    return params.period_days


def mean_stay_days(params: DataGeneration) -> float:
    """Return the days for which a household shops within the period, on average."""
    return min(stay_days(params), params.period_days - joining_days(params) / 2)


def print_dates(items: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Remove the printed dates if the scenario has none."""
    if scenario == "no_printed_dates":
        return items.assign(expires_on=np.full(len(items), np.datetime64("NaT", "us")))
    return items


def change_laws(truth: pd.DataFrame, items: pd.DataFrame, params: DataGeneration) -> pd.DataFrame:
    """Change the latents of the items, from which both their lives and the true probability follow."""
    if params.scenario == "drift":
        return _drifted(truth, items, params)
    return _without_signal(truth) if params.scenario == "noise" else truth


def falsify(
    items: pd.DataFrame, events: pd.DataFrame, keys: Keys, scenario: Scenario
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Change the records, not what happened; ``keys`` are those of the items."""
    if scenario == "leak":
        thrown_away = items["item_id"].isin(events.loc[events["kind"] == "wasted", "item_id"])
        price = items["unit_price"].mask(thrown_away, behaviour()["scenarios"]["leak"]["price"])
        return items.assign(unit_price=price), events
    return _dirty(items, events, keys) if scenario == "dirty" else (items, events)


def _drifted(truth: pd.DataFrame, items: pd.DataFrame, params: DataGeneration) -> pd.DataFrame:
    """Change the laws of what is bought late; what was bought earlier keeps its own."""
    chosen = behaviour()["scenarios"]["drift"]
    old_days = (1 - chosen["last_share_of_period"]) * params.period_days
    late = (items["purchased_on"] >= pd.Timestamp(params.starts_on) + pd.Timedelta(days=old_days)).to_numpy()
    forgetting = {
        name: np.where(late, expit(logit(truth[name].to_numpy()) + chosen["forgetting_logit"]), truth[name])
        for name in ("first_forgetting", "forgetting")
    }
    return truth.assign(pace=np.where(late, chosen["pace"] * truth["pace"], truth["pace"]), **forgetting)


def _without_signal(truth: pd.DataFrame) -> pd.DataFrame:
    """Give every item one portion, no forgetting, no date and a shape of one: its age then says nothing about waste."""
    chosen = behaviour()["scenarios"]["noise"]
    return truth.assign(
        portions=1,
        pace=1 / chosen["use_days"],
        first_forgetting=0.0,
        forgetting=0.0,
        life_days=float(chosen["life_days"]),
        life_shape=1.0,
        opened_life_days=np.nan,
        date_discard=0.0,
    )


def _dirty(items: pd.DataFrame, events: pd.DataFrame, keys: Keys) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each flaw to a share of the items, and to all events of such an item."""
    chosen = behaviour()["scenarios"]["dirty"]
    flaw = np.floor(uniform(keys, Stream.ITEM_FLAW) / chosen["share_of_items_for_each"]).astype(np.int64)
    expired = items["purchased_on"] - pd.Timedelta(days=chosen["expired_days"])
    flaw_of_event = flaw[pd.Index(items["item_id"]).get_indexer(pd.Index(events["item_id"]))]
    return items.assign(expires_on=items["expires_on"].mask(flaw == _EXPIRED, expired)), _flawed(events, flaw_of_event)


def _flawed(events: pd.DataFrame, flaw: Integers) -> pd.DataFrame:
    chosen = behaviour()["scenarios"]["dirty"]
    too_much = (flaw == _TOO_MUCH) & (events["kind"] == "consumed")
    clock_off = pd.Timedelta(days=chosen["clock_off_days"])
    flawed = events.assign(
        item_id=events["item_id"].mask(flaw == _UNKNOWN, -events["item_id"]),
        quantity=events["quantity"].mask(too_much, chosen["times_eaten"] * events["quantity"]),
        occurred_on=events["occurred_on"].mask(flaw == _EARLY, events["occurred_on"] - clock_off),
    )
    return flawed.take(np.repeat(np.arange(len(events)), 1 + (flaw == _TWICE))).reset_index(drop=True)
