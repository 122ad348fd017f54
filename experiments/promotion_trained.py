"""The rule of promotion on predictors that were really trained: equals of one recipe, and one of fewer households.

All are trained on one simulated source, each on households drawn anew and with a seed of its own, and compared on
samples of another source. What they gain on that whole source is taken as true.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
from gate_sources import section

from waste_risk.features import build_features
from waste_risk.model.calibration import fit_calibrator
from waste_risk.model.predictor import WastePredictor
from waste_risk.observations.model_input import assemble_model_input
from waste_risk.observations.observe import latest_record, observe_items
from waste_risk.parameters import Calibration, DataGeneration, Observation, Promotion, RiskClasses, Split, Training
from waste_risk.promotion import Contender, compare
from waste_risk.simulation import simulate
from waste_risk.training.cross_validation import cross_validate
from waste_risk.training.fit import fit_predictor
from waste_risk.training.splits import split_by_time
from waste_risk.training.thresholds import choose_threshold

HOUSEHOLDS, IN_POOL, N_EQUALS, FEWER, DRAWS = 1_000, 3_000, 4, 0.15, 17  # draws of each ordered pair: 204 of equals


def measure_trained(seed: int, params: Promotion) -> list[dict[str, Any]]:
    """Compare ordered pairs of trained predictors, each on several samples of households."""
    *equals, lesser = train(seed)
    learnt_until = max(pd.Timestamp(each.metadata.observed_until) for each in (*equals, lesser))
    rows = observe(IN_POOL, seed + 1, learnt_until + pd.Timedelta(days=section(Observation).horizon_days))
    random = np.random.default_rng(seed)
    pairs = {"equals": list(permutations(equals, 2)), "fewer households": [(lesser, each) for each in equals]}
    probability = {each.sha256: predict(each, rows) for each in (*equals, lesser)}
    return [
        {"kind": kind, **_decide_often(pair, rows, probability, params, random)}
        for kind, kinds in pairs.items()
        for pair in kinds
    ]


def train(seed: int) -> Iterator[WastePredictor]:
    """Train the equals, then the one that saw fewer households; rounds and calibrator are those of all households."""
    training = section(Training).model_copy(update={"num_threads": 1})
    training = training.model_copy(update={"regressor": training.regressor.model_copy(update={"num_boost_round": 1})})
    observation = section(Observation)
    development, _ = split_by_time(observe(HOUSEHOLDS, seed), section(Split))
    out_of_fold, _, fold_rounds = cross_validate(development, training, section(Split), observation)
    calibrator = fit_calibrator(out_of_fold, section(Calibration))
    by_household = development.groupby("household_id", sort=False).indices
    households, random = list(by_household), np.random.default_rng(seed)
    for number, share in enumerate([1.0] * N_EQUALS + [FEWER]):
        # Without replacement for the lesser one; the equals have 63 % of the households, some of them repeatedly.
        drawn = random.choice(len(households), round(share * len(households)), replace=share == 1)
        kept = np.sort(np.concatenate([by_household[households[each]] for each in drawn]))
        yield fit_predictor(
            development.iloc[kept].reset_index(drop=True),
            fold_rounds,
            calibrator,
            choose_threshold(out_of_fold, calibrator),
            training.model_copy(update={"seed": seed + number}),
            section(RiskClasses),
            observation,
        )


def observe(n_households: int, seed: int, since: pd.Timestamp | None = None) -> pd.DataFrame:
    """Simulate the default source with another seed and size, and return its model input from some day on."""
    generation = section(DataGeneration).model_dump(mode="json")
    tables = simulate(**generation | {"n_households": n_households, "seed": seed})
    until = latest_record(tables.items, tables.events)
    observations = observe_items(tables.items, tables.events, section(Observation), until)
    if since is not None:
        observations = observations[observations["observed_on"] >= since].reset_index(drop=True)
    features = build_features(observations, tables.households, tables.items, tables.events)
    return assemble_model_input(observations, features, tables.households, until)


def predict(predictor: WastePredictor, rows: pd.DataFrame) -> pd.Series:
    """Return probabilities in hundredths, which makes comparisons fast."""
    return predictor.predict(rows)["waste_probability"].round(2).clip(0.005, 0.995)


def _decide_often(
    pair: tuple[WastePredictor, WastePredictor],
    rows: pd.DataFrame,
    probability: dict[str, pd.Series],
    params: Promotion,
    random: np.random.Generator,
) -> dict[str, Any]:
    households, counts = rows["household_id"].unique(), Counter[str]()
    for _ in range(DRAWS):
        drawn = rows["household_id"].isin(random.choice(households, HOUSEHOLDS, replace=False))
        gain = compare(*_contend(pair, probability, drawn), rows[drawn], params).log_loss_gain
        counts["promote"] += (gain.low or 0.0) > params.min_gain
        counts["keep"] += (gain.high or 0.0) < 0
    whole = compare(*_contend(pair, probability, rows["wasted"].notna()), rows, params).log_loss_gain
    return {"gain": whole.value, "low": whole.low, "high": whole.high, "draws": DRAWS, **counts}


def _contend(
    pair: tuple[WastePredictor, WastePredictor], probability: dict[str, pd.Series], marked: pd.Series
) -> list[Contender]:
    return [
        Contender(
            sha256=each.sha256,
            source="simulated",
            horizon_days=each.metadata.horizon_days,
            feature_names=each.metadata.feature_names,
            observed_until=each.metadata.observed_until,
            probability=probability[each.sha256][marked].to_numpy(),
        )
        for each in pair
    ]
