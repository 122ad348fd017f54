"""A session that lets the source say which pipelines run, and that ends in one line where a line says it all."""

import sys
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import IO, Any, cast

import click
import mlflow
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import DatasetError
from mlflow.entities import RunStatus

from waste_risk.adapters.configuration import ConfigLoader
from waste_risk.adapters.dataset_errors import explain
from waste_risk.adapters.sources import pipelines_of
from waste_risk.errors import StudyError

_NOT_KEPT = "Pipeline input(s)"  # how Kedro begins when a dataset is neither made nor in the catalog


class RunError(click.ClickException):
    """A run ended for a reason that needs no traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the reason."""
        click.echo(self.message, file=file or sys.stderr)


class SourceSession(KedroSession):
    """Kedro's session, in which ``conf/<env>/run.yml`` names the pipelines of a bare ``kedro run --env <env>``."""

    def run(  # type: ignore[override]
        self, pipeline_name: str | None = None, pipeline_names: list[str] | None = None, **options: Any
    ) -> dict[str, Any]:
        """Run the pipelines named, else those of the source.

        Raises:
            RunError: there is no such environment or pipeline; or, on the command line, a dataset could not be read or
                written, or the data are not what the steps need.
        """
        self._refuse_unknown_environment()
        named = [pipeline_name] if pipeline_name else pipeline_names
        names = sorted(named) if named else self._source_pipelines()
        _refuse_unknown(names)
        try:
            return super().run(pipeline_names=names, **options)
        except (DatasetError, StudyError, ValueError) as error:
            if click.get_current_context(silent=True) is None or not _says_it_all(error):
                raise
            raise RunError(_explain(error)) from error

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb_: TracebackType | None,
    ) -> None:
        """Mark an interrupted run as killed; Kedro tells its hooks of errors only, and MLflow would say FINISHED."""
        if exc_type is not None and mlflow.active_run() is not None:
            mlflow.end_run(RunStatus.to_string(RunStatus.KILLED))
        super().__exit__(exc_type, exc_value, tb_)

    def _refuse_unknown_environment(self) -> None:
        known = sorted(folder.name for folder in Path(self._conf_source).iterdir() if folder.is_dir())
        name = self.store.get("env")
        if name and name not in known:
            raise RunError(f"There is no environment {name}; conf holds {', '.join(known)}.")

    def _source_pipelines(self) -> list[str]:
        return pipelines_of(cast("ConfigLoader", self._get_config_loader()))


def _says_it_all(error: Exception) -> bool:
    """Whether the message is meant for people: one of this package's own, or one of Kedro's that names a dataset."""
    return isinstance(error, DatasetError | StudyError) or _is_ours(error) or str(error).startswith(_NOT_KEPT)


def _is_ours(error: Exception) -> bool:
    frames = list(walk_tb(error.__traceback__))
    return bool(frames) and frames[-1][0].f_globals["__name__"].startswith("waste_risk.")


def _explain(error: Exception) -> str:
    """A run that begins at a node may need what only an earlier node makes."""
    not_kept = str(error).startswith(_NOT_KEPT)
    line = explain(error) if isinstance(error, DatasetError) else str(error)
    return f"{line}{'; they are not kept: begin at the node that makes them' if not_kept else ''}"


def _refuse_unknown(names: list[str]) -> None:
    unknown = [name for name in names if name not in pipelines]
    if unknown:
        raise RunError(f"There is no pipeline {', '.join(unknown)}; there are {', '.join(sorted(pipelines))}.")
