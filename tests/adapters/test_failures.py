"""Whatever ends a run ends in one line: what happened, where, what to do; and the place of the traceback."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import Outcome, Project, finish

SECRET = "household-4711"


def assert_one_line(outcome: Outcome) -> None:
    assert outcome.code not in {0, -6, -11}
    assert outcome.errors.count("\n") == 1, outcome.errors
    assert "Traceback" not in outcome.screen + outcome.errors
    assert SECRET not in outcome.screen + outcome.errors


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--nodes", "nope"], "nope"),
        (["--from-nodes", "nope"], "nope"),
        (["--tags", "nope"], "no nodes after applying"),
        (["--namespaces", "nope"], "nope"),
        (["--to-outputs", "nope"], "nope"),
        (["--from-inputs", "nope"], "nope"),
        (["--pipelines", "nope"], "There is no pipeline nope; there are __default__"),
        (["--env", "nope"], "There is no environment nope; conf holds base, local"),
        (["--runner", "NopeRunner"], "NopeRunner"),
        (["--runner", "ParallelRunner"], "take SequentialRunner or ThreadRunner"),
        (["--runner-params", "is_async=true"], "take SequentialRunner or ThreadRunner"),
        (["--params", "split.n_folds"], "must contain a key and a value separated by `=`"),
        (["--params", "split=[]"], "Parameter split is a section: set one of its values, such as split.test_share."),
        (["--params", "training.classifier=[]"], "Parameter training.classifier is a section: set one of its values"),
        (["--params", "split.n_folds=\x1b[31m"], "An option cannot be read: unacceptable character #x001b"),
        (["--conf-source", "nope"], "Path 'nope' does not exist"),
        (["--nope"], "No such option"),
        (["--wait", "soon"], "--wait"),
        (
            ["--pipelines", "exhausted"],
            "The memory is exhausted: take fewer rows, or a machine with more memory; in exhaust",
        ),
        (["--pipelines", "failing"], "ValueError in a library; in fail; go on with --from-nodes fail (traceback: "),
    ],
)
def test_a_mistake_or_a_failure_is_one_line(project: Project, arguments: list[str], line: str) -> None:
    outcome = project.run(*arguments)
    assert_one_line(outcome)
    assert line in outcome.errors


def test_the_log_tells_where_an_error_came_from_and_not_what_it_quotes(project: Project) -> None:
    outcome = project.run("--pipelines", "failing")
    (log,) = re.findall(r"\(traceback: (.+)\)$", outcome.errors.strip())
    text = Path(log).read_text(encoding="utf-8")
    assert re.search(r'nodes\.py", line \d+, in fail', text)
    assert text.rstrip().endswith("builtins.ValueError")
    assert SECRET not in text


def test_the_traceback_is_shown_on_request(project: Project) -> None:
    outcome = project.run("--pipelines", "failing", "--traceback")
    assert "ValueError: cannot use household-4711\n" in outcome.errors


def test_a_file_where_the_logs_should_be_is_named(new_project: Callable[[], Project]) -> None:
    project = new_project()
    (project.folder / "logs").write_text("")
    outcome = project.run("--pipelines", "logged")
    assert_one_line(outcome)
    assert outcome.errors == f"{project.folder / 'logs'}: File exists; a folder is needed there: move the file away\n"
    assert [run.info.status for run in project.runs()] == ["FAILED"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, "Is a directory; a file is needed there: move the folder away"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links; remove the link"),
    ],
)
def test_what_stands_where_a_file_should_be_written_is_named_with_its_place(
    new_project: Callable[[], Project], make: Callable[[Path], None], reason: str
) -> None:
    project = new_project()
    report = project.folder / "data/simulated/report.txt"
    report.parent.mkdir(parents=True)
    make(report)
    outcome = project.run("--pipelines", "logged")
    assert_one_line(outcome)
    assert outcome.errors.startswith(f"{report}: {reason}; in write_report; ")


def test_a_record_that_names_no_run_is_named(new_project: Callable[[], Project]) -> None:
    project = new_project()
    (project.folder / "data/simulated").mkdir(parents=True)
    record = project.folder / "data/simulated/training_run.json"
    record.write_text("{}")
    outcome = project.run("--pipelines", "later")
    assert_one_line(outcome)
    assert f"{record} cannot be read as the record of a run: it names no run" in outcome.errors


def test_a_file_that_no_run_has_made_yet_is_named_with_the_pipeline_that_makes_it(
    new_project: Callable[[], Project],
) -> None:
    outcome = new_project().run("--pipelines", "later")
    assert_one_line(outcome)
    assert outcome.errors.startswith("training_run: ")
    assert outcome.errors.endswith("data/simulated/training_run.json does not exist; run --pipelines logged first\n")


def test_a_run_whose_reader_goes_away_runs_to_its_end(project: Project) -> None:
    read, write = os.pipe()
    os.close(read)
    process = project.start("--pipelines", "logged", screen=write)
    done = finish(process)
    os.close(write)
    assert (done.code, done.errors) == (0, "")
    assert project.runs()[0].info.status == "FINISHED"


def test_a_run_is_the_same_from_any_folder_of_a_project_with_any_name(new_project: Callable[[], Project]) -> None:
    made = new_project()
    project = Project(made.folder.rename(made.folder.with_name("ein Pröjekt 100% #1")))
    (project.folder / "notebooks").mkdir()
    for where in (".", "notebooks", "src/toy"):
        outcome = finish(project.start("--pipelines", "logged", where=where))
        assert (outcome.code, outcome.errors) == (0, "")
    assert [run.info.status for run in project.runs()] == ["FINISHED"] * 3
    assert "plots/figure.png" in project.artifacts(project.runs()[0])
    stores = [path.relative_to(project.folder).parts[0] for path in project.folder.rglob("*mlflow.db")]
    assert (stores, list(project.folder.glob("*/**/mlruns"))) == (["mlflow.db"], [])
