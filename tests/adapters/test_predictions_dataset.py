"""Predictions on disk: a file for each moment and predictor, added once and never replaced."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError

from waste_risk.adapters.predictions import PredictionsDataset
from waste_risk.tables.contracts import check, empty_table

SHA = "4bca6b50df1f" + "0" * 52
OTHER = "ffffffffffff" + "0" * 52


def predictions(as_of: str = "2025-06-23", sha256: str = SHA, probability: float = 0.25) -> pd.DataFrame:
    """Two items, the second of them an alert."""
    moment = pd.Timestamp(as_of)
    frame = pd.DataFrame(
        {
            "as_of": moment,
            "item_id": [2, 1],
            "household_id": [7, 7],
            "waste_probability": [probability, 0.75],
            "days_to_waste": [3.5, 2.0],
            "risk_class": pd.Categorical(["low", "high"], ["low", "medium", "high"]),
            "is_alert": [False, True],
            "alerted_on": [pd.NaT, moment],
            "reason_1": [None, "You bought 3 of it."],
            "reason_2": None,
            "reason_3": None,
            "model_version": "3",
            "predictor_sha256": sha256,
        }
    ).astype(dict.fromkeys(("reason_1", "reason_2", "reason_3"), "str"))
    return check("predictions", frame)


@pytest.fixture
def dataset(tmp_path: Path) -> PredictionsDataset:
    return PredictionsDataset(str(tmp_path / "predictions"), save_args={"compression": "zstd"})


def files(dataset: PredictionsDataset) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in dataset._folder.iterdir()}


@pytest.mark.parametrize(
    ("as_of", "name"),
    [
        ("2025-06-23", "2025-06-23_4bca6b50df1f.parquet"),
        ("2025-06-23T18:05:30", "2025-06-23T180530_4bca6b50df1f.parquet"),
        ("2025-06-23T18:05:30.000007", "2025-06-23T180530.000007_4bca6b50df1f.parquet"),
    ],
)
def test_a_file_is_named_after_moment_and_predictor(dataset: PredictionsDataset, as_of: str, name: str) -> None:
    dataset.save(predictions(as_of))
    assert list(files(dataset)) == [name]
    pd.testing.assert_frame_equal(dataset.load(), predictions(as_of), check_exact=True)


def test_moments_are_loaded_in_the_order_of_time_whenever_they_were_added(dataset: PredictionsDataset) -> None:
    moments = ["2025-06-23T18:00", "2025-06-24", "2025-06-23", "2025-06-22T23:59:59.5"]
    for moment in moments:
        dataset.save(predictions(moment))
    loaded = dataset.load()
    assert loaded["as_of"].tolist() == [each for moment in sorted(moments) for each in [pd.Timestamp(moment)] * 2]
    assert loaded.index.tolist() == list(range(8))
    assert isinstance(loaded["risk_class"].dtype, pd.CategoricalDtype)


def test_the_same_again_leaves_the_file_alone(dataset: PredictionsDataset) -> None:
    dataset.save(predictions())
    before = files(dataset)
    dataset.save(predictions())
    assert files(dataset) == before
    PredictionsDataset(str(dataset._folder)).save(predictions())  # equal rows, differently compressed
    assert files(dataset) == before


def test_an_alert_that_was_added_for_an_earlier_moment_changes_nothing_that_is_there(
    dataset: PredictionsDataset,
) -> None:
    dataset.save(predictions())
    before = files(dataset)
    dataset.save(predictions().assign(alerted_on=pd.Timestamp("2025-06-20")))
    assert files(dataset) == before


def test_other_predictions_of_a_moment_are_refused_and_those_of_another_champion_are_not(
    dataset: PredictionsDataset,
) -> None:
    dataset.save(predictions())
    before = files(dataset)
    with pytest.raises(DatasetError, match="holds other predictions by this predictor: .* move the file away") as error:
        dataset.save(predictions(probability=0.5))
    assert "\n" not in str(error.value)
    assert files(dataset) == before
    dataset.save(predictions(sha256=OTHER, probability=0.5))
    assert dataset.load()["predictor_sha256"].tolist() == [SHA, SHA, OTHER, OTHER]


def test_without_any_the_table_is_empty_and_nothing_is_added_for_an_empty_one(dataset: PredictionsDataset) -> None:
    empty = empty_table("predictions")
    pd.testing.assert_frame_equal(dataset.load(), empty)
    dataset.save(empty)
    assert not dataset._folder.exists()
    assert not dataset.exists()
    dataset.save(predictions())
    assert dataset.exists()


def test_some_columns_of_the_alerts_can_be_loaded_alone(dataset: PredictionsDataset) -> None:
    names = ["as_of", "item_id", "is_alert"]
    part = PredictionsDataset(str(dataset._folder), {"columns": names, "filters": [["is_alert", "==", True]]})
    assert part.load().columns.tolist() == names
    quiet = predictions("2025-06-25").assign(is_alert=False, alerted_on=pd.NaT, reason_1=None)
    dataset.save(check("predictions", quiet))
    assert part.load().columns.tolist() == names
    dataset.save(predictions())
    assert part.load().to_dict("records") == [{"as_of": pd.Timestamp("2025-06-23"), "item_id": 1, "is_alert": True}]


def test_several_moments_at_once_are_refused(dataset: PredictionsDataset) -> None:
    with pytest.raises(DatasetError, match="^predictions of one moment by one predictor"):
        dataset.save(pd.concat([predictions(), predictions("2025-06-24")]))
    assert not dataset._folder.exists()


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"as_of,item_id\n2025-06-23,77\n"])
def test_a_file_that_is_no_table_is_named_without_what_it_holds(dataset: PredictionsDataset, content: bytes) -> None:
    dataset.save(predictions())
    (path,) = dataset._folder.iterdir()
    path.write_bytes(content)
    for use in (dataset.load, lambda: dataset.save(predictions())):
        with pytest.raises(DatasetError, match=f"^{path} cannot be read as predictions") as error:
            use()
        assert "77" not in str(error.value)
        assert "\n" not in str(error.value)


def test_the_contract_is_kept_in_the_catalog(tmp_path: Path) -> None:
    validator = {"class": "waste_risk.adapters.contracts.Contract", "options": {"table": "predictions"}}
    kind = "waste_risk.adapters.predictions.PredictionsDataset"
    entry = {"type": kind, "filepath": str(tmp_path / "predictions"), "validator": validator}
    catalog = DataCatalog.from_config({"predictions": entry})
    with pytest.raises(Exception, match=r"^predictions.waste_probability: must lie between 0 and 1 \(1 of 2 rows\)"):
        catalog.save("predictions", predictions().assign(waste_probability=[1.5, 0.75]))
    assert not (tmp_path / "predictions").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.append(sys.argv[2])
from test_predictions_dataset import PredictionsDataset, predictions
write = Path.write_bytes
def write_half(path, content):
    write(path, content[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
Path.write_bytes = write_half
PredictionsDataset(sys.argv[1]).save(predictions("2025-06-24"))
"""


def test_a_killed_writer_adds_nothing_and_the_next_one_all(dataset: PredictionsDataset) -> None:
    dataset.save(predictions())
    arguments = [sys.executable, "-c", KILLED, str(dataset._folder), str(Path(__file__).parent)]
    done = subprocess.run(arguments, env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(dataset._folder.iterdir())) == 2  # half of it, under another name
    pd.testing.assert_frame_equal(dataset.load(), predictions())
    dataset.save(predictions("2025-06-24"))
    assert len(dataset.load()) == 4
