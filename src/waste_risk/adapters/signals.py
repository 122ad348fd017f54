"""Stopping a run: by Ctrl-C, or by the SIGTERM of Docker, systemd and Airflow; with the exit codes."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

# Docker and systemd kill after ten seconds or more; threads that fit a booster cannot be told to stop.
PATIENCE_SECONDS = 8.0

EXIT_CODES = {each: 128 + each for each in (signal.SIGINT, signal.SIGTERM)}  # as shells report a signal

_depth, _waiting = 0, list[int]()
_lock = threading.Lock()


class Stopped(BaseException):
    """SIGTERM was received."""


@contextmanager
def stoppable(last_words: Callable[[], None]) -> Iterator[None]:
    """Raise ``Stopped`` on SIGTERM within the block.

    A process whose threads have not ended after ``PATIENCE_SECONDS`` calls ``last_words`` and exits.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python gives signals to the main thread only
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if _depth:
            _waiting.append(number)
            return
        if number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        timer = threading.Timer(PATIENCE_SECONDS, _exit, (last_words,))
        timer.daemon = True
        timer.start()
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Defer signals until the end of the block, so that its steps are completed together."""
    global _depth  # noqa: PLW0603
    with _lock:
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
        while _waiting and not _depth:
            signal.raise_signal(_waiting.pop())  # the main thread hears it, whichever thread this is


def quiet_interrupts() -> None:
    """Print one line instead of a traceback if Ctrl-C is pressed while modules are imported."""
    loud = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.stderr.write("Stopped by Ctrl-C before anything ran.\n")
        else:
            loud(kind, error, trace)

    sys.excepthook = hook


def _exit(last_words: Callable[[], None]) -> None:
    try:
        last_words()
    finally:
        os._exit(EXIT_CODES[signal.SIGTERM])
