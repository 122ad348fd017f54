"""Find, register and move version sets, the models of one training, in the MLflow registry: what hooks and people call.

The registry changes one version at a time. A version set therefore counts only when all of its versions are there,
moves are made in an order that always leaves a champion, and repeating a move completes one that was interrupted.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from kedro.io import DatasetError
from mlflow import MlflowClient
from mlflow.entities import RunStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST, ErrorCode

Known = TypeVar("Known")
Stage = Literal["Staging", "Production", "Archived"]

PARTS = ("classifier", "regressor", "predictor")
CHALLENGER, CHAMPION, PREVIOUS, REFERENCE = "challenger", "champion", "previous", "reference"
VALIDATION_PREFIX = "test."  # of the metrics of a validation, as its run logs them
VERSION_SET, INCOMPLETE = "version_set", "version_set_incomplete"  # tags


class LoggedModel(NamedTuple):
    """A model logged with a run, and the name that it is registered under."""

    name: str
    model_uri: str
    model_id: str | None
    predictor_sha256: str
    source: str


@dataclass(frozen=True)
class VersionSet:
    """The registered versions of one training.

    Attributes:
        id: the run that registered them.
        versions: by the name of the registered model, as they were when the set was looked up.
    """

    id: str
    versions: Mapping[str, ModelVersion]

    @property
    def training_run_id(self) -> str:
        """The run that trained the models."""
        return str(self._any.run_id)

    @property
    def source(self) -> str:
        """The source of the training's data."""
        return str(self._any.tags["source"])

    @property
    def predictor_sha256(self) -> str:
        """The SHA-256 of the predictor whose parts the models are."""
        return str(self._any.tags["predictor_sha256"])

    @property
    def is_marked(self) -> bool:
        """Whether a version is tagged as part of an incomplete version set."""
        return any(INCOMPLETE in version.tags for version in self.versions.values())

    @property
    def is_complete(self) -> bool:
        """Whether all models are registered."""
        return set(self.versions) == {name_of(part) for part in PARTS} and not self.is_marked

    @property
    def is_new(self) -> bool:
        """Whether a version has never been moved."""
        return any(version.current_stage == "None" for version in self.versions.values())

    @property
    def _any(self) -> ModelVersion:
        return next(iter(self.versions.values()))

    def __str__(self) -> str:
        known = [name for part in PARTS if (name := name_of(part)) in self.versions]
        return ", ".join(f"{name} {self.versions[name].version}" for name in known)


def name_of(part: str) -> str:
    """Return the name under which a part of the predictor is registered."""
    return f"waste_risk_{part}"


def register_together(models: Sequence[LoggedModel], training_run_id: str, registered_by: str) -> VersionSet:
    """Register models as one version set; what was registered before a failure is tagged as incomplete.

    Args:
        models: all models of a training.
        training_run_id: the run that trained them.
        registered_by: the run that registers them, whose id becomes that of the version set.

    Raises:
        MlflowException: the store has failed.
    """
    versions: dict[str, ModelVersion] = {}
    try:
        for model in models:
            tags = {"source": model.source, "predictor_sha256": model.predictor_sha256, VERSION_SET: registered_by}
            versions[model.name] = create_version(
                model.name, model.model_uri, training_run_id, tags, model_id=model.model_id
            )
    except MlflowException:
        with suppress(MlflowException):  # the next run marks what cannot be marked now
            _mark(VersionSet(registered_by, versions))
        raise
    return VersionSet(registered_by, versions)


def find_version_sets(source: str) -> list[VersionSet]:
    """Return all version sets of a source, complete or not, the oldest first."""
    names = {name_of(part) for part in PARTS}
    found = MlflowClient().search_model_versions(f"tags.source = '{source}'")
    sets: dict[str, dict[str, ModelVersion]] = {}
    for version in sorted(found, key=lambda each: (int(each.creation_timestamp), int(each.version))):
        if version.name in names and VERSION_SET in version.tags:
            sets.setdefault(version.tags[VERSION_SET], {})[version.name] = version
    return [VersionSet(each, versions) for each, versions in sets.items()]


def find_version_set(id_: str) -> VersionSet | None:
    """Return the version set of an id, if its versions are still in the registry."""
    names = {name_of(part) for part in PARTS}
    found = MlflowClient().search_model_versions(f"tags.{VERSION_SET} = '{id_}'")
    versions = {version.name: version for version in found if version.name in names}
    return VersionSet(id_, versions) if versions else None


def version_set_of_alias(alias: str) -> VersionSet | None:
    """Return the version set that an alias of the predictor points at, if any.

    Raises:
        DatasetError: the version belongs to none.
    """
    version = version_of_alias(name_of("predictor"), alias)
    if version is None:
        return None
    if VERSION_SET not in version.tags:
        raise DatasetError(
            f"the {alias}, version {version.version} of {version.name}, was not registered by a run of waste_risk"
        )
    return find_version_set(version.tags[VERSION_SET])


def mark_incomplete(source: str) -> list[VersionSet]:
    """Tag the versions of incomplete version sets, and return the version sets that were not tagged before.

    Those of runs that are still at work are left alone.
    """
    left = [each for each in find_version_sets(source) if not (each.is_complete or each.is_marked)]
    ended = [each for each in left if not is_running(each.id)]
    for each in ended:
        _mark(each)
    return ended


