"""docs/benchmarks.md, from the figures that were kept."""

from typing import Any

from render_postgres import postgres_section
from render_search import search_section
from render_simulation import simulation_sections
from tables import Row, table

Groups = dict[str, Any]

_FORMER = [
    ("the former system", "100,000", "not told", "not told", "none", "about 20 min", "4 GB", "not told"),
    ("the former system", "100,000", "not told", "not told", "100 trials", "about 3 h", "6 GB", "not told"),
]
_GOALS = {"1000": (8, 0.5), "10000": (10, 0.5), "100000": (25, 0.6)}
_MISSING = "not measured yet"


def render(groups: Groups) -> str:
    """The page: what the whole costs, what must be reached, then the details."""
    sections = [
        _beside_the_former(groups),
        _goals(groups),
        _threads(groups),
        search_section(groups),
        *simulation_sections(groups),
        postgres_section(groups),
        _when(groups),
    ]
    return "<!-- written by `make bench` -->\n# Speed and memory\n\n" + "\n".join(sections)


def _beside_the_former(groups: Groups) -> str:
    header = ("", "samples", "features", "folds", "search", "time", "memory", "hardware")
    return f"""What its users tell of the former system, not measured by us, and this one:

{table(header, [*_FORMER, *_ours(groups)])}
Time and memory are those of `kedro run --pipelines training`, start-up included.
"""


def _ours(groups: Groups) -> list[Row]:
    if "runs" not in groups:
        return []
    run, shape = _figures(groups, "runs")["100000"], _shape(groups)
    ours = [("none", run, groups["runs"]["hardware"])]
    if "search_cost" in groups:
        ours.append(("100 trials", _figures(groups, "search_cost")["run"], groups["search_cost"]["hardware"]))
    return [
        ("waste-risk", "100,000", *shape, trials, _duration(one["wall_s"]), f"{one['peak_mb'] / 1000:.2f} GB", hardware)
        for trials, one, hardware in ours
    ]


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _shape(groups: Groups) -> tuple[str, str]:
    run = _figures(groups, "runs")["100000"]
    return f"{run['features']:.0f}", f"{run['folds']:.0f}"


def _goals(groups: Groups) -> str:
    parts = (_work_goals, _run_goals, _large_goals, _startup_goals, _validation_goals, _scoring_goals)
    rows = [row for part in parts for row in part(groups)]
    return f"""## What must be reached

{table(("", "measured", "goal", ""), rows)}
*The same recipe by hand* is [`benchmarks/handwritten.py`](../benchmarks/handwritten.py): pandas, LightGBM and
scikit-learn alone, on the same rows with the same parameters and one thread. CPU is that of the work: interpreter and
imports are left out on both sides, logging to a MLflow store in SQLite is in ours. Ours also chooses the rounds inside
the training part of three folds, fits all anew, checks every table, explains, and registers two models. Memory is that
of the largest process. The empty run has one node that makes an empty dict; ours is a copy of this project with that
pipeline added, the other a project with nothing else in an environment of Kedro, kedro-mlflow, kedro-viz and what they
require, in the same versions.
"""


def _work_goals(groups: Groups) -> list[Row]:
    label = "CPU of the training pipeline's work on 100,000 rows, over the same recipe by hand"
    if "training" not in groups:
        return [(label, _MISSING, "1.3", "")]
    figures = _figures(groups, "training")["100000"]
    one, two = (figures[f"ours_{n}"]["cpu_s"] / figures[f"by_hand_{n}"]["cpu_s"] for n in (1, 2))
    return [_at_most(label, one, 1.3, ".2f"), _at_most("the same, two threads for both", two, 1.3, ".2f")]


def _run_goals(groups: Groups) -> list[Row]:
    rows = []
    for size, (seconds, gigabytes) in _GOALS.items():
        label = f"`kedro run --pipelines training`, {int(size):,} rows"
        if "runs" not in groups:
            rows.append((label, _MISSING, f"{seconds} s, {gigabytes} GB", ""))
            continue
        run = _figures(groups, "runs")[size]
        rows.append(_at_most(f"{label}: time", run["wall_s"], seconds, ".1f", " s"))
        rows.append(_at_most(f"{label}: memory", run["peak_mb"] / 1000, gigabytes, ".2f", " GB"))
    return rows


