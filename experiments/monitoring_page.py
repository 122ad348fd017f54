"""The page docs/monitoring.md: the method of monitoring in words, and what was measured."""

from collections import Counter
from typing import Any, get_args

import numpy as np
import pandas as pd
from tables import table

from waste_risk.formatting import count_noun, format_percent, format_signed, join_words, to_words
from waste_risk.metrics import FEWEST_HOUSEHOLDS
from waste_risk.monitoring.alarms import Kind
from waste_risk.monitoring.alert_effect import count_needed
from waste_risk.monitoring.drift import FEWEST_MOMENTS
from waste_risk.parameters import Monitoring
from waste_risk.tables.contracts import EXPECTED_METRICS

Sources = list[dict[str, Any]]

SEEDS, CHOSEN_ON = range(916, 921), "901 to 904 and 911 to 915"  # reported; those that the alarms were chosen on
HOUSEHOLDS, TRAINED_DAYS, WEEKS = 1_000, 540, 52


def render(sources: Sources, params: Monitoring) -> str:
    """Return the page."""
    return f"""<!-- written by `make monitoring-errors` -->
# What becomes of a champion

```console
$ kedro run --pipelines scoring      # every week: predictions, and the performance expected of them
$ kedro run --pipelines monitoring   # expected beside realized performance, drift, alarms
```

{_explain_method(params)}
{_explain_drift(params)}
{_explain_alerts(params)}
## What was measured

{_explain_setting(sources)}
{_alarms(sources)}
{_errors(sources)}
{_older(sources, params)}"""


def _explain_method(params: Monitoring) -> str:
    gap, excess, decay = params.min_calibration_gap, params.min_log_loss_excess, params.min_expected_decay
    alarms = [
        ("calibration", f"mean probability and base rate differ by more than `min_calibration_gap` ({gap:g})"),
        ("log loss", f"it lies above the expected one by more than `min_log_loss_excess` ({excess:g} nats)"),
        (
            "expected log loss",
            "that of the newest moment lies above that of the reference by more than `min_expected_decay` "
            f"({decay:g} nats): items are harder to predict",
        ),
    ]
    return f"""## Expected and realized

A calibrated probability says how right it will prove to be: of alerts with a mean probability of 0.7, 70 % will be
right. So scoring stores, with the predictions of each moment, the expected base rate, log loss, Brier score, AUC,
precision and recall (confidence-based estimation). Each has a {100 * params.confidence:g} % interval of the *realized*
value: households are resampled, and outcomes drawn from the probabilities. The estimate is never replaced, so it cannot
be adjusted once the outcomes are known.

When the horizon is over, the labels of the same rows are known, by the same definition as those of training. Monitoring
puts the realized value beside the estimate, week by week and per model version, with calibration slope and expected
calibration error. Of each week the newest moment counts: a daily scoring repeats the same items, which would count
several times. Each moment is evaluated by the horizon, the greatest age and the probability of high confidence that
are stored with it, whatever the parameters are today. Also stored is until when the predictor had learned from
outcomes; what it predicted for earlier moments is left out, since it could know what became of the items.

Three alarms follow. The first two are about the rows of the newest {params.recent_weeks} mature weeks together, the
third about the champion's newest moment. The {100 * params.alarm_confidence:g} % interval must lie wholly beyond a
tolerance, so that a large source does not sound an alarm about a difference that nobody would feel:

{table(("alarm", "sounds if"), alarms)}
"""


def _explain_drift(params: Monitoring) -> str:
    return f"""## Drift

The open items of the newest moment are compared with those of {params.reference_weeks} weekly moments, the last that
the champion was trained on, feature by feature, and by the champion's probability. The measure is the population
stability index (PSI) over {params.n_bins} bins of equal mass.

- **What is usual** is the PSI of the reference's own moments, each against all others, with households drawn anew. So
  what varies from week to week, or follows the season, raises its own limit; and features of a household, whose rows
  are alike, have a higher one than features of an item. As many are drawn as the newest moment has, so that a few rows
  do not sound an alarm by chance.
- **All columns together** stay below their limits with a probability of {100 * params.alarm_confidence:g} %: the square
  root of each PSI is standardized, and the limit is the quantile of the largest.
- **Small moments**, with items of fewer than {FEWEST_HOUSEHOLDS} households, are left out of the reference. If
  fewer than {FEWEST_MOMENTS} remain, or the newest moment is small, drift is not measured, and the report says so; the
  rest of it stands.
- **Histories grow.** Some features are null until a household has done something for the first time. Without care,
  `cost_to_usual`, `category_last_wasted`, `days_from_previous_in_category` and three others sounded an alarm in most
  weeks of a usual source. So the known values are compared with each other, and the share of nulls counts only where
  it has grown, as when a feed breaks. Nothing needs to be excluded by name.
- A PSI below {params.min_psi:g} (`min_psi`) is no alarm.
"""


