"""The pages that follow from the code alone: features, cleaning rules, schema of the metrics, the simulator."""

import ast
import json
from itertools import groupby
from pathlib import Path

import pandas as pd
from marginal_measures import MONTHS, SimulatedRecords, rates, rates_in_the_end
from marginals import TOPICS, WASTE_RATES, Topic, compare

from waste_risk.features import FEATURES
from waste_risk.metrics import describe_metrics
from waste_risk.parameters import Cleaning, load
from waste_risk.reference import CATEGORIES, shopping_facts, usda_consumer_loss
from waste_risk.tables.cleaning_rules import RULES, CleaningRule

_CONF = Path(__file__).parents[1] / "conf/base"
_PACKAGE = Path(__file__).parents[1] / "src/waste_risk"
_GENERATED = "<!-- written by `make docs` -->\n"

_SIMULATOR = """# The simulator beside the facts

Each figure of the simulated source stands beside what it should be like, and a test holds each to its tier:

- **structure** must hold exactly,
- **core** within a tight tolerance,
- **band** within a loose one: it follows from the rest, or the reference knows more than the simulator.

*Measured* references are aggregates of real data; *chosen* ones are decisions of this project. The sources are in
[reference/README.md](../src/waste_risk/reference/README.md); shopping is that of households that shop once a
week or more. A household of the app logs a share of what it buys (on average 100 lines), so shopping is compared before
that thinning: 1,000 households, every line logged, the calendar year 2023. Labels, lives and waste are those of the
default source: 1,000 households, 100 items each, 540 days.

Chosen throughout, because no data of ours tell: income bands, children, habits and their effect on pace and forgetting,
storage, which products have a printed date, freezing at home. Their values are in
[behaviour.json](../src/waste_risk/reference/behaviour.json), tuned so that the waste rates come out.
"""

_REPORT = """# The validation report of the default run

What `make run` writes to `data/simulated/08_reporting/validation_report.txt`; the HTML page beside it shows the same
with intervals and plots.

"""

_CLEANING = """# The cleaning rules

Records that do not fit each other are found by these rules, in this order. The parameter `cleaning.<rule>` says what is
done about them: `reject` refuses the source, `drop` leaves the records out, `repair` changes them. What is dropped or
repaired is counted in the report. If more than `cleaning.max_share` of a table's rows break one rule, the source is
rejected in any case.
"""

_NOTES = {
    "Household size": "Shares of five and of six are chosen within 5+.",
    "Trips by weekday": "A trip in eight goes to the household's favourite weekday; that share is chosen.",
    "Lines by household size": "Lines of a household over the mean of all.",
    "Units per line, mean": "The simulator draws units from one distribution for all categories.",
    "Season": "Units per day in a month over the year's mean: ours, and the reference in brackets. Trips have\n"
    "no season in the simulator, so it shifts lines from category to category only.",
    "Price, mean of logarithm": "Most of the spread is the product's. With about fourteen products in a category\n"
    "the draw of their prices moves the mean; promotion takes 20 % (chosen) off the reference's price.",
    "Days to the printed date": "The reference is the middle of FoodKeeper's range, over products with a date; which\n"
    "have one is chosen.",
    "Days until spoilt, unopened": "FoodKeeper recommends, food spoils later: the stretch of 1.2, and a day more, are\n"
    "chosen.",
    "Waste rate in the period": "Share of items of which anything was thrown away by the end of the 540 days.",
    "Waste rate in the end": "The same, with what happens to the open items later: so it lies above the target.",
}


def render_features() -> str:
    """The catalogue of features as a page, a table for each group."""
    parts = [
        f"# The {len(FEATURES)} features\n\nWhat a household could know about an open item just before it is observed. "
        "Null means unknown or undefined; all are `float32`.\n"
    ]
    for group, features in groupby(FEATURES, key=lambda feature: feature.group):
        rows = [(f"`{feature.name}`", feature.meaning) for feature in features]
        parts.append(f"## {_title(group)}\n\n{_table(('name', 'meaning'), rows)}")
    return _GENERATED + "\n".join(parts)


def render_cleaning() -> str:
    """The cleaning rules as a page, with the value that the YAML gives to each."""
    default = load(Cleaning, _CONF / "parameters_data_engineering.yml")
    header = ("rule", "what must hold", "how other records come about", "may be set to", "default")
    return f"{_GENERATED}{_CLEANING}\n{_table(header, [_cleaning_row(rule, default) for rule in RULES.values()])}"


def _cleaning_row(rule: CleaningRule, default: Cleaning) -> tuple[str, ...]:
    must = f"`{rule.table}.{rule.column}` {rule.condition}"
    return f"`{rule.name}`", must, rule.cause, ", ".join(rule.actions), getattr(default, rule.name)


