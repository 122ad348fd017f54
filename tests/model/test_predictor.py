"""The predictor: what it predicts, refuses and explains."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planted import NAMES, OBSERVATION, RISK_CLASSES, SPLIT, TRAINING, plant
from scipy.special import logit

from waste_risk.model.calibration import fit_calibrator
from waste_risk.model.predictor import WastePredictor, classify_risk, hash_rows
from waste_risk.parameters import Calibration
from waste_risk.training.cross_validation import cross_validate
from waste_risk.training.fit import fit_predictor
from waste_risk.training.thresholds import choose_threshold


def fit(development: pd.DataFrame, training=TRAINING) -> WastePredictor:
    out_of_fold, _, fold_rounds = cross_validate(development, training, SPLIT, OBSERVATION)
    calibrator = fit_calibrator(out_of_fold, Calibration(method="isotonic"))
    threshold = choose_threshold(out_of_fold, calibrator)
    return fit_predictor(development, fold_rounds, calibrator, threshold, training, RISK_CLASSES, OBSERVATION)


@pytest.fixture(scope="module")
def predictor() -> WastePredictor:
    return fit(plant())


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    return plant(200, seed=2)[NAMES]


def test_a_prediction_is_a_probability_days_within_the_horizon_and_a_class(predictor, features):
    predictions = predictor.predict(features.set_axis(range(500, 700)))
    assert predictions.columns.tolist() == ["waste_probability", "days_to_waste", "risk_class"]
    assert predictions.index.tolist() == list(range(500, 700))
    assert predictions["waste_probability"].between(0, 1).all()
    assert predictions["days_to_waste"].between(0, 30).all()
    assert set(predictions["risk_class"]) == {"low", "medium", "high"}


def test_predictions_follow_the_planted_signal(predictor):
    fresh = plant(2_000, seed=3)
    predictions = predictor.predict(fresh)
    assert predictions["waste_probability"].mean() == pytest.approx(fresh["wasted"].mean(), abs=0.03)
    assert predictions["waste_probability"].corr(fresh["wasted"].astype(float)) > 0.4
    assert predictions["days_to_waste"].corr(fresh["days_to_waste"]) > 0.9


@pytest.mark.parametrize(
    ("probability", "expected"), [(0.0, "low"), (0.2999, "low"), (0.3, "medium"), (0.6999, "medium"), (0.7, "high")]
)
def test_a_class_begins_at_its_bound(probability, expected):
    assert classify_risk(np.array([probability]), RISK_CLASSES).tolist() == [expected]


def test_a_row_is_predicted_the_same_alone_in_any_order_and_among_other_columns(predictor, features):
    together = predictor.predict(features)
    alone = pd.concat([predictor.predict(features.iloc[[row]]) for row in range(20)])
    pd.testing.assert_frame_equal(alone, together.iloc[:20], check_exact=True)
    mixed = features[NAMES[::-1]].assign(household_id=7).iloc[::-1]
    pd.testing.assert_frame_equal(predictor.predict(mixed).iloc[::-1], together, check_exact=True)


@pytest.mark.parametrize("dtype", ["float64", "Float32", "object"])
def test_features_predict_the_same_in_any_type_that_holds_them(predictor, features, dtype):
    with_nulls = features.mask(features > 2)
    expected = predictor.predict(with_nulls)
    pd.testing.assert_frame_equal(predictor.predict(with_nulls.astype(dtype)), expected, check_exact=True)


def test_missing_features_are_all_named_at_once(predictor, features):
    with pytest.raises(ValueError, match=f"^features are missing: {NAMES[0]}, {NAMES[3]}$"):
        predictor.predict(features.drop(columns=[NAMES[3], NAMES[0]]))


def test_no_item_is_wasted_after_the_horizon(predictor, features):
    hasty = replace(predictor, metadata=predictor.metadata.model_copy(update={"horizon_days": 9}))
    expected = predictor.predict(features)["days_to_waste"].clip(upper=9)
    assert expected.max() == 9
    assert hasty.predict(features)["days_to_waste"].tolist() == expected.tolist()


def test_nothing_open_gives_no_predictions(predictor, features):
    assert len(predictor.predict(features.iloc[:0])) == 0


def test_the_booster_alone_reads_the_features_of_the_predictor(predictor, features):
    assert predictor.classifier.feature_name() == predictor.regressor.feature_name() == NAMES
    raw = predictor.classifier.predict(features)
    expected = predictor.predict(features)["waste_probability"]
    assert predictor.calibrator.transform(raw).tolist() == expected.tolist()


def test_contributions_add_up_to_the_log_odds_of_the_raw_score(predictor, features):
    contributions = predictor.explain(features)
    assert contributions.columns.tolist() == [*NAMES, "base_value"]
    assert contributions.sum(axis=1).to_numpy() == pytest.approx(logit(predictor.classifier.predict(features)))


def test_the_final_rounds_grow_with_the_cube_root_of_the_rows():
    development = plant(1_000)
    folds = pd.DataFrame({"n_train": [125, 125, 1_000], "rounds_classifier": [5, 9, 60], "rounds_regressor": [3, 3, 3]})
    calibrator = fit_calibrator(
        pd.DataFrame({"score": [0.2, 0.8], "wasted": [False, True], "fold": 1}), Calibration(method="isotonic")
    )
    predictor = fit_predictor(development, folds, calibrator, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)
    assert predictor.metadata.rounds == {"classifier": 18, "regressor": 6}
    assert predictor.classifier.num_trees() == 18
    assert predictor.regressor.num_trees() == 6


def test_the_metadata_say_what_the_predictor_was_made_from(predictor):
    development, metadata = plant(), predictor.metadata
    assert metadata.n_rows == 3_000
    assert metadata.horizon_days == 30
    assert metadata.waste_ratio == pytest.approx(development["wasted"].mean())
    assert metadata.feature_names == tuple(NAMES)
    assert (metadata.observed_from, metadata.observed_until) == ("2024-01-01", "2025-02-03")
    assert set(metadata.versions) == {"python", "lightgbm", "numpy", "pandas", "scikit-learn"}
    assert metadata.data_hash == hash_rows(development)
    assert (metadata.provenance.commit, metadata.provenance.parameter_hash) == (None, None)


def test_the_hash_of_rows_is_of_values_and_order_not_of_the_index():
    rows = plant(50)
    assert hash_rows(rows.set_axis(range(50, 100))) == hash_rows(rows)
    assert hash_rows(rows.iloc[::-1]) != hash_rows(rows)
    assert hash_rows(rows.assign(wasted=~rows["wasted"])) != hash_rows(rows)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(predictor):
    assert fit(plant()).to_files() == predictor.to_files()
    other = fit(plant(), TRAINING.model_copy(update={"seed": 8}))
    assert other.to_files()["classifier.txt"] != predictor.to_files()["classifier.txt"]
    assert other.sha256 != predictor.sha256


def test_the_order_of_columns_does_not_change_the_bytes(predictor):
    development = plant()
    turned = fit(development[development.columns[::-1]])
    assert turned.to_files()["classifier.txt"] == predictor.to_files()["classifier.txt"]


def test_fitting_and_predicting_leave_their_arguments_as_they_are(predictor, features):
    before = features.copy(deep=True)
    predictor.predict(features)
    predictor.explain(features)
    pd.testing.assert_frame_equal(features, before)
