"""Contracts in the catalog: checked when saved and when loaded."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError

from waste_risk.adapters.contracts import Contract, ContractBroken

HABITS = pd.DataFrame(
    {"household_id": ["4711"], "category": "dairy", "pace": 1, "propensity": 0.5, "planning": 0.5, "forgetting": 0.5}
)
MESSAGE = "habits.pace: must be greater than 0 (1 of 1 rows)"


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    kept = {"type": "waste_risk.adapters.datasets.AtomicParquetDataset", "filepath": str(tmp_path / "habits.parquet")}
    contract = {"class": "waste_risk.adapters.contracts.Contract", "options": {"table": "habits"}}
    return DataCatalog.from_config({"habits": {**kept, "validator": contract}, "unchecked": kept})


def test_a_sound_table_is_kept_in_the_types_of_its_contract(catalog: DataCatalog) -> None:
    catalog.save("habits", HABITS)
    assert catalog.load("unchecked")["pace"].dtype == "float64"
    pd.testing.assert_frame_equal(catalog.load("habits"), HABITS, check_dtype=False)


def test_a_broken_table_is_not_written_and_the_old_one_stays(catalog: DataCatalog, tmp_path: Path) -> None:
    catalog.save("habits", HABITS)
    before = (tmp_path / "habits.parquet").read_bytes()
    with pytest.raises(ContractBroken) as error:
        catalog.save("habits", HABITS.assign(pace=0.0))
    assert str(error.value) == f"{MESSAGE} [save of habits]"
    assert (tmp_path / "habits.parquet").read_bytes() == before


def test_a_table_that_others_wrote_is_checked_when_it_is_read(catalog: DataCatalog) -> None:
    catalog.save("unchecked", HABITS.assign(pace=-1.0))
    with pytest.raises(DatasetError) as error:
        catalog.load("habits")
    assert str(error.value) == f"{MESSAGE} [load of habits]"


def test_no_value_stands_behind_the_error(catalog: DataCatalog) -> None:
    with pytest.raises(ContractBroken) as raised:
        catalog.save("habits", HABITS.assign(category="4711"))
    error: BaseException | None = raised.value
    while error is not None:
        assert "4711" not in f"{error} {error.args}"
        error = error.__cause__ or error.__context__


def test_there_is_no_contract_for_an_unknown_table() -> None:
    with pytest.raises(ValueError, match="no contract for pantries, only for households"):
        Contract("pantries")
