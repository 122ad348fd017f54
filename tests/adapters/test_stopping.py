"""One run at a time for each source, and what is left of one that somebody stops."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from projects import Project, finish


@pytest.fixture
def busy(new_project: Callable[[], Project], tmp_path: Path) -> "Busy":
    """A project, and a pipe that its node ``wait`` reads."""
    os.mkfifo(tmp_path / "pipe")
    return Busy(new_project(), tmp_path / "pipe")


class Busy:
    """A run that works as long as a test wants it to."""

    def __init__(self, project: Project, pipe: Path) -> None:
        self.project = project
        self._pipe = pipe

    def begin(
        self, *arguments: str, pipelines: str = "waiting", screen: int = subprocess.PIPE
    ) -> "subprocess.Popen[str]":
        """Start a run, and return when its node is at work."""
        process = self.project.start("--pipelines", pipelines, *arguments, screen=screen, PIPE=str(self._pipe))
        self._end = self._pipe.open("w")  # until the node opens the other end
        return process

    def let_go(self) -> None:
        self._end.close()


def statuses(project: Project) -> list[str]:
    """How the runs ended, the newest first."""
    return [run.info.status for run in project.runs()]


def test_a_second_run_of_the_source_is_told_in_one_line_who_is_at_work(busy: Busy) -> None:
    first = busy.begin()
    second = busy.project.run("--pipelines", "logged")
    busy.let_go()
    assert finish(first).code == 0
    assert (second.code, second.screen, second.errors.count("\n")) == (1, "", 1)
    assert f"data/simulated: another run (process {first.pid}, since 20" in second.errors
    assert "run --pipelines waiting) is at work here; wait for it (--wait SECONDS) or stop it" in second.errors
    assert statuses(busy.project) == ["FINISHED"]


def test_a_run_that_waits_begins_when_the_other_has_ended(busy: Busy) -> None:
    first = busy.begin()
    second = busy.project.start("--pipelines", "logged", "--wait", "100")
    busy.let_go()
    assert (finish(first).code, finish(second).code) == (0, 0)
    assert statuses(busy.project) == ["FINISHED", "FINISHED"]


def test_another_source_runs_beside_it(busy: Busy) -> None:
    first = busy.begin()
    second = busy.project.run("--env", "other", "--pipelines", "logged")
    assert (second.code, second.errors, first.poll()) == (0, "", None)
    busy.let_go()
    assert finish(first).code == 0


def test_a_run_that_was_killed_is_shown_as_killed_by_the_next_one_and_its_models_have_no_verdict(busy: Busy) -> None:
    first = busy.begin(pipelines="fitting")
    first.kill()
    finish(first)
    busy.let_go()
    left = busy.project.folder / "data/simulated/.items.parquet.0123456789abcdef0123456789abcdef.part"
    left.write_text("half a table")
    assert statuses(busy.project) == ["RUNNING"]
    assert busy.project.run("--pipelines", "logged").code == 0
    assert statuses(busy.project) == ["FINISHED", "KILLED"]
    assert not left.exists()
    versions = busy.project.store.search_model_versions("")
    assert [version.tags["verdict"] for version in versions] == ["NONE: the run was killed"] * 3


@pytest.mark.parametrize("runner", ["SequentialRunner", "ThreadRunner"])
@pytest.mark.parametrize(("number", "name", "code"), [(signal.SIGTERM, "SIGTERM", 143), (signal.SIGINT, "Ctrl-C", 130)])
def test_a_run_that_is_stopped_says_so_in_one_line_and_is_killed_in_the_store(
    busy: Busy, number: int, name: str, code: int, runner: str
) -> None:
    process = busy.begin("--runner", runner)
    process.send_signal(number)
    if number == signal.SIGINT:
        busy.let_go()  # a thread that nobody can stop has to end first
    outcome = finish(process)
    assert outcome.code == code
    assert outcome.errors == f"Stopped by {name}; every file is whole: run the same command again\n"
    assert statuses(busy.project) == ["KILLED"]
    assert not list(busy.project.folder.rglob("*.part"))


def test_on_a_terminal_a_node_at_work_is_shown_with_its_seconds_until_it_ends(busy: Busy) -> None:
    terminal, screen = pty.openpty()
    termios.tcsetwinsize(screen, (24, 80))  # a terminal without a width shows nothing that moves
    process = busy.begin(screen=screen)
    os.close(screen)
    shown = b""
    while b"wait 2 s" not in shown:
        shown += os.read(terminal, 1_000)
    busy.let_go()
    assert process.wait() == 0
    with suppress(OSError):  # the other end is closed
        while more := os.read(terminal, 1_000):
            shown += more
    os.close(terminal)
    assert re.search(rb"\r\s*\r\[2/3\] wait +\d+\.\d s\r\n", shown)


def test_ctrl_c_while_modules_are_imported_is_one_line_too(new_project: Callable[[], Project]) -> None:
    """What Kedro itself imports before it looks for a project is not ours to guard."""
    process = new_project().start(PYTHONVERBOSE="1")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("import 'waste_risk.adapters.signals'"):
            break
    for line in process.stderr:
        if line.startswith("import 'mlflow"):
            break
    process.send_signal(signal.SIGINT)
    errors = [line for line in process.stderr if not line.startswith(("#", "import "))]
    assert process.wait() != 0
    assert [line for line in errors if "Traceback" in line] == []
    assert "Stopped by Ctrl-C before anything ran.\n" in errors


NOTEBOOK = """
import sys
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.framework.project import settings

for pipeline, n_folds in (("interrupted", 4), ("logged", 7)):  # as %reload_kedro does, a new session each time
    bootstrap_project(Path.cwd())
    session = settings.SESSION_CLASS.create(project_path=Path.cwd(), runtime_params={"split": {"n_folds": n_folds}})
    session.load_context()
    try:
        session.run(pipeline_names=[pipeline])
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_in_a_notebook_an_interrupted_run_leaves_the_next_one_free(new_project: Callable[[], Project]) -> None:
    project = new_project()
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    command = [sys.executable, "-c", NOTEBOOK]
    notebook = subprocess.run(
        command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert (notebook.returncode, notebook.stderr) == (0, "")
    assert notebook.stdout.splitlines()[0] == "interrupted"
    newest, first = project.runs()
    assert (first.info.status, first.data.params["split.n_folds"]) == ("KILLED", "4")
    assert (newest.info.status, newest.data.params["split.n_folds"]) == ("FINISHED", "7")
