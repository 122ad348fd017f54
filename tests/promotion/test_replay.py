"""The replay of weekly retraining: its extracts are those of each week, and each rule is followed and paid for."""

import json

import numpy as np
import pandas as pd
import pytest
from promotion_errors import Champion
from promotion_page import REPLAY
from replay_page import ALWAYS, NEVER, OTHERS, OURS, POINT, render_replay
from replay_rules import RULES, Week, estimate_difference, follow_rules, realize
from replay_weeks import (
    USUAL_WEEKS,
    Challenger,
    Plan,
    Replayed,
    Trained,
    first_day,
    known_on,
    observe,
    replay,
    section,
    simulate_long,
)

from waste_risk.parameters import Split
from waste_risk.simulation import Tables

HOUSEHOLDS, WEEKS = 20, 4
HORIZON = pd.Timedelta(days=30)
DRIFTS_ON = first_day() + pd.Timedelta(weeks=USUAL_WEEKS)


@pytest.fixture(scope="module")
def sources() -> dict[str, Tables]:
    return {
        scenario: simulate_long(Plan(7, scenario, None), HOUSEHOLDS, WEEKS)  # type: ignore[arg-type]
        for scenario in ("usual", "drift")
    }


@pytest.mark.parametrize("week", [0, 3])
def test_the_rows_known_on_a_day_are_those_of_an_extract_of_that_day(sources: dict[str, Tables], week: int) -> None:
    tables, as_of = sources["usual"], first_day() + pd.Timedelta(weeks=week)
    extract = tables._replace(
        items=tables.items[tables.items["purchased_on"] < as_of],
        events=tables.events[tables.events["occurred_on"] < as_of],
    )
    known = known_on(observe(tables), as_of)
    pd.testing.assert_frame_equal(known, observe(extract))
    assert as_of - known["label_known_on"].max() <= pd.Timedelta(days=2)


def test_habits_drift_from_the_end_of_the_usual_weeks_on(sources: dict[str, Tables]) -> None:
    usual, drift = (
        sources[name].truth.merge(sources[name].items[["item_id", "purchased_on"]]) for name in ("usual", "drift")
    )
    late = usual["purchased_on"] >= DRIFTS_ON
    assert 0 < late.sum() < len(late)
    assert (drift["pace"] < usual["pace"]).tolist() == late.tolist()
    assert (drift["forgetting"] == usual["forgetting"])[~late].all()


def test_the_last_week_is_followed_by_the_horizon(sources: dict[str, Tables]) -> None:
    rows = observe(sources["usual"])
    last = first_day() + pd.Timedelta(weeks=WEEKS)
    assert last - pd.Timedelta(days=3) <= rows["observed_on"].max() < last


def test_every_week_is_trained_on_what_was_known_and_tested_on_later_rows_and_equal_rows_train_once() -> None:
    trained: dict[str, Trained] = {}
    usual, drift = (replay(Plan(7, name, 28), trained, n_households=60, n_weeks=2) for name in ("usual", "drift"))
    assert len(trained) == 2
    assert usual.challengers[0].as_of == "2025-06-24"
    for week, each in enumerate(usual.challengers):
        as_of, learnt, start, end = (
            pd.Timestamp(day) for day in (each.as_of, each.observed_until, each.tested_from, each.tested_until)
        )
        assert as_of == first_day() + pd.Timedelta(weeks=week)
        assert learnt + HORIZON <= start
        assert end - start == pd.Timedelta(days=27)
        assert end + HORIZON < as_of
        assert (usual.percent[week, usual.rows["observed_on"] < start] == 0).all()
        known = usual.rows["observed_on"] < DRIFTS_ON
        assert (usual.percent[week, known] == drift.percent[week, drift.rows["observed_on"] < DRIFTS_ON]).all()
    assert usual.challengers == drift.challengers
    assert usual.percent[0].max() > 50


def make(skills: list[float], *, red: set[int] = frozenset()) -> Replayed:  # type: ignore[assignment]
    """Make a replay whose challengers know so much of the truth; the test window is the month before each week."""
    random, n_days, per_day = np.random.default_rng(3), 90 + 7 * len(skills), 40
    day = np.repeat(np.arange(n_days), per_day)
    observed_on = first_day() + pd.to_timedelta(day - 90, unit="D")
    true = random.choice([0.1, 0.6], len(day))
    rows = pd.DataFrame(
        {
            "item_id": np.arange(len(day)),
            "household_id": random.integers(200, size=len(day)),
            "observed_on": observed_on,
            "label_known_on": observed_on + pd.Timedelta(days=30),
            "wasted": random.random(len(day)) < true,
        }
    )
    percent = [np.round(100 * (skill * true + (1 - skill) * true.mean())) for skill in skills]
    challengers = []
    for week in range(len(skills)):
        as_of = first_day() + pd.Timedelta(weeks=week)
        days = [as_of - pd.Timedelta(days=each) for each in (0, 90, 60, 31)]
        challengers.append(Challenger(*(f"{each:%Y-%m-%d}" for each in days), ("auc",) if week in red else ()))
    return Replayed(rows, tuple(challengers), np.array(percent, dtype=np.uint8))


def test_each_rule_is_followed() -> None:
    followed = follow_rules(make([0.5, 0.49, 1.0, 0.2]), "7 ")
    assert {rule: each.in_use for rule, each in followed.items()} == {
        OURS: (0, 0, 2, 2),
        "ours, whatever the gates say": (0, 0, 2, 2),
        "ours, with every gate asked": (0, 0, 2, 2),
        "ours, with every gate asked, at 99 % and 60 days": (0, 0, 2, 2),
        NEVER: (0, 0, 0, 0),
        ALWAYS: (0, 1, 2, 3),
        POINT: (0, 0, 2, 2),
    }
    assert {rule: each.switches for rule, each in followed.items()} == dict(
        zip(RULES, (1, 1, 1, 1, 0, 3, 1), strict=True)
    )