def _explain_alerts(params: Monitoring) -> str:
    rates = (0.3, 0.5, 0.7)
    effect, power, share = (
        format_percent(each, 0) for each in (params.alert_effect, params.power, params.never_alerted_share)
    )
    needed = [(format_percent(rate, 0), f"{count_needed(rate, params):,}") for rate in rates]
    return f"""## What alerts change

Alerts are there to prevent waste. Where they do, the item's outcome is no longer what the probability was about, and a
predictor that is trained on it learns that what it warns of is harmless. So each prediction stores `alerted_on`, the
first moment at which its item was alerted, and monitoring compares predictions and outcomes of alerted and other items
apart. In simulated sources alerts change nothing, and both groups are calibrated. Of a week that two predictors scored,
the one with the newest moment counts.

- Items are told apart by what was known at the moment. Some of the others are alerted later, before their label is
  known; the report counts them. They stay where they are: an alert follows signs of waste, so by later alerts both
  groups would be off even where alerts change nothing.
- A gap among the alerted alone is the alerts' effect, or else a lack of calibration at high probabilities. Outcomes of
  alerted items alone cannot tell these apart.
- What follows for training: rows observed after their item's `alerted_on` must be left out, or observed before it. Then
  high probabilities are trained on ever fewer rows, and on the unusual ones that nobody warned of.
- A share of items that are **never alerted**, drawn at random, answers both. It measures the effect, and its outcomes
  are the ones to train and calibrate on. Its price is the waste that an alert would have prevented there.

How many items must be left without an alert, to see it change the waste rate by {effect} of itself with a
probability of {power}, at a share of {share}:

{table(("waste rate without an alert", "items"), needed)}
The report computes the number for the alerts of the source, and the weeks that it takes. Items of one household are
alike, so somewhat more are needed; draw whole households if alerts about one item change how others are treated.
"""


def _explain_setting(sources: Sources) -> str:
    seeds = sorted({each["seed"] for each in sources})
    drifts_on = max(each["drift_week"] for each in sources if each["drift_week"] is not None)
    return f"""A predictor is trained on the first {TRAINED_DAYS} days of a simulated source of {HOUSEHOLDS:,}
households, with the default parameters, and scores the open items of each of the next {WEEKS} weeks; it is never
replaced. Every week monitoring sees what it would have seen then. Seeds {seeds[0]} to {seeds[-1]} are reported;
the method and the parameters of the alarms were chosen on {CHOSEN_ON}, which are not. In `drift`
everything that is bought in the last quarter of the period is used more slowly and forgotten more easily,
from week {drifts_on:.0f} on.
Labels follow 30 days later.
"""


def _alarms(sources: Sources) -> str:
    rows = [
        (
            each["scenario"],
            str(each["seed"]),
            str(count_alarms(each)),
            str(len(alarm_weeks(each))),
            _delay(each),
            ", ".join(_first_by_kind(each)) or "none",
        )
        for each in sorted(sources, key=lambda each: (each["scenario"] != "usual", each["seed"]))
    ]
    header = ("scenario", "seed", "alarms", "weeks with one", "weeks after the drift", "first week of each kind")
    return f"""### Alarms

An alarm that sounds in successive weeks counts once: most of its rows are the same.

{table(header, rows)}
{_tell_usual([each for each in sources if each["scenario"] == "usual"])}
{_tell_drift([each for each in sources if each["scenario"] == "drift"])}
{_tell_kinds([each for each in sources if each["scenario"] == "drift"])}
"""


def _tell_usual(usual: Sources) -> str:
    alarms = [count_alarms(each) for each in usual]
    most = count_noun(max(alarms, default=0), "time")
    return (
        f"On `usual`, an alarm sounds at most {most} in {WEEKS} weeks (aim: once), and in "
        f"{sum(each > 0 for each in alarms)} of {len(alarms)} sources at all."
    )


