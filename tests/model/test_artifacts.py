"""The files of a predictor: whole or not at all, and only those that were written."""

import json
import os
import pickle
from itertools import count
from pathlib import Path

import pandas as pd
import pytest
from planted import NAMES, OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.model import artifacts
from waste_risk.model.calibration import fit_calibrator
from waste_risk.model.predictor import WastePredictor
from waste_risk.parameters import Calibration
from waste_risk.training.fit import fit_predictor

TEXTS = ["calibrator.json", "classifier.txt", "feature_names.json", "metadata.json", "regressor.txt"]
PICKLES = ["calibrator.pkl", "explainer.pkl"]


def fit(n_rounds: int) -> WastePredictor:
    folds = pd.DataFrame({"n_train": [1_000], "rounds_classifier": [n_rounds], "rounds_regressor": [n_rounds]})
    rows = pd.DataFrame({"score": [0.1, 0.4, 0.5, 0.8], "wasted": [False, True, False, True], "fold": 1})
    calibrator = fit_calibrator(rows, Calibration(method="isotonic"))
    return fit_predictor(plant(1_000), folds, calibrator, 0.4, TRAINING, RISK_CLASSES, OBSERVATION)


@pytest.fixture(scope="module")
def predictor() -> WastePredictor:
    return fit(20)


@pytest.fixture(scope="module")
def newer() -> WastePredictor:
    return fit(21)


@pytest.fixture
def folder(tmp_path: Path, predictor: WastePredictor) -> Path:
    predictor.save(tmp_path / "predictor")
    return tmp_path / "predictor"


def test_a_loaded_predictor_is_the_saved_one_bit_for_bit(folder, predictor):
    loaded, features = WastePredictor.load(folder), plant(300, seed=4)
    pd.testing.assert_frame_equal(loaded.predict(features), predictor.predict(features), check_exact=True)
    pd.testing.assert_frame_equal(loaded.explain(features), predictor.explain(features), check_exact=True)
    assert loaded.to_files() == predictor.to_files()
    assert loaded.sha256 == predictor.sha256
    assert (loaded.threshold, loaded.metadata) == (predictor.threshold, predictor.metadata)


def test_saving_twice_writes_the_same_bytes(tmp_path, folder):
    WastePredictor.load(folder).save(tmp_path / "again")
    assert sorted(os.listdir(folder)) == TEXTS
    for name in TEXTS:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.filterwarnings("ignore")  # shap's own
def test_analysts_get_pickles_that_agree_with_the_predictor(tmp_path, predictor):
    predictor.save(tmp_path / "predictor", for_analysts=True)
    calibrator, explainer = (pickle.loads((tmp_path / "predictor" / name).read_bytes()) for name in PICKLES)
    features = plant(50, seed=4)
    contributions = predictor.explain(features)
    assert sorted(os.listdir(tmp_path / "predictor")) == sorted(TEXTS + PICKLES)
    assert calibrator.predict([0.2, 0.45]) == pytest.approx(predictor.calibrator.transform([0.2, 0.45]))
    assert explainer.data is None  # no rows travel with it
    assert explainer.shap_values(features[NAMES]) == pytest.approx(contributions.drop(columns="base_value").to_numpy())
    assert WastePredictor.load(tmp_path / "predictor").sha256 == predictor.sha256


@pytest.mark.parametrize("name", TEXTS + PICKLES)
def test_a_file_that_was_changed_is_refused_by_name(tmp_path, predictor, name):
    folder = tmp_path / "predictor"
    predictor.save(folder, for_analysts=True)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} is not the file that was saved: .*$") as refusal:
        WastePredictor.load(folder)
    assert "\n" not in str(refusal.value)


def test_metadata_with_another_threshold_are_refused(folder):
    metadata = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps(metadata | {"threshold": 0.01}))
    with pytest.raises(ValueError, match="metadata.json is not the file that was saved: the predictor's SHA-256"):
        WastePredictor.load(folder)


def test_a_predictor_of_exchanged_parts_is_refused(tmp_path, folder, newer):
    newer.save(tmp_path / "newer")
    (folder / "classifier.txt").write_bytes((tmp_path / "newer" / "classifier.txt").read_bytes())
    with pytest.raises(ValueError, match="classifier.txt is not the file that was saved"):
        WastePredictor.load(folder)


def test_metadata_cannot_point_outside_of_the_folder(folder):
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["sha256"]["../secret.txt"] = "0" * 64
    (folder / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="metadata.json is not the file that was saved"):
        WastePredictor.load(folder)


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path):
    assert not artifacts.exists(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        WastePredictor.load(tmp_path / "nothing")


def test_a_newer_predictor_replaces_the_older_whole(tmp_path, predictor, newer):
    predictor.save(tmp_path / "predictor", for_analysts=True)
    newer.save(tmp_path / "predictor")
    assert WastePredictor.load(tmp_path / "predictor").sha256 == newer.sha256
    assert sorted(os.listdir(tmp_path / "predictor")) == TEXTS
    assert os.listdir(tmp_path) == ["predictor"]


class Killed(BaseException):
    """What no handler catches."""


# A save writes five files, each synced, syncs their folder, renames twice and syncs the parent: nine steps.
@pytest.mark.parametrize("n_steps", range(9))
def test_whenever_a_save_is_killed_the_old_or_the_new_predictor_is_there(
    tmp_path, predictor, newer, monkeypatch, n_steps
):
    folder = tmp_path / "predictor"
    predictor.save(folder)
    for steps in (n_steps, 5):  # and the next save is killed, too, with its files written
        with monkeypatch.context() as patch:
            _kill_after(steps, patch)
            with pytest.raises(Killed):
                newer.save(folder)
        assert artifacts.exists(folder)
        assert WastePredictor.load(folder).sha256 == (newer if n_steps == 8 else predictor).sha256
    newer.save(folder)
    assert WastePredictor.load(folder).sha256 == newer.sha256
    assert os.listdir(tmp_path) == ["predictor"]


def _kill_after(n_steps, patch):
    steps = count()

    def killing(step):
        def run(*arguments):
            if next(steps) == n_steps:
                raise Killed
            return step(*arguments)

        return run

    patch.setattr(os, "fsync", killing(os.fsync))
    patch.setattr(Path, "rename", killing(Path.rename))
