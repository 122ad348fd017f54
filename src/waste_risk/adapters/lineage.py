"""Checks that the files a run reads belong together: each as a run wrote it, and all made from the same files.

A lock prevents two runs of a source at once; this prevents that files of two runs, or stale and new ones, are mixed.
``data/<source>/.lineage.json`` holds the SHA-256 of each dataset's file and of all files that it was made from.
"""

import hashlib
import json
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from waste_risk.adapters.failures import RunError
from waste_risk.files import replacing

LINEAGE_FILE = ".lineage.json"
RAW = "01_raw"  # whoever puts other tables there has another source

Hashes = dict[str, str]  # SHA-256 by dataset


class _Record(NamedTuple):
    """A file, what it was made from, and the Kedro run that wrote it; names of runs sort by time."""

    sha256: str
    made_from: Hashes
    run: str


class _Seen(NamedTuple):
    """A file as this run found or wrote it; an unchanged stamp saves hashing it again."""

    sha256: str
    stamp: tuple[int, int, int]


class LineageHook:
    """Refuses files that do not belong together, and records what each new one is made from."""

    def __init__(self) -> None:
        """Use the default folder until the context names the source's."""
        self._folder = Path("data")
        self._usual: list[str] = []
        self._lock = Lock()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Set the folder of the source, and the pipelines that it runs."""
        self._folder = source_folder(context.project_path, context.config_loader)
        self._usual = context.config_loader["run"]["pipelines"]

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check every file that the pipeline reads and does not write.

        Raises:
            RunError: a file is missing or not what a run wrote, or two were made from different ones.
        """
        self._run, self._catalog, self._records = run_params["run_id"], catalog, _read(self._folder / LINEAGE_FILE)
        self._seen: dict[str, _Seen] = {}
        self._made_from: dict[str, Hashes] = {}
        inputs = sorted(name for name in pipeline.inputs() if not name.startswith("params:"))
        self._refuse_missing(inputs)
        for name in inputs:
            self._look(name)
        self._refuse_mixture()

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Check again that nobody has changed the file since.

        Raises:
            RunError: its content is another one now.
        """
        path, seen = self._path(dataset_name), self._seen.get(dataset_name)
        if path and seen and _stamp(path) != seen.stamp and _hash(path) != seen.sha256:
            raise RunError(
                f"{path} was changed while this run was at work; run again, and leave the files alone meanwhile"
            )

    @hook_impl(tryfirst=True)
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Record the file, before other hooks use it."""
        with self._lock:
            made_from = {key: value for name in node.inputs for key, value in self._made_from.get(name, {}).items()}
            path = self._path(dataset_name)
            if path:
                self._seen[dataset_name] = seen = _Seen(_hash(path), _stamp(path))
                self._records[dataset_name] = _Record(seen.sha256, made_from, self._run)
                records = {name: record._asdict() for name, record in self._records.items()}
                with replacing(self._folder / LINEAGE_FILE) as temporary:
                    temporary.write_text(json.dumps(records), encoding="utf-8")
                made_from = {**made_from, dataset_name: seen.sha256}
            self._made_from[dataset_name] = made_from

    def _refuse_missing(self, names: list[str]) -> None:
        missing = [name for name in names if self._place(name) and not self._path(name)]
        if not missing:
            return  # else every run would import every pipeline
        places = {name: Path(str(self._place(name))).resolve() for name in missing}
        data = self._folder.parent.resolve()
        given = [name for name, place in places.items() if not place.is_relative_to(data)]
        if given:
            told = "; ".join(f"{name}: {self._place(name)} does not exist" for name in given)
            raise RunError(f"{told}; say in the catalog, or in its parameter, where it is")
        source = places[missing[0]].relative_to(data).parts[0]
        is_own = source == self._folder.name
        makers = _makers(missing, self._usual) if is_own else f"the pipelines of the source {source}"
        raise RunError(f"{', '.join(missing)}: {self._place(missing[0])} does not exist; run {makers} first")

    def _look(self, name: str) -> None:
        path = self._path(name)
        if path is None:
            return
        self._seen[name] = seen = _Seen(_hash(path), _stamp(path))
        record = self._records.get(name)
        is_derived = self._folder in path.parents and path.parent.name != RAW
        if record and record.sha256 != seen.sha256 and is_derived:
            raise RunError(f"{path} is not the file that a run wrote; run {_makers([name], self._usual)} again")
        known = record.made_from if record and record.sha256 == seen.sha256 else {}
        self._made_from[name] = {**known, name: seen.sha256}

    def _refuse_mixture(self) -> None:
        """Raise an error if two files were made from different ones: the earlier is stale, as is what lies between."""
        first: dict[str, str] = {}
        for name, hashes in self._made_from.items():
            for ancestor, sha256 in hashes.items():
                other = first.setdefault(ancestor, name)
                if self._made_from[other][ancestor] != sha256:
                    stale, fresh = sorted((name, other), key=self._made_by)
                    current = self._made_from[fresh][ancestor]
                    between = {
                        part
                        for part, record in self._records.items()
                        if record.made_from.get(ancestor, current) != current
                    }
                    before = [made for made in self._made_from.values() if made.get(ancestor, current) != current]
                    makers = _makers(sorted(between & {part for made in before for part in made}), self._usual)
                    raise RunError(f"{stale} was made from {ancestor} as it was before; run {makers} again")

    def _made_by(self, name: str) -> str:
        record = self._records.get(name)
        return record.run if record and record.sha256 == self._seen[name].sha256 else "somebody, later"

    def _path(self, name: str) -> Path | None:
        """Return the local file of a dataset, if it exists; of a predictor's folder, its metadata."""
        path = self._place(name)
        path = path / "metadata.json" if path and path.is_dir() else path
        return path if path and path.is_file() else None

    def _place(self, name: str) -> Path | None:
        """Return the local path of a dataset, if it has one."""
        dataset = self._catalog.get(name) if name in self._catalog else None
        dataset = getattr(dataset, "_dataset", dataset)  # what a read-only one reads
        path = getattr(dataset, "_filepath", None)
        return Path(str(path)) if path is not None and getattr(dataset, "_protocol", "file") == "file" else None


def source_folder(project: Path, config: Any) -> Path:
    """Return the folder of the source's data."""
    return Path(project) / "data" / str(config["globals"]["source"])


def _makers(names: list[str], usual: list[str]) -> str:
    """Return the smallest pipelines that make the datasets, in order, as an option of the command.

    Those within the pipelines that the source usually runs come first: others may make a table of the same name.
    """
    pipelines.set_requested(None)  # Kedro has loaded those of this run alone
    outputs = {name: pipeline.all_outputs() for name, pipeline in pipelines.items()}
    made = set[str]().union(*(outputs[name] for name in usual if name in outputs))
    makers = [[maker for maker in outputs if name in outputs[maker]] for name in names]
    best = {name: (not outputs[name] <= made, len(outputs[name])) for name in outputs}
    smallest = {min(found, key=best.__getitem__) for found in makers if found}
    return f"--pipelines {','.join(name for name in outputs if name in smallest)}" if smallest else ""


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(path: Path) -> dict[str, _Record]:
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        return {name: _Record(**record) for name, record in records.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        raise RunError(f"{path} is not the file that a run wrote; delete it, and run every pipeline again") from None
