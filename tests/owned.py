"""A table that has nothing to do with pantries: customers who may cancel, with the true probability of each row."""

import numpy as np
import pandas as pd

TRUE = "true_probability"
ROLES = (
    "columns.item=null,columns.household=customer,columns.time=seen_on,columns.label=churned,columns.days=null,"
    f"columns.label_known_on=null,columns.ignored=[{TRUE}]"
)


def make_customers(n_rows: int = 12_000, seed: int = 3) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    customer = random.integers(0, 1_500, n_rows)
    plan = random.choice(["basic", "family", "pro", "student"], 1_500, p=[0.5, 0.2, 0.2, 0.1])[customer]
    usage, calls = np.exp(random.normal(1.5, 0.8, n_rows)), random.poisson(0.7, n_rows)
    autopay = random.random(n_rows) < 0.6
    log_odds = (
        0.5 - 1.6 * np.log(usage) + 1.3 * calls + np.select([plan == "basic", plan == "pro"], [1.2, -1.6]) - autopay
    )
    probability = 1 / (1 + np.exp(-log_odds))
    seen_on = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 540, n_rows), unit="D")
    table = pd.DataFrame(
        {
            "customer": [f"{number:05d}" for number in customer],
            "seen_on": seen_on,
            "plan": plan,
            "usage": usage,
            "support_calls": calls,
            "autopay": autopay,
            "churned": random.random(n_rows) < probability,
            TRUE: probability,
        }
    )
    table.loc[random.random(n_rows) < 0.03, "usage"] = np.nan
    return table
