"""The page's section on the search."""

from typing import Any

import numpy as np
import pandas as pd
from ablation_page import interval
from tables import Row, table

_TRIALS_GOALS = {"wall_min": 20, "memory_gb": 1, "cpu": 0.35}


def search_section(groups: dict[str, Any]) -> str:
    """What 100 trials cost and what equal budgets find; nothing where nothing was measured."""
    return f"""## The search for hyperparameters

{_cost_section(groups)}
{_found_section(groups)}"""


def _cost_section(groups: dict[str, Any]) -> str:
    if "search_cost" not in groups:
        return "What it costs was not measured.\n"
    cost = groups["search_cost"]["figures"]
    return f"""100 trials on 100,000 rows. *Naive* are the same trials, each with bins of its own and none given up,
measured on {cost["naive"]["share"]:.0%} of them.

{table(("", "measured", "goal", ""), _cost(cost))}"""


def _found_section(groups: dict[str, Any]) -> str:
    if "search_found" not in groups:
        return "What it finds was not measured.\n"
    found = pd.DataFrame(groups["search_found"]["figures"]["found"])
    return f"""Held out: the test window of 60,000 rows, after equal CPU budgets on one thread, on the same inner folds;
mean difference to our search over three seeds and its 95 % interval (paired, Student's t). *Worse in* counts the seeds
in which a method's AUC is lower and its log loss higher than ours.

{table(("CPU seconds", "method", "AUC", "log loss", "worse in", "CPU used"), _held_out(found))}
{_gain(found)}
"""


def _cost(cost: dict[str, Any]) -> list[Row]:
    measured = {
        "wall_min": cost["run"]["wall_s"] / 60,
        "memory_gb": cost["run"]["peak_mb"] / 1000,
        "cpu": cost["search"]["cpu_s"] / cost["naive"]["cpu_s"],
    }
    labels = {
        "wall_min": ("`kedro run --pipelines training --params tuning.n_trials=100`: time", " min"),
        "memory_gb": ("the same: memory", " GB"),
        "cpu": ("CPU of the search over the naive one", ""),
    }
    return [
        (
            label,
            f"{measured[name]:.2f}{unit}",
            f"{_TRIALS_GOALS[name]:g}{unit}",
            "reached" if measured[name] <= _TRIALS_GOALS[name] else "**missed**",
        )
        for name, (label, unit) in labels.items()
    ]


def _held_out(rows: pd.DataFrame) -> list[Row]:
    default = rows[rows["method"] == "defaults"].iloc[0]
    lines = [("0", "defaults, no search", f"{default['auc']:.4f}", f"{default['log_loss']:.4f}", "", "")]
    for budget, of_budget in rows[rows["method"] != "defaults"].groupby("budget_s"):
        ours = of_budget[of_budget["method"] == "ours"].set_index("seed")
        lines.append(
            (f"{budget}", "ours", *(f"{ours[name].mean():.4f}" for name in ("auc", "log_loss")), "", _cpu(ours))
        )
        for method in dict.fromkeys(of_budget["method"]):
            if method != "ours":
                peer = of_budget[of_budget["method"] == method].set_index("seed")
                differences = (_difference(peer, ours, measure) for measure in ("auc", "log_loss"))
                lines.append((f"{budget}", method, *differences, _worse(peer, ours), _cpu(peer)))
    return lines


def _difference(peer: pd.DataFrame, ours: pd.DataFrame, measure: str) -> str:
    mean, half = interval(peer[measure] - ours[measure])
    return f"{mean:+.4f} ± {half:.4f}"


def _worse(peer: pd.DataFrame, ours: pd.DataFrame) -> str:
    worse = (peer["auc"] < ours["auc"]) & (peer["log_loss"] > ours["log_loss"])
    return f"{worse.sum()} of {len(worse)}"


def _cpu(rows: pd.DataFrame) -> str:
    return f"{rows['cpu_s'].mean():.0f}"


def _gain(rows: pd.DataFrame) -> str:
    default = rows[rows["method"] == "defaults"].iloc[0]
    ours = rows[(rows["method"] == "ours") & (rows["budget_s"] == rows["budget_s"].max())]
    mean, half = interval(ours["log_loss"] - default["log_loss"])
    verdict = "gains nothing that these seeds show" if mean + half >= 0 else "gains something"
    budget = int(np.max(ours["budget_s"]))
    return f"Over the defaults, our search of {budget} CPU seconds {verdict}: log loss {mean:+.4f} ± {half:.4f}."
