"""What promotion is worth: weeks of retraining replayed under several rules, into docs/promotion.md: `make replay`.

Each replay's challengers are kept in data/replay/, so a rerun goes on where the last one ended, and a changed rule
retrains nothing. Remove that folder after a change of what trains. ``--page`` measures nothing.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import chain, product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from bench_projects import ROOT
from promotion_page import PAGE, REPLAY, render_page
from replay_rules import OURS, RULES, WEEK, Followed, estimate_difference, follow_rules
from replay_weeks import HISTORY_DAYS, HOUSEHOLDS, USUAL_WEEKS, WEEKS, Plan, Replayed, Trained, replay

SEEDS = range(931, 936)  # rule and window were chosen on 901 to 903 and 921 to 925
SCENARIOS = ("usual", "drift")
WINDOWS = (None, 42)  # split.test_days; null: split.test_share
BLOCK = 8  # weeks
KEPT = ROOT / "data/replay"


def main() -> None:
    """Replay what is not there yet, follow the rules, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="others: print the figures alone")
    parser.add_argument("--windows", type=int, nargs="+", help="days of the test window to try, 0 for the share")
    chosen = parser.parse_args()
    if not chosen.page:
        windows = WINDOWS if chosen.windows is None else tuple(days or None for days in chosen.windows)
        figures = json.dumps(measure(chosen.seeds, windows), indent=1) + "\n"
        if (chosen.seeds, windows) != (SEEDS, WINDOWS):
            sys.stdout.write(figures)
            return
        REPLAY.write_text(figures, encoding="utf-8")
    PAGE.write_text(render_page(), encoding="utf-8")


def measure(seeds: Sequence[int], windows: Sequence[int | None]) -> dict[str, Any]:
    """Replay each plan, or read what was kept of it, and compare rules and windows."""
    with ProcessPoolExecutor(2) as executor:
        cells = dict(chain(*executor.map(_run, *zip(*product(seeds, windows), strict=True))))
    kinds = [(scenario, days) for scenario in SCENARIOS for days in windows]
    return {
        "seeds": list(seeds),
        **{"weeks": WEEKS, "usual_weeks": USUAL_WEEKS, "history_days": HISTORY_DAYS, "households": HOUSEHOLDS},
        "replays": [cell.told for cell in cells.values()],
        "rules": [each for kind in kinds for each in _compare_rules(cells, *kind)],
        "windows": [
            each
            for scenario, days in kinds
            if days is not None and None in windows
            for each in _compare_windows(cells, scenario, days)
        ],
    }


class Cell(NamedTuple):
    """One replay under every rule, and what is told of it."""

    told: dict[str, Any]
    followed: dict[str, Followed]


def _run(seed: int, test_days: int | None) -> list[tuple[Plan, Cell]]:
    trained: dict[str, Trained] = {}
    return [(plan, _read(plan, trained)) for plan in (Plan(seed, scenario, test_days) for scenario in SCENARIOS)]


def _read(plan: Plan, trained: dict[str, Trained]) -> Cell:
    """Replay a plan, unless that was kept, and follow the rules."""
    path = KEPT / f"{plan.name}.npz"
    if not path.exists():
        replay(plan, trained).save(path)
        sys.stderr.write(f"{plan.name} is replayed\n")
    replayed = Replayed.load(path)
    followed = follow_rules(replayed, f"{plan.seed} ")
    return Cell({**asdict(plan), **_describe(replayed), "rules": _describe_rules(replayed, followed)}, followed)


def _describe(replayed: Replayed) -> dict[str, Any]:
    """Return sizes, and how often which gate was red."""
    windows = pd.DataFrame([asdict(each) for each in replayed.challengers])
    days = {name: pd.to_datetime(windows[name]) for name in ("as_of", "observed_until", "tested_from", "tested_until")}
    windows_of_days = zip(days["tested_from"], days["tested_until"], strict=True)
    tested = [replayed.rows["observed_on"].between(*each).sum() for each in windows_of_days]
    return {
        "tested_rows": int(np.median(tested)),
        "tested_days": int(np.median((days["tested_until"] - days["tested_from"]).dt.days + 1)),
        "lag_days": int(np.median((days["as_of"] - days["observed_until"]).dt.days)),
        "red_weeks": int(sum(bool(each.red) for each in replayed.challengers)),
        "red": dict(Counter(name for each in replayed.challengers for name in each.red)),
    }


def _describe_rules(replayed: Replayed, followed: dict[str, Followed]) -> dict[str, Any]:
    """Return what came of each rule: its log loss, also by blocks of weeks."""
    week = (replayed.rows["observed_on"] - pd.Timestamp(replayed.challengers[0].as_of)) // WEEK
    return {
        rule: {
            "switches": each.switches,
            "log_loss": float(each.loss.mean()),
            "by_block": each.loss.groupby(week[each.loss.index] // BLOCK).mean().tolist(),
            "in_use": each.in_use,
        }
        for rule, each in followed.items()
    }


def _compare_rules(cells: dict[Plan, Cell], scenario: str, days: int | None) -> list[dict[str, Any]]:
    """Return for each rule what its log loss lies above ours, over all seeds."""
    of = [cell for plan, cell in cells.items() if (plan.scenario, plan.test_days) == (scenario, days)]
    return [
        {
            "scenario": scenario,
            "test_days": days,
            "rule": rule,
            "switches": sum(cell.followed[rule].switches for cell in of),
            "above_ours": _interval([cell.followed[rule] for cell in of], [cell.followed[OURS] for cell in of]),
        }
        for rule in RULES
    ]


def _compare_windows(cells: dict[Plan, Cell], scenario: str, days: int) -> list[dict[str, Any]]:
    """Return for each rule what its log loss with a window of days lies above that with a share of the rows."""
    by_days, by_share = (
        [cell for plan, cell in cells.items() if (plan.scenario, plan.test_days) == (scenario, each)]
        for each in (days, None)
    )
    return [
        {
            "scenario": scenario,
            "test_days": days,
            "rule": rule,
            "above_share": _interval(
                [cell.followed[rule] for cell in by_days], [cell.followed[rule] for cell in by_share]
            ),
        }
        for rule in RULES
    ]


def _interval(rivals: Sequence[Followed], ours: Sequence[Followed]) -> list[float | None]:
    difference = estimate_difference(rivals, ours)
    return [difference.low, difference.value, difference.high]


if __name__ == "__main__":
    main()
