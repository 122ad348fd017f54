"""Tables, texts, figures and predictors on disk, written whole or not at all.

Tables have no preview: it would show households' rows to everyone who opens Kedro-Viz.
"""

import base64
import json
import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import numpy as np
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro.utils import load_obj
from kedro_datasets._typing import ImagePreview, JSONPreview
from pyarrow.lib import ArrowException
from pydantic import TypeAdapter

from waste_risk.adapters.memory import give_back_freed_memory
from waste_risk.files import replacing
from waste_risk.model import artifacts

give_back_freed_memory()

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from waste_risk.model.predictor import WastePredictor

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")


class AtomicDataset(AbstractDataset[Saved, Loaded], Generic[Saved, Loaded]):
    """One file; subclasses define how it is written and read."""

    kind: str

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Set the file; ``metadata`` is for Kedro-Viz."""
        self._filepath = Path(filepath)
        self.metadata = metadata

    def save(self, data: Saved) -> None:
        """Replace the file; readers find the old one until the new one is complete."""
        with replacing(self._filepath) as temporary:
            self._write(data, temporary)

    def load(self) -> Loaded:
        """Read the file.

        Raises:
            DatasetError: the file is missing or has another format; the message is one line.
        """
        try:
            return self._read(self._filepath)
        except FileNotFoundError:
            message = f"{self._filepath} does not exist"
        except (OSError, ValueError) as error:
            message = f"{self._filepath} cannot be read as {self.kind}: {_first_line(error)}"
        raise DatasetError(message)

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}

    @abstractmethod
    def _write(self, data: Saved, path: Path) -> None: ...

    @abstractmethod
    def _read(self, path: Path) -> Loaded: ...


class AtomicParquetDataset(AtomicDataset[pd.DataFrame, pd.DataFrame]):
    """A pandas table as Parquet; types and, unless the table is empty, categories come back as they were."""

    kind = "a Parquet table"

    def __init__(
        self,
        filepath: str,
        load_args: dict[str, Any] | None = None,
        save_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Set the file and the options of pandas.

        Args:
            filepath: the file, relative to the project.
            load_args: options of ``pandas.read_parquet``, such as ``columns``.
            save_args: options of ``pandas.DataFrame.to_parquet``, such as ``compression``.
            metadata: for Kedro-Viz.
        """
        super().__init__(filepath, metadata)
        # Columns move from Arrow to pandas one by one; else two copies of the whole table would be there at once.
        moved = {"split_blocks": True, "self_destruct": True}
        self._load_args = {"engine": "pyarrow", "to_pandas_kwargs": moved} | (load_args or {})
        self._save_args = {"engine": "pyarrow"} | (save_args or {})

    def _write(self, data: pd.DataFrame, path: Path) -> None:
        try:
            return data.to_parquet(path, **self._save_args)
        except (TypeError, ValueError, OverflowError, NotImplementedError, ArrowException) as error:
            reason = type(error).__name__  # its text may hold a value of the table
        raise DatasetError(f"{self._filepath} cannot be written as {self.kind}: {reason}")

    def _read(self, path: Path) -> pd.DataFrame:
        return pd.read_parquet(path, **self._load_args)

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "load_args": self._load_args, "save_args": self._save_args}


class EmptyTableDataset(AbstractDataset[NoReturn, pd.DataFrame]):
    """A table that a source does not have, such as the truth: no rows, and the columns of its contract."""

    def __init__(self, table: str, metadata: dict[str, Any] | None = None) -> None:
        """Choose the table, one of ``waste_risk.tables.contracts.TABLES``."""
        self._table = table
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return the empty table."""
        from waste_risk.tables.contracts import empty_table  # noqa: PLC0415, most datasets need no contract

        return empty_table(self._table)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: the table has no place to be saved to.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"{self._table} is a table that this source does not have; it cannot be saved")

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table}


class AtomicTextDataset(AtomicDataset[str, str]):
    """A text in UTF-8: a report, HTML."""

    kind = "text"

    def _write(self, data: str, path: Path) -> None:
        path.write_text(data, encoding="utf-8", newline="\n")

    def _read(self, path: Path) -> str:
        return path.read_text(encoding="utf-8")


class AtomicJSONDataset(AtomicDataset[Any, Any]):
    """Plain values as JSON, or an object of a dataclass, which is loaded as an equal object of that class."""

    kind = "JSON"

    def __init__(self, filepath: str, record: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        """Set the file, and the dataclass (``package.module.Class``) of the object that it holds, if any."""
        super().__init__(filepath, metadata)
        self._record = record

    def _write(self, data: Any, path: Path) -> None:
        path.write_text(_to_json(_named(asdict(data)) if self._record else data), encoding="utf-8")

    def _read(self, path: Path) -> Any:
        values = json.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(load_obj(self._record)).validate_python(values) if self._record else values

    def preview(self) -> JSONPreview:
        """Show the values in Kedro-Viz."""
        return JSONPreview(self._filepath.read_text(encoding="utf-8"))


class AtomicFigureDataset(AtomicDataset["Figure", bytes]):
    """A matplotlib figure as PNG, which is loaded as the bytes of the file."""

    kind = "a figure"

    def __init__(self, filepath: str, dpi: int = 150, metadata: dict[str, Any] | None = None) -> None:
        """Set the file and its dots per inch."""
        super().__init__(filepath, metadata)
        self._dpi = dpi

    def _write(self, data: "Figure", path: Path) -> None:
        # Without the software's version in it, equal figures are equal files.
        data.savefig(path, format="png", dpi=self._dpi, metadata={"Software": None})

    def _read(self, path: Path) -> bytes:
        return path.read_bytes()

    def preview(self) -> ImagePreview:
        """Show the picture in Kedro-Viz."""
        return ImagePreview(base64.b64encode(self._filepath.read_bytes()).decode("ascii"))


class PredictorDataset(AbstractDataset["WastePredictor", "WastePredictor"]):
    """A ``WastePredictor`` in a folder, which its own functions replace as a whole."""

    def __init__(self, filepath: str, for_analysts: bool = False, metadata: dict[str, Any] | None = None) -> None:
        """Set the folder; ``for_analysts`` adds two pickles, at the cost of importing shap."""
        self._filepath = Path(filepath)
        self._for_analysts = for_analysts
        self.metadata = metadata

    def save(self, data: "WastePredictor") -> None:
        """Replace the folder."""
        data.save(self._filepath, for_analysts=self._for_analysts)

    def load(self) -> "WastePredictor":
        """Read the predictor.

        Raises:
            DatasetError: there is none, or a file is not the one that was saved.
        """
        from waste_risk.model.predictor import WastePredictor  # noqa: PLC0415, tables need no LightGBM

        try:
            return WastePredictor.load(self._filepath)
        except FileNotFoundError:
            message = f"{self._filepath} holds no complete predictor"
        except ValueError as error:
            message = _first_line(error)
        raise DatasetError(message)

    def _exists(self) -> bool:
        return artifacts.exists(self._filepath)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "for_analysts": self._for_analysts}


def _to_json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False, default=_from_numpy) + "\n"


def _named(data: Any) -> Any:
    """Replace the numbers that JSON lacks by their names, which pydantic reads."""
    if isinstance(data, Mapping):
        return {name: _named(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_named(value) for value in data]
    return str(float(data)) if isinstance(data, float) and not math.isfinite(data) else data


def _from_numpy(scalar: Any) -> Any:
    if isinstance(scalar, np.generic):
        return scalar.item()
    raise TypeError(f"{type(scalar).__name__} has no JSON form")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
