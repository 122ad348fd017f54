"""One MLflow run for each ``kedro run``, with its parameters.

MLflow keeps the active run per thread and silently opens another where there is none; so every thread that runs a node
joins the run first, and ``active_run_id`` raises an error where there is none.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, suppress
from io import StringIO
from typing import Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline
from mlflow.entities import Metric, Param, RunStatus
from mlflow.exceptions import MlflowException
from pydantic import BaseModel

from waste_risk.adapters.lineage import source_folder
from waste_risk.adapters.locks import note_run
from waste_risk.adapters.mlflow_store import be_brief, open_store

with redirect_stderr(StringIO()):
    # A class in there, which we do not use, makes MLflow advise its authors at every start, past any warnings filter.
    from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook

PARAMETERS_PER_BATCH, METRICS_PER_BATCH = 100, 1_000  # what MLflow's API takes in one request
TRAINING_RUN = "training_run"


class TrackingHook(MlflowHook):  # type: ignore[misc]
    """kedro-mlflow's hook, which logs each parameter once under its own name and leaves the catalog lazy.

    It replaces the one that the plugin registers (``DISABLE_HOOKS_FOR_PLUGINS``).
    """

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Open the store of ``mlflow.yml``, and silence MLflow's messages but for warnings.

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
        """Do nothing: kedro-mlflow would create every dataset to name its metrics."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Open the run, as a child of its training run if it reads one, and log the parameters that the nodes read."""
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
        """Leave the run open: the session ends it."""

    def end(self, status: str, *, store_failed: bool) -> None:
        """End the run as failed or killed, as far as a store that has failed allows."""
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
        """Join the run in the thread that runs the node and saves its outputs."""
        if self.run_id is not None and mlflow.active_run() is None:
            mlflow.start_run(run_id=self.run_id)


def active_run_id() -> str:
    """Return the id of the run that this thread belongs to.

    Raises:
        DatasetError: there is none; MLflow would silently open another one.
    """
    run = mlflow.active_run()
    if run is None:
        raise DatasetError("no MLflow run is open here; run the pipeline with kedro run, and not with is_async")
    return str(run.info.run_id)


def mark_killed(run_ids: list[str]) -> None:
    """End runs that a SIGKILL has ended as killed, and tag their models as without a verdict.

    Runs that the store does not know, of another store or deleted, are passed over.
    """
    client = mlflow.MlflowClient()
    for run_id in run_ids:
        with suppress(MlflowException):
            if client.get_run(run_id).info.status == RunStatus.to_string(RunStatus.RUNNING):
                client.set_terminated(run_id, RunStatus.to_string(RunStatus.KILLED))
            for version in client.search_model_versions(f"run_id = '{run_id}'"):
                if "predictor_sha256" in version.tags and "verdict" not in version.tags:
                    client.set_model_version_tag(version.name, version.version, "verdict", "NONE: the run was killed")


def log_parameters(run_id: str, values: Mapping[str, Any]) -> None:
    """Log parameters with a run under flat names."""
    entries = [Param(name, str(value)) for name, value in flatten(values).items()]
    for start in range(0, len(entries), PARAMETERS_PER_BATCH):
        mlflow.MlflowClient().log_batch(run_id, params=entries[start : start + PARAMETERS_PER_BATCH])


def log_metrics(run_id: str, metrics: Sequence[Metric]) -> None:
    """Log any number of metrics with a run."""
    for start in range(0, len(metrics), METRICS_PER_BATCH):
        mlflow.MlflowClient().log_batch(run_id, metrics=metrics[start : start + METRICS_PER_BATCH])


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values under flat names, such as ``training.classifier.num_leaves``."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        inner = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        nested = isinstance(inner, Mapping)
        flat |= flatten(inner, f"{prefix}{name}.") if nested else {f"{prefix}{name}": inner}
    return flat


def _parameters_read(pipeline: Pipeline, catalog: DataCatalog) -> dict[str, Any]:
    names = sorted(name for name in pipeline.inputs() if name.startswith("params:"))
    return {name.removeprefix("params:"): catalog.load(name) for name in names}
