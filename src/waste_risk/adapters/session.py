"""A session in which the source names the pipelines to run, one run at a time, and which ends its MLflow run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import click
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.runner import ParallelRunner

from waste_risk.adapters.configuration import ConfigLoader
from waste_risk.adapters.failures import RunError, is_of_store
from waste_risk.adapters.hooks import PROGRESS, TRACKING
from waste_risk.adapters.lineage import source_folder
from waste_risk.adapters.locks import holding
from waste_risk.adapters.screen import ticking
from waste_risk.adapters.sources import pipelines_of, with_reading


class SourceSession(KedroSession):
    """Kedro's session, in which ``conf/<env>/run.yml`` names the pipelines of a bare ``kedro run --env <env>``."""

    def run(  # type: ignore[override]
        self, pipeline_name: str | None = None, pipeline_names: list[str] | None = None, **options: Any
    ) -> dict[str, Any]:
        """Run the named pipelines, or those of the source if none is named.

        Raises:
            RunError: there is no such pipeline, the runner cannot log, another run of the source is at work, or the
                store does not answer.
        """
        runner = options.get("runner")
        if isinstance(runner, ParallelRunner) or getattr(runner, "_is_async", False):
            raise RunError(
                "A run logs from one process, in step with its nodes: take SequentialRunner or ThreadRunner, no --async"
            )
        self._refuse_unknown_environment()
        config = cast("ConfigLoader", self._get_config_loader())
        named = [pipeline_name] if pipeline_name else pipeline_names
        names = sorted(named) if named else pipelines_of(config)
        unknown = [name for name in names if name not in pipelines]
        if unknown:
            raise RunError(f"There is no pipeline {', '.join(unknown)}; there are {', '.join(sorted(pipelines))}.")
        names = with_reading(config, names)
        command = click.get_current_context(silent=True)
        wait_seconds = float(command.params.get("wait") or 0) if command else 0.0
        with holding(source_folder(self._project_path, config), wait_seconds), ticking(PROGRESS.tell), _ended():
            return super().run(pipeline_names=names, **options)

    def _refuse_unknown_environment(self) -> None:
        name, folder = self.store.get("env"), Path(self._conf_source)
        if name and folder.is_dir() and not (folder / name).is_dir():  # Kedro itself looks into archives
            known = sorted(path.name for path in folder.iterdir() if path.is_dir())
            raise RunError(f"There is no environment {name}; {folder.name} holds {', '.join(known)}")


@contextmanager
def _ended() -> Iterator[None]:
    """End the MLflow run of a failed or killed run as such; MLflow would show it as finished."""
    try:
        yield
    except SystemExit:  # everything is written, and the gates said no
        raise
    except Exception as error:
        TRACKING.end("FAILED", store_failed=is_of_store(error))
        raise
    except BaseException:
        TRACKING.end("KILLED", store_failed=False)
        raise
