"""docs/ablations.md, from the figures of all seeds and variants."""

import numpy as np
import pandas as pd
from scipy.stats import t
from tables import Row, table

DEFAULT = "default"
SIGMOID = "calibration.method: sigmoid"
_CONFIDENCE = 0.95
_DECIDING = "log_loss"
_MEASURES = {
    "auc": "AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "ece": "expected calibration error",
    "cpu_s": "CPU seconds",
}
_DIGITS = {"auc": 4, "average_precision": 4, "log_loss": 4, "ece": 4, "cpu_s": 1}


def render(rows: pd.DataFrame) -> str:
    """The page: one table on all data, one on little."""
    full, small = (rows[rows["size"] == size] for size in ("full", "small"))
    n_compared = full["variant"].nunique() + small["variant"].nunique() - 2
    seeds = ", ".join(map(str, sorted(rows["seed"].unique())))
    n_full, n_small = (round(part["positives"].mean()) for part in (full, small))
    return f"""<!-- written by `make ablations` -->
# Ablations

What a single choice is worth: the mean difference to the default over {rows["seed"].nunique()} sources, simulated anew
with the seeds {seeds}, and its {_CONFIDENCE:.0%} interval (paired by seed, Student's t). Each model is evaluated on the
newest 20 % of its source. Lower is better but for the AUC and the average precision. CPU is that of the folds and the
final fits, on one thread.
The log loss decides: an interval on one side of zero favours the variant or the default, else the default stays. Where
the variant also takes more CPU beyond its interval, the line says so: then the gain has a price, and is weighed against
it in [decisions](decisions.md). By chance, one in twenty of {n_compared} such comparisons would look like a difference.

## All data, {n_full:,} positives out of fold

{_compare(full)}
## Fifty households, {n_small:,} positives out of fold

{_compare(small)}
{_conclude(full, small)}
"""


def _compare(rows: pd.DataFrame) -> str:
    names = [name for name in rows["variant"].unique() if name != DEFAULT]
    first: Row = ("default (its mean)", *(_mean(rows, measure) for measure in _MEASURES), "")
    lines = [
        (name, *(_difference(rows, name, measure) for measure in _MEASURES), _favoured_at_a_price(rows, name))
        for name in names
    ]
    return table(("", *_MEASURES.values(), "the log loss favours"), [first, *lines])


def favoured(rows: pd.DataFrame, variant: str) -> str:
    """The line whose log loss is lower on every plausible account; "neither" if the interval holds zero."""
    mean, half = interval(_paired(rows, variant, _DECIDING))
    if abs(mean) <= half:
        return "neither"
    return "the variant" if mean < 0 else "the default"


def _favoured_at_a_price(rows: pd.DataFrame, variant: str) -> str:
    mean, half = interval(_paired(rows, variant, "cpu_s"))
    favourite = favoured(rows, variant)
    return f"{favourite}, for more CPU" if favourite == "the variant" and mean > half else favourite


def interval(differences: "pd.Series[float]") -> tuple[float, float]:
    """Mean, and half of the width of its interval."""
    quantile = t.ppf((1 + _CONFIDENCE) / 2, len(differences) - 1)
    return float(differences.mean()), float(quantile * differences.std() / np.sqrt(len(differences)))


def _paired(rows: pd.DataFrame, variant: str, measure: str) -> "pd.Series[float]":
    by_seed = rows.pivot_table(index="seed", columns="variant", values=measure)
    return by_seed[variant] - by_seed[DEFAULT]


def _mean(rows: pd.DataFrame, measure: str) -> str:
    return f"{rows.loc[rows['variant'] == DEFAULT, measure].mean():.{_DIGITS[measure]}f}"


def _difference(rows: pd.DataFrame, variant: str, measure: str) -> str:
    mean, half = interval(_paired(rows, variant, measure))
    return f"{mean:+.{_DIGITS[measure]}f} ± {half:.{_DIGITS[measure]}f}"


def _conclude(full: pd.DataFrame, small: pd.DataFrame) -> str:
    method = {"the variant": "sigmoid", "the default": "isotonic", "neither": "neither"}
    return (
        f"Of the methods of calibration, the log loss favours {method[favoured(full, SIGMOID)]} on all data and "
        f"{method[favoured(small, SIGMOID)]} on little. `calibration.method: auto` takes isotonic, and sigmoid below "
        "1,000 positives. Isotonic is the mean of centred isotonic regression and a monotone spline through 20 bins; "
        "it was chosen among these by the log loss on the seeds 401 to 405."
    )
