"""Cross-validation: what is predicted for whom, from which past."""

import numpy as np
import pandas as pd
import pytest
from planted import NAMES, NUMBER, OBSERVATION, SPLIT, TRAINING, plant
from sklearn.metrics import average_precision_score, roc_auc_score

from waste_risk.errors import ContractError
from waste_risk.training.cross_validation import cross_validate
from waste_risk.training.splits import PurgedTimeSeriesSplit


@pytest.fixture(scope="module")
def development() -> pd.DataFrame:
    return plant()


@pytest.fixture(scope="module")
def results(development: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return cross_validate(development, TRAINING, SPLIT, OBSERVATION)


def test_every_row_after_the_first_block_is_predicted_once_under_its_own_keys(development, results):
    out_of_fold, *_ = results
    folds = PurgedTimeSeriesSplit(SPLIT.n_folds, OBSERVATION.horizon_days).split(
        development, development["wasted"], development["observed_on"]
    )
    validated = np.concatenate([positions for _, positions in folds])
    kept = ["item_id", "household_id", "observed_on", "wasted", "days_to_waste"]
    pd.testing.assert_frame_equal(out_of_fold[kept], development.iloc[validated][kept].reset_index(drop=True))
    assert out_of_fold["score"].between(0, 1).all()
    assert out_of_fold["days"].between(0, OBSERVATION.horizon_days).all()


def test_a_planted_signal_is_found_in_every_fold(results):
    _, fold_metrics, _ = results
    assert (fold_metrics["auc"] > 0.75).all()
    assert (fold_metrics["days_mae"] < 3).all()  # a constant has 4.4


def test_fold_metrics_agree_with_scikit_learn(results):
    out_of_fold, fold_metrics, _ = results
    for measured in fold_metrics.itertuples():
        validated = out_of_fold[out_of_fold["fold"] == measured.fold]
        alerts = validated["score"] >= 0.5
        assert measured.n_test == len(validated)
        assert measured.auc == pytest.approx(roc_auc_score(validated["wasted"], validated["score"]))
        assert measured.avg_precision == pytest.approx(average_precision_score(validated["wasted"], validated["score"]))
        assert measured.precision_at_50 == pytest.approx(validated["wasted"][alerts].mean())
        assert measured.recall_at_50 == pytest.approx(alerts[validated["wasted"]].mean())
        assert measured.mean_score == pytest.approx(validated["score"].mean())
        errors = (validated["days"] - validated["days_to_waste"])[validated["wasted"]]
        assert measured.days_mae == pytest.approx(errors.abs().mean())
        assert measured.days_rmse == pytest.approx((errors**2).mean() ** 0.5)


def test_no_fold_trains_on_a_label_known_after_its_first_day(results):
    _, fold_metrics, _ = results
    gap = fold_metrics["test_from"] - fold_metrics["train_until"]
    assert (gap >= pd.Timedelta(days=OBSERVATION.horizon_days)).all()
    assert fold_metrics["n_train"].is_monotonic_increasing
    assert (fold_metrics["test_from"] > fold_metrics["test_until"].shift()).iloc[1:].all()


def test_what_happens_after_a_fold_begins_does_not_change_it(development, results):
    out_of_fold, fold_metrics, _ = results
    from_here = fold_metrics["test_from"].iloc[-1]
    unknown = development["label_known_on"] > from_here
    other_future = development.assign(wasted=development["wasted"] ^ unknown).assign(
        days_to_waste=lambda rows: np.where(rows["wasted"], rows["days_to_waste"].fillna(3.0), np.nan)
    )
    again, *_ = cross_validate(other_future, TRAINING, SPLIT, OBSERVATION)
    before = out_of_fold["fold"] <= SPLIT.n_folds
    assert unknown.any()
    assert again.loc[before, "score"].tolist() == out_of_fold.loc[before, "score"].tolist()


def test_rounds_stand_in_a_table_of_their_own_and_no_metric_is_one(results):
    _, fold_metrics, fold_rounds = results
    assert fold_rounds.columns.tolist() == ["fold", "n_train", "rounds_classifier", "rounds_regressor"]
    assert fold_rounds[["fold", "n_train"]].equals(fold_metrics[["fold", "n_train"]])
    assert (fold_rounds > 0).all(axis=None)
    assert not [name for name in fold_metrics if "rounds" in name]


def test_shuffled_labels_cannot_be_predicted(development):
    shuffled = development.assign(wasted=development["wasted"].sample(frac=1, random_state=5).to_numpy()).assign(
        days_to_waste=lambda rows: np.where(rows["wasted"], 3.0, np.nan)
    )
    out_of_fold, *_ = cross_validate(shuffled, TRAINING, SPLIT, OBSERVATION)
    assert roc_auc_score(out_of_fold["wasted"], out_of_fold["score"]) == pytest.approx(0.5, abs=0.05)


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(development, results):
    on_two = cross_validate(development, TRAINING.model_copy(update={"num_threads": 2}), SPLIT, OBSERVATION)
    for once, again in zip(results, on_two, strict=True):
        pd.testing.assert_frame_equal(once, again, check_exact=True)


@pytest.mark.usefixtures("results")
def test_the_arguments_stay_as_they_are(development):
    pd.testing.assert_frame_equal(development, plant())


def test_a_fold_of_one_class_is_refused(development):
    none_wasted = development.assign(wasted=False, days_to_waste=np.nan)
    with pytest.raises(ValueError, match="fold 1: the training rows hold one class only"):
        cross_validate(none_wasted, TRAINING, SPLIT, OBSERVATION)


def test_the_features_are_those_of_the_table(development):
    alone = development.drop(columns=[name for name in NAMES if name != NUMBER])
    _, fold_metrics, _ = cross_validate(alone, TRAINING, SPLIT, OBSERVATION)
    assert (fold_metrics["auc"] > 0.6).all()


def test_labels_of_another_horizon_are_refused(development):
    other = OBSERVATION.model_copy(update={"horizon_days": 7})
    with pytest.raises(ContractError, match=r"horizon_days = 7 days after observed_on \(3000 of 3000 rows\)"):
        cross_validate(development, TRAINING, SPLIT, other)
