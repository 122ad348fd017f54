"""A table in someone else's files, as ``waste_risk.sources.files`` reads it; never written."""

from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from waste_risk.errors import ContractError
from waste_risk.sources.csv_files import CSVOptions
from waste_risk.sources.files import find_parts, read_table
from waste_risk.sources.text_columns import Kind

_KINDS: dict[str, Kind] = {
    "identifier": "identifier",
    "datetime64[us]": "time",
    "bool": "truth value",
    "boolean": "truth value",
}
_WHAT = {
    False: "a file, a folder of parts or a glob",
    True: "a folder that holds households, items and events, each as a file or a folder of parts",
}


class FilesDataset(AbstractDataset[NoReturn, pd.DataFrame]):
    """A table as Parquet or CSV: one file, a folder of parts, or a glob."""

    def __init__(
        self,
        filepath: str | None,
        table: str | None = None,
        csv: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Set where the table is.

        Args:
            filepath: a file, a folder of parts or a glob; or with ``table`` the folder that holds a file or folder of
                that name.
            table: one of ``waste_risk.tables.contracts.TABLES``, whose contract gives a CSV's columns and types; if
                None, the table may have any columns.
            csv: what CSV files do not say for certain, see ``waste_risk.sources.csv_files.CSVOptions``.
            metadata: for Kedro-Viz.

        Raises:
            DatasetError: an option of ``csv`` is unknown.
        """
        known = set(CSVOptions.__dataclass_fields__)
        if csv and not known.issuperset(csv):
            raise DatasetError(f"csv has an option that is unknown; there are {', '.join(sorted(known))}")
        self._where = None if filepath is None else Path(filepath) / (table or "")
        self._table = table
        self._csv = CSVOptions(**csv or {})
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the table.

        Raises:
            DatasetError: no file is named, or it cannot be read for certain; the message is one line without any value.
        """
        from waste_risk.tables.contracts import column_types  # noqa: PLC0415, pandera is for those who read a table

        if self._where is None:
            raise DatasetError(
                f"{self.place} is not set; add --params data_file=PATH: {_WHAT[self._table is not None]}"
            )
        self._refuse_the_other_kind(self._where)
        kinds: dict[str, Kind] | None = None
        if self._table:
            types = column_types(self._table).items()
            kinds = {name: _KINDS.get(dtype, "number") if dtype else "text" for name, dtype in types}
        try:
            return read_table(str(self._where), kinds, self._csv)
        except ContractError as error:
            message = str(error)
        raise DatasetError(message)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: the files belong to someone else.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"{self.place} belongs to the source and is only read")

    @property
    def place(self) -> str:
        """Return where the table is, as messages begin with it."""
        return "data_file" if self._where is None else str(self._where)

    @property
    def _filepath(self) -> Path | None:
        """The file, if it is a single one: its lineage is recorded."""
        return self._where if self._where is not None and self._where.is_file() else None

    def _refuse_the_other_kind(self, where: Path) -> None:
        if self._table and where.parent.is_file():
            raise DatasetError(f"{where} is looked for in {_WHAT[True]}; {where.parent.name} is a file")
        names = {path.name.partition(".")[0] for path in where.iterdir()} if where.is_dir() else set()
        if not self._table and names >= {"households", "items", "events"}:
            raise DatasetError(f"{where} holds raw tables and no finished one; add --pipelines retrain")

    def _exists(self) -> bool:
        try:
            return bool(self._where and find_parts(str(self._where)))
        except ContractError:
            return False

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self.place, "table": self._table}
