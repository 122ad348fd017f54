"""A source's tables belong to someone else: they are read and never written, and it has a data folder of its own.

An environment is a source if its catalog replaces a raw table or adds one that base does not have.
"""

import os
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn, cast

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import AbstractDataset, DataCatalog, DatasetError
from kedro.io.core import Version
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from waste_risk.adapters.configuration import ConfigLoader, ConfigurationError, suggest
from waste_risk.adapters.contracts import ContractBroken
from waste_risk.adapters.dataset_errors import explain, why_unreadable
from waste_risk.adapters.failures import explain as explain_failure

_OWN_TYPES = ("waste_risk.", "kedro_mlflow.", "kedro.io.MemoryDataset", "MemoryDataset")
_PATHS = ("filepath", "path", "filename")  # the keys that Kedro takes for paths
_READ_ONLY = f"{__name__}.ReadOnlyDataset"
_FILES = "waste_risk.adapters.files.FilesDataset"
_OF_THE_ENTRY = ("validator", "metadata", "versioned")  # stay with the entry when its dataset is wrapped


class ReadOnlyDataset(AbstractDataset[NoReturn, Any]):
    """A dataset of a source, of any type, which can only be read."""

    def __init__(
        self, name: str, dataset: dict[str, Any], version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        """Create the dataset that an entry of the catalog describes.

        Args:
            name: of the entry.
            dataset: the entry, without what stays with the wrapper.
            version: of a versioned dataset.
            metadata: for Kedro-Viz.
        """
        versions = {"load_version": version.load, "save_version": version.save} if version else {}
        self._dataset = AbstractDataset.from_config(name, {**dataset, "versioned": bool(version)}, **versions)
        self._type = dataset["type"]
        self.metadata = metadata

    def load(self) -> Any:
        """Read the table.

        Raises:
            DatasetError: the table cannot be read; the message names the file and the reason, in one line.
        """
        try:
            return self._dataset.load()
        except Exception as error:  # whatever the type of dataset raises
            message = why_unreadable(error)
        raise DatasetError(message if message.startswith(self.place) else f"{self.place} {message}")

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: a source is never written.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"{self.place} belongs to the source and is only read")

    @property
    def place(self) -> str:
        """Return the file, or the type of a dataset without one: an address may hold a password."""
        path = getattr(self._dataset, "_filepath", None) or getattr(self._dataset, "place", None)
        return str(path or f"its table ({self._type})")

    def _exists(self) -> bool:
        return bool(self._dataset.exists())

    def _release(self) -> None:
        self._dataset.release()

    def _describe(self) -> dict[str, Any]:
        return {"type": self._type}