def move(version_set: VersionSet, to: Stage) -> None:
    """Move all versions of a version set to a stage, and their aliases with them.

    In ``Staging`` a version set is the ``challenger``, in ``Production`` the ``champion``; whichever it replaces is
    archived, and a former champion becomes ``previous``. A version set can be moved back from ``Archived``.

    Raises:
        DatasetError: the version set is incomplete, has never been in staging, or is the champion.
    """
    client = MlflowClient()
    versions = {name: str(version.version) for name, version in version_set.versions.items()}
    _check(client, version_set, versions, to)
    with _without_warnings_of_stages():
        if to == "Archived":
            _drop_alias(client, versions, CHALLENGER)
            _set_stage(client, versions, to)
            return
        _set_stage(client, versions, to)
        if to == "Staging":
            _set_alias(client, versions, CHALLENGER)
        else:
            champions = {name: _aliases(client, name).get(CHAMPION, versions[name]) for name in versions}
            _set_alias(client, {name: each for name, each in champions.items() if each != versions[name]}, PREVIOUS)
            _set_alias(client, versions, CHAMPION)
            _drop_alias(client, versions, CHALLENGER)
        _archive_others(client, versions, to)


def set_stage(version_set: VersionSet, stage: Stage) -> None:
    """Set the stage of all versions of a version set, and nothing else."""
    with _without_warnings_of_stages():
        _set_stage(MlflowClient(), {name: each.version for name, each in version_set.versions.items()}, stage)


def point(alias: str, version_set: VersionSet | None) -> None:
    """Let an alias of all models point at a version set, or at none."""
    client = MlflowClient()
    for name in map(name_of, PARTS):
        if version_set is not None:
            client.set_registered_model_alias(name, alias, version_set.versions[name].version)
        elif alias in _aliases(client, name):
            client.delete_registered_model_alias(name, alias)


def create_version(
    name: str, source: str, run_id: str, tags: dict[str, str], *, model_id: str | None = None, description: str = ""
) -> ModelVersion:
    """Create the next version of a registered model, together with its tags.

    ``mlflow.register_model`` would take two steps and print a message for each.
    """
    client = MlflowClient()
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise
    return client.create_model_version(
        name, source, run_id, tags=tags, model_id=model_id, description=description or None
    )


def is_running(run_id: str) -> bool:
    """Return whether a run is at work, as far as the store knows."""
    run = _known(lambda: MlflowClient().get_run(run_id))
    return run is not None and run.info.status == RunStatus.to_string(RunStatus.RUNNING)


def version_of_alias(name: str, alias: str) -> ModelVersion | None:
    """Return the version of a registered model that an alias points at, if any."""
    client = MlflowClient()
    version = _aliases(client, name).get(alias)
    return None if version is None else client.get_model_version(name, version)


def newest_version(name: str, source: str) -> ModelVersion | None:
    """Return the newest version of a registered model that is of a source, if any."""
    found = MlflowClient().search_model_versions(f"name = '{name}' and tags.source = '{source}'")
    return max(found, key=lambda version: int(version.version), default=None)


def validated_metrics(version: ModelVersion) -> dict[str, float]:
    """Return the metrics that a validation has put onto the training run of a version; none if the run is gone."""
    run = _known(lambda: MlflowClient().get_run(str(version.run_id)))
    metrics = {} if run is None else run.data.metrics
    found = {name: float(value) for name, value in metrics.items() if name.startswith(VALIDATION_PREFIX)}
    return {name.removeprefix(VALIDATION_PREFIX): value for name, value in found.items()}


def _mark(version_set: VersionSet) -> None:
    reason = f"run {version_set.id} has registered {len(version_set.versions)} of {len(PARTS)} models"
    for name, version in version_set.versions.items():
        MlflowClient().set_model_version_tag(name, version.version, INCOMPLETE, reason)


def _check(client: MlflowClient, version_set: VersionSet, versions: Mapping[str, str], to: Stage) -> None:
    now = VersionSet(version_set.id, {name: client.get_model_version(name, each) for name, each in versions.items()})
    if not now.is_complete:
        raise DatasetError(f"{version_set} are an incomplete version set, and cannot be moved")
    if to == "Production" and now.is_new:
        raise DatasetError(f"{version_set} have never been in staging; move them there first")
    if to != "Production" and any(_aliases(client, name).get(CHAMPION) == versions[name] for name in versions):
        raise DatasetError(f"{version_set} are the champion; move another version set to Production instead")


def _set_stage(client: MlflowClient, versions: Mapping[str, str], stage: str) -> None:
    for name, version in versions.items():
        if client.get_model_version(name, version).current_stage != stage:
            client.transition_model_version_stage(name, version, stage)


def _archive_others(client: MlflowClient, versions: Mapping[str, str], stage: str) -> None:
    for name, version in versions.items():
        kept = {version, _aliases(client, name).get(CHAMPION)}  # which another run may move at this moment
        for found in client.search_model_versions(f"name = '{name}'"):
            if found.current_stage == stage and str(found.version) not in kept:
                client.transition_model_version_stage(name, found.version, "Archived")


def _aliases(client: MlflowClient, name: str) -> dict[str, str]:
    """Return the version of each alias of a registered model; none if there is no such model."""
    model = _known(lambda: client.get_registered_model(name))
    return {} if model is None else {alias: str(version) for alias, version in model.aliases.items()}


def _known(read: Callable[[], Known]) -> Known | None:
    """Return what is read, or None if the store does not know it: it was deleted, or never there."""
    try:
        return read()
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
    return None


def _set_alias(client: MlflowClient, versions: Mapping[str, str], alias: str) -> None:
    for name, version in versions.items():
        client.set_registered_model_alias(name, alias, version)


def _drop_alias(client: MlflowClient, versions: Mapping[str, str], alias: str) -> None:
    for name, version in versions.items():
        if _aliases(client, name).get(alias) == version:
            client.delete_registered_model_alias(name, alias)


@contextmanager
def _without_warnings_of_stages() -> Iterator[None]:
    """Silence MLflow's advice to use aliases instead of stages: both are set, as existing clients read stages."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*stages", category=FutureWarning)
        yield
