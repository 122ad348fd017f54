"""A user's own files: raw tables, and a finished table with features, keys and a label of its own."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from checkout import Checkout, Outcome
from owned import ROLES, TRUE, make_customers
from sklearn.metrics import log_loss, roc_auc_score

from waste_risk.model.predictor import WastePredictor
from waste_risk.model.reasons import explain_items
from waste_risk.simulation import simulate

GATES = (
    "validation.n_resamples=200,gates.min_alerts=20,gates.min_auc=0.8,gates.min_precision_at_high_confidence=0.7,"
    "gates.min_gain_over_baselines=-0.01"  # the truth is nearly a logistic regression
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.make(tmp_path_factory.mktemp("files") / "project")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return make_customers()


@pytest.fixture(scope="module")
def trained(checkout: Checkout, table: pd.DataFrame) -> Outcome:
    (checkout.folder / "parts").mkdir()
    for number in (0, 1):
        part = table.iloc[number::2].drop(columns="churned")
        part.assign(churned=table["churned"].map({True: "yes", False: "no"})).to_csv(
            checkout.folder / f"parts/{number}.csv", index=False, sep=";", decimal=","
        )
    outcome = checkout.run("--env", "files", "--params", f"data_file=parts,{ROLES},{GATES}")
    assert outcome.code == 0, outcome.errors
    return outcome


@pytest.fixture(scope="module")
def folder(checkout: Checkout, trained: Outcome) -> Path:
    assert trained.code == 0
    return checkout.folder / "data/files"


def test_the_closing_lines_say_what_the_table_is_and_what_it_lacks(trained: Outcome) -> None:
    screen = trained.screen
    assert "12,000 of 12,000 rows have a mature label" in screen
    assert "Features:     4, 1 of them text" in screen
    assert "Left out:     days to waste, fairness, category rate, household category rate and days left clock" in screen
    assert "Verdict:      PASS" in screen, screen
    assert "waste_risk_predictor 1 are the challenger" in screen
    assert trained.errors == ""


def test_discrimination_and_calibration_are_near_those_of_the_true_probability(
    folder: Path, table: pd.DataFrame
) -> None:
    predictions = pd.read_parquet(folder / "07_model_output/test_predictions.parquet")
    rows = pd.concat([table.iloc[0::2], table.iloc[1::2]], ignore_index=True).loc[predictions["item_id"]]
    true, predicted = rows[TRUE].to_numpy(), predictions["waste_probability"].to_numpy()
    np.testing.assert_array_equal(rows["churned"], predictions["wasted"])
    assert roc_auc_score(rows["churned"], true) - 0.012 < roc_auc_score(rows["churned"], predicted)
    assert log_loss(rows["churned"], predicted) < log_loss(rows["churned"], true) + 0.02
    assert np.abs(predicted - true).mean() < 0.05
    assert abs(predicted.mean() - true.mean()) < 0.02
    metrics = json.loads((folder / "08_reporting/validation_metrics.json").read_text())
    assert metrics["expected_calibration_error"]["value"] < 0.04
    assert {*metrics["baselines"]} == {"household_rate", "logistic_regression"}


def test_days_are_null_and_said_to_be_not_given(folder: Path) -> None:
    predictions = pd.read_parquet(folder / "07_model_output/test_predictions.parquet")
    assert predictions["predicted_days_to_waste"].isna().all()
    metrics = json.loads((folder / "08_reporting/validation_metrics.json").read_text())
    assert metrics["days_mae"] is None
    assert metrics["fairness"] == {}
    report = (folder / "08_reporting/validation_report.txt").read_text()
    assert "Not given:                  days to waste, sensitive attributes" in report
    assert "No days until then: they were not given." in (folder / "08_reporting/validation_report.html").read_text()


def test_the_registered_predictor_takes_the_table_as_it_is(
    checkout: Checkout, folder: Path, table: pd.DataFrame
) -> None:
    predictor = WastePredictor.load(folder / "06_models/waste_predictor_final")
    assert predictor.metadata.levels == {"plan": ("basic", "family", "pro", "student")}
    rows = table.head(200).assign(plan=table["plan"].mask(table.index % 5 == 0, "unseen").mask(table.index % 7 == 0))
    mlflow.set_tracking_uri(checkout.store)
    registered = mlflow.pyfunc.load_model("models:/waste_risk_predictor@challenger")
    pd.testing.assert_frame_equal(registered.predict(rows), predictor.predict(rows))
    (pro, basic) = (predictor.predict(table.assign(plan=plan))["waste_probability"].mean() for plan in ("pro", "basic"))
    unseen = predictor.predict(table.assign(plan="unseen"))["waste_probability"].mean()
    assert pro < unseen < basic
    sentences = {sentence for each in explain_items(predictor, table.head(50)) for sentence in each}
    assert "Plan: basic." in sentences


def test_a_challenger_is_promoted_and_the_users_files_are_as_they_were(checkout: Checkout, folder: Path) -> None:
    before = {path: path.read_bytes() for path in sorted((checkout.folder / "parts").iterdir())}
    outcome = checkout.run("--env", "files", "--pipelines", "promotion")
    assert outcome.code == 0, outcome.errors
    assert "the challenger is promoted" in outcome.screen
    assert {path: path.read_bytes() for path in sorted((checkout.folder / "parts").iterdir())} == before
    assert (folder / "08_reporting/promotion_decision.json").exists()


def test_rows_without_a_label_are_scored_by_the_champion(checkout: Checkout, folder: Path, table: pd.DataFrame) -> None:
    table.drop(columns="churned").tail(300).to_parquet(checkout.folder / "new.parquet")
    run = ("--env", "files", "--pipelines", "table_scoring", "--params", f"data_file=new.parquet,{ROLES}")
    outcome = checkout.run(*run)
    assert outcome.code == 0, outcome.errors
    assert "Scored:       300 rows without a label, by version 1 of the model" in outcome.screen
    scored = pd.read_parquet(folder / "07_model_output/scored_rows.parquet")
    expected = WastePredictor.load(folder / "06_models/waste_predictor_final").predict(table.tail(300))
    np.testing.assert_array_equal(scored["waste_probability"], expected["waste_probability"])
    assert scored["household_id"].tolist() == table["customer"].tail(300).tolist()
    assert scored["reason_1"].notna().equals(scored["is_alert"])


def test_raw_tables_in_files_give_what_the_simulator_gives(checkout: Checkout, trained: Outcome) -> None:
    assert trained.code == 0
    tables, raw = simulate(n_households=60, n_items_per_household=40, seed=5), checkout.folder / "raw"
    raw.mkdir()
    for name in ("households", "items", "events"):
        getattr(tables, name).to_csv(raw / f"{name}.csv", index=False, sep="\t", encoding="utf-16")
    run = ("--env", "files", "--pipelines", "data_engineering", "--params")
    outcome = checkout.run(*run, "data_file=raw")
    assert outcome.code == 0, outcome.errors
    from_csv = pd.read_parquet(checkout.folder / "data/files/05_model_input/model_input.parquet")
    for name in ("households", "items", "events"):
        (raw / f"{name}.csv").unlink()
        getattr(tables, name).to_parquet(raw / f"{name}.parquet")
    assert checkout.run(*run, "data_file=raw").code == 0
    from_parquet = pd.read_parquet(checkout.folder / "data/files/05_model_input/model_input.parquet")
    pd.testing.assert_frame_equal(from_csv, from_parquet)
    assert len(from_csv) > 1_000


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("", "finished_table: data_file is not set; add --params data_file=PATH: a file, a folder of parts or a glob"),
        ("--params data_file=raw", "raw holds raw tables and no finished one; add --pipelines retrain"),
        ("--params data_file=nowhere.csv", "nowhere.csv does not exist"),
        (
            "--params data_file=data/files/05_model_input/model_input.parquet",
            "lies in data/files, which runs of this source write; keep your files elsewhere.",
        ),
        ("--params data_file=parts,columns.time=when", "lacks the columns item_id (columns.item), household_id"),
        ("--pipelines data_generation", "data_generation would write events"),
    ],
)
def test_what_cannot_be_read_is_one_line(checkout: Checkout, trained: Outcome, arguments: str, reason: str) -> None:
    assert trained.code == 0
    (checkout.folder / "raw").mkdir(exist_ok=True)
    for name in ("households", "items", "events"):
        (checkout.folder / f"raw/{name}.parquet").touch()
    outcome = checkout.run("--env", "files", *arguments.split())
    assert outcome.code == 1
    (line,) = outcome.errors.splitlines()
    assert reason in line


def test_receipts_become_a_finished_table_whose_label_nobody_simulated(checkout: Checkout) -> None:
    run = ("--env", "complete_journey_repurchase", "--pipelines", "repurchase,finished_table")
    outcome = checkout.run(*run)
    assert outcome.code == 0, outcome.errors
    assert "Features:     14, 1 of them text" in outcome.screen
    folder = checkout.folder / "data/complete_journey_repurchase"
    rows = pd.read_parquet(folder / "05_model_input/model_input.parquet")
    purchases = pd.read_parquet(folder / "01_raw/purchases.parquet", columns=["purchased_on"])["purchased_on"]
    assert 0.85 < rows["wasted"].mean() < 0.95
    assert rows["days_to_waste"].notna().equals(rows["wasted"])
    assert (rows["observed_on"] - purchases.min() >= pd.Timedelta(days=90)).all()
    assert (rows["label_known_on"] <= purchases.max()).all()
    table = pd.read_parquet(folder / "01_raw/finished_table.parquet", columns=["bought_again"])
    assert 0 < table["bought_again"].isna().sum() == len(table) - len(rows)
