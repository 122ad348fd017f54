"""Which features the classifier leans on."""

import numpy as np
import pandas as pd
import pytest
import shap
from planted import INDICATOR, NUMBER, OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.features import FEATURES
from waste_risk.model.calibration import Calibrator
from waste_risk.model.importance import explain
from waste_risk.model.predictor import WastePredictor
from waste_risk.training.fit import fit_predictor

IDENTITY = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
FOLDS = pd.DataFrame({"n_train": [2_000], "rounds_classifier": [40], "rounds_regressor": [5]})


@pytest.fixture(scope="module")
def predictor() -> WastePredictor:
    return fit_predictor(plant(2_000), FOLDS, IDENTITY, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)


@pytest.fixture(scope="module")
def feature_importance(predictor) -> pd.DataFrame:
    return explain(predictor, plant(2_000))


def test_every_feature_is_ranked_with_its_meaning(feature_importance):
    assert feature_importance.columns.tolist() == ["feature", "mean_abs_shap", "gain", "meaning"]
    assert dict(zip(feature_importance["feature"], feature_importance["meaning"], strict=True)) == {
        feature.name: feature.meaning for feature in FEATURES
    }
    assert feature_importance["mean_abs_shap"].is_monotonic_decreasing


def test_the_planted_features_come_first(feature_importance):
    assert set(feature_importance["feature"].head(2)) == {NUMBER, INDICATOR}
    assert set(feature_importance.nlargest(2, "gain")["feature"]) == {NUMBER, INDICATOR}


@pytest.mark.filterwarnings("ignore")  # shap's own
def test_the_values_are_those_of_shaps_tree_explainer(predictor, feature_importance):
    sample = plant(2_000).sample(n=TRAINING.explain_rows, random_state=TRAINING.seed)
    names = list(predictor.metadata.feature_names)
    expected = np.abs(shap.TreeExplainer(predictor.classifier).shap_values(sample[names])).mean(axis=0)
    by_feature = feature_importance.set_index("feature")["mean_abs_shap"]
    assert by_feature[names].to_numpy() == pytest.approx(expected)


def test_fewer_rows_than_the_sample_are_all_taken(predictor):
    rows = plant(50)
    shuffled = rows.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(explain(predictor, rows), explain(predictor, shuffled))
