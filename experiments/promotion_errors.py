"""How often the rule of promotion errs, and where a year of it leads, into docs/promotion.md: `make promotion-errors`.

Predictors are made, not trained: the simulator's true probability with an error in log-odds that is fixed for each
predictor. So two are equally good by construction, or one is better by a known gain. ``--page`` measures nothing.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from bench_projects import ROOT
from numpy.typing import NDArray
from promotion_page import ERRORS, PAGE, render_page
from promotion_trained import measure_trained
from scipy.special import expit, logit

from waste_risk.arrays import Floats
from waste_risk.metrics import Tally, calibration_line
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.parameters import DataGeneration, Observation, Promotion, load
from waste_risk.promotion import Comparison, Contender, compare, decide
from waste_risk.simulation import oracle_probability, simulate
from waste_risk.validation.gates import GateDecision

SEED, TRAINED_SEED = 803, 841  # the rule was chosen on those of the replay
POOL, HOUSEHOLDS = 3_000, 1_000
N_RESAMPLES = 1_000  # half of the default, which only widens the scatter of the bounds
WINDOW_DAYS, WEEKS = 42, 52  # `split.test_days`
PAIRS, YEARS = 200, 12
GAINS = (-0.003, -0.002, -0.001, 0.0, 0.001, 0.002, 0.003)  # of the challenger, in nats
# Standard deviations in log-odds. What all predictors get wrong together gives the log loss of the default run; what
# each gets wrong alone, as much as two trainings of it differ by that have other seeds.
TOGETHER, ALONE, ALONE_IN_HOUSEHOLD = 1.3, 0.105, 0.04
WORLDS = {  # of a challenger's true gain over the first champion, in nats, by week
    "equals": lambda _week, _random: 0.0,
    "uneven": lambda _week, random: random.normal(0, 0.001),
    "declining": lambda week, _random: -0.00006 * week,
}
PASSED = partial(GateDecision, approved=True, gates=(), reasons=())


def main() -> None:
    """Measure, unless told to render alone, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--seed", type=int, default=SEED, help="another than the page's: print the figures alone")
    parser.add_argument("--years", type=int, default=YEARS)
    chosen = parser.parse_args()
    if not chosen.page:
        figures = json.dumps(measure(chosen.seed, chosen.years), indent=1) + "\n"
        sys.stdout.write(figures)
        if chosen.seed != SEED:
            return
        ERRORS.write_text(figures, encoding="utf-8")
    PAGE.write_text(render_page(), encoding="utf-8")


@cache
def section() -> Promotion:
    """Read the base parameters of the promotion, but for the number of resamples."""
    base = load(Promotion, ROOT / "conf/base/parameters_promotion.yml")
    return base.model_copy(update={"n_resamples": N_RESAMPLES})


def measure(seed: int, n_years: int) -> dict[str, Any]:
    """Decide about pairs of a known gain, and about a challenger every week for years."""
    pool = Pool.simulate(seed)
    with ProcessPoolExecutor(2, initializer=_share, initargs=(pool,)) as executor:
        pairs = list(executor.map(decide_pairs, GAINS))
        tasks = [(world, year) for world in WORLDS for year in range(n_years)]
        years = list(executor.map(_simulate_task, tasks))
    described = {"log_loss": pool.log_loss(pool.probability(0.0)), "oracle_log_loss": pool.log_loss(pool.true)}
    sizes = {"pool": POOL, "households": HOUSEHOLDS, "pairs": PAIRS, "years": n_years, "window_days": WINDOW_DAYS}
    sizes |= {"rows": int(pool.window(pool.rows["observed_on"].max()).sum() * HOUSEHOLDS / POOL)}
    weeks = [each for year in years for each in year]
    trained_seed = TRAINED_SEED - SEED + seed
    trained = {"trained_seed": trained_seed, "trained": measure_trained(trained_seed, section())}
    return {"seed": seed, **sizes, **described, "gains": pairs, "weeks": weeks, **trained}


