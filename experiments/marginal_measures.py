"""What is measured of a simulated source for the comparison with the facts (see `marginals`)."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from waste_risk.parameters import DataGeneration
from waste_risk.reference import products
from waste_risk.simulation import Tables, simulate
from waste_risk.simulation.households import simulate_households
from waste_risk.simulation.scenarios import mean_stay_days
from waste_risk.simulation.shopping import lines_bought, simulate_baskets, simulate_shopping

Values = Mapping[str, float] | pd.Series

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS_OF_MONTH = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


class SimulatedRecords(NamedTuple):
    """A year of shopping with every line logged, and the default source."""

    households: pd.DataFrame
    baskets: pd.DataFrame
    purchases: pd.DataFrame
    source: Tables


def simulate_records(n_households: int = 1_000) -> SimulatedRecords:
    """Simulate what the marginals are taken from: two years, of which the second is measured."""
    days = 730
    params = DataGeneration(
        n_households=n_households,
        n_items_per_household=1,
        seed=42,
        period_days=days,
        starts_on=date(2022, 1, 1),
        scenario="usual",
    )
    everything = lines_bought(mean_stay_days(params))
    params = params.model_copy(update={"n_items_per_household": everything})
    households, _ = simulate_households(params)
    baskets, purchases = simulate_baskets(households, params), simulate_shopping(households, params)
    year = pd.Timestamp("2023-01-01")
    return SimulatedRecords(
        households, baskets[baskets["purchased_on"] >= year], purchases[purchases["purchased_on"] >= year], simulate()
    )


def violations(records: SimulatedRecords) -> Values:
    """Count what must never be."""
    items, events = records.source.items, records.source.events
    label = (items["expires_on"] - items["purchased_on"]).dt.days
    of_product = products().set_index("product").loc[items["product"]]
    too_short = label.to_numpy() < of_product["life_min_days"].to_numpy() - 1
    too_long = label.to_numpy() > of_product["life_max_days"].to_numpy() + 1
    removed = events.groupby("item_id")["quantity"].sum().reindex(items["item_id"], fill_value=0).to_numpy()
    return {
        "households of none or more than six": (~records.households["size"].between(1, 6)).sum(),
        "children that are not fewer than members": (
            records.households["children"] >= records.households["size"]
        ).sum(),
        "trips without a line": (records.baskets["lines"] < 1).sum(),
        "lines that no trip holds": records.baskets["lines"].sum() - len(records.purchases),
        "prices or quantities not above zero": (records.purchases[["unit_price", "quantity"]] <= 0).sum().sum(),
        "printed dates off the product's shelf life by more than a day": (too_short | too_long).sum(),
        "items of which more went than came": (removed > items["quantity"].to_numpy() + 1e-6).sum(),
    }


def trips(records: SimulatedRecords) -> Values:
    """Trips per week of each household."""
    per_week = records.baskets.groupby("household_id").size() * 7 / 365
    spread = {"median": per_week.median(), "lognormal_sigma": float(np.log(per_week).std())}
    return {"mean": per_week.mean(), **spread}


def lines(records: SimulatedRecords) -> Values:
    """Lines per trip, over trips."""
    lines = records.baskets["lines"]
    shares = {f"p{percent}": float(lines.quantile(percent / 100)) for percent in (75, 90, 95)}
    return {"mean": lines.mean(), "median": lines.median(), **shares}


def units(records: SimulatedRecords) -> Values:
    """Share of lines by units, 7 and more together."""
    units = records.purchases["quantity"].clip(upper=7).astype(int).astype(str).replace("7", "7+")
    return units.value_counts(normalize=True)


def mean_units(records: SimulatedRecords) -> Values:
    """Mean units per line."""
    return records.purchases.groupby("category")["quantity"].mean()


def weekdays(records: SimulatedRecords) -> Values:
    """Share of trips by weekday."""
    day = records.baskets["purchased_on"].dt.day_of_week
    return dict(zip(WEEKDAYS, day.value_counts(normalize=True).sort_index(), strict=True))


def favourite_weekday(records: SimulatedRecords) -> Values:
    """Share of a household's trips on its commonest weekday."""
    counts = records.baskets.groupby(["household_id", records.baskets["purchased_on"].dt.day_of_week]).size()
    share = counts.groupby("household_id").max() / counts.groupby("household_id").sum()
    return {"mean over households": share.mean()}