def render_modules() -> str:
    """Every module of the package with the first sentence of its docstring, every template with its first comment."""
    lines = []
    for path in sorted([*_PACKAGE.rglob("*.py"), *_PACKAGE.rglob("*.html")]):
        name, text = path.relative_to(_PACKAGE).as_posix(), path.read_text(encoding="utf-8")
        is_module = path.suffix == ".py"
        about = ast.get_docstring(ast.parse(text)) if is_module else text.partition("{#")[2].partition("#}")[0]
        summary = " ".join((about or "").partition("\n\n")[0].split())
        if path.name != "__init__.py" and not name.startswith("pipelines/"):
            lines.append(f"{name:40} {summary}".rstrip())
    return "```\n" + "\n".join(lines) + "\n```\n"


def render_schema() -> str:
    """The JSON schema of validation_metrics.json."""
    return json.dumps(describe_metrics(), indent=2, ensure_ascii=False) + "\n"


def render_report(report: str) -> str:
    """The text report of a run as a page."""
    return f"{_GENERATED}{_REPORT}```\n{report}```\n"


def render_simulator(records: SimulatedRecords) -> str:
    """The simulator's marginals beside the facts as a page, a table for each topic."""
    figures = compare(records)
    parts = [_SIMULATOR, _tally(figures)]
    for topic in TOPICS:
        parts.append(_topic(topic, figures[figures["topic"] == topic.title]))
        if topic.title == "Category mix":
            parts.append(_mix(figures[figures["topic"] == topic.title]))
    return _GENERATED + "\n".join([*parts, _published(records)])


def _tally(figures: pd.DataFrame) -> str:
    tier = figures["topic"].map({topic.title: topic.tier for topic in TOPICS})
    rows = [
        (name, str(len(holds)), str(holds.sum()))
        for name, holds in figures["holds"].groupby(pd.Categorical(tier, ["structure", "core", "band"]), observed=True)
    ]
    return _table(("tier", "figures", "hold"), rows)


def _topic(topic: Topic, figures: pd.DataFrame) -> str:
    within = "exactly" if topic.tolerance == 0 else f"within {_percent_or_number(topic)}"
    note = _NOTES.get(topic.title, "")
    head = f"## {topic.title}\n\n{topic.tier}, {within}; reference {topic.reference}. {note}".rstrip() + "\n\n"
    if topic.title == "Season":
        return head + _season(figures)
    rows = [(row.name, _number(row.ours), _number(row.fact), _mark(row.holds)) for row in figures.itertuples()]
    return head + _table(("", "ours", "reference", "holds"), rows)


def _percent_or_number(topic: Topic) -> str:
    return f"{100 * topic.tolerance:g} % of it" if topic.relative else f"{topic.tolerance:g}"


def _season(figures: pd.DataFrame) -> str:
    cells = {row.name: f"{row.ours:.2f} ({row.fact:.2f}){'' if row.holds else ' ✗'}" for row in figures.itertuples()}
    rows = [(category, *(cells[f"{category} {month}"] for month in MONTHS)) for category in CATEGORIES]
    return _table(("", *MONTHS), rows)


def _mix(figures: pd.DataFrame) -> str:
    measured = shopping_facts()["category_mix_lines"]
    rows = [(row.name, _number(row.ours), _number(measured[row.name])) for row in figures.itertuples()]
    return (
        "The basket is fresh-heavy by choice: on the measured one, the waste rates below cannot all hold together\n"
        "with a quarter of all items wasted.\n\n" + _table(("", "ours", "measured"), rows)
    )


def _published(records: SimulatedRecords) -> str:
    """Our waste beside what is published, which measures something else: shown, not checked."""
    usda = usda_consumer_loss().set_index("category")["consumer_loss"]
    ours, in_the_end = rates(records), rates_in_the_end(records)
    rows = [
        (name, _percent(WASTE_RATES[name]), _percent(ours[name]), _percent(in_the_end[name]), _percent(usda[name]))
        for name in CATEGORIES
    ]
    header = ("", "target (chosen)", "in the period", "in the end", "USDA, consumer level (measured)")
    return f"""## Waste beside published levels

Not checked, since they count something else: ours is a share of items, of which any part was thrown away; the others
are shares of amounts. USDA's is avoidable loss at the consumer level by weight, meals away from home included, each
category's foods weighted by what reaches consumers.

{_table(header, rows)}
All: {_percent(ours["all"])} of items in the period, {_percent(in_the_end["all"])} in the end. Published for all food:
11.7 % avoidable and 18.5 % in all of purchases (UK, WRAP 2012), 21 % at the consumer level (USDA EIB-121), 31.9 % of US
households' food (Yu & Jaenicke 2020).
"""


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _title(group: str) -> str:
    return group.replace("_", " ").capitalize()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _mark(holds: bool) -> str:
    return "✓" if holds else "✗"