@dataclass(frozen=True)
class Pool:
    """Observations of many households with their true probability, and what all predictors get wrong together.

    Attributes:
        rows: ``item_id``, ``household_id`` (numbered from 0), ``observed_on``, ``label_known_on``.
        true: the true probability of each row.
        error: in log-odds, of standard deviation 1.
        line: intercept and slope that calibrate a predictor with the whole of that error.
        seed: of what is drawn beyond the source.
    """

    rows: pd.DataFrame
    true: Floats
    error: Floats
    line: tuple[float, float]
    seed: int

    @classmethod
    def simulate(cls, seed: int) -> "Pool":
        """Simulate the default source with another seed and size, and observe it."""
        generation = load(DataGeneration, ROOT / "conf/base/parameters_data_generation.yml").model_dump(mode="json")
        observation = load(Observation, ROOT / "conf/base/parameters_data_engineering.yml")
        tables = simulate(**generation | {"n_households": POOL, "seed": seed})
        until = latest_record(tables.items, tables.events)
        rows = observe_items(tables.items, tables.events, observation, until)
        rows = rows[rows["label_known_on"] <= until].sort_values(["observed_on", "item_id"], ignore_index=True)
        oracle = oracle_probability(rows, tables.items, tables.events, tables.truth, observation.horizon_days)
        true = oracle["probability"].to_numpy().clip(0.001, 0.999)
        error = np.random.default_rng(seed).normal(size=len(rows))
        tally = Tally(expit(logit(true) + TOGETHER * error), true, np.ones(len(rows)))
        numbered = rows.assign(household_id=pd.factorize(rows["household_id"])[0])
        line = tuple(float(each) for each in calibration_line(tally))
        return cls(numbered[["item_id", "household_id", "observed_on", "label_known_on"]], true, error, line, seed)

    def take(self, mask: NDArray[np.bool_]) -> "Pool":
        """Return the marked rows alone."""
        return Pool(self.rows[mask].reset_index(drop=True), self.true[mask], self.error[mask], self.line, self.seed)

    def draw_households(self, random: np.random.Generator) -> "Pool":
        """Return the rows of some households."""
        drawn = np.zeros(POOL, dtype=np.bool_)
        drawn[random.choice(POOL, HOUSEHOLDS, replace=False)] = True
        return self.take(drawn[self.rows["household_id"].to_numpy()])

    def window(self, until: pd.Timestamp) -> NDArray[np.bool_]:
        """Mark the rows of the window that ends on a day."""
        days = self.rows["observed_on"]
        return ((days > until - pd.Timedelta(days=WINDOW_DAYS)) & (days <= until)).to_numpy()

    def probability(self, skill: float) -> Floats:
        """Return calibrated probabilities of a predictor that avoids a share of what all get wrong."""
        intercept, slope = self.line
        return expit(intercept + slope * (logit(self.true) + TOGETHER * (1 - skill) * self.error))

    def predict(self, skill: float, random: np.random.Generator) -> Floats:
        """Return what one predictor says, with errors of its own; in hundredths, which makes comparisons fast."""
        of_household = ALONE_IN_HOUSEHOLD * random.normal(size=POOL)[self.rows["household_id"].to_numpy()]
        alone = ALONE * random.normal(size=len(self.true)) + of_household
        return expit(logit(self.probability(skill)) + alone).round(2).clip(0.005, 0.995)

    def log_loss(self, probability: Floats) -> float:
        """Return the true expected log loss."""
        return float(-np.mean(self.true * np.log(probability) + (1 - self.true) * np.log1p(-probability)))

    def skill_of(self, gain: float) -> float:
        """Return the skill that has so much less expected log loss than none, before errors of its own."""
        skills = np.linspace(-0.1, 0.1, 21)
        losses = np.array([self.log_loss(self.probability(skill)) for skill in skills])
        return float(np.interp(gain, losses[10] - losses, skills))


_pool: list[Pool] = []


def _share(pool: Pool) -> None:
    _pool.append(pool)


def decide_pairs(gain: float) -> dict[str, Any]:
    """Count the decisions about challengers of one true gain, with a young and with an old champion."""
    pool = _pool[0]
    pool = pool.take(pool.window(pool.rows["observed_on"].max()))
    skill, random = pool.skill_of(gain), np.random.default_rng([pool.seed, round(1e6 * gain) + 10**6])
    counts: dict[str, dict[str, int]] = {"young": {}, "old": {}}
    widths, holds = [], 0
    for _ in range(PAIRS):
        drawn = pool.draw_households(random)
        rows = drawn.rows.assign(wasted=random.random(len(drawn.true)) < drawn.true)
        champion, challenger = drawn.predict(0.0, random), drawn.predict(skill, random)
        compared = hold_against(rows, (0, champion), (1, challenger))
        for age, days in (("young", 0), ("old", section().max_age_days + 1)):
            outcome = apply(compared, section(), days)[0]
            counts[age][outcome] = counts[age].get(outcome, 0) + 1
        low, high = compared.log_loss_gain.low or 0.0, compared.log_loss_gain.high or 0.0
        widths.append((high - low) / 2)
        holds += low <= gain <= high
    return {"gain": gain, "holds": holds, "half_width": float(np.median(widths)), **counts}


