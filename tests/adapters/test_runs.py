"""What a run leaves behind, says and returns, when it goes well and when it does not."""

import json
import re
from collections.abc import Callable

import pytest
from projects import Outcome, Project

SECRET = "household-4711"


@pytest.fixture(scope="module")
def logged(project: Project) -> Outcome:
    """A run in threads, the first in its store."""
    return project.run("--runner", "ThreadRunner", "--pipelines", "logged")


def log_of(project: Project) -> str:
    (log,) = [name for name in project.artifacts(project.runs()[0]) if name.startswith("logs/")]
    return (project.folder / "logs" / log.removeprefix("logs/")).read_text(encoding="utf-8")


def test_the_screen_shows_a_line_for_each_node_and_a_last_one_with_time_memory_and_files(logged: Outcome) -> None:
    assert (logged.code, logged.errors) == (0, "")
    *nodes, last = logged.screen.splitlines()
    assert [re.sub(r" +\d+\.\d s$", "", line)[:5] for line in nodes] == [f"[{number}/6]" for number in range(1, 7)]
    assert sorted(line.split()[1] for line in nodes) == [
        *("describe", "make_items", "measure", "plot", "record", "write_report"),
    ]
    assert re.fullmatch(r"6 nodes in \d+\.\d s, at most \d+\.\d GB of memory, 4 files of 0\.\d MB", last)


@pytest.mark.usefixtures("logged")
class TestALoggedRun:
    """All that was saved in threads is in the one run."""

    def test_one_command_is_one_finished_run(self, project: Project) -> None:
        (run,) = project.runs()
        assert (run.info.run_name, run.info.status) == ("logged", "FINISHED")

    def test_each_parameter_read_is_logged_once_under_its_own_name(self, project: Project) -> None:
        parameters = project.runs()[0].data.params
        split = {"split.test_share": "0.2", "split.test_days": "42", "split.n_folds": "5"}
        assert parameters == {**split, "data.until": "2024-05-01 00:00:00"}

    def test_metrics_carry_their_prefix_and_leave_out_the_unknown(self, project: Project) -> None:
        assert project.runs()[0].data.metrics == {"test.auc": 0.75, "test.n_rows": 5.0}

    def test_report_plot_and_log_are_artifacts(self, project: Project) -> None:
        names = project.artifacts(project.runs()[0])
        assert [re.sub(r"logs/.*\.log", "logs/*.log", name) for name in names] == [
            "logs/*.log",
            "plots/figure.png",
            "reports/report.txt",
        ]

    def test_the_log_says_what_the_screen_said(self, project: Project, logged: Outcome) -> None:
        lines = [line.split(" INFO ", 1)[1] for line in log_of(project).splitlines()]
        assert lines == logged.screen.splitlines()

    def test_a_record_names_its_run(self, project: Project) -> None:
        record = json.loads((project.folder / "data/simulated/training_run.json").read_text())
        assert record == {"n_items": 5, "run_id": project.runs()[0].info.run_id}

    def test_a_later_run_that_reads_the_record_hangs_below_its_run(self, project: Project) -> None:
        first = project.runs()[0].info.run_id
        assert project.run("--pipelines", "later").code == 0
        later, earlier = project.runs()
        assert (earlier.info.run_id, later.data.tags["mlflow.parentRunId"]) == (first, first)


def test_the_source_says_which_pipelines_run_and_where_its_data_lie(project: Project) -> None:
    assert project.run("--env", "other").code == 0
    assert project.runs()[0].info.run_name == "later+logged"
    written = {path.name for path in (project.folder / "data/other").glob("[!.]*")}
    assert written == {"items.parquet", "training_run.json", "report.txt", "figure.png"}


