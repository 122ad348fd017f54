"""One run at a time for each ``data/<source>``: a file lock, which the operating system frees when the process ends.

The file names the process and its MLflow run; the next run finds there which one was killed.
"""

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from waste_risk.adapters.failures import RunError
from waste_risk.files import remove_leftovers

LOCK_FILE = ".lock"
KILLED, RUN = "killed_runs", "mlflow_run"


@contextmanager
def holding(folder: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of a source's folder, which is created if it does not exist.

    Raises:
        RunError: another run still holds it after ``wait_seconds``; the message says which, and since when.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK_FILE, timeout=wait_seconds, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(_refusal(folder)) from None
    remove_leftovers(folder)
    before = _read(folder)
    killed = [*before.get(KILLED, []), *([before[RUN]] if RUN in before else [])]
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    _write(folder, {"process": os.getpid(), "since": since, "command": command, KILLED: killed})
    try:
        yield
    finally:
        _write(folder, {KILLED: _read(folder).get(KILLED, [])})
        lock.release()


def note_run(folder: Path, run: str) -> list[str]:
    """Record the MLflow run of the process that holds the lock; return those of processes killed while they held it."""
    record = _read(folder)
    killed: list[str] = record.get(KILLED, [])
    _write(folder, {**record, KILLED: [], RUN: run})
    return killed


def _refusal(folder: Path) -> str:
    holder = _read(folder)
    who = f"process {holder.get('process', 'unknown')}, since {holder.get('since', 'unknown')}"
    return (
        f"{folder}: another run ({who}: {holder.get('command', 'unknown')}) is at work here; "
        "wait for it (--wait SECONDS) or stop it"
    )


def _read(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / LOCK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _write(folder: Path, record: dict[str, Any]) -> None:
    # In place: a file renamed over it would be another lock.
    (folder / LOCK_FILE).write_text(json.dumps(record), encoding="utf-8")