class SourceHook:
    """Makes the entries that the project does not write read-only, and refuses a run that would write one."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check the environment's catalog, and replace its source's entries by read-only ones.

        Raises:
            ConfigurationError: an entry or its credentials are unknown, or a source has no data folder of its own.
        """
        self._config = cast("ConfigLoader", context.config_loader)
        _refuse_unknown_entries(self._config)
        _refuse_unknown_credentials(self._config)
        _refuse_a_shared_folder(self._config)
        source = self._config["globals"]["source"]
        _refuse_own_files(self._config["catalog"], context.project_path, source)
        self._config["catalog"] = protect(self._config["catalog"], context.project_path, source)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check before the first node what the run would read and write.

        Raises:
            ConfigurationError: an entry of the environment is wrong; or a node would write what belongs to a source.
        """
        entries = self._config.of_environment("catalog")
        self._tables, self._loading = pipeline.inputs() & set(entries), set[str]()
        for name in sorted(pipeline.datasets() & set(entries)):
            _refuse_wrong_entry(name, catalog, entries[name])
        self._readers = {name: {node.name for node in pipeline.nodes if name in node.inputs} for name in self._tables}
        for name in self._tables:
            catalog.release(name)  # what a run that failed in this process left
        names = run_params["pipeline_names"] or ["__default__"]
        outputs = pipeline.all_outputs()
        locked = {name for name in outputs if catalog.get_type(name) == _READ_ONLY}
        places = {name: f" ({catalog[name].place})" for name in locked}  # type: ignore[attr-defined]
        places |= dict.fromkeys(_only_read(self._config, names, outputs) - set(places), "")
        for name in sorted(places):
            culprit = next((known for known in names if name in pipelines[known].all_outputs()), names[0])
            folder = f"conf/{self._config.env or self._config.default_run_env}"
            raise ConfigurationError(
                f"{culprit} would write {name}{places[name]}, which {folder} only reads;"
                f" choose other pipelines, with --pipelines or in {folder}/run.yml."
            )

    @hook_impl
    def after_node_run(self, node: Node, catalog: DataCatalog) -> None:
        """Release each of the source's tables after the last node that reads it: Kedro keeps what no node makes."""
        for name in self._tables.intersection(node.inputs):
            self._readers[name].discard(node.name)
            if not self._readers[name]:
                catalog.release(name)

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Remember what is being read."""
        self._loading.add(dataset_name)

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str) -> None:
        """Forget what was read."""
        self._loading.discard(dataset_name)

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, error: Exception, catalog: DataCatalog) -> None:
        """Add what is wrong with the source's other tables to the error about one of them: one run tells it all."""
        for name in sorted(self._tables - self._loading if self._tables & self._loading else ()):
            try:
                catalog.load(name)
            except (DatasetError, ContractBroken) as other:
                # Tables that are read at once fail at once.
                said = explain_failure(other)
                if said.partition(": ")[2] not in explain_failure(error):
                    error.add_note(said)


def protect(entries: Mapping[str, Any], project: Path, source: str) -> dict[str, Any]:
    """Return the catalog's entries, with those that the project does not write made read-only.

    The project writes datasets of its own types, and files only in ``data/<source>``; links are followed.
    """
    folder, protected = (project / "data" / source).resolve(), dict(entries)
    for name, entry in entries.items():
        places = [Path(os.path.realpath(project / path)) for path in _said(entry, _PATHS)]
        if not _has_own_type(entry) or not all(place.is_relative_to(folder) for place in places):
            kept = {key: value for key, value in entry.items() if key in _OF_THE_ENTRY}
            dataset = {key: value for key, value in entry.items() if key not in _OF_THE_ENTRY}
            protected[name] = {"type": _READ_ONLY, "name": name, "dataset": dataset, **kept}
    return protected


def pipelines_of(config: ConfigLoader) -> list[str]:
    """Return the names of the pipelines that a bare run of the environment runs.

    Raises:
        ConfigurationError: a source does not name them, and those of base would simulate its tables.
    """
    swapped = _swapped(config)
    if swapped and not config.of_environment("run"):
        raise ConfigurationError(
            f"{_folder(swapped)}/run.yml must say what to run on {', '.join(swapped)},"
            " as in `pipelines: [data_engineering, training, validation]`."
        )
    return list(config["run"]["pipelines"])


def with_reading(config: ConfigLoader, names: list[str]) -> list[str]:
    """Return the pipelines with those that `reads` in run.yml names, if they make what one of them needs.

    Such a pipeline reads a source that changes by itself, so what it made before is out of date.

    Raises:
        ConfigurationError: there is no such pipeline.
    """
    reading = [name for name in config["run"].get("reads", ()) if name not in names]
    for name in reading:
        if name not in pipelines:
            raise ConfigurationError(f"run.yml: reads names {name}, which is no pipeline{suggest(name, pipelines)}")
    if not reading:
        return names
    needed = sum((pipelines[name] for name in names), Pipeline([])).inputs()
    return sorted([*names, *(name for name in reading if pipelines[name].all_outputs() & needed)])


