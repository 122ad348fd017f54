"""Wrong parameters are named, one line each."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from waste_risk.adapters.configuration import ConfigLoader
from waste_risk.adapters.failures import RunError
from waste_risk.adapters.parameter_checks import find_missing_device, find_missing_memory, find_mistakes, find_unread
from waste_risk.cli import run
from waste_risk.parameters import SECTIONS
from waste_risk.simulation import simulate
from waste_risk.tables.contracts import check
from waste_risk.training.device import why_unavailable

BASE = Path(__file__).parents[2] / "conf/base"


def base(**changes: Any) -> dict[str, Any]:
    sections = OmegaConf.merge(*map(OmegaConf.load, sorted(BASE.glob("parameters_*.yml"))))
    return OmegaConf.to_container(sections, resolve=True) | changes


def test_the_parameters_of_the_project_are_right() -> None:
    assert find_mistakes(base()) == []


def test_what_is_set_for_one_run_is_known() -> None:
    runtime = {"start_date": "2024-01-01", "end_date": date(2024, 2, 1), "data_file": "a.csv", "grocy_db": "grocy.db"}
    assert find_mistakes(runtime) == []


@pytest.mark.parametrize(
    ("section", "changes", "mistakes"),
    [
        ("gates", {"min_auc": 1.5}, ["Parameter gates.min_auc: should be less than or equal to 1 (given 1.5)."]),
        (
            "gates",
            {"min_auk": 0.5},
            ["Parameter gates.min_auk does not exist; did you mean gates.min_auc?"],
        ),
        ("gates", {"colour": 1}, ["Parameter gates.colour does not exist."]),
        ("gates", {"on_failure": "cry"}, ["Parameter gates.on_failure: should be 'report' or 'fail' (given 'cry')."]),
        (
            "split",
            {"n_folds": "many", "test_share": 0},
            [
                "Parameter split.test_share: should be greater than 0 (given 0).",
                "Parameter split.n_folds: should be a valid integer, unable to parse string as an integer "
                "(given 'many').",
            ],
        ),
        (
            "observation",
            {"horizon_days": True},
            ["Parameter observation.horizon_days: should be a number (given True)."],
        ),
        (
            "data_generation",
            {"starts_on": 0},
            ["Parameter data_generation.starts_on: should be a date such as 2024-01-31 (given 0)."],
        ),
        (
            "data_generation",
            {"starts_on": "1999-12-31"},
            [
                "Parameter data_generation.starts_on: should be greater than or equal to 2000-01-01 "
                "(given '1999-12-31')."
            ],
        ),
        (
            "data_generation",
            {"starts_on": date(2098, 12, 31)},
            ["Parameter data_generation: starts_on and period_days must not lead beyond 2099-12-31."],
        ),
        (
            "validation",
            {"seed": "\x1b[31m" + 500 * "x"},
            [
                "Parameter validation.seed: should be a valid integer, unable to parse string as an integer "
                f"(given '\\x1b[31m{31 * 'x'}…{39 * 'x'}')."
            ],
        ),
        (
            "tuning",
            {"n_trials": -1, "keep_share": 1.0},
            [
                "Parameter tuning.n_trials: should be greater than or equal to 0 (given -1).",
                "Parameter tuning.keep_share: should be less than 1 (given 1.0).",
            ],
        ),
        (
            "gates",
            {"min_calibration_slope": 1.5},
            ["Parameter gates: min_calibration_slope must lie below max_calibration_slope."],
        ),
        (
            "gates",
            {"max_calibration_slope": None},
            ["Parameter gates: min_calibration_slope and max_calibration_slope are both null, or neither."],
        ),
        (
            "validation",
            {"trade_off_thresholds": [0.5, 1.5]},
            ["Parameter validation.trade_off_thresholds.1: should be less than 1 (given 1.5)."],
        ),
        ("risk_classes", {"medium_from": 0.8}, ["Parameter risk_classes: medium_from must lie below high_from."]),
    ],
)
def test_each_mistake_is_one_line(section: str, changes: dict[str, Any], mistakes: list[str]) -> None:
    assert find_mistakes({section: base()[section] | changes}) == mistakes


def test_a_mistake_in_a_nested_section_has_its_whole_name() -> None:
    training = base()["training"]
    training["classifier"] = {**training["classifier"], "num_leafs": 3}
    del training["classifier"]["num_leaves"]
    assert find_mistakes({"training": training}) == [
        "Parameter training.classifier.num_leaves is missing.",
        "Parameter training.classifier.num_leafs does not exist; did you mean training.classifier.num_leaves?",
    ]


@pytest.mark.parametrize(
    ("section", "old", "new"),
    [
        ("observation", "max_look_days", "observation.max_age_days"),
        ("observation", "looks_per_item", "observation.per_item"),
        ("validation", "cost_of_false_alarm", "costs.false_alarm"),
        ("validation", "cost_of_missed_item", "costs.missed_item"),
    ],
)
@pytest.mark.parametrize("is_alone", [True, False], ids=["in YAML", "by --params"])
def test_a_renamed_parameter_is_refused_with_its_new_name(section: str, old: str, new: str, is_alone: bool) -> None:
    """A YAML file has the old name alone; a value of one run stands beside those of the YAML."""
    given = base()[section] | {old: 5}
    if is_alone:
        given.pop(new.removeprefix(f"{section}."), None)
    assert find_mistakes({section: given}) == [f"Parameter {section}.{old} is now called {new}."]


def test_every_renamed_parameter_leads_to_one_that_exists() -> None:
    for name, section in SECTIONS.items():
        for old, new in section.RENAMED.items():
            home, _, field = new.rpartition(".")
            assert field in SECTIONS[home or name].model_fields
            assert old not in section.model_fields


def test_unknown_sections_are_refused() -> None:
    assert find_mistakes({"gatse": {}, "zzz": 1}) == [
        "Parameter gatse does not exist; did you mean gates?",
        "Parameter zzz does not exist.",
    ]


def test_a_value_in_place_of_a_section_is_refused() -> None:
    assert find_mistakes({"gates": 5}) == [
        "Parameter gates: should be a valid dictionary or instance of Gates (given 5)."
    ]


def test_dates_are_dates() -> None:
    (mistake,) = find_mistakes({"start_date": "yesterday"})
    assert mistake.startswith("Parameter start_date: should be a valid date")
    assert mistake.endswith("(given 'yesterday').")


def test_a_device_that_is_not_there_is_named_in_one_line_with_what_to_set_instead(capfd) -> None:
    (line,) = find_missing_device({"training": {"device_type": "cuda"}})
    assert line.startswith("Parameter training.device_type: LightGBM cannot train on cuda here (")
    assert line.endswith("); set it to cpu.")
    assert capfd.readouterr() == ("", "")


def test_the_processor_is_always_there() -> None:
    assert find_missing_device({"training": {"device_type": "cpu"}}) == []
    assert why_unavailable("cpu") == ""


@pytest.mark.parametrize(
    ("knob", "span", "mistake"),
    [
        ("num_leaves", {"low": 80, "high": 20}, ": low must not lie above high."),
        ("num_leaves", {"low": 1, "high": 20}, ": low is not a valid value of training.classifier.num_leaves."),
        ("max_depth", {"low": -1, "high": 12}, ".low: should be greater than or equal to 1 (given -1)."),
        ("learning_rate", {"low": 0.0, "high": 0.2, "log": True}, ": low must be above 0 if log is true."),
        (
            "feature_fraction",
            {"low": 0.5, "high": 1.5, "log": False},
            ": high is not a valid value of training.",
        ),
        ("lambda_l1", {"low": 0.0, "high": 2.0}, ".log is missing."),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(knob: str, span: dict[str, Any], mistake: str) -> None:
    tuning = base()["tuning"]
    (line,) = find_mistakes({"tuning": tuning | {"space": tuning["space"] | {knob: span}}})
    assert line.startswith(f"Parameter tuning.space.{knob}{mistake}")


@pytest.mark.parametrize("starts_on", ["2000-01-01", "2098-07-08"])
def test_every_start_that_the_parameters_allow_is_one_that_the_tables_may_hold(starts_on: str) -> None:
    source = simulate(n_households=3, n_items_per_household=20, starts_on=starts_on)
    for name in source._fields:
        assert check(name, getattr(source, name)).shape == getattr(source, name).shape


@pytest.mark.parametrize("name", ["\x1b[31mred", "two\nlines", "x" * 10_000])
def test_a_name_that_does_not_exist_is_shown_short_and_printable(name: str) -> None:
    for lines in (find_mistakes({name: 1}), find_mistakes({"gates": base()["gates"] | {name: 1}})):
        (line,) = lines
        assert line.isprintable()
        assert len(line) < 150


@pytest.mark.parametrize(("start", "end"), [("2024-02-01", "2024-01-31"), (date(2024, 2, 1), "2024-02-01")])
def test_the_dates_of_one_run_are_in_order(start: Any, end: Any) -> None:
    (line,) = find_mistakes({"start_date": start, "end_date": end})
    assert line.startswith("Parameter end_date: must lie after start_date (given '2024-0")
    assert find_mistakes({"start_date": start, "end_date": "2024-02-02"}) == []


@pytest.mark.parametrize("environment", ["base", "test", "complete_journey"])
def test_what_no_table_of_the_source_reads_is_refused(environment: str) -> None:
    loader = ConfigLoader(
        str(BASE.parent), env=environment, base_env="base", default_run_env="local", runtime_params={"data_file": "a"}
    )
    assert find_unread({"data_file": "a", **base()}, loader) == [
        "Parameter data_file: no table of this environment's source is read by it; leave it out, or take --env files."
    ]


def test_what_a_table_of_the_source_reads_is_known_by_its_entry(tmp_path: Path) -> None:
    for folder in ("base", "mine"):
        (tmp_path / folder).mkdir()
    (tmp_path / "mine/catalog.yml").write_text(
        "items:\n  type: MemoryDataset\n  data: '${runtime_params:data_file}/${runtime_params: grocy_db, none}'\n"
        "# ${runtime_params:start_date}\n",
        encoding="utf-8",
    )
    loader = ConfigLoader(str(tmp_path), env="mine", base_env="base")
    assert loader.runtime_parameters() == {"data_file", "grocy_db"}
    set_here = {"data_file": "a", "grocy_db": "b", "start_date": "2024-01-01"}
    (line,) = find_unread(set_here, loader)
    assert line.startswith("Parameter start_date: ")
    assert line.endswith("leave it out.")


def test_a_source_that_cannot_fit_into_memory_is_refused_with_an_estimate() -> None:
    generation = base()["data_generation"]
    large = {"data_generation": generation | {"n_households": 200_000, "n_items_per_household": 500}}
    assert find_missing_memory(large, available=16e9) == [
        "Parameter data_generation: 200000 households with 500 items each need about 85.7 GB of memory, and this "
        "machine has 16; lower n_households or n_items_per_household."
    ]
    assert find_missing_memory(large, available=100e9) == []
    assert find_missing_memory({"data_generation": generation}, available=1e9) == []
    assert find_missing_memory({}, available=1e9) == []


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("a.b=1", {"a": {"b": 1}}),
        ("a.b=[0.2,0.5]", {"a": {"b": [0.2, 0.5]}}),
        ("a.b=[0.2, 0.5],c=x y,a.d=[]", {"a": {"b": [0.2, 0.5], "d": []}, "c": "x y"}),
        ("c=1,a.b= [1]", {"c": 1, "a": {"b": [1]}}),
    ],
)
def test_a_list_may_be_given_on_the_command_line(given: str, read: dict[str, Any]) -> None:
    assert run.make_context("run", ["--params", given]).params["params"] == read


@pytest.mark.parametrize("given", ["a=[1,2", "a=[1,{]", "[1,2]"])
def test_a_broken_list_on_the_command_line_is_one_line(given: str) -> None:
    with pytest.raises(RunError, match="^Invalid .*--help") as refused:
        run.make_context("run", ["--params", given])
    assert "\n" not in refused.value.message
