"""Trained predictors, from their rows to a decision."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.errors import ContractError
from waste_risk.metrics import Estimate
from waste_risk.model.calibration import Calibrator
from waste_risk.model.predictor import WastePredictor
from waste_risk.parameters import Promotion, load
from waste_risk.promotion import Contender, compare, decide
from waste_risk.training.fit import fit_predictor
from waste_risk.validation.gates import GateDecision

PARAMS = load(Promotion, Path(__file__).parents[2] / "conf/base/parameters_promotion.yml")
CALIBRATOR = Calibrator("isotonic", (0.0, 1.0), (0.001, 0.999))


def train(n_rows: int, rounds: int) -> WastePredictor:
    fold = pd.DataFrame({"n_train": [n_rows], "rounds_classifier": [rounds], "rounds_regressor": [2]})
    return fit_predictor(plant(n_rows, n_days=200), fold, CALIBRATOR, 0.4, TRAINING, RISK_CLASSES, OBSERVATION)


@pytest.fixture(scope="module")
def barely_trained() -> WastePredictor:
    return train(1_000, rounds=1)


@pytest.fixture(scope="module")
def well_trained() -> WastePredictor:
    return train(1_000, rounds=40)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    later = plant(1_500, seed=2, n_days=150)
    later[["observed_on", "label_known_on"]] += pd.Timedelta(days=300)
    return later


def test_the_better_trained_predictor_replaces_the_other_and_not_the_reverse(barely_trained, well_trained, rows):
    lesser, better = (Contender.predict(each, rows, source="simulated") for each in (barely_trained, well_trained))
    decisions = [
        decide(
            compare(champion, challenger, rows, PARAMS),
            GateDecision(approved=True, gates=(), reasons=(), predictor_sha256=challenger.sha256),
            PARAMS,
            challenger_sha256=challenger.sha256,
            champion_age_days=7,
        )
        for champion, challenger in ((lesser, better), (better, lesser))
    ]
    assert [each.decision for each in decisions] == ["promote", "keep"]
    assert [each.champion_sha256 for each in decisions] == [barely_trained.sha256, well_trained.sha256]


def test_a_contender_is_described_by_its_predictor(well_trained, rows):
    promised = Estimate(0.4, 0.3, 0.5)
    made = Contender.predict(well_trained, rows, source="simulated", promised_log_loss=promised)
    metadata = well_trained.metadata
    assert (made.sha256, made.source, made.promised_log_loss) == (well_trained.sha256, "simulated", promised)
    assert (made.horizon_days, made.feature_names) == (metadata.horizon_days, metadata.feature_names)
    assert made.labels_known_on == pd.Timestamp(metadata.observed_until) + pd.Timedelta(days=metadata.horizon_days)
    np.testing.assert_array_equal(made.probability, well_trained.predict(rows)["waste_probability"])


def test_the_rows_that_a_predictor_was_trained_on_are_refused(barely_trained, well_trained, rows):
    early = rows.assign(observed_on=rows["observed_on"] - pd.Timedelta(days=300))
    pair = [Contender.predict(each, early, source="simulated") for each in (barely_trained, well_trained)]
    with pytest.raises(ContractError, match="must not lie before"):
        compare(*pair, early, PARAMS)
