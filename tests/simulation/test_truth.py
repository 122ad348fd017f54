"""The oracle against plain re-simulation: many futures of one item, drawn use by use."""

import numpy as np
import pandas as pd
import pytest

from waste_risk.errors import ContractError
from waste_risk.simulation import oracle_probability

PURCHASED = pd.Timestamp("2024-03-01")
FUTURES = 60_000

LATENTS = {
    "portions": 4,
    "pace": 0.3,
    "first_forgetting": 0.1,
    "forgetting": 0.08,
    "life_days": 12.0,
    "life_shape": 3.0,
    "opened_life_days": np.nan,
    "opened_shape": 2.5,
    "date_discard_days": np.nan,
    "date_discard": 0.2,
    "wasted_in_the_end": False,
}
CASES = {
    "unopened": ({}, 3, []),
    "unopened, one portion": ({"portions": 1}, 4, []),
    "unopened, opening starts a short clock": ({"life_days": 300.0, "opened_life_days": 6.0}, 10, []),
    "unopened, long idle: probably forgotten": ({"life_days": 60.0, "pace": 0.5}, 14, []),
    "unopened, date still ahead": ({"date_discard_days": 9.875}, 3, []),
    "unopened, date passed": ({"date_discard_days": 2.875}, 5, []),
    "opened, one of four used": ({}, 5, [2.3]),
    "opened, idle since": ({"life_days": 40.0}, 15, [2.3, 4.1]),
    "opened, short clock and date": ({"opened_life_days": 9.0, "date_discard_days": 10.875}, 6, [1.2, 3.9]),
    "opened, last portion": ({"pace": 0.15}, 7, [1.0, 3.0, 5.5]),
    "spoils within a day or two": ({"life_days": 2.0, "life_shape": 3.5, "pace": 0.8}, 1, []),
}


def _weibull(rng: np.random.Generator, scale: float, shape: float, size: int) -> np.ndarray:
    return scale * rng.weibull(shape, size) if np.isfinite(scale) else np.full(size, np.inf)


def _future(latent: dict[str, float], age: float, used: list[float], rng: np.random.Generator) -> tuple[float, float]:
    """Probability and mean days over simulated futures that agree with what is known at the observation."""
    spoiled = _weibull(rng, latent["life_days"], latent["life_shape"], FUTURES)
    dated = np.isfinite(latent["date_discard_days"]) & (rng.random(FUTURES) < latent["date_discard"])
    discard = np.where(dated, np.minimum(spoiled, latent["date_discard_days"]), spoiled)
    if used:
        clock = _weibull(rng, latent["opened_life_days"], latent["opened_shape"], FUTURES)
        discard = np.minimum(discard, used[0] + clock)
    ends = [_live_on(latent, end, age, used, rng) for end in discard[discard > age]]
    agreeing = np.array([end for end in ends if end is not None])
    days = agreeing[agreeing < age + 30] - age
    return len(days) / len(agreeing), float(np.mean(days))


def _live_on(
    latent: dict[str, float], end: float, age: float, used: list[float], rng: np.random.Generator
) -> float | None:
    """The age at which the item is thrown away: infinity if it is eaten up, None if it was used before then."""
    now, left = used[-1] if used else 0.0, latent["portions"] - len(used)
    opened, forgetting = bool(used), latent["forgetting"] if used else latent["first_forgetting"]
    while rng.random() >= forgetting:
        now += rng.exponential(1 / latent["pace"])
        if now < age:
            return None
        if now >= end:
            break
        if not opened:
            opened, forgetting = True, latent["forgetting"]
            end = min(end, now + _weibull(rng, latent["opened_life_days"], latent["opened_shape"], 1)[0])
        left -= 1
        if left == 0:
            return np.inf
    return end


@pytest.mark.parametrize("name", CASES)
def test_the_oracle_agrees_with_many_simulated_futures(name: str) -> None:
    changed, age, used = CASES[name]
    latent = {**LATENTS, **changed}
    truth = pd.DataFrame([{"item_id": 1, "household_id": 1, **latent}])
    items = pd.DataFrame({"item_id": [1], "purchased_on": [PURCHASED]})
    moments = [PURCHASED + pd.Timedelta(days=day) for day in used]
    later = PURCHASED + pd.Timedelta(days=age + 0.5)
    events = pd.DataFrame({"item_id": 1, "kind": "consumed", "occurred_on": [*moments, later]})
    observations = pd.DataFrame({"item_id": [1], "observed_on": [PURCHASED + pd.Timedelta(days=age)]}, index=[9])
    oracle = oracle_probability(observations, items, events, truth, horizon_days=30)
    probability, days = _future(latent, age, used, np.random.default_rng(5))
    assert oracle.index.tolist() == [9]
    assert oracle["probability"].iloc[0] == pytest.approx(probability, abs=0.015)
    assert oracle["days"].iloc[0] == pytest.approx(days, rel=0.03)


def test_no_observations_give_an_empty_table() -> None:
    truth = pd.DataFrame([{"item_id": 1, "household_id": 1, **LATENTS}])
    items = pd.DataFrame({"item_id": [1], "purchased_on": [PURCHASED]})
    events = pd.DataFrame({"item_id": [1], "kind": ["consumed"], "occurred_on": [PURCHASED]})
    observations = pd.DataFrame({"item_id": [1], "observed_on": [PURCHASED]}).iloc[:0]
    oracle = oracle_probability(observations, items, events, truth, horizon_days=30)
    assert oracle.columns.tolist() == ["probability", "days"]
    assert len(oracle) == 0


@pytest.mark.parametrize("table", ["items", "truth"])
@pytest.mark.parametrize("item_id", ["1", 2])
def test_an_observed_item_that_a_table_lacks_is_refused_and_never_another_item(table: str, item_id: object) -> None:
    tables = {
        "truth": pd.DataFrame([{"item_id": 1, "household_id": 1, **LATENTS}]),
        "items": pd.DataFrame({"item_id": [1], "purchased_on": [PURCHASED]}),
    }
    tables[table] = tables[table].assign(item_id=item_id)
    events = pd.DataFrame({"item_id": [1], "kind": ["consumed"], "occurred_on": [PURCHASED]})
    observations = pd.DataFrame({"item_id": [1], "observed_on": [PURCHASED]})
    with pytest.raises(ContractError, match=rf"^{table}.item_id: must hold every observed item, .* \(1 of 1 observ"):
        oracle_probability(observations, events=events, horizon_days=30, **tables)
