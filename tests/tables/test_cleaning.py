"""Dirty but usable records: refused, dropped or repaired, as the parameters say."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
import yaml
from changed_source import run_changed
from pages import render_cleaning
from pydantic import ValidationError

from waste_risk.errors import ContractError
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.parameters import Cleaning, Observation, Scenario
from waste_risk.simulation import simulate
from waste_risk.tables.checks import check_tables
from waste_risk.tables.cleaning_rules import RULES, Records, cleaning_rule

ROOT = Path(__file__).parents[2]
PARAMETERS = ROOT / "conf/base/parameters_data_engineering.yml"
CONFIGURED = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))["cleaning"]
REPAIRABLE = [name for name, rule in RULES.items() if rule.repair]
MONDAY, DAY = pd.Timestamp("2024-05-06"), pd.Timedelta(days=1)
NOON = MONDAY + pd.Timedelta(hours=12)

OBSERVATION = Observation(horizon_days=30, max_age_days=30, per_item=1)

Tables = dict[str, pd.DataFrame]


def policy(max_share: float = 1.0, **changes: Any) -> Cleaning:
    return Cleaning.model_validate({**CONFIGURED, "max_share": max_share, **changes})


def tables() -> Tables:
    """Two items bought on Monday as 1.0; at noon on Tuesday .4 is eaten, on Wednesday .6 is wasted."""
    households = pd.DataFrame(
        {"household_id": ["h0", "h1"], "size": 2, "children": 0, "income_band": "low", "joined_on": MONDAY}
    )
    items = pd.DataFrame(
        {
            "item_id": ["i0", "i1"],
            "household_id": ["h0", "h1"],
            "product": "milk",
            "category": "dairy",
            "quantity": 1.0,
            "unit": "l",
            "unit_price": 1.0,
            "on_promotion": False,
            "purchased_on": MONDAY,
            "storage": "fridge",
            "expires_on": MONDAY + 7 * DAY,
        }
    )
    events = pd.DataFrame(
        {
            "item_id": ["i0", "i0", "i1", "i1"],
            "household_id": ["h0", "h0", "h1", "h1"],
            "kind": ["consumed", "wasted"] * 2,
            "quantity": [0.4, 0.6] * 2,
            "occurred_on": [NOON + DAY, NOON + 2 * DAY] * 2,
        }
    )
    return {"households": households, "items": items, "events": events}


def change(frame: pd.DataFrame, row: int, **values: Any) -> pd.DataFrame:
    changed = frame.copy()
    for name, value in values.items():
        changed.loc[row, name] = value
    return changed


def dirty(rule: str) -> Tables:
    """The tables with one row that breaks one rule."""
    sound = tables()
    households, items, events = sound["households"], sound["items"], sound["events"]
    late = MONDAY + 400 * DAY
    broken = {
        "items_of_unknown_households": {"households": households.iloc[:1]},
        "items_outside_the_period": {
            "items": change(items, 1, purchased_on=late, expires_on=late),
            "events": change(change(events, 2, occurred_on=late), 3, occurred_on=late),
        },
        "items_expiring_before_purchase": {"items": change(items, 1, expires_on=MONDAY - DAY)},
        "items_eaten_more_than_bought": {"items": change(items, 1, quantity=0.7)},
        "events_of_unknown_items": {"events": change(events, 3, item_id="i9")},
        "events_of_other_households": {"events": change(events, 3, household_id="h0")},
        "events_outside_the_period": {"events": change(events, 3, occurred_on=late)},
        "events_before_purchase": {"events": change(events, 2, occurred_on=MONDAY - DAY)},
        "duplicate_events": {"events": pd.concat([events, events.iloc[[2]]])},
    }
    return {**sound, **broken[rule]}


MESSAGES = {
    "items_of_unknown_households": "items.household_id: must be a household (1 of 2 rows)",
    "items_outside_the_period": "items.purchased_on: must lie in the period of most purchases (1 of 2 rows)",
    "items_expiring_before_purchase": "items.expires_on: must not lie before the purchase (1 of 2 rows)",
    "items_eaten_more_than_bought": "items.quantity: must cover what was eaten and wasted (1 of 2 rows)",
    "events_of_unknown_items": "events.item_id: must be an item (1 of 4 rows)",
    "events_of_other_households": "events.household_id: must be the item's (1 of 4 rows)",
    "events_outside_the_period": "events.occurred_on: must not lie long after the other records (1 of 4 rows)",
    "events_before_purchase": "events.occurred_on: must not lie before the purchase (1 of 4 rows)",
    "duplicate_events": "events.occurred_on: must not repeat an event to the second (1 of 5 rows)",
}


def refusal(given: Tables, cleaning: Cleaning) -> str:
    with pytest.raises(ContractError) as error:
        check_tables(**given, cleaning=cleaning)
    return str(error.value)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_to_be_refused_is_said_with_its_place_and_count(rule: str) -> None:
    assert refusal(dirty(rule), policy(**{rule: "reject"})) == MESSAGES[rule]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_to_be_dropped_leaves_what_fits_and_counts_what_does_not(rule: str) -> None:
    _, items, events, counts = check_tables(**dirty(rule), cleaning=policy(**{rule: "drop"}))
    along = {"events_of_dropped_items": 2} if rule.startswith("items_") else {}
    assert counts["dropped"] == {rule: 1, **along}
    assert counts["repaired"] == {}
    assert (counts["items"], counts["events"]) == (len(items), len(events))
    assert list(items["item_id"]) == (["i0"] if along else ["i0", "i1"])
    rows = {"duplicate_events": [0, 1, 2, 3], "events_before_purchase": [0, 1, 3]}.get(rule, [0, 1, 2])
    expected = tables()["events"].iloc[[0, 1] if along else rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(events, expected, check_dtype=False)


@pytest.mark.parametrize("rule", REPAIRABLE)
def test_a_rule_that_is_to_be_repaired_keeps_and_counts_the_row(rule: str) -> None:
    counts = check_tables(**dirty(rule), cleaning=policy(**{rule: "repair"}))[3]
    assert counts["repaired"] == {rule: 1}
    assert counts["dropped"] == {}
    assert (counts["items"], counts["events"]) == (2, 4)


def test_every_rule_has_its_parameter_and_every_action_of_the_parameter() -> None:
    parameters = {name: get_args(field.annotation) for name, field in Cleaning.model_fields.items()}
    limits = {"max_share", "max_gap_days"}
    assert {name: rule.actions for name, rule in RULES.items()} == {
        n: a for n, a in parameters.items() if n not in limits
    }


def test_a_rule_without_a_parameter_that_fits_cannot_be_defined() -> None:
    def events_of_tomorrow(records: Records, _: Cleaning) -> Any:
        return records.item_row < 0

    with pytest.raises(TypeError, match=r"Cleaning needs a parameter events_of_tomorrow: Literal\['reject', 'drop'\]"):
        cleaning_rule("events.occurred_on", "must be past", cause="a wrong clock")(events_of_tomorrow)
    assert "events_of_tomorrow" not in RULES


def test_the_yaml_gives_the_cause_of_each_rule_beside_its_value() -> None:
    comments = dict(re.findall(r"^  (\w+): \w+ *# (.*)$", PARAMETERS.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name: comments[name] for name in RULES} == {name: rule.cause for name, rule in RULES.items()}


def test_the_page_of_the_rules_is_what_make_docs_would_write() -> None:
    assert (ROOT / "docs/cleaning.md").read_text(encoding="utf-8") == render_cleaning()


NEW_RULE = """@cleaning_rule("items.quantity", "must be less than a tonne", cause="grams were taken for kilograms")
def items_of_a_tonne(records: Records, _: Cleaning) -> Mask:
    return (records.items["quantity"] >= 1_000).to_numpy()


