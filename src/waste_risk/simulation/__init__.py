"""A source whose truth is known: households that buy, eat, forget and throw away."""

from typing import NamedTuple

import pandas as pd

from waste_risk.parameters import DataGeneration, Scenario
from waste_risk.simulation.consumption import simulate_consumption
from waste_risk.simulation.households import simulate_households
from waste_risk.simulation.shopping import simulate_shopping
from waste_risk.simulation.truth import oracle_probability

__all__ = [
    "Tables",
    "oracle_probability",
    "simulate",
    "simulate_consumption",
    "simulate_households",
    "simulate_shopping",
]


class Tables(NamedTuple):
    """The tables of a simulated source."""

    households: pd.DataFrame
    purchases: pd.DataFrame
    habits: pd.DataFrame
    items: pd.DataFrame
    events: pd.DataFrame
    truth: pd.DataFrame


def simulate(
    n_households: int = 1_000,
    n_items_per_household: float = 100,
    seed: int = 42,
    period_days: int = 540,
    starts_on: str = "2024-01-01",
    *,
    scenario: Scenario = "usual",
) -> Tables:
    """Simulate a source without Kedro: the tables that the pipeline `data_generation` writes."""
    params = DataGeneration.model_validate(
        {
            "n_households": n_households,
            "n_items_per_household": n_items_per_household,
            "seed": seed,
            "period_days": period_days,
            "starts_on": starts_on,
            "scenario": scenario,
        }
    )
    households, habits = simulate_households(params)
    purchases = simulate_shopping(households, params)
    items, events, truth = simulate_consumption(households, habits, purchases, params)
    return Tables(households, purchases, habits, items, events, truth)
