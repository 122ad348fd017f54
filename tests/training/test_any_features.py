"""Tables with other features than ours: text is learned from, and days that nobody recorded are null."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planted import OBSERVATION, RISK_CLASSES, SPLIT, TRAINING, plant
from sklearn.metrics import roc_auc_score

from waste_risk.errors import ContractError
from waste_risk.model.calibration import Calibrator
from waste_risk.model.importance import explain
from waste_risk.model.lightgbm_calls import make_null_booster, predict
from waste_risk.model.predictor import MANY_ROWS, WastePredictor
from waste_risk.model.reasons import find_reasons
from waste_risk.parameters import Baselines, Validation
from waste_risk.pipelines.training.nodes import simulate_example
from waste_risk.promotion.comparison import Contender
from waste_risk.training.cross_validation import cross_validate, summarise_folds
from waste_risk.training.fit import fit_predictor
from waste_risk.validation.baselines import missing_baselines, predict_baselines
from waste_risk.validation.leakage import find_purest_feature

LETTERS = list("abcdefgh")
RISKY = {"b", "e", "g"}  # in no order of the alphabet


def make_rows(n_rows: int = 3_000, seed: int = 1) -> pd.DataFrame:
    """Rows whose outcome follows from a text alone; beside it a number that says nothing."""
    random = np.random.default_rng(seed)
    keys = plant(n_rows, seed)[["item_id", "household_id", "observed_on", "label_known_on"]]
    letter = pd.Series(random.choice(LETTERS, n_rows), dtype="str")
    wasted = random.random(n_rows) < np.where(letter.isin(RISKY), 0.8, 0.1)
    return keys.assign(letter=letter, noise=random.normal(size=n_rows).astype("float32"), wasted=wasted).assign(
        days_to_waste=np.nan
    )


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return make_rows()


@pytest.fixture(scope="module")
def folds(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return cross_validate(rows, TRAINING, SPLIT, OBSERVATION)


@pytest.fixture(scope="module")
def predictor(rows: pd.DataFrame, folds: tuple[pd.DataFrame, ...]) -> WastePredictor:
    calibrator = Calibrator("sigmoid", (0.0, 1.0), (0.0, 1.0))
    return fit_predictor(rows, folds[2], calibrator, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)


def test_text_is_learned_from_and_the_other_feature_is_not(
    rows: pd.DataFrame, folds: tuple[pd.DataFrame, ...], predictor: WastePredictor
) -> None:
    attainable = roc_auc_score(rows["wasted"], rows["letter"].isin(RISKY))
    assert (folds[1]["auc"] > attainable - 0.05).all()
    importance = explain(predictor, rows)
    assert importance["feature"].tolist() == ["letter", "noise"]
    assert importance["meaning"].tolist() == ["letter", "noise"]
    assert importance["mean_abs_shap"][0] > 10 * importance["mean_abs_shap"][1]


def test_a_level_that_was_not_there_is_predicted_alike_whatever_it_is(
    rows: pd.DataFrame, predictor: WastePredictor
) -> None:
    some = rows.head(20)
    one, other = (predictor.predict(some.assign(letter=text))["waste_probability"] for text in ("x", "no such"))
    pd.testing.assert_series_equal(one, other)
    assert one.between(0.05, 0.85).all()
    assert predictor.predict(some.assign(letter=None))["waste_probability"].between(0, 1).all()
    assert predictor.metadata.levels == {"letter": tuple(LETTERS)}


def test_days_that_nobody_recorded_are_predicted_as_null(
    rows: pd.DataFrame, folds: tuple[pd.DataFrame, ...], predictor: WastePredictor
) -> None:
    out_of_fold, fold_metrics, fold_rounds = folds
    assert out_of_fold["days"].isna().all()
    assert fold_metrics[["days_mae", "days_rmse"]].isna().all(axis=None)
    assert (fold_rounds["rounds_regressor"] == 0).all()
    assert not [name for name in summarise_folds(fold_metrics) if "days" in name]
    assert predictor.metadata.rounds["regressor"] == 0
    many = pd.concat([rows] * 4, ignore_index=True)
    assert len(many) > MANY_ROWS
    predicted = predictor.predict(many)
    assert predicted["days_to_waste"].isna().all()
    pd.testing.assert_frame_equal(predicted.head(len(rows)), predictor.predict(rows))
    assert np.isnan(predict(make_null_booster(["a", "b"]), np.zeros((3, 2)))).all()


def test_it_is_read_back_as_it_was(rows: pd.DataFrame, predictor: WastePredictor, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("predictor")
    predictor.save(folder / "it")
    again = WastePredictor.load(folder / "it")
    assert again.sha256 == predictor.sha256
    pd.testing.assert_frame_equal(again.predict(rows), predictor.predict(rows))


def test_the_metadata_of_numbers_alone_do_not_speak_of_levels(predictor: WastePredictor) -> None:
    assert '"levels"' in predictor.to_files()["metadata.json"]
    plain = plant(900)
    _, _, fold_rounds = cross_validate(plain, TRAINING, SPLIT, OBSERVATION)
    of_numbers = fit_predictor(plain, fold_rounds, predictor.calibrator, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)
    assert '"levels"' not in of_numbers.to_files()["metadata.json"]


def test_a_reason_of_a_text_is_its_column_and_its_level(rows: pd.DataFrame, predictor: WastePredictor) -> None:
    ((first, _),) = find_reasons(predictor, rows[rows["letter"] == "e"].head(1))
    assert (first.topic, first.sentence) == ("letter", "Letter: e.")
    assert first.raises


def test_baselines_that_need_our_columns_are_left_out(rows: pd.DataFrame) -> None:
    development, test = (
        rows.iloc[:2_000],
        rows.iloc[2_000:].assign(letter=lambda frame: frame["letter"].mask(frame.index % 9 == 0, "x")),
    )
    baselines = predict_baselines(development, test, Baselines(prior_rows=10))
    assert [*baselines] == ["household_rate", "logistic_regression"]
    assert missing_baselines(rows) == ["category_rate", "household_category_rate", "days_left_clock"]
    known = (test["letter"] != "x").to_numpy()
    assert roc_auc_score(test["wasted"][known], baselines["logistic_regression"][known]) > 0.8
    own = development[development["household_id"] == test["household_id"].iloc[0]]["wasted"]
    expected = (own.sum() + 10 * development["wasted"].mean()) / (len(own) + 10)
    assert baselines["household_rate"].iloc[0] == pytest.approx(expected)


def test_predictors_that_read_a_column_as_text_and_as_numbers_are_not_compared(
    rows: pd.DataFrame, predictor: WastePredictor
) -> None:
    text = Contender.predict(predictor, rows, source="files")
    number = replace(text, feature_names=predictor.metadata.feature_names)
    with pytest.raises(ContractError, match=r"they read different features \(letter, letter \(text\)\)"):
        number.kind.refuse_another(text.kind)


def test_a_text_that_tells_the_outcome_is_named_as_a_leak(rows: pd.DataFrame) -> None:
    leak = rows.assign(letter=np.where(rows["wasted"], "churned", "stays"))
    params = Validation.model_construct(seed=1, confidence=0.95, n_resamples=10)
    purest = find_purest_feature(
        leak.iloc[:2_000], leak.iloc[2_000:], ("letter", "noise"), params, {"letter": ("churned", "stays")}
    )
    assert purest.name == "letter"
    assert purest.precision.low > 0.98


def test_the_example_of_other_features_holds_no_row(predictor: WastePredictor) -> None:
    example = simulate_example(OBSERVATION, predictor.metadata.encoding)
    assert example.to_dict("records") == [{"letter": "a", "noise": 0.0}]
