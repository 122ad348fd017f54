"""Predictions, and the performance expected of them: a Parquet file for each moment and predictor, never replaced."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from pyarrow.lib import ArrowException

from waste_risk.files import replacing
from waste_risk.tables.contracts import empty_table

_PATTERN = "*.parquet"  # what a killed writer leaves has another suffix


class PredictionsDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """The table ``predictions``: saving adds a moment, loading returns all of them in the order of time.

    The folder is no ``_filepath``: it grows from run to run, so no lineage says what it was made from.
    """

    table = "predictions"

    def __init__(
        self,
        filepath: str,
        load_args: dict[str, Any] | None = None,
        save_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Set the folder.

        Args:
            filepath: the folder, relative to the project.
            load_args: options of ``pandas.read_parquet``, such as ``columns`` and ``filters``.
            save_args: options of ``pandas.DataFrame.to_parquet``, such as ``compression``.
            metadata: for Kedro-Viz.
        """
        self._folder = Path(filepath)
        self._load_args = load_args or {}
        self._save_args = {"engine": "pyarrow"} | (save_args or {})
        self.metadata = metadata

    def save(self, data: pd.DataFrame) -> None:
        """Add the predictions of a moment; those that are there already are left as they are, and none add nothing.

        An ``alerted_on`` that is there stands, too: an alert at an earlier moment may have been added since.

        Raises:
            DatasetError: other predictions of this moment by this predictor are there already.
        """
        if data.empty:
            return
        path = self._folder / _name(data)
        content = self._to_bytes(data)
        if not path.exists():
            with replacing(path) as temporary:
                temporary.write_bytes(content)
        elif path.read_bytes() != content and not _are_equal(_read(path), pd.read_parquet(BytesIO(content))):
            raise DatasetError(
                f"{path} holds other predictions by this predictor: the source's records up to then have changed since;"
                " predictions are never replaced, so move the file away to score the moment anew"
            )

    def load(self) -> pd.DataFrame:
        """Read the predictions of all moments; without any, the empty table.

        Raises:
            DatasetError: a file cannot be read.
        """
        read = [_read(path, self._load_args) for path in sorted(self._folder.glob(_PATTERN))]
        tables = [table for table in read if not table.empty]
        if not tables:
            empty = empty_table(self.table)
            return empty.reindex(columns=self._load_args.get("columns", list(empty.columns)))
        tables.sort(key=lambda table: table["as_of"].iloc[0])  # of one moment, in the order of their names
        return pd.concat(tables, ignore_index=True)

    def _to_bytes(self, data: pd.DataFrame) -> bytes:
        buffer = BytesIO()
        try:
            data.to_parquet(buffer, index=False, **self._save_args)
            return buffer.getvalue()
        except (TypeError, ValueError, ArrowException) as error:
            reason = type(error).__name__  # its text may hold a value of the table
        raise DatasetError(f"{self._folder}: predictions cannot be written as a Parquet table: {reason}")

    def _exists(self) -> bool:
        return any(self._folder.glob(_PATTERN))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder), "load_args": self._load_args}


class ExpectedPerformanceDataset(PredictionsDataset):
    """The table ``expected_performance``, kept likewise; an estimate that is there stands."""

    table = "expected_performance"

    def save(self, data: pd.DataFrame) -> None:
        """Add the estimate of a moment unless there is one."""
        if not data.empty and not (self._folder / _name(data)).exists():
            super().save(data)


def _are_equal(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return one.drop(columns="alerted_on").equals(other.drop(columns="alerted_on"))


def _read(path: Path, load_args: dict[str, Any] | None = None) -> pd.DataFrame:
    try:
        return pd.read_parquet(path, engine="pyarrow", **(load_args or {}))
    except (OSError, ValueError, ArrowException) as error:
        reason = type(error).__name__
    raise DatasetError(f"{path} cannot be read as predictions ({reason}); move the file away to score its moment anew")


def _name(predictions: pd.DataFrame) -> str:
    """Return the name of a file: the moment, and the beginning of the predictor's SHA-256.

    Raises:
        DatasetError: the predictions are of several moments, or by several predictors.
    """
    if len(predictions[["as_of", "predictor_sha256"]].drop_duplicates()) > 1:
        raise DatasetError("predictions of one moment by one predictor can be saved at once, these are of several")
    as_of, sha256 = predictions["as_of"].iloc[0], predictions["predictor_sha256"].iloc[0]
    moment = as_of.isoformat().removesuffix("T00:00:00").replace(":", "")
    return f"{moment}_{sha256[:12]}.parquet"
