"""The true probability of waste, from the latents of an item and what happened to it before the observation.

An item observed at age a with r portions left is already forgotten with the probability that Bayes' rule gives
after s days without a use. If so, only the clocks decide. If not, uses go on as a Poisson process, and it is
finished within t days with probability (1 - forgetting)^(r - 1) P(Gamma(r, pace) <= t), independently of the clocks.
Integrals over the days ahead are sums over steps of `_STEP_DAYS`; the printed date is an atom in the middle of one.
"""

import numpy as np
import pandas as pd
from scipy.special import gammainc

from waste_risk.arrays import Floats, Integers
from waste_risk.errors import ContractError

_STEP_DAYS = 0.25
_CHUNK_ROWS = 2_000


def oracle_probability(
    observations: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, truth: pd.DataFrame, horizon_days: int
) -> pd.DataFrame:
    """Compute P(wasted within the horizon), and the expected days to waste given that, for each observation.

    Args:
        observations: item_id and observed_on are read.
        items: the items table.
        events: the events table; only what lies before an observation counts.
        truth: the latents of the items.
        horizon_days: days from the observation to the end of the horizon.

    Returns:
        probability in [0, 1] and days in (0, horizon_days], on the index of the observations.

    Raises:
        ContractError: an observed item is not in truth or items, as when its id is text here and a number there.
    """
    state = _state(observations, items, events, truth)
    chunks = [
        _predict(state.iloc[start : start + _CHUNK_ROWS], horizon_days) for start in range(0, len(state), _CHUNK_ROWS)
    ]
    table = np.concatenate(chunks) if chunks else np.empty((0, 2))
    return pd.DataFrame(table, columns=["probability", "days"], index=observations.index)


