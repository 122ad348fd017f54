"""Six weeks of followed predictions: five are mature, the model predicts too little, one feature has drifted."""

import numpy as np
import pandas as pd
from predicted import DAY, MONDAY, PARAMS, buy, predict, waste

from waste_risk.monitoring import (
    Change,
    Drift,
    MonitoringMetrics,
    assemble_metrics,
    estimate_performance,
    match_outcomes,
)

N_ROWS = 1_000
WEEKS = 6


def followed(*, shift: float = 0.1, drifted: bool = True) -> MonitoringMetrics:
    """What monitoring measures where the waste rate lies so far above the probability."""
    random, tables, events = np.random.default_rng(3), [], []
    for week in range(WEEKS):
        as_of = MONDAY + 7 * week * DAY
        tables.append(predict(list(random.uniform(0.05, 0.85, N_ROWS)), as_of=as_of, first_item=week * N_ROWS))
        is_wasted = random.random(N_ROWS) < tables[-1]["waste_probability"] + shift
        events.append(waste(tables[-1].loc[is_wasted, "item_id"].tolist(), as_of + 5 * DAY))
    predictions = pd.concat(tables, ignore_index=True)
    items, until = buy(predictions), waste([0], MONDAY + (7 * (WEEKS - 2) + 30) * DAY)
    items.loc[::10, "purchased_on"] -= 50 * DAY
    psi = 0.31 if drifted else 0.03
    change = Change(
        as_of=f"{MONDAY + 7 * (WEEKS - 1) * DAY:%Y-%m-%dT%H:%M:%S}",
        reference_from="2023-11-06T00:00:00",
        reference_until="2024-04-29T00:00:00",
        n_moments=26,
        expected_log_loss=0.55,
        columns=(Drift("open_items", psi, 0.04, 0.21), Drift("waste_probability", 0.02, 0.01, 0.1)),
    )
    return assemble_metrics(
        predictions=predictions,
        items=items,
        outcomes=match_outcomes(predictions, items, pd.concat([*events, until]), 30, PARAMS),
        expected_performance=estimate_performance(predictions, items, PARAMS),
        change=change,
        horizon_days=30,
        params=PARAMS,
    )


MONITORED = followed()
