"""Sources out of the usual: each scenario changes one thing, and the truth knows of it.

- drift: what is bought in the last part of the period is used more slowly and forgotten more easily.
- leak: the source sets the price of what was thrown away to that of waste, so a price tells the future.
- noise: every item has the same lives without a memory; at any look the true probability of waste is the same.
- new_households: households join all the time and leave soon, so none has a long history at any look.
- no_printed_dates: no item has one, so none is thrown away for its date.
- dirty: a few records that tables of the right form may hold, and that cannot be true.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from waste_risk.parameters import DataGeneration, Scenario
from waste_risk.reference import behaviour
from waste_risk.simulation.random_streams import Floats, Keys, Stream, uniform

_EXPIRED, _EARLY, _UNKNOWN, _TOO_MUCH, _TWICE = range(5)


def joining_days(params: DataGeneration) -> float:
    """Days from the start of the period over which households join."""
    if params.scenario == "new_households":
        return params.period_days - stay_days(params)
    within: float = behaviour()["households"]["joined_within_period"]
    return within * params.period_days


def stay_days(params: DataGeneration) -> int:
    """Days after joining for which a household shops, unless the period ends before."""
    if params.scenario == "new_households":
        days: int = behaviour()["scenarios"]["new_households"]["stay_days"]
        return days
    return params.period_days


def mean_stay_days(params: DataGeneration) -> float:
    """Days for which a household shops within the period, on average."""
    return min(stay_days(params), params.period_days - joining_days(params) / 2)


def print_dates(items: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Take the printed dates away where the scenario has none."""
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
    """Record what happened in another way than it did; ``keys`` are those of the items."""
    if scenario == "leak":
        return _leaking(items, events), events
    return _dirty(items, events, keys) if scenario == "dirty" else (items, events)


def _drifted(truth: pd.DataFrame, items: pd.DataFrame, params: DataGeneration) -> pd.DataFrame:
    """What was bought before keeps its laws, though some of it lives on into the new habits."""
    chosen = behaviour()["scenarios"]["drift"]
    old_days = (1 - chosen["last_share_of_period"]) * params.period_days
    late = (items["purchased_on"] >= pd.Timestamp(params.starts_on) + pd.Timedelta(days=old_days)).to_numpy()
    forgetting = {
        name: np.where(late, _shifted(truth[name].to_numpy(), chosen["forgetting_logit"]), truth[name])
        for name in ("first_forgetting", "forgetting")
    }
    return truth.assign(pace=np.where(late, chosen["pace"] * truth["pace"], truth["pace"]), **forgetting)


def _shifted(probability: Floats, shift: float) -> Floats:
    shifted: Floats = expit(logit(probability) + shift)
    return shifted


def _without_signal(truth: pd.DataFrame) -> pd.DataFrame:
    """One portion, no forgetting, no date, and a shape of one: time passed tells nothing of the time to come."""
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


def _leaking(items: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    thrown_away = items["item_id"].isin(events.loc[events["kind"] == "wasted", "item_id"])
    return items.assign(unit_price=items["unit_price"].mask(thrown_away, behaviour()["scenarios"]["leak"]["price"]))


def _dirty(items: pd.DataFrame, events: pd.DataFrame, keys: Keys) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each flaw befalls a share of the items, and all events of such an item."""
    chosen = behaviour()["scenarios"]["dirty"]
    flaw = np.floor(uniform(keys, Stream.ITEM_FLAW) / chosen["share_of_items_for_each"]).astype(np.int64)
    expired = items["purchased_on"] - pd.Timedelta(days=chosen["expired_days"])
    flaw_of_event = flaw[pd.Index(items["item_id"]).get_indexer(pd.Index(events["item_id"]))]
    return items.assign(expires_on=items["expires_on"].mask(flaw == _EXPIRED, expired)), _flawed(events, flaw_of_event)


def _flawed(events: pd.DataFrame, flaw: npt.NDArray[np.int64]) -> pd.DataFrame:
    chosen = behaviour()["scenarios"]["dirty"]
    too_much = (flaw == _TOO_MUCH) & (events["kind"] == "consumed")
    clock_off = pd.Timedelta(days=chosen["clock_off_days"])
    flawed = events.assign(
        item_id=events["item_id"].mask(flaw == _UNKNOWN, -events["item_id"]),
        quantity=events["quantity"].mask(too_much, chosen["times_eaten"] * events["quantity"]),
        occurred_on=events["occurred_on"].mask(flaw == _EARLY, events["occurred_on"] - clock_off),
    )
    return flawed.take(np.repeat(np.arange(len(events)), 1 + (flaw == _TWICE))).reset_index(drop=True)
