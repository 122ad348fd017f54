"""``kedro run`` of this project: Kedro's own command, in which every error is one line.

Kedro looks for the command here, and so do ``python -m waste_risk`` and ``waste-risk``.
"""

import copy
import logging.config
import os
import re
import sys
import traceback
from datetime import datetime
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.utils import find_kedro_project
from omegaconf import OmegaConf
from yaml import YAMLError

from waste_risk.adapters.failures import RunError, explain, write_traceback
from waste_risk.adapters.hooks import TRACKING
from waste_risk.adapters.screen import LOGGING
from waste_risk.adapters.signals import EXIT_CODES, Stopped, stoppable

_LIST = re.compile(r"[^,=\s]+=\s*\[[^\]]*\]")
_STOPPED = "Stopped by {}; every file is whole: run the same command again"


class RunCommand(click.Command):
    """Kedro's command, in which every error is one line: of options, configuration, data, store."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Read the options."""
        try:
            return super().make_context(*arguments, **options)
        except click.UsageError as error:
            raise RunError(f"{error.format_message()} (kedro run --help)", error.exit_code) from None
        except YAMLError as error:  # of a value of --params
            raise RunError(f"An option cannot be read: {explain(error)} (kedro run --help)", 2) from None

    def invoke(self, context: click.Context) -> Any:
        """Run, and report an error in one line."""
        if "KEDRO_LOGGING_CONFIG" not in os.environ:
            logging.config.dictConfig(LOGGING)
        try:
            with stoppable(_give_up):
                return super().invoke(context)
        except Stopped:
            raise RunError(_STOPPED.format("SIGTERM"), EXIT_CODES[SIGTERM]) from None
        except KeyboardInterrupt:
            raise RunError(_STOPPED.format("Ctrl-C"), EXIT_CODES[SIGINT]) from None
        except Exception as error:
            if isinstance(error, click.exceptions.Exit) or _says_it_all(error):
                raise
            if context.params["traceback"]:
                traceback.print_exc()
            raise RunError(f"{explain(error)}{_log_of(error)}") from None


def _run(traceback: bool, wait: float, **options: Any) -> Any:  # noqa: ARG001, both are read from the context
    return kedro_run.callback(**options)  # type: ignore[misc]


def _read_params(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Parse pairs as Kedro does, except for lists, which Kedro would split at their commas."""
    of_kedro = next(param for param in kedro_run.params if param.name == "params").callback
    if not isinstance(value, str):
        return of_kedro(context, option, value)  # type: ignore[misc]
    single = of_kedro(context, option, _LIST.sub("", value))  # type: ignore[misc]
    try:
        return OmegaConf.to_container(OmegaConf.merge(single, OmegaConf.from_dotlist(_LIST.findall(value))))
    except YAMLError:
        context.fail("Invalid list in `params` option; write --params name=[1,2]")


def _reading_lists(option: click.Parameter) -> click.Parameter:
    reading = copy.copy(option)
    reading.callback = _read_params if option.name == "params" else option.callback
    return reading


OPTIONS = [
    click.Option(
        ["--wait"], type=click.FloatRange(min=0), default=0, help="Seconds to wait for another run of the source."
    ),
    click.Option(["--traceback"], is_flag=True, help="If the run fails, show where; this may quote the data."),
]
cli = click.Group("waste_risk")
run = RunCommand("run", callback=_run, params=[*map(_reading_lists, kedro_run.params), *OPTIONS], help=kedro_run.help)
cli.add_command(run)


def _says_it_all(error: Exception) -> bool:
    """Return whether an error is one of ours that needs no traceback, as it refuses what was asked for."""
    return isinstance(error, click.ClickException) and type(error).__module__.startswith("waste_risk.")


def _give_up() -> None:
    TRACKING.end("KILLED", store_failed=True)
    sys.stderr.write(_STOPPED.format("SIGTERM") + "\n")


def _log_of(error: Exception) -> str:
    """Return the end of the line, which names the log with the traceback; an error before the run gets its own log."""
    log = getattr(error, "log", None)
    if log is None:
        folder = find_kedro_project(Path.cwd()) or Path.cwd()
        log = folder / "logs" / f"{datetime.now():%Y-%m-%dT%H.%M.%S}-{os.getpid()}.log"
        try:
            write_traceback(error, log)
        except OSError:  # what ended the run matters more
            return ""
    return f" (traceback: {log})"
