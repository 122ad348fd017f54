"""Datasets that are logged with the MLflow run: metrics, parameters, figures, child runs, and records with its id."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import mlflow
from kedro.io import AbstractDataset, DatasetError
from mlflow.entities import Metric
from pydantic import Field, TypeAdapter

from waste_risk.adapters.datasets import AtomicJSONDataset
from waste_risk.adapters.tracking import active_run_id, flatten, log_metrics, log_parameters
from waste_risk.reporting.text import WindowUse

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class MetricsDataset(AbstractDataset[Any, Any]):
    """Numbers by name, or an object whose ``flat()`` returns them, logged as metrics of the run; cannot be loaded."""

    def __init__(self, prefix: str = "", metadata: dict[str, Any] | None = None) -> None:
        """Set the prefix of each name, such as ``test.``."""
        self._prefix = prefix
        self.metadata = metadata

    def save(self, data: Any) -> None:
        """Log the numbers that are not null."""
        numbers = data.flat() if hasattr(data, "flat") else flatten(data)
        known = {f"{self._prefix}{name}": float(value) for name, value in numbers.items() if value is not None}
        mlflow.log_metrics(known, run_id=active_run_id())

    def load(self) -> Any:
        """Raise an error: nodes read the numbers from a dataset of their own."""
        raise DatasetError("metrics of a run cannot be loaded back")

    def _describe(self) -> dict[str, Any]:
        return {"prefix": self._prefix}


class ParametersDataset(AbstractDataset[Any, Any]):
    """Facts of the run by name (rows, dates, hashes), logged next to its parameters; cannot be loaded."""

    def __init__(self, prefix: str = "", metadata: dict[str, Any] | None = None) -> None:
        """Set the prefix of each name."""
        self._prefix = prefix
        self.metadata = metadata

    def save(self, data: Mapping[str, Any]) -> None:
        """Log the facts as parameters."""
        log_parameters(active_run_id(), {f"{self._prefix}{name}": value for name, value in flatten(data).items()})

    def load(self) -> Any:
        """Raise an error, as for metrics."""
        raise DatasetError("parameters of a run cannot be loaded back")

    def _describe(self) -> dict[str, Any]:
        return {"prefix": self._prefix}


class LoggedRecordDataset(AtomicJSONDataset):
    """An object of a dataclass as JSON, whose numbers (its ``flat()``) are logged as metrics of the run as well."""

    def __init__(self, filepath: str, record: str, prefix: str = "", metadata: dict[str, Any] | None = None) -> None:
        """Set the file, the dataclass and the prefix of each metric's name."""
        super().__init__(filepath, record, metadata)
        self._metrics = MetricsDataset(prefix)

    def save(self, data: Any) -> None:
        """Write the record, then log its numbers."""
        super().save(data)
        self._metrics.save(data)


class WeeklyRecordDataset(AtomicJSONDataset):
    """An object of a dataclass as JSON, whose numbers (its ``by_week()``) are metrics of the run, a step for each week.

    So MLflow draws each of them as a curve over the weeks.
    """

    def __init__(self, filepath: str, record: str, prefix: str = "", metadata: dict[str, Any] | None = None) -> None:
        """Set the file, the dataclass and the prefix of each metric's name."""
        super().__init__(filepath, record, metadata)
        self._prefix = prefix

    def save(self, data: Any) -> None:
        """Write the record, then log its numbers."""
        super().save(data)
        now = time.time_ns() // 1_000_000
        metrics = [
            Metric(f"{self._prefix}{name}", float(value), now, week)
            for week, numbers in data.by_week().items()
            for name, value in numbers.items()
        ]
        log_metrics(active_run_id(), metrics)


class RunRecordDataset(AtomicJSONDataset):
    """A record as JSON, to which ``run_id`` is added, the id of the run that saves it."""

    kind = "the record of a run"

    def _read(self, path: Path) -> dict[str, Any]:
        record = super()._read(path)
        if not isinstance(record, dict) or not isinstance(record.get("run_id"), str):
            raise ValueError("it names no run")
        return record

    def save(self, data: Mapping[str, Any]) -> None:
        """Write the record with the run's id."""
        super().save({**data, "run_id": active_run_id()})


@dataclass(frozen=True)
class _Validated:
    """A validation: its test window, predictor and run, and its time (UTC)."""

    window_sha256: str
    predictor_sha256: str
    run_id: str
    validated_at: str


_Record = TypeAdapter(Annotated[list[_Validated], Field(min_length=1)])


class ValidationLogDataset(AtomicJSONDataset):
    """The record of all validations: saving adds one, loading counts those on the test window of the newest.

    So no node reads what it writes.
    """

    kind = "the log of validations"

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Set the file."""
        super().__init__(filepath, metadata=metadata)

    def save(self, data: Mapping[str, str]) -> None:
        """Add a validation, given by the SHA-256 of test window and predictor."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = _Validated(**data, run_id=active_run_id(), validated_at=now)
        before = super().load() if self._exists() else []
        super().save([asdict(each) for each in [*before, entry]])

    def load(self) -> WindowUse:
        """Return how many validations used the newest test window, and how many predictors."""
        validation_log = super().load()
        newest = [each for each in validation_log if each.window_sha256 == validation_log[-1].window_sha256]
        return WindowUse(len(newest), len({each.predictor_sha256 for each in newest}))

    def _read(self, path: Path) -> list[_Validated]:
        return _Record.validate_python(super()._read(path))


class FiguresDataset(AbstractDataset[Any, NoReturn]):
    """Figures by name, logged as images of the run; cannot be loaded."""

    def __init__(self, artifact_path: str, prefix: str = "", metadata: dict[str, Any] | None = None) -> None:
        """Set the folder among the run's artifacts, and the prefix of each name."""
        self._artifact_path = artifact_path
        self._prefix = prefix
        self.metadata = metadata

    def save(self, data: "Mapping[str, Figure]") -> None:
        """Log the figures."""
        for name, figure in data.items():
            file = f"{self._artifact_path}/{self._prefix}{name}.png"
            # Without the software's version in it, equal figures are equal files.
            options = {"metadata": {"Software": None}}
            mlflow.MlflowClient().log_figure(active_run_id(), figure, file, save_kwargs=options)

    def load(self) -> NoReturn:
        """Raise an error: an image cannot be turned back into a figure."""
        raise DatasetError("pictures of a run cannot be loaded back")

    def _describe(self) -> dict[str, Any]:
        return {"artifact_path": self._artifact_path, "prefix": self._prefix}


class ChildRunsDataset(AbstractDataset[Any, NoReturn]):
    """Records of ``name``, ``parameters`` and ``metrics``, each logged as a child run of this one; cannot be loaded."""

    def __init__(self, metadata: dict[str, Any] | None = None) -> None:
        """Set what Kedro-Viz shows."""
        self.metadata = metadata

    def save(self, data: Sequence[Mapping[str, Any]]) -> None:
        """Log the runs."""
        parent = active_run_id()
        client = mlflow.MlflowClient()
        experiment = client.get_run(parent).info.experiment_id
        for record in data:
            run = client.create_run(experiment, run_name=record["name"], tags={"mlflow.parentRunId": parent})
            now = time.time_ns() // 1_000_000
            metrics = [Metric(name, value, now, 0) for name, value in record["metrics"].items()]
            log_parameters(run.info.run_id, record["parameters"])
            client.log_batch(run.info.run_id, metrics=metrics)
            client.set_terminated(run.info.run_id)

    def load(self) -> NoReturn:
        """Raise an error, as for figures."""
        raise DatasetError("runs cannot be loaded back")

    def _describe(self) -> dict[str, Any]:
        return {}
