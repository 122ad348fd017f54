"""Files are the old or the new ones, and come back as they were saved."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from kedro_mlflow.io.artifacts import MlflowArtifactDataset
from matplotlib.figure import Figure
from pyarrow.parquet import ParquetFile

from waste_risk.adapters.datasets import (
    AtomicFigureDataset,
    AtomicJSONDataset,
    AtomicParquetDataset,
    AtomicTextDataset,
    PredictorDataset,
)
from waste_risk.adapters.mlflow_datasets import MetricsDataset, ParametersDataset, RunRecordDataset
from waste_risk.adapters.tracking import flatten
from waste_risk.metrics.bootstrap import Estimate
from waste_risk.parameters import RiskClasses
from waste_risk.validation.gates import Gate, GateDecision, Relation

TABLE = pd.DataFrame(
    {
        "text": pd.array(["x", None, "ü"], dtype="str"),
        "category": pd.Categorical(["b", None, "b"], categories=["z", "b", "a"]),
        "whole": pd.array([1, None, 3], dtype="Int64"),
        "flag": pd.array([True, None, False], dtype="boolean"),
        "small": np.array([1.5, np.nan, 0.1], dtype="float32"),
        "moment": np.array(["2024-05-01T12:30:00.000001", "NaT", "1969-01-01"], dtype="datetime64[us]"),
    }
)


def test_a_table_comes_back_with_its_types_and_with_categories_that_no_row_has(tmp_path: Path) -> None:
    dataset = AtomicParquetDataset(str(tmp_path / "new/table.parquet"))
    assert not dataset.exists()
    dataset.save(TABLE)
    assert dataset.exists()
    pd.testing.assert_frame_equal(dataset.load(), TABLE)


def test_equal_tables_are_equal_files(tmp_path: Path) -> None:
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path in paths:
        AtomicParquetDataset(str(path)).save(TABLE.copy())
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_options_of_reading_and_writing_a_table_go_to_pandas(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    dataset = AtomicParquetDataset(
        str(path), load_args={"columns": ["flag", "text"]}, save_args={"compression": "gzip"}
    )
    dataset.save(TABLE)
    assert ParquetFile(path).metadata.row_group(0).column(0).compression == "GZIP"
    pd.testing.assert_frame_equal(dataset.load(), TABLE[["flag", "text"]])


@pytest.mark.parametrize("save_args", [{"compression": "nope"}, {"compresion": "zstd"}])
def test_a_wrong_option_of_writing_is_refused_in_one_line(tmp_path: Path, save_args: dict[str, str]) -> None:
    path = tmp_path / "table.parquet"
    with pytest.raises(DatasetError, match=rf"^{path} cannot be written as a Parquet table: \w+$"):
        AtomicParquetDataset(str(path), save_args=save_args).save(TABLE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("dataset", "good", "bad"),
    [
        (AtomicParquetDataset, TABLE, pd.DataFrame({"a": [object()]})),
        (AtomicTextDataset, "old ✓\n", 7),
        (AtomicJSONDataset, {"old": [1, None, "✓"]}, {"new": float("nan")}),
        (AtomicJSONDataset, {"old": 1}, {"new": object()}),
    ],
)
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, dataset: type, good: object, bad: object
) -> None:
    path = tmp_path / "file"
    dataset(str(path)).save(good)
    before = path.read_bytes()
    with pytest.raises(DatasetError):
        dataset(str(path)).save(bad)
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == before


def test_a_process_that_is_killed_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    AtomicParquetDataset(str(path)).save(TABLE)
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from waste_risk.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    source = str(Path(__file__).parents[2] / "src")
    killed = subprocess.run([sys.executable, "-c", program, str(path)], env={"PYTHONPATH": source}, check=False)
    assert killed.returncode == -9
    pd.testing.assert_frame_equal(AtomicParquetDataset(str(path)).load(), TABLE)


@pytest.mark.parametrize("cut", [0, 5, 200])
def test_a_truncated_table_is_refused_in_one_line_that_names_it(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "table.parquet"
    dataset = AtomicParquetDataset(str(path))
    dataset.save(TABLE)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DatasetError) as error:
        dataset.load()
    assert str(error.value).startswith(f"{path} cannot be read as a Parquet table: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("dataset", "content", "kind"),
    [
        (AtomicJSONDataset, b"{", "JSON"),
        (AtomicTextDataset, b"\xff\xfe\xfa", "text"),
        (AtomicParquetDataset, b"a,b\n1,2\n", "a Parquet table"),
    ],
)
def test_a_foreign_file_is_refused_as_what_it_should_be(
    tmp_path: Path, dataset: type, content: bytes, kind: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"^{path} cannot be read as {kind}: "):
        dataset(str(path)).load()


@pytest.mark.parametrize("dataset", [AtomicParquetDataset, AtomicTextDataset, AtomicJSONDataset])
def test_a_missing_file_is_said_to_be_missing(tmp_path: Path, dataset: type) -> None:
    with pytest.raises(DatasetError, match=f"^{tmp_path / 'none'} does not exist$"):
        dataset(str(tmp_path / "none")).load()


def test_json_takes_what_numpy_counts(tmp_path: Path) -> None:
    dataset = AtomicJSONDataset(str(tmp_path / "a.json"))
    dataset.save({"n": np.int64(3), "share": np.float32(0.5), "sure": np.bool_(True)})
    assert dataset.load() == {"n": 3, "share": 0.5, "sure": True}


def test_a_record_comes_back_as_an_equal_object(tmp_path: Path) -> None:
    gates = (
        Gate("auc", "AUC >= 0.85", False, None, 0.85, Relation.AT_LEAST, "AUC", "It ranks.", reason="AUC is undefined"),
        Gate("slope", "Slope", True, 0.9, (0.8, 1.2), Relation.WITHIN, "Slope", "It fits.", estimate=Estimate(0.9)),
    )
    decision = GateDecision(approved=False, gates=gates, reasons=("AUC is undefined",))
    dataset = AtomicJSONDataset(str(tmp_path / "a.json"), record="waste_risk.validation.gates.GateDecision")
    dataset.save(decision)
    assert dataset.load() == decision


def test_numbers_that_json_lacks_come_back_in_a_record(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    dataset = AtomicJSONDataset(str(path), record="waste_risk.metrics.bootstrap.Estimate")
    dataset.save(Estimate(value=math.nan, low=-math.inf, high=None))
    assert json.loads(path.read_text()) == {"value": "nan", "low": "-inf", "high": None}
    loaded = dataset.load()
    assert math.isnan(loaded.value)
    assert (loaded.low, loaded.high) == (-math.inf, None)


def test_json_that_is_no_such_record_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"approved": "perhaps"}')
    with pytest.raises(DatasetError, match=f"^{path} cannot be read as JSON: ") as error:
        AtomicJSONDataset(str(path), record="waste_risk.validation.gates.GateDecision").load()
    assert "\n" not in str(error.value)


def test_equal_figures_are_equal_pictures(tmp_path: Path) -> None:
    def draw() -> Figure:
        figure = Figure()
        figure.subplots().plot([1, 2, 0])
        return figure

    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        AtomicFigureDataset(str(path)).save(draw())
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert AtomicFigureDataset(str(paths[0])).load() == paths[1].read_bytes()


def test_a_folder_without_a_predictor_is_refused(tmp_path: Path) -> None:
    dataset = PredictorDataset(str(tmp_path / "none"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="holds no complete predictor$"):
        dataset.load()


@pytest.mark.parametrize(
    ("dataset", "data"),
    [(MetricsDataset(), {"auc": 0.5}), (ParametersDataset(), {"n": 1})],
)
def test_nothing_is_logged_without_a_run(dataset: MetricsDataset, data: dict[str, float]) -> None:
    with pytest.raises(DatasetError, match="no MLflow run is open"):
        dataset.save(data)


def test_a_record_without_a_run_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no MLflow run is open"):
        RunRecordDataset(str(tmp_path / "record.json")).save({"n": 1})
    assert list(tmp_path.iterdir()) == []


def test_nested_values_get_flat_names() -> None:
    values = {"a": {"b": {"c": 1}, "d": [1, 2]}, "risk": RiskClasses(medium_from=0.3, high_from=0.7), "e": None}
    assert flatten(values) == {"a.b.c": 1, "a.d": [1, 2], "risk.medium_from": 0.3, "risk.high_from": 0.7, "e": None}


def test_an_artifact_is_kept_at_its_place_as_well(tmp_path: Path) -> None:
    inner = {"type": AtomicTextDataset, "filepath": str(tmp_path / "report.txt")}
    dataset = MlflowArtifactDataset(dataset=inner, artifact_path="reports")
    dataset._logging_activated = False
    dataset.save("text")
    assert dataset.load() == (tmp_path / "report.txt").read_text() == "text"
