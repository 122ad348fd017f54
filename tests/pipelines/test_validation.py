"""What may be judged by whom."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from measured import LIMITS
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.errors import ContractError
from waste_risk.model.calibration import Calibrator
from waste_risk.model.predictor import WastePredictor
from waste_risk.parameters import Costs, Validation, load
from waste_risk.pipelines.validation.nodes import evaluate_predictions, predict_test
from waste_risk.training.fit import fit_predictor

CALIBRATOR = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
LEARNT = plant(1_000, n_days=200)
CONF = Path(__file__).parents[2] / "conf/base"
VALIDATION = load(Validation, CONF / "parameters_validation.yml").model_copy(update={"n_resamples": 0})
FOLDS = pd.DataFrame({"n_train": [1_000], "rounds_classifier": [5], "rounds_regressor": [5]})


@pytest.fixture(scope="module")
def predictor() -> WastePredictor:
    """Learnt from days 0 to 199; the last label was known on day 229."""
    return fit_predictor(LEARNT, FOLDS, CALIBRATOR, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)


def later_than(first: int) -> pd.DataFrame:
    rows = plant(1_000, seed=2, n_days=300)
    return rows[rows["observed_on"] >= pd.Timestamp("2024-01-01") + pd.Timedelta(days=first)]


def test_every_judged_row_names_the_predictor(predictor: WastePredictor) -> None:
    run = {"predictor_sha256": predictor.sha256}
    predictions = predict_test(predictor, run, LEARNT, later_than(229))
    assert set(predictions["predictor_sha256"]) == {predictor.sha256}
    assert predictions["days_on_label"].between(0, 30).all()


def test_rows_that_the_predictor_may_have_learnt_from_are_refused(predictor: WastePredictor) -> None:
    run = {"predictor_sha256": predictor.sha256}
    with pytest.raises(ContractError, match="test.observed_on: must not lie before 2024-08-17"):
        predict_test(predictor, run, LEARNT, later_than(228))


def test_the_predictor_of_another_run_is_refused(predictor: WastePredictor) -> None:
    with pytest.raises(ContractError, match="not the one that training_run names"):
        predict_test(predictor, {"predictor_sha256": "other"}, LEARNT, later_than(229))


def test_a_household_is_new_if_the_predictor_has_learnt_from_none_of_its_rows(predictor: WastePredictor) -> None:
    run, judged = {"predictor_sha256": predictor.sha256}, later_than(229)
    newcomer = judged.assign(household_id=np.where(judged["household_id"] == 7, 777, judged["household_id"]))
    predictions = predict_test(predictor, run, LEARNT, newcomer)
    assert set(predictions.loc[predictions["is_new_household"], "household_id"]) == {777}


def test_the_raw_score_is_what_calibration_begins_with(predictor: WastePredictor) -> None:
    predictions = predict_test(predictor, {"predictor_sha256": predictor.sha256}, LEARNT, later_than(229))
    np.testing.assert_array_equal(
        predictor.calibrator.transform(predictions["score"]), predictions["waste_probability"]
    )


def entry(predictor: WastePredictor, test: pd.DataFrame) -> dict[str, str]:
    predictions = predict_test(predictor, {"predictor_sha256": predictor.sha256}, LEARNT, test)
    on_record, _ = evaluate_predictions(
        development=LEARNT,
        test=test,
        test_predictions=predictions,
        oracle=pd.DataFrame(),
        baseline_predictions=pd.DataFrame(),
        fold_metrics=pd.DataFrame({"auc": [0.5, 0.6]}),
        costs=Costs(false_alarm=1, missed_item=2),
        cost_threshold=0.5,
        predictor=predictor,
        validation=VALIDATION,
        gates=LIMITS,
    )
    return on_record


def test_a_window_is_the_same_with_other_features_and_another_with_other_labels(predictor: WastePredictor) -> None:
    test = later_than(229)
    on_record = entry(predictor, test)
    assert on_record["predictor_sha256"] == predictor.sha256
    assert entry(predictor, test.assign(days_to_printed_date=1.0)) == on_record
    assert entry(predictor, test.assign(wasted=~test["wasted"])) != on_record
    assert entry(predictor, test.iloc[1:]) != on_record
