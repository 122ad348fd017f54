"""The dataset of a user's files: what it says when it cannot read, and that it never writes."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from waste_risk.adapters.contracts import Contract, ContractBroken
from waste_risk.adapters.files import FilesDataset


def test_without_a_path_the_message_names_the_parameter() -> None:
    with pytest.raises(DatasetError, match=r"^data_file is not set; add --params data_file=PATH: a file, a folder of"):
        FilesDataset(None).load()
    with pytest.raises(DatasetError, match=r"PATH: a folder that holds households, items and events"):
        FilesDataset(None, "items").load()


def test_it_is_never_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    dataset = FilesDataset(str(tmp_path / "a.csv"))
    with pytest.raises(DatasetError, match="a.csv belongs to the source and is only read"):
        dataset.save(pd.DataFrame())
    assert (tmp_path / "a.csv").read_text() == "a,b\n1,2\n"


def test_it_exists_where_a_table_is_found(tmp_path: Path) -> None:
    assert not FilesDataset(None).exists()
    assert not FilesDataset(str(tmp_path), "items").exists()
    (tmp_path / "items.csv").write_text("a,b\n1,2\n")
    assert FilesDataset(str(tmp_path), "items").exists()
    assert FilesDataset(str(tmp_path / "*.csv")).exists()


def test_the_other_kind_of_source_is_named(tmp_path: Path) -> None:
    for name in ("households", "items", "events"):
        (tmp_path / f"{name}.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DatasetError, match="holds raw tables and no finished one; add --pipelines retrain"):
        FilesDataset(str(tmp_path)).load()
    with pytest.raises(DatasetError, match=r"items is looked for in a folder .*; items.csv is a file"):
        FilesDataset(str(tmp_path / "items.csv"), "items").load()


def test_an_unknown_option_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(DatasetError, match="there are date_format, decimal, encoding, separator"):
        FilesDataset("a.csv", csv={"sep": ";"})


MODEL_INPUT = pd.DataFrame(
    {
        "item_id": [1, 2],
        "household_id": ["a", "b"],
        "observed_on": pd.to_datetime(["2024-01-01", "2024-01-02"]).astype("datetime64[us]"),
        "plan": pd.Series(["basic", None], dtype="str"),
        "usage": pd.Series([1.5, None], dtype="float32"),
        "wasted": [True, False],
        "days_to_waste": [None, None],
        "label_known_on": pd.to_datetime(["2024-01-31", "2024-02-01"]).astype("datetime64[us]"),
    }
).astype({"days_to_waste": "float64"})


def test_the_contract_of_a_model_input_may_leave_its_features_open() -> None:
    checked = Contract("model_input", any_features=True).validate(MODEL_INPUT)
    pd.testing.assert_frame_equal(checked, MODEL_INPUT)
    with pytest.raises(ContractBroken, match="has 2 columns that are not of its contract"):
        Contract("model_input").validate(MODEL_INPUT)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"days_to_waste": [3.0, 3.0]}, r"days_to_waste: must be given when wasted, and null when not, or null in all"),
        ({"observed_on": MODEL_INPUT["observed_on"][::-1].to_numpy()}, "must be sorted and unique together"),
        ({"usage": pd.Series([1.5, float("inf")], dtype="float32")}, r"usage: must be finite \(1 of 2 rows\)"),
        ({"household_id": ["a", None]}, r"household_id: must not be null \(1 of 2 rows\)"),
    ],
)
def test_the_rest_of_the_contract_holds(change: dict[str, object], broken: str) -> None:
    with pytest.raises(ContractBroken, match=broken):
        Contract("model_input", any_features=True).validate(MODEL_INPUT.assign(**change))
