"""Register the boosters of a run, and tag training run and registered versions with the verdict of the validation.

A training run is never resumed; a client adds metrics and tags to it, and to the versions registered from it.
"""

import time
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline.node import Node
from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag
from mlflow.exceptions import MlflowException

from waste_risk.adapters.datasets import PredictorDataset
from waste_risk.adapters.signals import uninterrupted
from waste_risk.adapters.tracking import TRAINING_RUN, TrackingHook, active_run_id

if TYPE_CHECKING:
    from waste_risk.validation.gates import GateDecision

DECISION, METRICS = "gate_decision", "validation_metrics"
PREFIX = "test."  # as the validation's run logs them
METRICS_PER_BATCH = 1_000  # what MLflow's API takes in one request


class RegistrationHook:
    """Registers the boosters of a training together, and each predictor only once."""

    @hook_impl
    def before_pipeline_run(self, catalog: DataCatalog) -> None:
        """Reset what this run has saved."""
        self._catalog, self._saved = catalog, set[str]()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Register when the last booster of a node has been saved."""
        self._saved.add(dataset_name)
        datasets = {name: self._catalog.get(name) for name in node.outputs if name in self._catalog}
        boosters: dict[str, Any] = {name: each for name, each in datasets.items() if hasattr(each, "register")}
        if dataset_name not in boosters or not self._saved.issuperset(boosters):
            return
        is_new = TRAINING_RUN in self._saved or any(self._is_predictor(name) for name in self._saved)
        is_kept = TRAINING_RUN in self._catalog and self._catalog.exists(TRAINING_RUN)
        training = self._catalog.load(TRAINING_RUN) if is_kept and not is_new else None
        with uninterrupted():
            for booster in boosters.values():
                booster.register(training, active_run_id())

    def _is_predictor(self, name: str) -> bool:
        return name in self._catalog and isinstance(self._catalog.get(name), PredictorDataset)


class VerdictHook:
    """Publishes the verdict after the run, when every model is registered."""

    def __init__(self, tracking: TrackingHook) -> None:
        """Set the hook that knows the validation's run."""
        self._tracking = tracking

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Reset the decision of this run."""
        self._decision: Any = None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Keep the decision that this run has made."""
        if dataset_name == DECISION:
            self._decision = data

    @hook_impl
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Publish the verdict, unless it is about another predictor than that of the training run.

        Raises:
            DatasetError: the store does not know the training run.
        """
        sha256 = getattr(self._decision, "predictor_sha256", None)
        if sha256 is None or self._tracking.run_id is None or not catalog.exists(TRAINING_RUN):
            return
        training = catalog.load(TRAINING_RUN)
        if sha256 == training.get("predictor_sha256"):
            numbers = catalog.load(METRICS).flat()
            publish(self._decision, numbers, training["run_id"], judged_by=self._tracking.run_id)


def publish(decision: "GateDecision", metrics: dict[str, float], training_run_id: str, *, judged_by: str) -> None:
    """Tag a training run and its registered versions with the verdict, and log the metrics with that run.

    Args:
        decision: the verdict, and the SHA-256 of the predictor that it is about.
        metrics: those of the validation; a run that validates its own predictor has logged them already.
        training_run_id: the run that trained the predictor.
        judged_by: the id of the run that validated it.

    Raises:
        DatasetError: the store does not know the training run.
    """
    client, tags = MlflowClient(), _tags(decision, judged_by)
    numbers = {} if judged_by == training_run_id else metrics  # its own are logged already
    now = int(time.time() * 1_000)
    batch = [Metric(f"{PREFIX}{name}", value, now, 0) for name, value in numbers.items()]
    try:
        for start in range(0, len(batch), METRICS_PER_BATCH):
            client.log_batch(training_run_id, metrics=batch[start : start + METRICS_PER_BATCH])
        client.log_batch(training_run_id, tags=[RunTag(name, value) for name, value in tags.items()])
    except MlflowException as error:
        raise DatasetError(f"the verdict cannot go onto training run {training_run_id}: {error.message}") from error
    for version in client.search_model_versions(f"run_id = '{training_run_id}'"):
        _tag_version(client, version, tags)


def _tag_version(client: MlflowClient, version: Any, tags: dict[str, str]) -> None:
    if version.tags.get("predictor_sha256") == tags["verdict_predictor_sha256"]:
        for name, value in tags.items():
            client.set_model_version_tag(version.name, version.version, name, value)


def _tags(decision: "GateDecision", judged_by: str) -> dict[str, str]:
    return {
        "verdict": "PASS" if decision.approved else "FAIL",
        "verdict_reasons": "; ".join(decision.reasons),
        "verdict_predictor_sha256": str(decision.predictor_sha256),
        "verdict_run_id": judged_by,
    }
