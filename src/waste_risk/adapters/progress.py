"""The lines of a run (nodes, seconds, memory, files) on the terminal, and in a log file of the MLflow run.

No message of an exception is written to the log: it may quote the data.
"""

import logging
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from waste_risk.adapters.failures import explain, is_of_store, write_traceback
from waste_risk.adapters.memory import peak_bytes
from waste_risk.adapters.mlflow_store import be_brief
from waste_risk.adapters.screen import LOGGER
from waste_risk.adapters.tracking import TrackingHook
from waste_risk.formatting import count_noun

SUMMARY, DECISION = "_summary", "gate_decision"


class ProgressHook:
    """A line for each node, the closing lines of the run, its log file, and its exit code."""

    def __init__(self, tracking: TrackingHook) -> None:
        """Set the hook that knows the run with which the log is logged."""
        self._tracking = tracking
        self._folder = Path("logs")
        self._log: logging.FileHandler | None = None
        self._lock = Lock()
        self._began: dict[str, float] = {}

    def tell(self) -> str:
        """Return which nodes are running, and for how long."""
        now = time.perf_counter()
        return ", ".join(f"{name} {now - began:.0f} s" for name, began in list(self._began.items()))

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Set the folder of the logs."""
        self._folder = context.project_path / "logs"

    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline) -> None:
        """Open the log and start the clock."""
        self._began = {}
        self._unsaved = {node.name: set(node.outputs) for node in pipeline.nodes}
        self._unfinished = set(pipeline.nodes)
        self._outcomes: dict[str, Any] = {}
        self._n_nodes, self._n_done, self._start = len(pipeline.nodes), 0, time.perf_counter()
        self._width = max(len(node.name) for node in pipeline.nodes)
        self._open_log(run_params["run_id"])

    @hook_impl
    def before_dataset_loaded(self, node: Node) -> None:
        """Start the clock of a node with its first input."""
        self._began.setdefault(node.name, time.perf_counter())

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the clock of a node without inputs."""
        self._began.setdefault(node.name, time.perf_counter())

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """Report a node after its last output; keep what the closing lines show."""
        if dataset_name.endswith(SUMMARY) or dataset_name == DECISION:
            self._outcomes[dataset_name] = data
        self._unsaved[node.name].discard(dataset_name)
        if not self._unsaved[node.name]:
            self._end_node(node)

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Report a node without outputs."""
        if not node.outputs:
            self._end_node(node)

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Add notes to the error, on where it happened and how to resume, and its traceback to the log."""
        from kedro.runner.runner import _find_nodes_to_resume_from  # noqa: PLC0415, there is no public way to ask

        if self._began:
            error.add_note(f"in {', '.join(sorted(self._began))}")
        if self._n_done:
            nodes = _find_nodes_to_resume_from(pipeline, self._unfinished, catalog)
            error.add_note(f"go on with --from-nodes {','.join(sorted(nodes))}")
        if self._log is not None:
            failure = f"failed after {time.perf_counter() - self._start:.1f} s: {explain(error)}"
            self._log.handle(LOGGER.makeRecord(LOGGER.name, logging.ERROR, "", 0, failure, (), None))
            error.log = Path(self._log.baseFilename)  # type: ignore[attr-defined]
            write_traceback(error, error.log)  # type: ignore[attr-defined]
        if is_of_store(error):
            be_brief()
        with suppress(Exception):  # a store that is away must not hide what failed
            self._close_log()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Write the closing lines in the order of the pipeline; exit with 1 if ``gates.on_failure`` says so."""
        LOGGER.info("%s", self._describe_effort(pipeline, catalog))
        outputs = [name for node in pipeline.nodes for name in node.outputs if name in self._outcomes]
        for line in (line for name in outputs if name != DECISION for line in self._outcomes[name]):
            LOGGER.info("%s", line)
        self._close_log()
        if DECISION in self._outcomes and not self._outcomes[DECISION].approved:
            on_failure = catalog.load("params:gates.on_failure")
            if on_failure == "fail":
                raise SystemExit(1)

    def _end_node(self, node: Node) -> None:
        with self._lock:
            seconds = time.perf_counter() - self._began.pop(node.name)
            self._unfinished.discard(node)
            self._n_done += 1
            progress = f"[{self._n_done:{len(str(self._n_nodes))}}/{self._n_nodes}]"
            LOGGER.info("%s %-*s %6.1f s", progress, self._width, node.name, seconds)

    def _describe_effort(self, pipeline: Pipeline, catalog: DataCatalog) -> str:
        """Return nodes and seconds, peak memory, and how many files the run wrote, of what size."""
        seconds, peak = time.perf_counter() - self._start, peak_bytes()
        memory = "" if peak is None else f", at most {peak / 1e9:.1f} GB of memory"
        datasets = [catalog.get(name) for name in sorted(pipeline.all_outputs())]
        paths = [Path(dataset._filepath) for dataset in datasets if dataset and hasattr(dataset, "_filepath")]
        files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
        written = f"{count_noun(len(files), 'file')} of {sum(file.stat().st_size for file in files) / 1e6:.1f} MB"
        return f"{count_noun(self._n_done, 'node')} in {seconds:.1f} s{memory}, {written}"

    def _open_log(self, name: str) -> None:
        if self._log is not None:  # of a run in this process that was interrupted
            LOGGER.removeHandler(self._log)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log = logging.FileHandler(self._folder / f"{name}.log", mode="w", encoding="utf-8")
        self._log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        LOGGER.addHandler(self._log)

    def _close_log(self) -> None:
        if self._log is None:
            return
        LOGGER.removeHandler(self._log)
        self._log.close()
        if self._tracking.run_id is not None:
            mlflow.MlflowClient().log_artifact(self._tracking.run_id, self._log.baseFilename, "logs")
        self._log = None