def _state(observations: pd.DataFrame, items: pd.DataFrame, events: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the latents of the items and what is known when they are observed, in days before the observation."""
    row, own = (_rows(name, frame, observations["item_id"]) for name, frame in (("items", items), ("truth", truth)))
    keys = observations[["item_id", "observed_on"]].reset_index(drop=True).assign(row=np.arange(len(observations)))
    past = keys.merge(events[["item_id", "kind", "occurred_on"]], on="item_id")
    uses = past[(past["kind"] == "consumed") & (past["occurred_on"] < past["observed_on"])]
    used = uses.groupby("row")["occurred_on"].agg(["min", "max", "size"]).reindex(keys["row"])
    purchased = items["purchased_on"].take(row).reset_index(drop=True)
    now = keys["observed_on"]
    return (
        truth.take(own)
        .reset_index(drop=True)
        .assign(
            age=_days(now - purchased),
            opened_age=_days(now - used["min"].to_numpy()),
            idle=_days(now - used["max"].reset_index(drop=True).fillna(purchased)),
            left=lambda table: table["portions"] - used["size"].fillna(0).to_numpy().astype(np.int64),
        )
    )


def _rows(table: str, frame: pd.DataFrame, item_id: pd.Series) -> Integers:
    row: Integers = pd.Index(frame["item_id"]).get_indexer(pd.Index(item_id))
    missing = int((row < 0).sum())
    if missing:
        raise ContractError(
            f"{table}.item_id: must hold every observed item, as text or as a number like observations.item_id "
            f"({missing} of {len(row)} observations are of other items); make {table} and observations from one source"
        )
    return row


def _days(span: pd.Series) -> pd.Series:
    days: pd.Series = span.dt.total_seconds() / 86_400
    return days


def _predict(state: pd.DataFrame, horizon_days: int) -> Floats:
    """Return probability and days, (rows, 2), from the mass of waste in each step ahead."""
    grid = np.arange(round(horizon_days / _STEP_DAYS) + 1, dtype=np.float64) * _STEP_DAYS
    opened = state["opened_age"].notna().to_numpy()
    mass = np.empty((len(state), len(grid) - 1))
    columns = {name: state[name].to_numpy(dtype=np.float64)[:, None] for name in state.columns[2:]}
    for rows, find_waste in ((opened, _waste_of_opened), (~opened, _waste_of_unopened)):
        mass[rows] = find_waste({name: column[rows] for name, column in columns.items()}, grid)
    # Beyond twelve decimals are rounding errors, and equal probabilities must be equal to be ranked as such.
    probability = mass.sum(axis=1).clip(0, 1).round(12)
    days = mass @ (grid[1:] - _STEP_DAYS / 2) / np.maximum(probability, 1e-300)
    return np.stack([probability, days], axis=1)


def _waste_of_opened(item: dict[str, Floats], grid: Floats) -> Floats:
    """Thrown away in a step, not finished before: the clocks run on, and uses go on unless it is forgotten."""
    survival = _unopened_survival(item, grid) * _opened_survival(item, item["opened_age"], grid)
    forgotten = _forgotten_already(item["forgetting"], item["pace"] * item["idle"])
    finished = _finished(item, item["left"], _middle(grid))
    return _drop(survival) * (1 - (1 - forgotten) * finished)


def _waste_of_unopened(item: dict[str, Floats], grid: Floats) -> Floats:
    """Either never opened before it spoils, or opened in one of the steps and then left too long."""
    survival = _unopened_survival(item, grid)
    forgotten = _forgotten_already(item["first_forgetting"], item["pace"] * item["age"])
    untouched = np.exp(-item["pace"] * grid)
    mass = _drop(survival) * (forgotten + (1 - forgotten) * np.exp(-item["pace"] * _middle(grid)))
    several = item["left"][:, 0] > 1
    part = {name: value[several] for name, value in item.items()}
    opening = ((1 - forgotten) * _drop(untouched))[several]
    mass[several] += _waste_after_opening(part, survival[several], opening, grid)
    return mass


def _waste_after_opening(item: dict[str, Floats], survival: Floats, opening: Floats, grid: Floats) -> Floats:
    """Sum over the step of opening, taken at its middle, lag by lag: the laws after it depend on the lag alone.

    `opening` is the probability to be opened in each step; surviving until then cancels with what follows.
    """
    steps = opening.shape[1]
    mass = np.zeros_like(opening)
    half = _STEP_DAYS / 2
    # Opened in the middle of a step: half of that step remains, then whole ones.
    lags = np.concatenate([[0.0], half + grid[:-1]])
    fresh = _opened_survival(item, np.zeros((1, 1)), lags)
    unfinished = 1 - (1 - item["forgetting"]) * _finished(item, item["left"] - 1, (lags[:-1] + lags[1:]) / 2)
    middle = _unopened_survival(item, _middle(grid))
    for lag in range(steps):
        before = middle if lag == 0 else survival[:, lag:-1]
        lost = before[:, : steps - lag] * fresh[:, lag, None] - survival[:, lag + 1 :] * fresh[:, lag + 1, None]
        mass[:, lag:] += opening[:, : steps - lag] * lost * unfinished[:, lag, None]
    return mass


def _unopened_survival(item: dict[str, Floats], grid: Floats) -> Floats:
    """P(not thrown away by the clock from purchase, nor on the printed date, in so many days | still there)."""
    age, scale, shape = item["age"], item["life_days"], item["life_shape"]
    spoiled = np.exp((age / scale) ** shape - ((age + grid) / scale) ** shape)
    ahead, until = item["date_discard_days"] > age, age + grid
    # In the very moment of the date, half of what happens in that step lies before it.
    passed = ahead * ((item["date_discard_days"] < until) + 1.0 * (item["date_discard_days"] <= until)) / 2
    survival: Floats = spoiled * (1 - item["date_discard"] * passed)
    return survival


def _opened_survival(item: dict[str, Floats], opened_for: Floats, grid: Floats) -> Floats:
    """The same for the clock from opening; 1 where opening does not matter."""
    scale, shape = item["opened_life_days"], item["opened_shape"]
    survival = np.exp((opened_for / scale) ** shape - ((opened_for + grid) / scale) ** shape)
    return np.where(np.isnan(scale), 1.0, survival)


def _forgotten_already(prior: Floats, expected_uses: Floats) -> Floats:
    """Bayes' rule after a time in which an item not forgotten would have been used so many times on average."""
    return prior / (prior + (1 - prior) * np.exp(-expected_uses))


def _finished(item: dict[str, Floats], portions: Floats, days: Floats) -> Floats:
    """P(the last portion is eaten within so many days | not forgotten now)."""
    finished: Floats = (1 - item["forgetting"]) ** (portions - 1) * gammainc(portions, item["pace"] * days)
    return finished


def _drop(survival: Floats) -> Floats:
    return survival[:, :-1] - survival[:, 1:]


def _middle(grid: Floats) -> Floats:
    return (grid[:-1] + grid[1:]) / 2
