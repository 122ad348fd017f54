"""The pipelines by name, each a namespace of its own: Kedro-Viz shows it as one box, and ``training.`` leads its nodes.

Datasets and parameters have no prefix.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from kedro.pipeline import Pipeline

_SINGLE = (
    *("data_generation", "receipts", "data_engineering", "training", "validation", "promotion", "rollback"),
    *("scoring", "monitoring", "finished_table", "table_scoring", "repurchase", "grocy", "seed_postgres"),
)
_RETRAIN = ("data_engineering", "training", "validation")
# `__default__` is the main job, `retrain` the same on data that are there already.
_COMPOSED = {"retrain": _RETRAIN, "__default__": ("data_generation", *_RETRAIN)}


class Registry(Mapping[str, Pipeline]):
    """Creates a pipeline when it is looked up, so that a command imports its own steps only."""

    def __getitem__(self, name: str) -> Pipeline:
        """Create the pipeline, or those that it is composed of."""
        if name not in self:
            raise KeyError(name)
        return sum((_create(part) for part in _COMPOSED.get(name, (name,))), Pipeline([]))

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter((*_SINGLE, *_COMPOSED))

    def __len__(self) -> int:
        """Return the number of pipelines."""
        return len(_SINGLE) + len(_COMPOSED)

    def __contains__(self, name: object) -> bool:
        """Return whether there is such a pipeline, without creating it."""
        return name in _SINGLE or name in _COMPOSED


def register_pipelines() -> Mapping[str, Pipeline]:
    """Return every pipeline by name."""
    return Registry()


def _create(name: str) -> Pipeline:
    nodes: Pipeline = import_module(f"waste_risk.pipelines.{name}.pipeline").create_pipeline()
    return Pipeline(nodes, namespace=name, prefix_datasets_with_namespace=False)
