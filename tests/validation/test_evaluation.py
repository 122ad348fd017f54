"""A predictor and rows in, metrics and text out."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from planted import NAMES, OBSERVATION, RISK_CLASSES, TRAINING, plant
from sklearn.metrics import precision_score, roc_auc_score

from waste_risk.errors import ContractError
from waste_risk.model.calibration import Calibrator
from waste_risk.model.predictor import WastePredictor
from waste_risk.parameters import Costs, Gates, Validation, load
from waste_risk.pipelines.validation.nodes import evaluate_predictions, predict_test
from waste_risk.reporting.text import render_text
from waste_risk.training.fit import fit_predictor
from waste_risk.validation.evaluation import evaluate_predictor

ROOT = Path(__file__).parents[2]
PARAMETERS = "conf/base/parameters_validation.yml"
VALIDATION, GATES = load(Validation, ROOT / PARAMETERS), load(Gates, ROOT / PARAMETERS)
COSTS = Costs(false_alarm=1, missed_item=2)
FEW_RESAMPLES, NO_RESAMPLES = (VALIDATION.model_copy(update={"n_resamples": n}) for n in (50, 0))
CALIBRATOR = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
FOLDS = pd.DataFrame({"n_train": [1_000], "rounds_classifier": [40], "rounds_regressor": [5]})


@pytest.fixture(scope="module")
def predictor() -> WastePredictor:
    return fit_predictor(plant(1_000, n_days=200), FOLDS, CALIBRATOR, 0.4, TRAINING, RISK_CLASSES, OBSERVATION)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    later = plant(1_500, seed=2, n_days=150)
    later["observed_on"] += pd.Timedelta(days=300)
    return later


def readme_example() -> str:
    (block,) = re.findall(
        r"```python\n((?:(?!```).)*evaluate_predictor\(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    return str(block)


def test_the_readmes_example_prints_the_report_and_needs_no_framework(
    predictor: WastePredictor, rows: pd.DataFrame, tmp_path: Path
) -> None:
    predictor.save(tmp_path / "data/simulated/06_models/waste_predictor_final")
    (tmp_path / "data/simulated/05_model_input").mkdir()
    (tmp_path / "conf/base").mkdir(parents=True)
    shutil.copy(ROOT / PARAMETERS, tmp_path / PARAMETERS)
    rows.to_parquet(tmp_path / "data/simulated/05_model_input/test.parquet")
    frameworks = "\nimport sys\nprint(sorted({'kedro', 'mlflow'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", readme_example() + frameworks],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    metrics = evaluate_predictor(predictor, rows, params=VALIDATION)
    assert done.stdout == render_text(metrics) + "\n[]\n"
    assert f"AUC-ROC:                    {metrics.auc.value:.4f}" in done.stdout
    assert "GATE" not in done.stdout


def test_the_metrics_are_those_of_the_predictions(predictor: WastePredictor, rows: pd.DataFrame) -> None:
    metrics = evaluate_predictor(predictor, rows, params=FEW_RESAMPLES)
    predicted = predictor.predict(rows)
    probability, wasted = predicted["waste_probability"], rows["wasted"]
    assert metrics.auc.value == pytest.approx(roc_auc_score(wasted, probability))
    assert metrics.precision.value == pytest.approx(precision_score(wasted, probability >= 0.4))
    assert metrics.n_alerts == (probability >= RISK_CLASSES.high_from).sum()
    off = (predicted["days_to_waste"] - rows["days_to_waste"]).abs()[wasted]
    assert metrics.days_mae is not None
    assert metrics.days_mae.value == pytest.approx(off.mean())
    assert metrics.n_households == rows["household_id"].nunique()
    assert metrics.predictor_sha256 == predictor.sha256


def test_what_the_rows_do_not_say_is_left_out(predictor: WastePredictor, rows: pd.DataFrame) -> None:
    bare = evaluate_predictor(predictor, rows[[*NAMES, "wasted"]], params=NO_RESAMPLES)
    assert bare.auc.value == evaluate_predictor(predictor, rows, params=NO_RESAMPLES).auc.value
    assert (bare.n_households, bare.days_mae, bare.by_month, bare.lead_time) == (None, None, (), None)


def test_without_kedro_the_figures_are_those_of_the_pipelines_report(
    predictor: WastePredictor, rows: pd.DataFrame
) -> None:
    development = plant(1_000, n_days=200)
    _, reported = evaluate_predictions(
        development=development,
        test=rows,
        test_predictions=predict_test(predictor, {"predictor_sha256": predictor.sha256}, development, rows),
        oracle=pd.DataFrame(),
        baseline_predictions=pd.DataFrame(),
        fold_metrics=pd.DataFrame({"auc": [0.8, 0.9]}),
        costs=COSTS,
        cost_threshold=0.3,
        predictor=predictor,
        validation=VALIDATION,
        gates=GATES,
    )
    beyond_the_rows = ("adversarial_validation", "purest_feature", "by_known_household")
    alone = evaluate_predictor(
        predictor,
        rows,
        params=VALIDATION,
        fold_metrics=pd.DataFrame({"auc": [0.8, 0.9]}),
        costs=COSTS,
        cost_threshold=0.3,
    )
    assert alone == replace(reported, **{name: getattr(alone, name) for name in beyond_the_rows})


def test_every_sensitive_column_arrives_in_metrics_report_and_json(
    predictor: WastePredictor, rows: pd.DataFrame
) -> None:
    halves = rows.assign(sensitive_half=rows["household_id"].map(lambda number: "odd" if number % 2 else "even"))
    metrics = evaluate_predictor(predictor, halves, params=NO_RESAMPLES)
    assert [group.name for group in metrics.fairness["half"].groups] == ["even", "odd"]
    assert re.search(r"^FAIRNESS.*\n.*\n.*\nHalf: +0\.\d{4}", render_text(metrics), re.MULTILINE)
    assert metrics.to_dict()["fairness"]["half"]["groups"][1]["name"] == "odd"
    assert "fairness.half.auc_difference" in metrics.flat()


def test_high_confidence_begins_where_the_predictor_says_unless_told_otherwise(
    predictor: WastePredictor, rows: pd.DataFrame
) -> None:
    assert evaluate_predictor(predictor, rows, params=NO_RESAMPLES).high_confidence == RISK_CLASSES.high_from
    assert evaluate_predictor(predictor, rows, params=NO_RESAMPLES, high_confidence=0.5).high_confidence == 0.5


def test_rows_that_it_may_have_learnt_from_are_refused(predictor: WastePredictor) -> None:
    with pytest.raises(ContractError, match=r"must not lie before 2024-08-17.*\(\d+ of 100 rows\)"):
        evaluate_predictor(predictor, plant(100), params=NO_RESAMPLES)


def test_rows_without_an_outcome_are_refused(predictor: WastePredictor, rows: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="no column wasted"):
        evaluate_predictor(predictor, rows[NAMES], params=NO_RESAMPLES)