def hold_against(rows: pd.DataFrame, champion: tuple[int, Floats], challenger: tuple[int, Floats]) -> Comparison:
    """Compare two predictors, each a number and its probabilities."""
    contenders = [
        Contender(f"{number:064x}", "simulated", 30, (), "2000-01-01", probability)
        for number, probability in (champion, challenger)
    ]
    return compare(*contenders, rows, section())


def apply(compared: Comparison, params: Promotion, age: int, reference: Comparison | None = None) -> tuple[str, bool]:
    """Return the decision, and whether the challenger becomes the reference."""
    challenger = compared.challenger_sha256
    decided = decide(
        compared,
        PASSED(predictor_sha256=challenger),
        params,
        challenger_sha256=challenger,
        champion_age_days=age,
        reference=reference,
    )
    return decided.decision, decided.becomes_reference


@dataclass
class Champion:
    """Who is in use under one rule, since when, and how often that changed; predictors are numbered by week."""

    number: int = 0
    reference: int = 0
    switches: int = 0
    losses: list[float] = field(default_factory=list)

    def replace_by(self, challenger: int, is_reference: bool) -> None:
        """Put a challenger in use."""
        self.number, self.switches = challenger, self.switches + 1
        if is_reference:
            self.reference = challenger


class Week:
    """One week's challenger, and the window on which it is held against others."""

    def __init__(self, number: int, rows: pd.DataFrame, predicted: Sequence[Floats]) -> None:
        self.number, self.rows, self.predicted = number, rows, predicted
        self.compare = cache(self._compare)

    def _compare(self, rival: int) -> Comparison:
        return hold_against(self.rows, (rival, self.predicted[rival]), (self.number, self.predicted[self.number]))

    def estimate_gain(self, rival: int) -> float:
        """Return the gain in log loss alone."""
        wasted = self.rows["wasted"]
        said = (np.where(wasted, each, 1 - each) for each in (self.predicted[self.number], self.predicted[rival]))
        return float(np.mean(np.log(next(said)) - np.log(next(said))))


def rule(champion: Champion, week: Week, *, refresh: bool = True, reference: bool = True) -> None:
    """Apply the project's rule, or the rule without its refreshing of old champions or without the reference."""
    params = section() if refresh else section().model_copy(update={"max_age_days": 3_650})
    needs_reference = reference and champion.reference != champion.number
    against = week.compare(champion.reference) if needs_reference else None
    age = 7 * (week.number - champion.number)
    outcome, is_reference = apply(week.compare(champion.number), params, age, against)
    if outcome == "promote":
        champion.replace_by(week.number, is_reference)


def point_rule(champion: Champion, week: Week) -> None:
    """Promote if the point estimate is better."""
    if week.estimate_gain(champion.number) > 0:
        champion.replace_by(week.number, False)


RULES: dict[str, Callable[[Champion, Week], None]] = {
    "ours": rule,
    "ours, without the reference": partial(rule, reference=False),
    "ours, without refreshing": partial(rule, refresh=False),
    "if the point estimate is better": point_rule,
    "always": lambda champion, week: champion.replace_by(week.number, False),
}


def _simulate_task(task: tuple[str, int]) -> list[dict[str, Any]]:
    return list(simulate_year(*task))


def simulate_year(world: str, year: int) -> Iterator[dict[str, Any]]:
    """Let every rule decide about the same weekly challengers, on windows that overlap from week to week."""
    random = np.random.default_rng([_pool[0].seed, list(WORLDS).index(world), year])
    pool = _pool[0].draw_households(random)
    rows = pool.rows.assign(wasted=random.random(len(pool.true)) < pool.true)
    skills = [0.0, *(pool.skill_of(WORLDS[world](week, random)) for week in range(1, WEEKS + 1))]
    predicted = [pool.predict(skill, random) for skill in skills]
    losses = [pool.log_loss(each) for each in predicted]
    last = rows["observed_on"].max()
    champions = {name: Champion() for name in RULES}
    for week in range(1, WEEKS + 1):
        marked = pool.window(last - pd.Timedelta(days=7 * (WEEKS - week)))
        this = Week(week, rows[marked], [each[marked] for each in predicted])
        for name, each in champions.items():
            RULES[name](each, this)
            each.losses.append(losses[each.number] - losses[0])
    for name, each in champions.items():
        yield {"world": world, "rule": name, "switches": each.switches, "year": year} | {
            "mean": float(np.mean(each.losses)),
            "last": each.losses[-1],
        }


if __name__ == "__main__":
    main()
