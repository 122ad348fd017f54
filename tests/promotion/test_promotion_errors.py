"""The measured errors of the rule of promotion: the page is that of the figures, and these keep the aims."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from promotion_errors import HOUSEHOLDS, POOL, WEEKS, Champion, Pool, Week, point_rule, rule, section
from promotion_page import ERRORS, PAGE, render_page
from scipy.special import expit

FIGURES = json.loads(ERRORS.read_text(encoding="utf-8"))
PROMOTED = {each["gain"]: each["young"].get("promote", 0) / FIGURES["pairs"] for each in FIGURES["gains"]}


def test_the_page_is_that_of_the_figures_and_parameters():
    assert PAGE.read_text(encoding="utf-8") == render_page()


def test_equals_are_promoted_in_at_most_5_percent_of_200_pairs_and_what_is_worse_is_not():
    assert FIGURES["pairs"] == 200
    assert PROMOTED[0.0] <= 0.05
    assert all(share <= PROMOTED[0.0] for gain, share in PROMOTED.items() if gain < 0)


def test_a_challenger_better_by_three_thousandths_of_a_nat_is_promoted_in_at_least_80_percent():
    assert PROMOTED[0.003] >= 0.8


def test_52_weeks_of_equals_do_not_lead_downhill():
    weeks = pd.DataFrame(FIGURES["weeks"])
    ours = weeks[(weeks["world"] == "equals") & (weeks["rule"] == "ours")]
    assert len(ours) == FIGURES["years"]
    assert ours["last"].mean() < 0.0005
    assert ours["last"].max() < section().margin


def test_the_reference_halts_a_chain_of_ever_worse_challengers():
    weeks = pd.DataFrame(FIGURES["weeks"])
    last = weeks[weeks["world"] == "declining"].groupby("rule")["last"]
    assert last.max()["ours"] < section().margin
    assert last.mean()["ours"] < last.mean()["ours, without the reference"] < last.mean()["always"]


@pytest.fixture(scope="module")
def pool() -> Pool:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "item_id": np.arange(10 * POOL),
            "household_id": np.repeat(np.arange(POOL), 10),
            "observed_on": pd.Timestamp("2024-06-01") + pd.to_timedelta(random.integers(0, 200, 10 * POOL), unit="D"),
        }
    )
    rows["label_known_on"] = rows["observed_on"] + pd.Timedelta(days=30)
    true = expit(random.normal(-1, 1.5, len(rows))).clip(0.001, 0.999)
    return Pool(rows, true, random.normal(size=len(rows)), (-0.2, 0.7), 0)


@pytest.mark.parametrize("gain", [-0.003, 0.0, 0.002])
def test_a_predictor_of_a_wanted_gain_has_it(pool, gain):
    better, usual = (pool.log_loss(pool.probability(pool.skill_of(each))) for each in (gain, 0.0))
    assert usual - better == pytest.approx(gain, abs=1e-5)


def test_a_sample_is_of_whole_households(pool):
    drawn = Counter(pool.draw_households(np.random.default_rng(1)).rows["household_id"])
    assert len(drawn) == HOUSEHOLDS
    assert set(drawn.values()) == {10}


def test_the_gain_of_the_point_rule_is_that_of_the_comparison(pool):
    random = np.random.default_rng(2)
    drawn = pool.draw_households(random)
    rows = drawn.rows.assign(wasted=random.random(len(drawn.true)) < drawn.true)
    week = Week(1, rows, [drawn.predict(skill, random) for skill in (0.0, 0.05)])
    assert week.estimate_gain(0) == pytest.approx(week.compare(0).log_loss_gain.value)


def test_the_rules_differ_in_an_old_champion_and_in_a_slightly_better_challenger(pool):
    random = np.random.default_rng(3)
    drawn = pool.draw_households(random)
    rows = drawn.rows.assign(wasted=random.random(len(drawn.true)) < drawn.true)
    first = drawn.predict(0.0, random)
    hardly_better = first.copy()
    hardly_better[rows["wasted"].to_numpy().argmax()] += 0.01
    week = Week(WEEKS, rows, [first, *[None] * (WEEKS - 1), hardly_better])
    fresh, kept, pointed = Champion(), Champion(), Champion()
    rule(fresh, week)
    rule(kept, week, refresh=False)
    point_rule(pointed, week)
    assert (fresh.number, fresh.reference, fresh.switches) == (WEEKS, 0, 1)
    assert (kept.number, pointed.number) == (0, WEEKS)
