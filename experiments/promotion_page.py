"""The page docs/promotion.md: the method of promotion in words, the errors that were measured, and the replay."""

import json
from typing import Any

import pandas as pd
from bench_projects import ROOT
from replay_page import render_replay
from tables import table

from waste_risk.formatting import format_signed
from waste_risk.parameters import Promotion, load

PAGE = ROOT / "docs/promotion.md"
ERRORS, REPLAY = ROOT / "experiments/promotion_errors.json", ROOT / "experiments/replay.json"

_MEANINGS = {
    "equals": "Every challenger is exactly as good as the first champion.",
    "uneven": "Challengers are better or worse at random, with a standard deviation of 0.001 nats.",
    "declining": "Each week's challenger is 0.00006 nats worse than the one before, 0.0031 in a year.",
}


def render_page() -> str:
    """Return the page from the figures of both experiments; without a replay its section is left out."""
    figures = json.loads(ERRORS.read_text(encoding="utf-8"))
    page = render_errors(figures, load(Promotion, ROOT / "conf/base/parameters_promotion.yml"))
    return page + (render_replay(json.loads(REPLAY.read_text(encoding="utf-8"))) if REPLAY.exists() else "")


def render_errors(figures: dict[str, Any], params: Promotion) -> str:
    """Return the page but for the replay."""
    return f"""<!-- written by `make promotion-errors` and `make replay` -->
# When a challenger replaces the champion

{_explain_rule(params)}
## How the error is spent over the weeks

Every week a new challenger is held against the champion, on a window most of which was there the week before. So
the decisions of a year depend on each other. The rule is simple and needs no independence: **each decision has its
own small error, and the errors of a year add up.**

- At a confidence of {params.confidence:g} a challenger that is exactly as good as the champion is promoted as better
  with a probability of {_one_sided(params):.3f}, a worse one less often. In 52 weeks that makes at most
  52 × {_one_sided(params):.3f} = {52 * _one_sided(params):.2f} such switches on average: expectations add
  up whatever depends on what. The same bound holds for the replacement of an older champion by a challenger that is
  worse than it by more than the margin. (What has learnt from newer data only has to seem better, so between equals it
  is a matter of chance who stays; that costs nothing, as the years of equals below show.)
- Overlap adds nothing to that. A champion that was promoted, or has stayed, was lucky rather than unlucky on rows that
  remain in the window. Challengers are held against that luck, which delays the next promotion.
- Counting only the rows that matured since the last decision would make decisions independent. But a week brings about
  a tenth of the rows, and so intervals three times as wide: only a large gain would ever be seen.

`promotion.confidence` is the parameter: 0.99 would allow 52 × 0.005 = 0.26 needless switches a year, 0.998 one in
twenty years. It was 0.99, and an older champion was replaced by whatever was not worse by more than the margin, until
the replay below showed what that costs: a rule that waits for weeks, or takes what seems worse, falls behind the point
estimate where habits change. Not covered are hyperparameters and features that people choose by the same window; the
log of validations counts its uses.

## What was measured

{_explain_setting(figures)}
{_pairs(figures)}
{_weeks(figures)}
{_trained(pd.DataFrame(figures["trained"]), figures["trained_seed"])}"""


def _one_sided(params: Promotion) -> float:
    return (1 - params.confidence) / 2


def _explain_rule(params: Promotion) -> str:
    old = (
        "the gates say yes, the champion is older than `promotion.max_age_days` "
        f"({params.max_age_days}): its newest row is that much older than the challenger's; the estimate of the gain "
        "lies above 0; and the challenger is not worse by more than `promotion.margin` "
        f"({params.margin:g}), neither than the champion nor than the reference: the lower bounds of both gains lie "
        f"above −{params.margin:g}"
    )
    better = (
        "the gates say yes to exactly these bytes, and the lower bound of the gain lies above "
        f"`promotion.min_gain` ({params.min_gain:g})"
    )
    rows = [
        ("`promote`, since it is better", better),
        ("`promote`, since it is newer, seems better and is not worse", old),
        ("`keep`", "the gates say no and are not excused, or else the upper bound of the gain lies below 0"),
        ("`inconclusive`", "otherwise; the champion stays"),
    ]
    return f"""Both predict the same rows, which are later than all that either has learnt from. The **gain** is the
champion's log loss less the challenger's, in nats. Its {100 * params.confidence:g} % interval resamples households, and
measures both predictors in each resample. Predictors of different sources, horizons or features are not compared.

{table(("decision", "when"), rows)}
The first predictor needs the gates alone. Those of calibration in the large are **excused** if no other gate says no,
and the challenger's gap between mean prediction and base rate is no larger than the champion's on the same rows: after
a change of habits they stay red for months, whatever is trained, and keeping a champion that does no better helps
nobody. The **reference** is the last predictor that was promoted because it was
better than the reference before it. Without it, each champion could be a little worse than the one it replaces, within
the margin, and a chain of those leads downhill without end. `promotion.override="reason"` lets a person promote
whatever the rule says; the decision records both. A verdict about other bytes is refused in any case.
"""


