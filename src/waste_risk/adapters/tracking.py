"""One MLflow run for each ``kedro run``: its parameters, metrics and record.

MLflow keeps the active run per thread and silently opens another where there is none; so every thread that runs a node
joins the run first, and the datasets here refuse to log without one.
"""

import logging
from collections.abc import Mapping
from contextlib import redirect_stderr, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset, DataCatalog, DatasetError
from kedro.pipeline import Pipeline
from mlflow.entities import Param, RunStatus
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, Field, TypeAdapter

from waste_risk.adapters.datasets import AtomicJSONDataset
from waste_risk.adapters.lineage import source_folder
from waste_risk.adapters.locks import note_run
from waste_risk.adapters.stores import be_brief, open_store
from waste_risk.reporting.text import Judgements

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
        """Open the store of ``mlflow.yml``; MLflow says by itself only what is wrong.

        Raises:
            RunError: the store cannot be used.
        """
        for name in ("mlflow", "mlflow.store.db.utils", "kedro_mlflow"):  # these set levels of their own
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # the run ends in a line about it
        config, self._folder = (
            context.config_loader["mlflow"],
            source_folder(context.project_path, context.config_loader),
        )
        server, experiment = config["server"], config["tracking"]["experiment"]
        server["mlflow_tracking_uri"], artifacts = open_store(
            server["mlflow_tracking_uri"], context.project_path, experiment["name"]
        )
        if artifacts:
            experiment["create_experiment_kwargs"] = {"artifact_location": artifacts}
        context.config_loader["mlflow"] = config
        super().after_context_created(context)

    @hook_impl
    def after_catalog_created(self) -> None:
        """Leave the catalog lazy: kedro-mlflow would make every dataset to give its metrics their names."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Open the run, log the parameters that the nodes read, and hang it below its training run if it has one."""
        self.run_id = None
        parent = catalog.load(TRAINING_RUN)["run_id"] if TRAINING_RUN in pipeline.inputs() else None
        super().before_pipeline_run(run_params, pipeline, catalog)
        if self.run_id is None:
            return
        mark_killed(note_run(self._folder, self.run_id))
        log_parameters(self.run_id, _parameters_read(pipeline, catalog))
        if parent:
            mlflow.set_tag("mlflow.parentRunId", parent)

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Leave the run open: the session ends it, whatever ends the session."""

    def end(self, status: str, *, store_failed: bool) -> None:
        """End the run as failed or killed; a store that has failed is told if it can be."""
        run_id, self.run_id = self.run_id, None
        if store_failed:
            be_brief()
        while mlflow.active_run() is not None:
            with suppress(MlflowException):
                mlflow.end_run(status)
        if run_id is not None:
            with suppress(MlflowException):
                mlflow.MlflowClient().set_terminated(run_id, status)

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

    kind = "the record of a run"

    def _read(self, path: Path) -> dict[str, Any]:
        record = super()._read(path)
        if not isinstance(record, dict) or not isinstance(record.get("run_id"), str):
            raise ValueError("it names no run")
        return record

    def save(self, data: Mapping[str, Any]) -> None:
        """Write the record and the run's id."""
        super().save({**data, "run_id": active_run_id()})


@dataclass(frozen=True)
class _Judgement:
    """Who has judged which test window, and when (UTC)."""

    window_sha256: str
    predictor_sha256: str
    run_id: str
    judged_at: str


_Record = TypeAdapter(Annotated[list[_Judgement], Field(min_length=1)])


class JudgementsDataset(AtomicJSONDataset):
    """The record of all judgements: a save adds one, a load counts those of the window that was judged last.

    So a node need not read what it writes.
    """

    kind = "the record of judgements"

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file."""
        super().__init__(filepath, metadata=metadata)

    def save(self, data: Mapping[str, str]) -> None:
        """Add a judgement, given by the SHA-256 of window and predictor."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        judgement = _Judgement(**data, run_id=active_run_id(), judged_at=now)
        before = super().load() if self._exists() else []
        super().save([asdict(each) for each in [*before, judgement]])

    def load(self) -> Judgements:
        """Count."""
        judgements = super().load()
        newest = [each for each in judgements if each.window_sha256 == judgements[-1].window_sha256]
        return Judgements(len(newest), len({each.predictor_sha256 for each in newest}))

    def _read(self, path: Path) -> list[_Judgement]:
        return _Record.validate_python(super()._read(path))


def active_run_id() -> str:
    """Return the id of the run that this thread belongs to.

    Raises:
        DatasetError: there is none, and MLflow would open another one without a word.
    """
    run = mlflow.active_run()
    if run is None:
        raise DatasetError("no MLflow run is open here; run the pipeline with kedro run, and not with is_async")
    return str(run.info.run_id)


def mark_killed(run_ids: list[str]) -> None:
    """Show as killed what a SIGKILL ended: such a run could not do so itself. Its models have no verdict.

    A run of another store, or one that somebody has deleted, is none of ours.
    """
    client = mlflow.MlflowClient()
    for run_id in run_ids:
        with suppress(MlflowException):
            if client.get_run(run_id).info.status == RunStatus.to_string(RunStatus.RUNNING):
                client.set_terminated(run_id, RunStatus.to_string(RunStatus.KILLED))
            for version in client.search_model_versions(f"run_id = '{run_id}'"):
                if "verdict" not in version.tags:
                    client.set_model_version_tag(version.name, version.version, "verdict", "NONE: the run was killed")


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