def _large_goals(groups: Groups) -> list[Row]:
    labels = ("the same, 1,000,000 rows: memory", "CPU per row, 1,000,000 rows over the work alone on 10,000")
    if "large" not in groups or "training" not in groups:
        return [(labels[0], _MISSING, "1.6 GB", ""), (labels[1], _MISSING, "1", "")]
    figures = _figures(groups, "large")
    growth = figures["run"]["cpu_s"] / _figures(groups, "training")["10000"]["ours_2"]["cpu_s"] / 100
    return [
        _at_most(labels[0], figures["run"]["peak_mb"] / 1000, 1.6, ".2f", " GB"),
        _at_most(labels[1], growth, 1, ".2f"),
    ]


def _startup_goals(groups: Groups) -> list[Row]:
    label = "an empty run, over one of Kedro with kedro-mlflow and kedro-viz alone"
    if "startup" not in groups:
        return [(label, _MISSING, "1.3", "")]
    figures = _figures(groups, "startup")
    return [_at_most(label, figures["ours"]["wall_s"] / figures["peer"]["wall_s"], 1.3, ".2f")]


def _validation_goals(groups: Groups) -> list[Row]:
    if "validation" not in groups:
        return [("the nodes of `kedro run --pipelines validation`, 20,000 rows evaluated: time", _MISSING, "15 s", "")]
    figures = _figures(groups, "validation")
    label = f"the nodes of `kedro run --pipelines validation`, {figures['rows']:,} rows evaluated: time"
    whole = ("the same, start-up and logging included", f"{figures['wall_s']:.1f} s", "", "")
    return [_at_most(label, figures["nodes_s"], 15, ".1f", " s"), whole]


def _scoring_goals(groups: Groups) -> list[Row]:
    label = "items predicted in a second of CPU time"
    if "scoring" not in groups:
        return [(label, _MISSING, "200,000", "")]
    prediction, run = (_figures(groups, "scoring")[part] for part in ("prediction", "run"))
    rows, ours, lightgbm = (prediction[name] for name in ("rows", "ours", "lightgbm"))
    verdict = "reached" if rows / ours["cpu_s"] >= 200_000 else "**missed**"
    nodes = (
        f"the nodes of `kedro run --pipelines scoring`, {run['open_items']:,} open of {run['items']:,} items, "
        f"{run['alerts']:,} alerts explained: time"
    )
    return [
        (f"{label}, of {rows:,}", f"{rows / ours['cpu_s']:,.0f}", "200,000", verdict),
        ("the same in a second of a machine that was busy with other work", f"{rows / ours['wall_s']:,.0f}", "", ""),
        ("the same by LightGBM alone, of CPU time", f"{rows / lightgbm['cpu_s']:,.0f}", "", ""),
        (nodes, f"{run['nodes_s']:.1f} s", "", ""),
        ("the same, start-up and logging included", f"{run['wall_s']:.1f} s", "", ""),
        ("the same: CPU time", f"{run['cpu_s']:.1f} s", "", ""),
    ]


def _threads(groups: Groups) -> str:
    if "training" not in groups:
        return ""
    rows = []
    for size, figures in _figures(groups, "training").items():
        one, two = figures["ours_1"], figures["ours_2"]
        verdict = "" if two["wall_s"] <= one["wall_s"] else "slower with two"
        rows.append((f"{int(size):,}", f"{one['wall_s']:.1f}", f"{two['wall_s']:.1f}", verdict))
    return f"""## Threads

Small data must not be slower with `training.num_threads: 2` than with 1. Seconds of the training pipeline's work:

{table(("rows", "1 thread", "2 threads", ""), rows)}"""


def _when(groups: Groups) -> str:
    rows = [(name, group["date"], group["hardware"]) for name, group in groups.items()]
    return f"""## When and where

{table(("figures", "measured on", "hardware"), rows)}"""


def _at_most(label: str, measured: float, goal: float, form: str, unit: str = "") -> Row:
    return (label, f"{measured:{form}}{unit}", f"{goal:g}{unit}", "reached" if measured <= goal else "**missed**")


def _figures(groups: Groups, name: str) -> dict[str, Any]:
    figures: dict[str, Any] = groups[name]["figures"]
    return figures