def _explain_setting(figures: dict[str, Any]) -> str:
    return f"""Predictors are made, not trained: the true probability of simulated observations, with an error in
log-odds. One part of it is common to all predictors, and sets their log loss to {figures["log_loss"]:.3f} (the default
run has 0.412, the truth itself {figures["oracle_log_loss"]:.3f}). Each has a part of its own, as large as that by which
two trainings of the default run differ if their seeds do. So predictors are equally good by construction, and a better
one avoids a share of the common error, set to the wanted gain. {figures["households"]:,} households are drawn from
{figures["pool"]:,} of seed {figures["seed"]}; the rule was chosen on other seeds, those
of the replay. A window has
{figures["window_days"]} days and about {round(figures["rows"], -2):,} rows, outcomes are drawn from the true
probability, and intervals take 1,000 resamples. Every challenger passes its gates.
"""


def _pairs(figures: dict[str, Any]) -> str:
    n_pairs, gains = figures["pairs"], figures["gains"]
    rows = [
        (
            format_signed(each["gain"], 3),
            *(_share(each["young"].get(outcome, 0), n_pairs) for outcome in ("promote", "keep")),
            _share(each["old"].get("promote", 0), n_pairs),
            _share(each["holds"], n_pairs),
        )
        for each in gains
    ]
    header = ("true gain", "promoted as better", "kept", "promoted, champion older", "interval holds the gain")
    width = sum(each["half_width"] for each in gains) / len(gains)
    return f"""### {n_pairs} pairs of each true gain

{table(header, rows)}
Half an interval is {width:.4f} nats wide.
{_tell_pairs({each["gain"]: each["young"].get("promote", 0) / n_pairs for each in gains})}
"""


def _tell_pairs(promoted: dict[float, float]) -> str:
    seen = min((gain for gain, share in promoted.items() if gain > 0 and share >= 0.8), default=None)
    better = "no gain tried here is seen" if seen is None else f"a gain of {seen:g} nats or more is seen"
    equals = f"Equals are promoted as better in {promoted[0.0]:.1%} of pairs (aim: at most 5 %)"
    return f"{equals}, and {better} in at least 80 %."


def _weeks(figures: dict[str, Any]) -> str:
    weeks = pd.DataFrame(figures["weeks"])
    parts = [_world(name, each, figures["years"]) for name, each in weeks.groupby("world", sort=False)]
    return (
        f"""### {figures["years"]} years of a challenger every week

All rules decide about the same challengers on the same rows. What the champion's true log loss lies above the first
champion's is in thousandths of a nat, with two standard errors over the years; below 0 is better.

{"".join(parts)}""".rstrip()
        + "\n"
    )


def _world(world: Any, weeks: pd.DataFrame, n_years: int) -> str:
    rows = [
        (
            str(rule),
            f"{each['switches'].mean():.1f}",
            _thousandths(each["mean"], n_years),
            _thousandths(each["last"], n_years),
            format_signed(1000 * each["last"].max(), 2),
        )
        for rule, each in weeks.groupby("rule", sort=False)
    ]
    header = ("promotes", "switches a year", "mean over the weeks", "after 52 weeks", "after the worst year")
    return f"**{str(world).capitalize()}.** {_MEANINGS[str(world)]}\n\n{table(header, rows)}\n"


def _trained(pairs: pd.DataFrame, seed: int) -> str:
    rows = [
        (
            str(kind),
            str(len(each)),
            f"{each['gain'].min():+.4f} to {each['gain'].max():+.4f}",
            _share(each["promote"].sum(), each["draws"].sum()),
            _share(each.loc[each["gain"] <= 0, "promote"].sum(), each.loc[each["gain"] <= 0, "draws"].sum()),
            _share(each["keep"].sum(), each["draws"].sum()),
        )
        for kind, each in pairs.groupby("kind", sort=False)
    ]
    header = ("champion", "ordered pairs", "gain on all households", "promoted", "promoted, though not better", "kept")
    return f"""### Trained predictors

Four predictors of one recipe, each trained on 1,000 households drawn with replacement from one source (seed {seed}),
with a seed of its own; and one trained on 15 % of the households, as a champion that each of the four is to replace.
Each ordered pair is compared on {pairs["draws"].iloc[0]} samples of 1,000 of the 3,000 households of another source
(seed {seed + 1}). A challenger whose gain on all 3,000 is not above 0 is not better. Tried
before, on seed 811, was a champion of half of the households: it was as good as the others, whose draws hold 63 % of
them.

{table(header, rows)}"""


def _thousandths(values: pd.Series, n_years: int) -> str:
    return f"{format_signed(1000 * values.mean(), 2)} ± {2000 * values.std() / n_years**0.5:.2f}"


def _share(count: int, of: int) -> str:
    return f"{count} of {of}"