def test_ours_asks_the_gates_and_the_other_rules_do_not() -> None:
    followed = follow_rules(make([0.5, 1.0], red={1}), "7 ")
    assert {rule: each.switches for rule, each in followed.items()} == dict(
        zip(RULES, (0, 1, 0, 0, 0, 1, 1), strict=True)
    )


def test_ours_replaces_a_champion_by_what_is_newer_and_seems_better_and_keeps_it_beside_an_equal_one() -> None:
    equal = make([0.5] * 4)
    assert follow_rules(equal, "7 ")[OURS].in_use == (0, 0, 0, 0)
    days = equal.rows["observed_on"]
    in_all_windows = days.between(first_day() - pd.Timedelta(days=38), first_day() - pd.Timedelta(days=32))
    shared = np.flatnonzero(equal.rows["wasted"] & in_all_windows)
    percent = equal.percent.copy()
    for week in range(4):
        percent[week, shared[:week]] += 1  # too little to be sure
    seems_better = Replayed(equal.rows, equal.challengers, percent)
    assert follow_rules(seems_better, "7 ")[OURS].in_use == (0, 1, 2, 3)
    patient = Champion()
    for week in range(1, 4):
        RULES[OURS](patient, Week(seems_better, week), max_age_days=14)
    assert (patient.number, patient.switches) == (3, 1)  # the age is that of what was learnt: 21 days are more than 14


def test_each_observation_of_the_replayed_weeks_is_predicted_by_who_is_in_use() -> None:
    days = first_day() + pd.to_timedelta([-1, 0, 6, 7, 13, 14], unit="D")
    rows = pd.DataFrame({"household_id": 5, "observed_on": days, "wasted": [True, True, False, True, False, True]})
    challengers = (Challenger(f"{first_day():%Y-%m-%d}", "", "", "", ()),) * 2
    replayed = Replayed(rows, challengers, np.array([[10] * 6, [80] * 6], dtype=np.uint8))
    loss, household = realize(replayed, (0, 1), "7 ")
    assert loss.to_dict() == pytest.approx({1: -np.log(0.1), 2: -np.log(0.9), 3: -np.log(0.8), 4: -np.log(0.2)})
    assert set(household) == {"7 5"}


def test_a_difference_has_the_sign_of_the_rival_and_an_interval_by_household() -> None:
    cells = [follow_rules(make([0.2, 1.0]), source) for source in ("7 ", "8 ")]
    never, ours = ([cell[rule] for cell in cells] for rule in (NEVER, OURS))
    found = estimate_difference(never, ours)
    assert found.value == pytest.approx(never[0].loss.mean() - ours[0].loss.mean())
    assert 0 < (found.low or 0) < found.value < (found.high or 0)
    assert estimate_difference(ours, ours).high == 0


def test_what_is_kept_is_what_was_replayed(tmp_path: object) -> None:
    replayed = make([0.5, 1.0], red={1})
    path = tmp_path / "deep/one.npz"  # type: ignore[operator]
    replayed.save(path)
    kept = Replayed.load(path)
    pd.testing.assert_frame_equal(kept.rows, replayed.rows)
    assert kept.challengers == replayed.challengers
    assert (kept.percent == replayed.percent).all()
    assert [each.name for each in path.parent.iterdir()] == ["one.npz"]


class TestThePage:
    """Its sentences follow from the figures."""

    @pytest.fixture
    def figures(self) -> dict:
        return json.loads(REPLAY.read_text(encoding="utf-8"))

    def test_it_reports_26_weeks_and_5_seeds_of_both_scenarios_and_windows(self, figures: dict) -> None:
        assert figures["weeks"] >= 26
        assert len(set(figures["seeds"])) >= 5
        assert {(each["scenario"], each["test_days"] is None) for each in figures["replays"]} == {
            (scenario, is_share) for scenario in ("usual", "drift") for is_share in (True, False)
        }

    def test_with_the_default_window_ours_is_never_worse_beyond_the_interval(self, figures: dict) -> None:
        default = section(Split).test_days
        compared = [each for each in figures["rules"] if (each["rule"] in OTHERS, each["test_days"]) == (True, default)]
        assert len(compared) == 6
        assert all(each["above_ours"][2] >= 0 for each in compared)

    def test_ours_switches_less_than_the_point_rule(self, figures: dict) -> None:
        switches = pd.DataFrame(figures["rules"]).groupby("rule")["switches"].sum()
        assert switches[OURS] < switches[POINT]

    def test_ours_is_told_to_be_never_worse_only_where_no_interval_lies_below_0(self, figures: dict) -> None:
        told = "Ours is never worse beyond the interval"
        for each in figures["rules"]:
            each["above_ours"] = [-0.001, 0.001, 0.003]
        assert told in render_replay(figures)
        next(each for each in figures["rules"] if each["rule"] in OTHERS)["above_ours"] = [-0.003, -0.002, -0.0001]
        assert told not in render_replay(figures)

    def test_a_rule_that_beats_ours_is_named(self, figures: dict) -> None:
        for each in figures["rules"]:
            if (each["rule"], each["scenario"], each["test_days"]) == (ALWAYS, "drift", None):
                each["above_ours"] = [-0.003, -0.002, -0.001]
            else:
                each["above_ours"] = [-0.001, 0.0, 0.001]
        assert "Ours is worse, beyond the interval, than always (drift, `split.test_share`)." in render_replay(figures)