def season(records: SimulatedRecords) -> Values:
    """Units per day of each month over the year's mean, by category."""
    month = records.purchases["purchased_on"].dt.month
    units = records.purchases.groupby(["category", month])["quantity"].sum()
    per_day = units / np.tile(_DAYS_OF_MONTH, units.index.get_level_values(0).nunique())
    index: pd.Series = per_day / per_day.groupby("category").transform("mean")
    return index.set_axis([f"{category} {MONTHS[month - 1]}" for category, month in index.index])


def price(place: int, records: SimulatedRecords) -> Values:
    """Mean (place 0) or standard deviation (place 1) of the logarithm of the unit price."""
    logarithm = np.log(records.purchases["unit_price"]).groupby(records.purchases["category"])
    fit: tuple[pd.Series, pd.Series] = (logarithm.mean(), logarithm.std())
    return fit[place]


def sizes(records: SimulatedRecords) -> Values:
    """Share of households by size, 5 and more together."""
    return records.households["size"].clip(upper=5).astype(str).replace("5", "5+").value_counts(normalize=True)


def lines_by_size(records: SimulatedRecords) -> Values:
    """Lines of a household over the mean, by size."""
    lines = records.purchases.groupby("household_id").size().reindex(records.households["household_id"]).to_numpy()
    size = records.households["size"].clip(upper=5).astype(str).replace("5", "5+")
    mean: pd.Series = pd.Series(lines).groupby(size).mean() / lines.mean()
    return mean


def mix(records: SimulatedRecords) -> Values:
    """Share of lines by category."""
    return records.purchases["category"].value_counts(normalize=True)


def taste(records: SimulatedRecords) -> Values:
    """Standard deviation over households of the share of their lines."""
    share = pd.crosstab(records.purchases["household_id"], records.purchases["category"], normalize="index")
    return share.std()


def promoted(records: SimulatedRecords) -> Values:
    """Share of lines on promotion."""
    return records.purchases.groupby("category")["on_promotion"].mean().astype(float)


def label(records: SimulatedRecords) -> Values:
    """Mean days from purchase to the printed date."""
    items = records.source.items
    return (items["expires_on"] - items["purchased_on"]).dt.days.groupby(items["category"]).mean()


def life(records: SimulatedRecords) -> Values:
    """Mean days until an unopened item spoils, meat frozen at home left out."""
    category, storage = records.source.items["category"], records.source.items["storage"]
    frozen_at_home = (category == "meat") & (storage == "freezer")
    return records.source.truth["life_days"].groupby(category.mask(frozen_at_home)).mean()


def _wasted(records: SimulatedRecords) -> pd.Series:
    events = records.source.events
    return records.source.items["item_id"].isin(events.loc[events["kind"] == "wasted", "item_id"])


def rates(records: SimulatedRecords) -> Values:
    """Share of items thrown away within the recorded period."""
    return {**_wasted(records).groupby(records.source.items["category"]).mean(), "all": _wasted(records).mean()}


def ranks(records: SimulatedRecords) -> Values:
    """Place of each category by its waste rate, the least wasted first."""
    return _wasted(records).groupby(records.source.items["category"]).mean().rank()


def rates_in_the_end(records: SimulatedRecords) -> Values:
    """Share of items thrown away, after the recorded period included."""
    wasted = records.source.truth["wasted_in_the_end"]
    return {**wasted.groupby(records.source.items["category"]).mean(), "all": wasted.mean()}
