"""One MLflow run for each ``kedro run``: its parameters, metrics and record.

MLflow keeps the active run per thread and silently opens another where there is none; so every thread that runs a node
joins the run first, and the datasets here refuse to log without one.
"""

import logging
from collections.abc import Mapping
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset, DataCatalog, DatasetError
from kedro.pipeline import Pipeline
from mlflow.entities import Param
from pydantic import BaseModel

from waste_risk.adapters.datasets import AtomicJSONDataset

with redirect_stderr(StringIO()):
    # A class in there, which we do not use, makes MLflow advise its authors at every start, past any warnings filter.
    from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook

PARAMETERS_PER_BATCH = 100  # what MLflow's API takes in one request
TRAINING_RUN = "training_run"


class TrackingHook(MlflowHook):  # type: ignore[misc]
    """kedro-mlflow's hook, with each parameter logged once under its own name, and nothing made that no node needs.

    It replaces the one that the plugin registers (``DISABLE_HOOKS_FOR_PLUGINS``).
    """

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Choose the store of ``mlflow.yml``; MLflow says by itself only what is wrong."""
        for name in ("mlflow", "mlflow.store.db.utils", "kedro_mlflow"):  # these set levels of their own
            logging.getLogger(name).setLevel(logging.WARNING)
        super().after_context_created(context)

    @hook_impl
    def after_catalog_created(self) -> None:
        """Leave the catalog lazy: kedro-mlflow would make every dataset to give its metrics their names."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Open the run, log the parameters that the nodes read, and hang it below its training run if it has one."""
        self.run_id = None
        super().before_pipeline_run(run_params, pipeline, catalog)
        if self.run_id is None:
            return
        log_parameters(self.run_id, _parameters_read(pipeline, catalog))
        if TRAINING_RUN in pipeline.inputs():
            mlflow.set_tag("mlflow.parentRunId", catalog.load(TRAINING_RUN)["run_id"])

    @hook_impl
    def before_node_run(self) -> None:
        """Join the run in the thread that runs the node, and that will save what the node returns."""
        if self.run_id is not None and mlflow.active_run() is None:
            mlflow.start_run(run_id=self.run_id)


class MetricsDataset(AbstractDataset[Any, Any]):
    """Numbers by name, or an object whose ``flat`` gives them, logged as metrics of the run; cannot be loaded."""

    def __init__(self, prefix: str = "", metadata: dict[str, Any] | None = None) -> None:
        """``prefix`` goes before each name, as in ``test.``."""
        self._prefix = prefix
        self.metadata = metadata

    def save(self, data: Any) -> None:
        """Log the numbers; what is null stays out."""
        numbers = data.flat() if hasattr(data, "flat") else flatten(data)
        known = {f"{self._prefix}{name}": float(value) for name, value in numbers.items() if value is not None}
        mlflow.log_metrics(known, run_id=active_run_id())

    def load(self) -> Any:
        """Refuse: metrics are for people; nodes pass the numbers on by a dataset of their own."""
        raise DatasetError("metrics of a run cannot be loaded back")

    def _describe(self) -> dict[str, Any]:
        return {"prefix": self._prefix}


class ParametersDataset(AbstractDataset[Any, Any]):
    """Facts of the run by name (rows, dates, hashes), logged next to its parameters; cannot be loaded."""

    def __init__(self, prefix: str = "", metadata: dict[str, Any] | None = None) -> None:
        """``prefix`` goes before each name."""
        self._prefix = prefix
        self.metadata = metadata

    def save(self, data: Mapping[str, Any]) -> None:
        """Log the facts."""
        log_parameters(active_run_id(), {f"{self._prefix}{name}": value for name, value in flatten(data).items()})

    def load(self) -> Any:
        """Refuse, as the metrics do."""
        raise DatasetError("parameters of a run cannot be loaded back")

    def _describe(self) -> dict[str, Any]:
        return {"prefix": self._prefix}


class LoggedRecordDataset(AtomicJSONDataset):
    """A dataclass as JSON whose numbers (its ``flat``) are logged as metrics of the run as well."""

    def __init__(self, filepath: str, record: str, prefix: str = "", metadata: dict[str, Any] | None = None) -> None:
        """Name file and dataclass; ``prefix`` goes before the name of each metric."""
        super().__init__(filepath, record, metadata)
        self._metrics = MetricsDataset(prefix)

    def save(self, data: Any) -> None:
        """Write the record, then log its numbers."""
        super().save(data)
        self._metrics.save(data)


class RunRecordDataset(AtomicJSONDataset):
    """A record as JSON, with the id of the run that made it added as ``run_id``."""

    def save(self, data: Mapping[str, Any]) -> None:
        """Write the record and the run's id."""
        super().save({**data, "run_id": active_run_id()})


def active_run_id() -> str:
    """Return the id of the run that this thread belongs to.

    Raises:
        DatasetError: there is none, and MLflow would open another one without a word.
    """
    run = mlflow.active_run()
    if run is None:
        raise DatasetError("no MLflow run is open here; run the pipeline with kedro run, and not with is_async")
    return str(run.info.run_id)


def log_parameters(run_id: str, values: Mapping[str, Any]) -> None:
    """Log parameters of a run under flat names."""
    entries = [Param(name, str(value)) for name, value in flatten(values).items()]
    for start in range(0, len(entries), PARAMETERS_PER_BATCH):
        mlflow.MlflowClient().log_batch(run_id, params=entries[start : start + PARAMETERS_PER_BATCH])


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give nested values flat names: ``training.classifier.num_leaves``."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        inner = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        nested = isinstance(inner, Mapping)
        flat |= flatten(inner, f"{prefix}{name}.") if nested else {f"{prefix}{name}": inner}
    return flat


def _parameters_read(pipeline: Pipeline, catalog: DataCatalog) -> dict[str, Any]:
    names = sorted(name for name in pipeline.inputs() if name.startswith("params:"))
    return {name.removeprefix("params:"): catalog.load(name) for name in names}