def _refuse_a_shared_folder(config: ConfigLoader) -> None:
    swapped, shared = _swapped(config), config.of_base("globals").get("source")
    if swapped and config["globals"]["source"] == shared:
        folder = _folder(swapped)
        raise ConfigurationError(
            f"{folder}/globals.yml must name a source of its own, as in `source: {Path(folder).name}`;"
            f" what comes of {', '.join(swapped)} would mix with data/{shared}."
        )


def _refuse_own_files(entries: Mapping[str, Any], project: Path, source: str) -> None:
    """Refuse a user's file that lies where the project writes: it could be replaced by what is made of it."""
    folder = (project / "data" / source).resolve()
    for name, entry in entries.items():
        place = entry.get("filepath") if entry.get("type") == _FILES else None
        if place and Path(os.path.realpath(project / place)).is_relative_to(folder):
            raise ConfigurationError(
                f"{name}: {place} lies in data/{source}, which runs of this source write; keep your files elsewhere."
            )


def _refuse_unknown_entries(config: ConfigLoader) -> None:
    base, files = config.of_base("catalog"), config.of_environment("catalog")
    unknown = {name for name in files if name not in base and not _is_pattern(name)}
    for pipeline in chain(config["run"]["pipelines"], pipelines):  # each is imported when it is looked into
        if not unknown:
            return
        unknown -= pipelines[pipeline].datasets() if pipeline in pipelines else set()
    for name in sorted(unknown):
        raise ConfigurationError(f"{files[name]}: no pipeline reads or writes {name}{suggest(name, base)}")


def _refuse_unknown_credentials(config: ConfigLoader) -> None:
    known = set(config.of_base("credentials")) | set(config.of_environment("credentials"))
    entries = config["catalog"]
    for name, file in config.of_environment("catalog").items():
        if not known.issuperset(_said(entries[name], ("credentials",))):
            raise ConfigurationError(f"{file}: the credentials of {name} are in no credentials.yml.")


def _refuse_wrong_entry(name: str, catalog: DataCatalog, file: str) -> None:
    fault = None
    try:
        catalog.get(name)
    except DatasetError as error:
        fault = explain(error)
    if fault is not None:
        raise ConfigurationError(f"{file}: {fault}")


def _swapped(config: ConfigLoader) -> dict[str, str]:
    """Return the raw tables in the environment's catalog, each with its file."""
    base, entries, swapped = config.of_base("catalog"), config["catalog"], {}
    for name, file in config.of_environment("catalog").items():
        if _is_pattern(name):
            continue
        # An entry that base lacks is a raw table, too, unless it is a file that the project itself writes.
        is_written = _has_own_type(entries[name]) and any(_said(entries[name], _PATHS))
        if _is_raw(base[name]) if name in base else not is_written:
            swapped[name] = file
    return swapped


def _only_read(config: ConfigLoader, names: list[str], outputs: set[str]) -> set[str]:
    """Return the raw tables among the outputs that the pipelines of the environment read and do not write.

    Someone else may have put them, as Parquet files, where the project would write them.
    """
    raw = outputs & {name for name, entry in config.of_base("catalog").items() if _is_raw(entry)}
    own = config["run"]["pipelines"] if raw and config.of_environment("run") else ()
    if not own or set(names) <= set(own):
        return set()
    return raw & sum((pipelines[name] for name in own if name in pipelines), Pipeline([])).inputs()


def _has_own_type(entry: Mapping[str, Any]) -> bool:
    return all(kind.startswith(_OWN_TYPES) for kind in _said(entry, ("type",)))


def _said(entry: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    """Yield the values under these keys, of the entry and the datasets within."""
    for key, value in entry.items():
        if isinstance(value, Mapping):
            yield from _said(value, keys)
        elif key in keys:
            yield str(value)


def _is_raw(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("metadata", {}).get("kedro-viz", {}).get("layer") == "raw"


def _is_pattern(name: str) -> bool:
    return "{" in name


def _folder(swapped: Mapping[str, str]) -> str:
    return Path(next(iter(swapped.values()))).parent.as_posix()
