"""What alerts change: how many items would have to be left without one to see it."""

import math
from dataclasses import dataclass

import pandas as pd
from scipy.special import ndtri

from waste_risk.monitoring.expected import LEARNED
from waste_risk.parameters import Monitoring


@dataclass(frozen=True)
class AlertEffect:
    """What a share of items that are never alerted would buy.

    Attributes:
        expected_waste_rate: mean probability of the items that were alerted for the first time.
        never_alerted_items: items without an alert that show a change of the waste rate by ``alert_effect``.
        new_alerts_per_week: items alerted for the first time, on average over the weeks.
        effect: the relative change of the waste rate that is to be seen; power the probability of seeing it.
        share: of new alerts that would be left out.
        weeks: until so many have been left out.
    """

    expected_waste_rate: float
    never_alerted_items: int
    new_alerts_per_week: float
    effect: float
    power: float
    share: float
    weeks: int


def plan_alert_effect(predictions: pd.DataFrame, ages: pd.Series, params: Monitoring) -> AlertEffect | None:
    """Compute what a share of never-alerted items would buy; null if nothing was ever alerted.

    Args:
        predictions: the table ``predictions``, of all moments.
        ages: of each prediction, from ``name_ages``.
        params: the section ``monitoring`` of the parameters.
    """
    is_new = (predictions["alerted_on"] == predictions["as_of"]) & (ages == LEARNED)
    alerts = predictions[is_new].drop_duplicates("item_id")
    if alerts.empty:
        return None
    rate = float(alerts["waste_probability"].mean())
    needed = count_needed(rate, params)
    span = (predictions["as_of"].max() - predictions["as_of"].min()) / pd.Timedelta(weeks=1) + 1
    per_week = len(alerts) / span
    return AlertEffect(
        expected_waste_rate=rate,
        never_alerted_items=needed,
        new_alerts_per_week=per_week,
        effect=params.alert_effect,
        power=params.power,
        share=params.never_alerted_share,
        weeks=math.ceil(needed / (params.never_alerted_share * per_week)),
    )


def count_needed(rate: float, params: Monitoring) -> int:
    """Compute how many items without an alert show a relative change of a waste rate, by a test of two shares.

    The alerted ones are as many more as ``never_alerted_share`` says. This is the formula with unpooled variances
    (Fleiss, Levin and Paik, Statistical methods for rates and proportions, 2003); rows of a household count as
    independent.
    """
    changed = rate * (1 - params.alert_effect)
    alerted_per_other = (1 - params.never_alerted_share) / params.never_alerted_share
    variance = rate * (1 - rate) + changed * (1 - changed) / alerted_per_other
    quantiles = float(ndtri((1 + params.confidence) / 2) + ndtri(params.power))
    return math.ceil(quantiles**2 * variance / (rate - changed) ** 2)
