"""The section on the replay in docs/promotion.md; its sentences on what was found are computed."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from tables import table

from waste_risk.formatting import format_signed, join_words

OURS = "ours"
OTHERS = NEVER, ALWAYS, POINT = "never", "always", "if the point estimate is better"


def render_replay(figures: dict[str, Any]) -> str:
    """Return the section."""
    kinds = dict.fromkeys(map(_kind, figures["rules"]))
    return f"""
## Replay

{_explain(figures)}
{_judge_rules(figures["rules"])}
{_compare_windows(figures["windows"])}{"".join(_describe_kind(figures, kind) for kind in kinds)}"""


def _kind(of: dict[str, Any]) -> tuple[str, int | None]:
    return of["scenario"], of["test_days"]


def _tell_window(test_days: int | None) -> str:
    return "`split.test_share`" if test_days is None else f"`split.test_days={test_days}`"


def _explain(figures: dict[str, Any]) -> str:
    seeds, weeks = figures["seeds"], figures["weeks"]
    return f"""{figures["households"]:,} simulated households have {figures["history_days"]} days of history. Then, in
each of {weeks} weeks, a challenger is trained on what was recorded by then, calibrated, and evaluated on its test
window, as the pipelines do. Each rule decides about the same challengers, each against a champion of its own; all begin
with the first week's. The champion after the decision predicts the observations of the next seven days, whose outcomes
are the realized log loss. In `drift`, what is bought after the first {figures["usual_weeks"]} weeks is used more slowly
and forgotten more easily. Seeds are {seeds[0]} to {seeds[-1]}; rule and window were chosen
on 901 to 903 and 921 to 925.

Only ours asks the gates (those over the baselines and against the oracle would take longer than the training, and are
off); the rows below it tell what they change, and what waiting for certainty or for two months costs. Boosters have
larger steps and fewer folds than the default, and probabilities are taken in hundredths. The age of a champion is the
time between the newest observations that it and the challenger have learnt from.

Differences are in thousandths of a nat, with 95 % intervals that resample the households of all seeds.
"""


def _judge_rules(rules: Sequence[dict[str, Any]]) -> str:
    others = [each for each in rules if each["rule"] in OTHERS]
    worse = [_name(each) for each in others if each["above_ours"][2] < 0]
    better = sum(each["above_ours"][0] > 0 for each in others)
    verdict = (
        f"Ours is worse, beyond the interval, than {join_words(worse)}."
        if worse
        else "Ours is never worse beyond the interval than any of the three other rules."
    )
    switches = {name: sum(each["switches"] for each in rules if each["rule"] == name) for name in (OURS, POINT)}
    return f"""**{verdict}** It is better beyond the interval in {better} of {len(others)} comparisons. It switches
{switches[OURS]} times in all, the rule of the point estimate {switches[POINT]} times.
"""


def _name(rule: dict[str, Any]) -> str:
    return f"{rule['rule']} ({rule['scenario']}, {_tell_window(rule['test_days'])})"


def _compare_windows(windows: Sequence[dict[str, Any]]) -> str:
    rows = [
        (each["scenario"], _tell_window(each["test_days"]), each["rule"], _thousandths(each["above_share"]))
        for each in windows
    ]
    return f"""How far the log loss with a window of days lies above that with a share of the rows, on the same
observations; below 0 the days are better:

{table(("scenario", "window", "rule", "above that of the share"), rows)}"""


def _describe_kind(figures: dict[str, Any], kind: tuple[str, int | None]) -> str:
    replays = pd.DataFrame([each for each in figures["replays"] if _kind(each) == kind])
    n_blocks, n_weeks = len(replays["rules"].iloc[0][OURS]["by_block"]), figures["weeks"]
    span = n_weeks // n_blocks
    rows = [
        (
            each["rule"],
            f"{each['switches'] / len(replays):.1f}",
            "" if each["rule"] == OURS else _thousandths(each["above_ours"]),
            *_average_blocks([rules[each["rule"]]["by_block"] for rules in replays["rules"]]),
        )
        for each in figures["rules"]
        if _kind(each) == kind
    ]
    blocks = [f"weeks {span * block + 1} to {span * (block + 1)}" for block in range(n_blocks)]
    days, n_rows, lag = (replays[name].median() for name in ("tested_days", "tested_rows", "lag_days"))
    return f"""
### {kind[0].capitalize()}, {_tell_window(kind[1])}

A window has about {days:.0f} days and {n_rows:,.0f} rows, and a challenger knows nothing of the last {lag:.0f} days.
{_tell_red(replays, n_weeks)} The last columns are the log loss itself.

{table(("promotes", "switches", "above ours", *blocks), rows)}"""


def _average_blocks(by_block: Sequence[Sequence[float]]) -> list[str]:
    return [f"{sum(each) / len(each):.4f}" for each in zip(*by_block, strict=True)]


def _tell_red(replays: pd.DataFrame, n_weeks: int) -> str:
    counts = pd.DataFrame(replays["red"].tolist()).sum().sort_values(ascending=False)
    which = ", ".join(f"`{name}` {count:.0f}" for name, count in counts.items())
    red = f"Gates are red in {replays['red_weeks'].sum()} of {len(replays) * n_weeks} weeks"
    return f"{red} ({which})." if which else f"{red}."


def _thousandths(interval: Sequence[float]) -> str:
    low, value, high = (format_signed(1000 * each, 2) for each in interval)
    return f"{value} ({low} to {high})"
