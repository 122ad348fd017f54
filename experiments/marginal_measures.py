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


class Sample(NamedTuple):
    """What is measured: a year of shopping with every line logged, and the default source."""

    households: pd.DataFrame
    baskets: pd.DataFrame
    purchases: pd.DataFrame
    source: Tables


def draw_sample(n_households: int = 1_000) -> Sample:
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
    return Sample(
        households, baskets[baskets["purchased_on"] >= year], purchases[purchases["purchased_on"] >= year], simulate()
    )


def violations(sample: Sample) -> Values:
    """Count what must never be."""
    items, events = sample.source.items, sample.source.events
    label = (items["expires_on"] - items["purchased_on"]).dt.days
    of_product = products().set_index("product").loc[items["product"]]
    too_short = label.to_numpy() < of_product["life_min_days"].to_numpy() - 1
    too_long = label.to_numpy() > of_product["life_max_days"].to_numpy() + 1
    removed = events.groupby("item_id")["quantity"].sum().reindex(items["item_id"], fill_value=0).to_numpy()
    return {
        "households of none or more than six": (~sample.households["size"].between(1, 6)).sum(),
        "children that are not fewer than members": (sample.households["children"] >= sample.households["size"]).sum(),
        "trips without a line": (sample.baskets["lines"] < 1).sum(),
        "lines that no trip holds": sample.baskets["lines"].sum() - len(sample.purchases),
        "prices or quantities not above zero": (sample.purchases[["unit_price", "quantity"]] <= 0).sum().sum(),
        "printed dates off the product's shelf life by more than a day": (too_short | too_long).sum(),
        "items of which more went than came": (removed > items["quantity"].to_numpy() + 1e-6).sum(),
    }


def trips(sample: Sample) -> Values:
    """Trips per week of each household."""
    per_week = sample.baskets.groupby("household_id").size() * 7 / 365
    spread = {"median": per_week.median(), "lognormal_sigma": float(np.log(per_week).std())}
    return {"mean": per_week.mean(), **spread}


def lines(sample: Sample) -> Values:
    """Lines per trip, over trips."""
    lines = sample.baskets["lines"]
    shares = {f"p{percent}": float(lines.quantile(percent / 100)) for percent in (75, 90, 95)}
    return {"mean": lines.mean(), "median": lines.median(), **shares}


def units(sample: Sample) -> Values:
    """Share of lines by units, 7 and more together."""
    units = sample.purchases["quantity"].clip(upper=7).astype(int).astype(str).replace("7", "7+")
    return units.value_counts(normalize=True)


def mean_units(sample: Sample) -> Values:
    """Mean units per line."""
    return sample.purchases.groupby("category")["quantity"].mean()


def weekdays(sample: Sample) -> Values:
    """Share of trips by weekday."""
    day = sample.baskets["purchased_on"].dt.day_of_week
    return dict(zip(WEEKDAYS, day.value_counts(normalize=True).sort_index(), strict=True))


def favourite_weekday(sample: Sample) -> Values:
    """Share of a household's trips on its commonest weekday."""
    counts = sample.baskets.groupby(["household_id", sample.baskets["purchased_on"].dt.day_of_week]).size()
    share = counts.groupby("household_id").max() / counts.groupby("household_id").sum()
    return {"mean over households": share.mean()}


def season(sample: Sample) -> Values:
    """Units per day of each month over the year's mean, by category."""
    month = sample.purchases["purchased_on"].dt.month
    units = sample.purchases.groupby(["category", month])["quantity"].sum()
    per_day = units / np.tile(_DAYS_OF_MONTH, units.index.get_level_values(0).nunique())
    index: pd.Series = per_day / per_day.groupby("category").transform("mean")
    return index.set_axis([f"{category} {MONTHS[month - 1]}" for category, month in index.index])


def price(place: int, sample: Sample) -> Values:
    """Mean (place 0) or standard deviation (place 1) of the logarithm of the unit price."""
    logarithm = np.log(sample.purchases["unit_price"]).groupby(sample.purchases["category"])
    fit: tuple[pd.Series, pd.Series] = (logarithm.mean(), logarithm.std())
    return fit[place]


def sizes(sample: Sample) -> Values:
    """Share of households by size, 5 and more together."""
    return sample.households["size"].clip(upper=5).astype(str).replace("5", "5+").value_counts(normalize=True)


def lines_by_size(sample: Sample) -> Values:
    """Lines of a household over the mean, by size."""
    lines = sample.purchases.groupby("household_id").size().reindex(sample.households["household_id"]).to_numpy()
    size = sample.households["size"].clip(upper=5).astype(str).replace("5", "5+")
    mean: pd.Series = pd.Series(lines).groupby(size).mean() / lines.mean()
    return mean


def mix(sample: Sample) -> Values:
    """Share of lines by category."""
    return sample.purchases["category"].value_counts(normalize=True)


def taste(sample: Sample) -> Values:
    """Standard deviation over households of the share of their lines."""
    share = pd.crosstab(sample.purchases["household_id"], sample.purchases["category"], normalize="index")
    return share.std()


def promoted(sample: Sample) -> Values:
    """Share of lines on promotion."""
    return sample.purchases.groupby("category")["on_promotion"].mean().astype(float)


def label(sample: Sample) -> Values:
    """Mean days from purchase to the printed date."""
    items = sample.source.items
    return (items["expires_on"] - items["purchased_on"]).dt.days.groupby(items["category"]).mean()


def life(sample: Sample) -> Values:
    """Mean days until an unopened item spoils, meat frozen at home left out."""
    category, storage = sample.source.items["category"], sample.source.items["storage"]
    frozen_at_home = (category == "meat") & (storage == "freezer")
    return sample.source.truth["life_days"].groupby(category.mask(frozen_at_home)).mean()


def _wasted(sample: Sample) -> pd.Series:
    events = sample.source.events
    return sample.source.items["item_id"].isin(events.loc[events["kind"] == "wasted", "item_id"])


def rates(sample: Sample) -> Values:
    """Share of items thrown away within the recorded period."""
    return {**_wasted(sample).groupby(sample.source.items["category"]).mean(), "all": _wasted(sample).mean()}


def ranks(sample: Sample) -> Values:
    """Place of each category by its waste rate, the least wasted first."""
    return _wasted(sample).groupby(sample.source.items["category"]).mean().rank()


def rates_in_the_end(sample: Sample) -> Values:
    """Share of items thrown away, after the recorded period included."""
    wasted = sample.source.truth["wasted_in_the_end"]
    return {**wasted.groupby(sample.source.items["category"]).mean(), "all": wasted.mean()}
