"""What the terminal shows: the lines of the run, and only warnings and errors of the libraries."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, TextIO

from tqdm import tqdm

LOGGER = logging.getLogger("waste_risk.run")  # writes the lines of a run
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(message)s"}},
    "handlers": {"console": {"class": "waste_risk.adapters.screen.ScreenHandler", "formatter": "plain"}},
    "loggers": {
        "waste_risk": {"level": "INFO"},
        "kedro": {"level": "WARNING"},
        # An error ends the run in a line that says what failed and where to go on.
        "kedro.pipeline.node": {"level": "CRITICAL"},
        "kedro.runner": {"level": "CRITICAL"},
    },
    "root": {"level": "WARNING", "handlers": ["console"]},
}


class ScreenHandler(logging.StreamHandler[TextIO]):
    """Writes to the terminal as long as it is read; `kedro run | head` completes."""

    def __init__(self) -> None:
        """Write characters that the terminal cannot show as escapes, such as MLflow's symbols on a Latin-1 terminal."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        super().__init__(sys.stdout)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line above the progress bar, if there is one."""
        with tqdm.external_write_mode(self.stream):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Discard the output if it can no longer be written; Python would raise the error again at exit."""
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)


@contextmanager
def ticking(tell: Callable[[], str]) -> Iterator[None]:
    """Show the text that ``tell`` returns in the last line of a terminal, updated every second, within the block."""
    if not sys.stderr.isatty():
        yield
        return
    bar, ended = tqdm(bar_format="{desc}", leave=False), Event()

    def tick() -> None:
        while not ended.wait(1):
            bar.set_description_str(tell())

    ticker = Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        ended.set()
        ticker.join()
        bar.close()