def _tell_drift(drift: Sources) -> str:
    delays, early = [delay(each) for each in drift], sum(bool(early_weeks(each)) for each in drift)
    found = [each for each in delays if each is not None]
    when = f"{min(found):.0f} to {max(found):.0f} weeks after it" if found else "never"
    return (
        f"On `drift`, the first alarm sounds {when}, in {len(found)} of {len(delays)} sources; before the drift it "
        f"sounds in {early} of them."
    )


def _tell_kinds(drift: Sources) -> str:
    first = [next(iter(_first_by_kind(each)), "none").rpartition(" ")[0] for each in drift]
    sounded = {kind for each in drift for week in each["weeks"] for kind in week["alarms"]}
    silent = [to_words(kind) for kind in get_args(Kind) if kind not in sounded]
    features = Counter(each["strongest"][0] for source in drift for each in source["weeks"] if each["drifted"])
    never = f"Never did: {join_words(silent)}." if silent else ""
    early = f"{first.count('calibration')} of {len(drift)} sources"
    return f"""Realized calibration sounds first in {early}. It must wait a month for labels, and a
single week has too few rows to tell two points of probability from chance. Features follow, mostly
`{features.most_common(1)[0][0]}`, itself a mean over three months. {never}
What is wasted more often is not harder to predict, so losses alone would not show this drift."""


def count_alarms(source: dict[str, Any]) -> int:
    """Return how often an alarm began to sound: successive weeks are one."""
    return int((np.diff(alarm_weeks(source), prepend=-1) > 1).sum())


def alarm_weeks(source: dict[str, Any]) -> list[int]:
    """Return the weeks in which any alarm sounded."""
    return [each["week"] for each in source["weeks"] if each["alarms"]]


def early_weeks(source: dict[str, Any]) -> list[int]:
    """Return the weeks before the drift in which any alarm sounded."""
    return [week for week in alarm_weeks(source) if week < (source["drift_week"] or np.inf)]


def delay(source: dict[str, Any]) -> float | None:
    """Return the weeks from the drift to the first alarm after it; null without one."""
    begins = source["drift_week"]
    return next((week - begins for week in alarm_weeks(source) if week >= begins), None)


def _delay(source: dict[str, Any]) -> str:
    if source["drift_week"] is None:
        return ""
    weeks = delay(source)
    return "none" if weeks is None else f"{weeks:.0f}"


def _first_by_kind(source: dict[str, Any]) -> list[str]:
    first: dict[str, int] = {}
    for each in source["weeks"]:
        for kind in each["alarms"]:
            first.setdefault(kind, each["week"])
    return [f"{to_words(kind)} {week}" for kind, week in sorted(first.items(), key=lambda pair: pair[1])]


def _errors(sources: Sources) -> str:
    rows = []
    for name in EXPECTED_METRICS:
        usual, drift = (_collect(sources, scenario, name) for scenario in ("usual", "drift"))
        rows.append((to_words(name), *_describe(usual), *_describe(drift)))
    header = ("metric", "usual: bias", "mean error", "inside", "drift: bias", "mean error", "inside")
    return f"""### The error of the estimate

Realized less expected value of each week, its mean absolute value, and how often the realized value lies inside the
interval. Of `drift` only the weeks from the drift on count.

{table(header, rows)}
The intervals hold what outcomes and households vary by; not what is wrong with the predictor. This one is a little too
cautious at both ends, so it ranks better and loses less than it expects.
"""


def _collect(sources: Sources, scenario: str, name: str) -> pd.DataFrame:
    values = [
        each[name]
        for source in sources
        if source["scenario"] == scenario
        for week, each in enumerate(source["metrics"], start=1)
        if each and week >= (source["drift_week"] or 0)
    ]
    return pd.DataFrame(values, columns=["expected", "realized", "is_inside"])


def _describe(values: pd.DataFrame) -> tuple[str, str, str]:
    error = values["realized"] - values["expected"]
    return format_signed(error.mean(), 3), f"{error.abs().mean():.3f}", format_percent(values["is_inside"].mean(), 0)


def _older(sources: Sources, params: Monitoring) -> str:
    older = pd.DataFrame([each["older"] for each in sources if each["scenario"] == "usual"]).mean()
    return f"""### Items older than the predictor has learned from

Training observes items up to `observation.max_age_days` ({params.max_age_days}) days after their purchase.
Of the open items that are scored, {format_percent(older["share"], 0)} are older. Their mean probability is
{older["mean_probability"]:.3f}, and {older["base_rate"]:.3f} of them are wasted: the predictor extrapolates, and
predicts too much. So expected and realized performance, drift and alarms are of the items up to that age; the older
ones stand apart in every report, with their gap.
"""
