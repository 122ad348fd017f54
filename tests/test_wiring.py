"""What Kedro puts together: every dataset has its place, every table its contract, every parameter its bounds."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from waste_risk.adapters.configuration import ConfigurationError
from waste_risk.adapters.parameter_checks import find_mistakes
from waste_risk.adapters.sources import with_reading
from waste_risk.pipeline_registry import register_pipelines
from waste_risk.settings import CONFIG_LOADER_ARGS
from waste_risk.tables.contracts import TABLES

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"
ENVIRONMENTS = sorted({path.parent.name for path in CONF.glob("*/*.yml")} - {"local"})
SINGLE = sorted(path.parent.name for path in (ROOT / "src/waste_risk/pipelines").glob("*/pipeline.py"))
ONLY_FOR_PEOPLE = {
    *("cross_validation_metrics", "training_facts", "validation_report", "validation_page"),
    *("classifier", "regressor", "registered_predictor", "search_plots", "trial_runs", "tuned_parameters"),
    *("source_summary", "observation_summary", "verdict_summary", "pool_summary"),
}


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Pipeline]:
    bootstrap_project(ROOT)
    return register_pipelines()


def load(environment: str) -> OmegaConfigLoader:
    arguments: dict[str, Any] = {**CONFIG_LOADER_ARGS, "default_run_env": environment}
    return OmegaConfigLoader(str(CONF), env=environment, **arguments)


def free_inputs(pipeline: Pipeline) -> set[str]:
    return {name for name in pipeline.inputs() if not name.startswith("params:")}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_free_input_of_the_sources_run_is_in_the_catalog(
    pipelines: dict[str, Pipeline], environment: str
) -> None:
    config = load(environment)
    run = sum((pipelines[name] for name in config["run"]["pipelines"]), Pipeline([]))
    assert free_inputs(run) <= set(config["catalog"])


def test_the_main_job_needs_nothing_but_parameters_its_commit_a_place_for_studies_and_rows_of_others(
    pipelines: dict[str, Pipeline],
) -> None:
    assert free_inputs(pipelines["__default__"]) == {"commit", "studies", "pooled_rows"}


def test_each_pipeline_can_run_on_what_the_others_left(pipelines: dict[str, Pipeline]) -> None:
    catalog = DataCatalog.from_config(load("base")["catalog"], load("base")["credentials"])
    for name in ("data_engineering", "training", "validation", "retrain", "scoring"):
        assert all(dataset in catalog for dataset in free_inputs(pipelines[name]))


@pytest.mark.usefixtures("pipelines")
def test_a_source_that_changes_by_itself_is_read_again_by_whatever_needs_its_tables() -> None:
    config: Any = load("grocy")
    for name in ("data_engineering", "scoring", "monitoring"):
        assert with_reading(config, [name]) == sorted(["grocy", name])
    for names in (["training"], ["validation"], ["promotion"], ["data_generation", "scoring"], ["grocy"]):
        assert with_reading(config, names) == names
    own: Any = load("complete_journey")
    assert with_reading(own, ["scoring"]) == ["scoring"]
    mistyped: Any = {"run": {"pipelines": ["training"], "reads": ["grocey"]}}
    with pytest.raises(ConfigurationError, match=r"^run.yml: reads names grocey, which is no pipeline; did you mean"):
        with_reading(mistyped, ["scoring"])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_entry_is_used(pipelines: dict[str, Pipeline], environment: str) -> None:
    used = set().union(*(pipeline.datasets() for pipeline in pipelines.values()))
    entries = {name for name in load(environment)["catalog"] if "{" not in name and not name.startswith("_")}
    assert entries <= used


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_items_of_every_source_can_be_scored_and_none_of_its_tables_is_written(
    pipelines: dict[str, Pipeline], environment: str
) -> None:
    catalog = load(environment)["catalog"]
    scoring = pipelines["scoring"]
    assert free_inputs(scoring) == {
        *("households", "items", "events", "any_champion", "source_name", "earlier_predictions"),
    }
    assert free_inputs(scoring) <= set(catalog)
    assert scoring.all_outputs() & set(catalog) == {
        *("scoring_champion", "predictions", "expected_performance", "pantry_page"),
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_predictions_of_every_source_can_be_followed_and_none_of_its_tables_is_written(
    pipelines: dict[str, Pipeline], environment: str
) -> None:
    catalog = load(environment)["catalog"]
    monitoring = pipelines["monitoring"]
    assert free_inputs(monitoring) == {
        *("households", "items", "events", "any_champion", "source_name"),
        *("past_predictions", "expected_performance"),
    }
    assert free_inputs(monitoring) <= set(catalog)
    assert monitoring.all_outputs() & set(catalog) == {
        *("monitored_champion", "monitoring_metrics", "monitoring_report", "monitoring_page"),
    }
    assert catalog["champion"]["source"] == load(environment)["globals"]["source"]
    assert catalog["predictions"]["filepath"] == catalog["earlier_predictions"]["filepath"]
    assert catalog["predictions"]["filepath"] == catalog["past_predictions"]["filepath"]


def test_every_output_is_read_by_a_node_or_kept_for_people(pipelines: dict[str, Pipeline]) -> None:
    outputs = {name for name in pipelines["__default__"].outputs() if not name.startswith("plot_")}
    assert outputs == ONLY_FOR_PEOPLE


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("table", TABLES)
def test_every_contract_table_is_checked_in_every_environment(environment: str, table: str) -> None:
    """On save and on load, which is Kedro's default."""
    validator = load(environment)["catalog"][table]["validator"]
    options = validator["options"]
    assert validator == {"class": "waste_risk.adapters.contracts.Contract", "options": options}
    # A table of someone's own has features of its own; all else of its contract holds.
    assert options in ({"table": table}, {"table": "model_input", "any_features": True})
    assert options["table"] == table


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_table_is_compressed_alike(environment: str) -> None:
    config = load(environment)
    datasets = [entry.get("dataset", entry) for entry in config["catalog"].values()]
    tables = [dataset for dataset in datasets if dataset["type"] == config["globals"]["table"]]
    assert len(tables) > len(TABLES)
    assert [table["save_args"] for table in tables] == [{"compression": "zstd"}] * len(tables)