def test_a_refused_table_ends_the_run_in_one_line_and_is_not_written(project: Project) -> None:
    outcome = project.run("--pipelines", "broken")
    assert outcome.code == 1
    (log,) = (project.folder / "logs").glob(f"{project.runs()[0].data.tags['run_id']}.log")
    assert outcome.errors == (
        "items.category: must be one of dairy, produce, meat, grains, canned, frozen, beverages (5 of 5 rows); "
        "items.quantity: must be at least 0.001 (5 of 5 rows) [save of broken_items]; in break_items; "
        f"go on with --from-nodes break_items (traceback: {log})\n"
    )
    assert [path.name for path in (project.folder / "data/simulated").glob("*items*")] == ["items.parquet"]
    assert project.runs()[0].info.status == "FAILED"
    assert outcome.errors.partition(" (traceback")[0] in log_of(project)
    assert SECRET not in outcome.screen + log_of(project)


def test_a_failing_node_fails_the_run_and_its_data_stay_out_of_the_log(project: Project) -> None:
    outcome = project.run("--pipelines", "failing", "--runner", "ThreadRunner")
    assert outcome.code == 1
    assert project.runs()[0].info.status == "FAILED"
    assert "ERROR failed after" in log_of(project)
    assert "ValueError" in log_of(project)
    assert SECRET not in log_of(project)


def test_an_interrupted_run_does_not_count_as_finished(project: Project) -> None:
    outcome = project.run("--pipelines", "interrupted")
    assert (outcome.code, outcome.errors) == (
        130,
        "Stopped by Ctrl-C; every file is whole: run the same command again\n",
    )
    assert project.runs()[0].info.status == "KILLED"


def test_a_damaged_file_ends_the_run_in_one_line_that_names_it(project: Project) -> None:
    path = project.folder / "data/simulated/items.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PAR1 and no more")
    outcome = project.run("--pipelines", "read")
    assert outcome.code == 1
    assert outcome.errors.startswith(f"{path} is not the file that a run wrote; run --pipelines ")
    assert outcome.errors.count("\n") == 1
    (project.folder / "data/simulated/.lineage.json").unlink()
    outcome = project.run("--pipelines", "read")
    assert outcome.code == 1
    assert outcome.errors.startswith(f"items: {path} cannot be read as a Parquet table: ")
    assert outcome.errors.count("\n") == 1


@pytest.mark.parametrize(
    ("parameters", "verdict", "code"),
    [("", "FAIL", 0), ("gates.on_failure=fail", "FAIL", 1), ("gates.on_failure=fail,gates.min_auc=0.7", "PASS", 0)],
)
def test_gates_that_say_no_end_the_run_with_1_if_they_are_meant_to_and_after_everything_is_written(
    project: Project, parameters: str, verdict: str, code: int
) -> None:
    outcome = project.run("--params", parameters)
    assert (outcome.code, outcome.errors) == (code, "")
    assert outcome.screen.splitlines()[-2:] == ["ITEMS: 5", f"GATES: {verdict}"]
    decision = json.loads((project.folder / "data/simulated/gate_decision.json").read_text())
    assert decision["approved"] == (verdict == "PASS")
    assert project.runs()[0].info.status == "FINISHED"
    assert f"GATES: {verdict}" in log_of(project)


def test_wrong_parameters_end_the_command_before_there_is_a_run(new_project: Callable[[], Project]) -> None:
    project = new_project()
    outcome = project.run("--params", "split.n_folds=1,gatse.min_auc=0.5", "--pipelines", "read")
    assert (outcome.code, outcome.screen) == (1, "")
    assert outcome.errors.splitlines() == [
        "Parameter split.n_folds: should be greater than or equal to 2 (given 1).",
        "Parameter gatse does not exist; did you mean gates?",
    ]
    assert not (project.folder / "mlflow.db").exists()


def test_an_unknown_pipeline_is_answered_with_those_that_exist(project: Project) -> None:
    outcome = project.run("--pipelines", "nope")
    assert outcome.code == 1
    assert outcome.errors.startswith("There is no pipeline nope; there are __default__, broken,")


def test_an_unknown_environment_is_answered_with_those_that_exist(project: Project) -> None:
    outcome = project.run("--env", "nope")
    assert outcome.code == 1
    assert outcome.errors.startswith("There is no environment nope; conf holds base, local")