"""

WITH_NEW_RULE = """
import json
import re
from dataclasses import replace
from measured import MEASURED, SOURCE
from pages import RULES
from test_cleaning import CONFIGURED, tables
from waste_risk.adapters.parameter_checks import find_mistakes
from waste_risk.parameters import Cleaning
from waste_risk.reporting.text import render_text
from waste_risk.tables.checks import check_tables
from waste_risk.tables.cleaning_rules import RULES, Records, cleaning_rule

given = tables()
given["items"].loc[1, "quantity"] = 2_000.0
lenient = {**CONFIGURED, "max_share": 1.0, "items_of_a_tonne": "drop"}
counts = check_tables(**given, cleaning=Cleaning.model_validate(lenient))[3]
report = render_text(MEASURED, source=replace(SOURCE, dropped=counts["dropped"]))
print(json.dumps({
    "dropped": counts["dropped"],
    "report": [line for line in report.splitlines() if "tonne" in line],
    "mistakes": find_mistakes({"cleaning": {**CONFIGURED, "items_of_a_tonne": "repair"}}),
    "documented": "items_of_a_tonne" in RULES,
}))
"""


def test_a_new_rule_arrives_in_counts_report_and_docs_and_its_parameter_is_checked(tmp_path: Path) -> None:
    before, parameter = '@cleaning_rule(\n    "items.purchased_on"', "    duplicate_events: Literal"
    new_parameter = '    items_of_a_tonne: Literal["reject", "drop"]\n'
    changes = {
        "tables/cleaning_rules.py": [(before, NEW_RULE + before)],
        "parameters.py": [(parameter, new_parameter + parameter)],
    }
    found = run_changed(tmp_path, changes, WITH_NEW_RULE)
    assert found == {
        "dropped": {"items_of_a_tonne": 1, "events_of_dropped_items": 2},
        "report": ["Dropped:                    1 item of a tonne"],
        "mistakes": ["Parameter cleaning.items_of_a_tonne: should be 'reject' or 'drop' (given 'repair')."],
        "documented": True,
    }


def test_an_event_before_the_purchase_is_moved_to_it() -> None:
    given = dirty("events_before_purchase")
    evening = {**given, "items": given["items"].assign(purchased_on=MONDAY + pd.Timedelta(hours=19))}
    events = check_tables(**evening, cleaning=policy())[2]
    moved = [NOON + DAY, NOON + 2 * DAY, MONDAY + pd.Timedelta(hours=19), NOON + 2 * DAY]
    assert events["occurred_on"].tolist() == moved


def test_a_printed_date_before_the_purchase_becomes_unknown() -> None:
    items = check_tables(**dirty("items_expiring_before_purchase"), cleaning=policy())[1]
    assert items["expires_on"].tolist() == [MONDAY + 7 * DAY, pd.NaT]


@pytest.mark.parametrize(
    ("bought", "left"),
    [(0.7, [0.4, 0.3]), (0.5, [0.4, 0.1]), (0.4, [0.4]), (0.3, [0.3])],
)
def test_each_event_takes_at_most_what_those_before_it_left(bought: float, left: list[float]) -> None:
    """Whatever the order of rows is; an event for which nothing is left is dropped and counted."""
    sound = tables()
    given = {**sound, "items": change(sound["items"], 1, quantity=bought), "events": sound["events"].iloc[::-1]}
    _, _, events, counts = check_tables(**given, cleaning=policy())
    assert events.loc[events["item_id"] == "i1", "quantity"].tolist() == left[::-1]
    assert events.loc[events["item_id"] == "i0", "quantity"].tolist() == [0.6, 0.4]
    assert counts["repaired"] == {"items_eaten_more_than_bought": 1}
    assert counts["dropped"] == ({"events_of_emptied_items": 1} if len(left) == 1 else {})


def test_what_a_correction_found_may_be_taken_too() -> None:
    sound = tables()
    found = sound["events"].iloc[[3]].assign(kind="corrected", quantity=-0.2)
    given = {**sound, "items": change(sound["items"], 1, quantity=0.5), "events": pd.concat([sound["events"], found])}
    events = check_tables(**given, cleaning=policy())[2]
    assert events.loc[events["item_id"] == "i1", "quantity"].tolist() == [0.4, 0.3, -0.2]


def test_equal_events_without_a_time_of_day_may_both_have_happened() -> None:
    sound = tables()
    dates = sound["events"].assign(occurred_on=sound["events"]["occurred_on"].dt.floor("D"), quantity=0.1)
    counts = check_tables(**{**sound, "events": pd.concat([dates, dates])}, cleaning=policy())[3]
    assert (counts["events"], counts["dropped"]) == (8, {})


@pytest.mark.parametrize(("days", "dropped"), [(365, {}), (366, {"events_outside_the_period": 1})])
def test_the_period_ends_a_year_after_the_last_purchase_of_anyone(days: int, dropped: dict[str, int]) -> None:
    sound = tables()
    events = change(sound["events"], 3, occurred_on=MONDAY + days * DAY)
    counts = check_tables(**{**sound, "events": events}, cleaning=policy())[3]
    assert counts["dropped"] == dropped
    assert counts["data_until"] == ("2025-05-06T00:00:00" if not dropped else "2024-05-08T12:00:00")


@pytest.mark.parametrize("year", ["2001", "2088"])
def test_one_wrong_clock_behind_or_ahead_costs_only_its_own_items(year: str) -> None:
    sound = tables()
    items = pd.concat([sound["items"], sound["items"].iloc[[0]].assign(item_id="i2")], ignore_index=True)
    wrong = change(items, 0, purchased_on=pd.Timestamp(year), expires_on=pd.NaT)
    counts = check_tables(**{**sound, "items": wrong}, cleaning=policy())[3]
    assert counts["dropped"] == {"items_outside_the_period": 1, "events_of_dropped_items": 2}
    assert (counts["items"], counts["data_until"]) == (2, "2024-05-08T12:00:00")


def observed(given: Tables) -> tuple[pd.DataFrame, Any]:
    """Observations of the cleaned tables whose labels are known, and the counts."""
    _, items, events, counts = check_tables(**given, cleaning=policy(max_share=0.1))
    until = latest_record(items, events)
    observations = observe_items(items, events, OBSERVATION, until)
    return observations.assign(is_mature=observations["label_known_on"] <= until), counts


def shifted(given: Tables, days: int, *, table: str | None = None, household: int | None = None) -> Tables:
    """Set the clock of one record of a table wrong, or that of all records of a household."""
    moved = {}
    for name, frame in given.items():
        owner = frame["household_id"] == household
        rows = owner if household is not None else frame.index == (0 if name == table else -1)
        times = frame.select_dtypes("datetime").columns
        moved[name] = frame.assign(**{time: frame[time].mask(rows, frame[time] + days * DAY) for time in times})
    return moved


RECORDED = simulate(n_households=60, n_items_per_household=25, seed=5, period_days=360)
SOUND = {name: getattr(RECORDED, name) for name in ("households", "items", "events")}
TABLE_OF = {"items": "items_outside_the_period", "events": "events_outside_the_period"}


@pytest.mark.parametrize("days", [400, 3_000, 25_000, -400, -3_000, -8_000])
@pytest.mark.parametrize("table", ["households", "items", "events"])
def test_one_record_far_from_all_others_changes_nothing_for_others_and_is_counted(table: str, days: int) -> None:
    given, item = shifted(SOUND, days, table=table), SOUND[table].get("item_id", pd.Series([None])).iloc[0]
    (observations, counts), (expected, sound) = observed(given), observed(SOUND)
    if table == "events" and days < 0:
        assert counts["repaired"] == {"events_before_purchase": 1}
    else:
        lost = {name: n for name, n in counts["dropped"].items() if name != "events_of_dropped_items"}
        assert lost == ({TABLE_OF[table]: 1} if table in TABLE_OF else {})
    assert counts["data_until"] == sound["data_until"]
    pd.testing.assert_frame_equal(
        *(each[each["item_id"] != item].reset_index(drop=True) for each in (observations, expected))
    )


@pytest.mark.parametrize("days", [15, 40, 364])
@pytest.mark.parametrize("table", ["items", "events"])
def test_one_record_of_a_few_weeks_after_all_others_does_not_end_the_data(table: str, days: int) -> None:
    end = max(SOUND["items"]["purchased_on"].max(), SOUND["events"]["occurred_on"].max())
    column = {"items": "purchased_on", "events": "occurred_on"}[table]
    given = {**SOUND, table: change(SOUND[table], 0, **{column: end + days * DAY})}
    counts = observed(given)[1]
    assert counts["dropped"][TABLE_OF[table]] == 1
    assert counts["data_until"] == observed(SOUND)[1]["data_until"]


@pytest.mark.parametrize("days", [40, 200, -200, -400])
def test_a_household_whose_clock_is_wrong_changes_nothing_for_others(days: int) -> None:
    """Its first or last records lie outside of the period; of those within it, no one can tell."""
    household = SOUND["households"]["household_id"].iloc[7]
    (observations, counts), (expected, sound) = observed(shifted(SOUND, days, household=household)), observed(SOUND)
    assert counts["data_until"][:10] == sound["data_until"][:10]
    assert counts["dropped"]["items_outside_the_period"] > 0
    others = [each[each["household_id"] != household].reset_index(drop=True) for each in (observations, expected)]
    pd.testing.assert_frame_equal(*others)


@pytest.mark.parametrize("n_households", [1, 4])
def test_where_households_are_few_a_day_far_from_all_others_does_not_end_the_data(n_households: int) -> None:
    few = simulate(n_households=n_households, n_items_per_household=60, seed=1, period_days=360)
    sound: Tables = {name: getattr(few, name) for name in SOUND}
    given = {**sound, "events": change(sound["events"], 0, occurred_on=sound["events"]["occurred_on"].max() + 60 * DAY)}
    counts = observed(given)[1]
    assert counts["dropped"] == {"events_outside_the_period": 1}
    assert counts["data_until"] == observed(sound)[1]["data_until"]


@pytest.mark.parametrize("scenario", ["usual", "new_households", "drift"])
@pytest.mark.parametrize("n_households", [12, 60])
@pytest.mark.parametrize("seed", range(3))
def test_no_sound_record_is_isolated_however_households_come_and_go(
    scenario: Scenario, n_households: int, seed: int
) -> None:
    source = simulate(n_households, 12, seed, period_days=200, scenario=scenario)
    assert check_tables(source.households, source.items, source.events, policy())[3]["dropped"] == {}


def test_households_of_weekly_shopping_alone_set_the_period_to_the_day() -> None:
    """Without any event; some shop on Monday only, some missed a week, and one joined years before the others."""
    weeks = [(household, week) for household in range(12) for week in range(20) if week < 19 or household > 5]
    sound = tables()
    households = pd.concat([sound["households"].iloc[[0]]] * 12, ignore_index=True)
    households = change(households.assign(household_id=range(12)), 0, joined_on=MONDAY - 5_000 * DAY)
    items = pd.concat([sound["items"].iloc[[0]]] * len(weeks), ignore_index=True).assign(
        item_id=range(len(weeks)),
        household_id=[household for household, _ in weeks],
        purchased_on=[MONDAY + 7 * week * DAY for _, week in weeks],
        expires_on=pd.NaT,
    )
    counts = check_tables(households, items, sound["events"].iloc[:0], policy())[3]
    assert (counts["dropped"], counts["data_until"]) == ({}, (MONDAY + 19 * 7 * DAY).isoformat())


def bought_once(days: list[int]) -> Tables:
    """One household for each number of days after Monday, on which it buys the one item that it ever buys."""
    sound, ids = tables(), range(len(days))
    households = pd.concat([sound["households"].iloc[[0]]] * len(days), ignore_index=True).assign(household_id=ids)
    items = pd.concat([sound["items"].iloc[[0]]] * len(days), ignore_index=True).assign(
        item_id=ids, household_id=ids, purchased_on=[MONDAY + day * DAY for day in days], expires_on=pd.NaT
    )
    return {"households": households, "items": items, "events": sound["events"].iloc[:0]}


@pytest.mark.parametrize(
    ("n_households", "n_late", "n_dropped"),
    [(30, 2, 2), (30, 3, 0), (399, 2, 2), (399, 3, 0), (400, 3, 3), (400, 4, 0)],
)
def test_fewer_than_three_households_are_few_and_of_many_fewer_than_one_in_a_hundred(
    n_households: int, n_late: int, n_dropped: int
) -> None:
    given = bought_once([60] * n_late + [0] * (n_households - n_late))
    dropped = {"items_outside_the_period": n_dropped} if n_dropped else {}
    assert check_tables(**given, cleaning=policy())[3]["dropped"] == dropped


@pytest.mark.parametrize(
    ("others", "near"),
    [([40] * 28, 14), ([40] * 6 + [36] + [0] * 21, 20)],
    ids=["two weeks", "five times as far apart as others further in"],
)
def test_how_far_a_few_households_may_go_on_after_all_others(others: list[int], near: int) -> None:
    for days, dropped in ((near, {}), (near + 1, {"items_outside_the_period": 2})):
        counts = check_tables(**bought_once([40 + days] * 2 + others), cleaning=policy())[3]
        assert counts["dropped"] == dropped


@pytest.mark.parametrize(("max_share", "fits"), [(0.25, True), (0.24, False), (0.0, False)])
def test_more_dirty_rows_than_allowed_are_a_broken_source(max_share: float, fits: bool) -> None:
    given, cleaning = dirty("events_of_unknown_items"), policy(max_share=max_share)
    if fits:
        assert check_tables(**given, cleaning=cleaning)[3]["dropped"] == {"events_of_unknown_items": 1}
    else:
        assert refusal(given, cleaning) == "events.item_id: must be an item (1 of 4 rows, too many to drop)"


def test_all_refused_rules_are_said_in_one_line() -> None:
    given = {**dirty("events_of_other_households"), "items": dirty("items_expiring_before_purchase")["items"]}
    given["events"] = change(given["events"], 0, item_id="i9")
    cleaning = policy(items_expiring_before_purchase="reject", events_of_unknown_items="reject")
    assert refusal(given, cleaning) == (
        "events.item_id: must be an item (1 of 4 rows); events.household_id: must be the item's (1 of 4 rows); "
        "items.expires_on: must not lie before the purchase (1 of 2 rows)"
    )


def test_events_that_go_with_items_are_counted_over_all_rules() -> None:
    given = dirty("items_of_unknown_households")
    given["items"] = change(given["items"], 0, expires_on=MONDAY - DAY)
    cleaning = policy(items_of_unknown_households="drop", items_expiring_before_purchase="drop")
    assert refusal(given, cleaning) == "items: must not be empty (0 rows)"
    given["items"] = pd.concat([given["items"], given["items"].iloc[[0]].assign(item_id="i2", expires_on=pd.NaT)])
    assert check_tables(**given, cleaning=cleaning)[3]["dropped"] == {
        "items_of_unknown_households": 1,
        "events_of_dropped_items": 4,
        "items_expiring_before_purchase": 1,
    }


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("choice", ["drop", "repair"])
def test_cleaning_leaves_its_inputs_alone_and_finds_nothing_more_in_its_own_result(rule: str, choice: str) -> None:
    cleaning = policy(**{rule: choice if rule in REPAIRABLE else "drop"})
    given, before = dirty(rule), dirty(rule)
    households, items, events, counts = check_tables(**given, cleaning=cleaning)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(given[name], frame)
    again = check_tables(households, items, events, cleaning)
    pd.testing.assert_frame_equal(again[1], items)
    pd.testing.assert_frame_equal(again[2], events)
    assert again[3] == {**counts, "dropped": {}, "repaired": {}}
    assert json.loads(json.dumps(counts)) == counts


def test_the_order_of_rows_does_not_matter() -> None:
    given = {**dirty("duplicate_events"), "items": dirty("items_eaten_more_than_bought")["items"]}
    shuffled = {name: frame.sample(frac=1, random_state=5) for name, frame in given.items()}
    one, other = (check_tables(**each, cleaning=policy())[2] for each in (given, shuffled))
    keys = ["item_id", "occurred_on"]
    pd.testing.assert_frame_equal(*(each.sort_values(keys, ignore_index=True) for each in (one, other)))


def test_the_simulated_source_is_clean() -> None:
    simulated = simulate(n_households=30, n_items_per_household=40, seed=7)
    cleaning = policy(**dict.fromkeys(RULES, "reject"))
    counts = check_tables(simulated.households, simulated.items, simulated.events, cleaning)[3]
    assert (counts["items"], counts["dropped"]) == (len(simulated.items), {})


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in REPAIRABLE])
def test_only_some_rules_can_be_repaired(rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        policy(**{rule: "repair"})