def test_a_node_has_the_name_of_its_function_after_that_of_its_pipeline(pipelines: dict[str, Pipeline]) -> None:
    for name in SINGLE:
        nodes = pipelines[name].nodes
        assert [node.name for node in nodes] == [f"{name}.{node.func.__name__}" for node in nodes]


def test_a_namespace_changes_no_name_of_a_dataset_or_parameter(pipelines: dict[str, Pipeline]) -> None:
    for name in SINGLE:
        plain = import_module(f"waste_risk.pipelines.{name}.pipeline").create_pipeline()
        assert pipelines[name].datasets() == plain.datasets()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_parameters_of_every_environment_are_valid(environment: str) -> None:
    assert find_mistakes(load(environment)["parameters"]) == []


def test_each_source_has_a_data_folder_of_its_own() -> None:
    sources = [load(environment)["globals"]["source"] for environment in ENVIRONMENTS]
    assert len(set(sources)) == len(sources)
    for environment, source in zip(ENVIRONMENTS, sources, strict=True):
        catalog = load(environment)["catalog"]
        assert catalog["checked_{table}"]["filepath"].startswith(f"data/{source}/")
        assert catalog["features"]["filepath"] == f"data/{source}/04_feature/features.parquet"


LAYERS = ["raw", "intermediate", "primary", "feature", "model_input", "models", "model_output", "reporting"]


def test_no_node_and_no_pipeline_leads_from_a_later_layer_to_an_earlier_one(pipelines: dict[str, Pipeline]) -> None:
    """Else Kedro-Viz shows no layers at all."""
    catalog = load("base")["catalog"]
    layer = {
        name: LAYERS.index(entry["metadata"]["kedro-viz"]["layer"])
        for name, entry in catalog.items()
        if "metadata" in entry
    }
    steps = {node.name: (node.inputs, node.outputs) for node in pipelines["__default__"].nodes}
    boxes = {name: (pipelines[name].inputs(), pipelines[name].all_outputs()) for name in SINGLE}
    for step, (inputs, outputs) in {**steps, **boxes}.items():
        read = [layer[name] for name in inputs if name in layer]
        written = [layer[name] for name in outputs if name in layer]
        assert max(read, default=0) <= min(written, default=len(LAYERS)), step


def test_hooks_import_no_library_that_only_some_steps_need() -> None:
    heavy = ("lightgbm", "sklearn", "pandera", "matplotlib", "optuna", "shap")
    code = f"import sys, waste_risk.adapters.hooks; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
