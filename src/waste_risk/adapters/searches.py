"""Where a search keeps its study, what it shows while it runs, and what of it goes to MLflow."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import mlflow
from kedro.io import AbstractDataset, DatasetError
from mlflow.entities import Metric

from waste_risk.adapters.tracking import active_run_id, log_parameters
from waste_risk.training.tuning.studies import Studies

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from tqdm import tqdm

_LOCK_SECONDS = 60  # how long a process waits until another one has written its trial


class StudiesDataset(AbstractDataset[NoReturn, Studies]):
    """The store of the searches' studies: SQLite in the project, or a database that the environment names."""

    def __init__(self, filepath: str, url: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        """Name the SQLite file; ``url``, an SQLAlchemy address, takes its place."""
        self._database = Path(filepath)
        self._url = url
        self.metadata = metadata

    def load(self) -> Studies:
        """Give the store to a search; nothing is opened or made yet."""
        from sqlalchemy import URL  # noqa: PLC0415, MLflow has it loaded

        file = URL.create("sqlite", database=str(self._database), query={"timeout": str(_LOCK_SECONDS)})
        return Studies(self._url or file.render_as_string(hide_password=False), watch=ProgressBar())

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Refuse: a search writes each trial itself.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("studies are written trial by trial, and not as a whole")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"place": "named by the environment" if self._url else str(self._database)}


class ProgressBar:
    """Finished trials, the best value and the time left, on a terminal only."""

    def __init__(self) -> None:
        """Show nothing before the first trial has finished."""
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, finished: int, wanted: int, best: float | None) -> None:
        """Move on to so many finished trials."""
        if self._bar is None:
            from tqdm import tqdm  # noqa: PLC0415, only a search needs it

            # `disable=None`: on a terminal only. What finished before tells nothing of the time left.
            self._bar = tqdm(total=wanted, initial=finished, unit="trial", disable=None, leave=False)
        self._bar.update(finished - self._bar.n)
        self._bar.set_postfix_str("" if best is None else f"best AUC {best:.4f}")
        if finished >= wanted:
            self._bar.close()


class FiguresDataset(AbstractDataset[Any, NoReturn]):
    """Figures by name, logged as pictures of the run; as many as there are, cannot be loaded."""

    def __init__(self, artifact_path: str, prefix: str = "", metadata: dict[str, Any] | None = None) -> None:
        """Name the folder among the run's artifacts; ``prefix`` goes before each name."""
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
        """Refuse: a picture holds no figure."""
        raise DatasetError("pictures of a run cannot be loaded back")

    def _describe(self) -> dict[str, Any]:
        return {"artifact_path": self._artifact_path, "prefix": self._prefix}


class ChildRunsDataset(AbstractDataset[Any, NoReturn]):
    """Records of ``name``, ``parameters`` and ``metrics``, each logged as a run below this one; cannot be loaded."""

    def __init__(self, metadata: dict[str, Any] | None = None) -> None:
        """Nothing to choose."""
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
        """Refuse, as figures do."""
        raise DatasetError("runs cannot be loaded back")

    def _describe(self) -> dict[str, Any]:
        return {}
