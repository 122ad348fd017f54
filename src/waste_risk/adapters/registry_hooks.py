"""When a run changes the registry: its models are registered, tagged with the verdict, and the challenger if it passes.

A training run is never resumed; a client adds metrics and tags to it, and to the versions registered from it.
"""

import time
from typing import TYPE_CHECKING, Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag
from mlflow.exceptions import MlflowException

from waste_risk.adapters.datasets import PredictorDataset
from waste_risk.adapters.failures import RunError
from waste_risk.adapters.promotion_log import finish_interrupted
from waste_risk.adapters.registry import (
    CHALLENGER,
    CHAMPION,
    VALIDATION_PREFIX,
    VERSION_SET,
    VersionSet,
    find_version_set,
    find_version_sets,
    mark_incomplete,
    move,
    register_together,
    version_set_of_alias,
)
from waste_risk.adapters.screen import LOGGER
from waste_risk.adapters.signals import uninterrupted
from waste_risk.adapters.tracking import TRAINING_RUN, TrackingHook, active_run_id, log_metrics

if TYPE_CHECKING:
    from waste_risk.adapters.registry import LoggedModel
    from waste_risk.validation.gates import GateDecision

DECISION, METRICS, PROMOTION = "gate_decision", "validation_metrics", "promotion_decision"


class RegistrationHook:
    """Registers the models of a training as one version set, and each predictor only once."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Set the source."""
        self._source = str(context.config_loader["globals"]["source"])

    @hook_impl(trylast=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Reset what this run has saved, and put in order what interrupted runs have left in the registry.

        Raises:
            RunError: the run would move the champion beside other pipelines, which may need the old or the new one.
        """
        others = sorted({str(node.namespace) for node in pipeline.nodes} - {"promotion", "rollback"})
        if PROMOTION in pipeline.all_outputs() and others:
            raise RunError(
                f"promotion and rollback run by themselves: run {', '.join(others)} first, since what is decided about "
                "is on record only when that run has ended"
            )
        self._catalog, self._saved = catalog, set[str]()
        if mlflow.active_run() is None:
            return
        for left in mark_incomplete(self._source):
            LOGGER.info("Registry:     %s were left incomplete by run %s; they are never promoted", left, left.id)
        with uninterrupted():
            for sentence in _finish():
                LOGGER.info("Registry:     %s", sentence)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Register when the last model of a node has been saved."""
        self._saved.add(dataset_name)
        datasets = {name: self._catalog.get(name) for name in node.outputs if name in self._catalog}
        models: dict[str, Any] = {name: each for name, each in datasets.items() if hasattr(each, "take_logged")}
        if dataset_name not in models or not self._saved.issuperset(models):
            return
        logged = [model for each in models.values() if (model := each.take_logged()) is not None]
        with uninterrupted():
            self._register(logged)

    def _register(self, logged: "list[LoggedModel]") -> None:
        """Register models for the run that trained them: this one, or that of the record of an earlier training."""
        run_id = training_run_id = active_run_id()
        training = self._earlier_training()
        if training is not None and training["predictor_sha256"] == logged[0].predictor_sha256:
            training_run_id = training["run_id"]
            known = find_version_sets(self._source)
            if any(each.is_complete and each.training_run_id == training_run_id for each in known):
                return
        register_together(logged, training_run_id, run_id)

    def _earlier_training(self) -> "dict[str, str] | None":
        is_new = TRAINING_RUN in self._saved or any(self._is_predictor(name) for name in self._saved)
        is_kept = TRAINING_RUN in self._catalog and self._catalog.exists(TRAINING_RUN)
        training: dict[str, str] | None = self._catalog.load(TRAINING_RUN) if is_kept and not is_new else None
        return training

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
            LOGGER.info("Registry:     %s", stage(self._decision, training["run_id"]))


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
    batch = [Metric(f"{VALIDATION_PREFIX}{name}", value, now, 0) for name, value in numbers.items()]
    try:
        log_metrics(training_run_id, batch)
        client.log_batch(training_run_id, tags=[RunTag(name, value) for name, value in tags.items()])
    except MlflowException as error:
        raise DatasetError(f"the verdict cannot go onto training run {training_run_id}: {error.message}") from error
    for version in client.search_model_versions(f"run_id = '{training_run_id}'"):
        _tag_version(client, version, tags)


def stage(decision: "GateDecision", training_run_id: str) -> str:
    """Make the predictor of a training the challenger if it may contend, or no longer if it may not.

    Returns:
        What was done, in a sentence.
    """
    versions = MlflowClient().search_model_versions(f"run_id = '{training_run_id}'")
    ids = {version.tags[VERSION_SET] for version in versions if VERSION_SET in version.tags}
    sets = [each for id_ in sorted(ids) if (each := find_version_set(id_)) is not None]
    found = [each for each in sets if each.is_complete and each.predictor_sha256 == decision.predictor_sha256]
    if not found:
        return "the predictor is not registered whole"
    try:
        return _stage(found[-1], version_set_of_alias(CHAMPION), version_set_of_alias(CHALLENGER), decision)
    except DatasetError as error:
        return f"{found[-1]} are not the challenger: {error}"


def _stage(
    version_set: VersionSet, champion: VersionSet | None, challenger: VersionSet | None, decision: "GateDecision"
) -> str:
    if champion is not None and champion.id == version_set.id:
        return f"{version_set} are the champion"
    if champion is not None and champion.source != version_set.source:
        return f"{version_set} are not the challenger: the champion is of source {champion.source}"
    if decision.approved or (champion is not None and decision.may_contend):
        move(version_set, "Staging")
        return f"{version_set} are the challenger"
    if challenger is not None and challenger.id == version_set.id:
        move(version_set, "Archived")
        return f"{version_set} are no longer the challenger"
    return f"{version_set} have failed, and are not the challenger"


def _finish() -> list[str]:
    """Finish interrupted moves; what prevents it is told, since most runs have nothing to do with it."""
    try:
        return finish_interrupted()
    except DatasetError as error:
        return [f"an interrupted move was left as it is: {error}"]


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
