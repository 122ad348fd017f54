"""How often the leak alarm is silent on usual sources, and hears a feature that leaks a quarter of the wasted rows.

``python experiments/leak_alarm.py --households 150 --seeds 951 1060`` prints a line for each source and the counts. The
limit ``gates.max_feature_precision`` was chosen on seeds 701 to 950; report others.
"""

import argparse
import sys

import numpy as np
import pandas as pd
from gate_sources import section

from waste_risk.features import FEATURE_NAMES, build_features
from waste_risk.metrics import PurestFeature
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.parameters import DataGeneration, Gates, Observation, Split, Validation
from waste_risk.simulation import simulate
from waste_risk.training.splits import split_by_time
from waste_risk.validation.leakage import find_purest_feature

LEAKING = "unit_price"


def main() -> None:
    """Look for a leak in all sources of a range of seeds, and in each once more with a feature that leaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=150)
    parser.add_argument("--seeds", type=int, nargs=2, default=(951, 1060), help="first and last")
    parser.add_argument("--scenario", default="usual")
    parser.add_argument("--share", type=float, default=0.25, help="of the wasted rows that the feature leaks")
    chosen = parser.parse_args()
    found: list[dict[str, PurestFeature]] = []
    for seed in range(chosen.seeds[0], chosen.seeds[1] + 1):
        rows = make_rows(chosen.households, seed, chosen.scenario)
        found.append({name: find(each) for name, each in {"usual": rows, **leaks(rows, seed, chosen.share)}.items()})
        sys.stdout.write(f"{seed} {'; '.join(f'{name}: {_describe(each)}' for name, each in found[-1].items())}\n")
        sys.stdout.flush()
    limit = section(Gates).max_feature_precision
    for name in found[0]:
        lows = pd.Series([each[name].precision.low for each in found], dtype=float)
        fires = int((~(lows < limit)).sum())
        sys.stdout.write(f"{name}: fires on {fires} of {len(found)}, low ends {lows.min():.3f} to {lows.max():.3f}\n")


def make_rows(households: int, seed: int, scenario: str) -> pd.DataFrame:
    """Simulate a source, and give its mature observations with their features."""
    generation = section(DataGeneration).model_dump(mode="json")
    tables = simulate(**generation | {"n_households": households, "seed": seed, "scenario": scenario})
    until = latest_record(tables.items, tables.events)
    observations = observe_items(tables.items, tables.events, section(Observation), until)
    features = build_features(observations, tables.households, tables.items, tables.events)
    return assemble_model_input(observations, features, tables.households, until)


def leaks(rows: pd.DataFrame, seed: int, share: float) -> dict[str, pd.DataFrame]:
    """Plant a feature that knows the outcome of a share of the wasted rows, in several forms.

    ``flag`` is 1 on them and 0 elsewhere; ``days`` are those to the waste, null elsewhere; ``age`` is that of the item,
    on them at its waste instead of at the observation; ``shifted`` is noise, 3 standard deviations higher on them.
    ``noisy`` is the outcome of every row, with noise of half its range.
    """
    random = np.random.default_rng(seed)
    wasted, days, age = rows["wasted"].to_numpy(), rows["days_to_waste"].to_numpy(), rows["age_days"].to_numpy()
    known = wasted & (random.random(len(rows)) < share)
    noise = random.normal(size=len(rows))
    forms = {
        "flag": known,
        "days": np.where(known, days, np.nan),
        "age": np.where(known, age + days, age),
        "shifted": noise + 3 * known,
        "noisy": wasted + noise / 2,
    }
    return {name: rows.assign(**{LEAKING: values.astype("float32")}) for name, values in forms.items()}


def find(rows: pd.DataFrame) -> PurestFeature:
    """Find the purest feature as the pipeline does."""
    development, test = split_by_time(rows, section(Split))
    return find_purest_feature(development, test, FEATURE_NAMES, section(Validation))


def _describe(each: PurestFeature) -> str:
    low = np.nan if each.precision.low is None else each.precision.low
    return f"{low:.3f} by {each.name} ({each.n_rows} rows)"


if __name__ == "__main__":
    main()
