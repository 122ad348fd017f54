"""The pipelines by name."""

from kedro.pipeline import Pipeline

from waste_risk.pipelines.data_engineering.pipeline import create_pipeline as data_engineering
from waste_risk.pipelines.data_generation.pipeline import create_pipeline as data_generation
from waste_risk.pipelines.receipts.pipeline import create_pipeline as receipts
from waste_risk.pipelines.training.pipeline import create_pipeline as training
from waste_risk.pipelines.validation.pipeline import create_pipeline as validation


def register_pipelines() -> dict[str, Pipeline]:
    """Name every pipeline; `__default__` is the main job, `retrain` the same on data that are there already."""
    retrain = data_engineering() + training() + validation()
    return {
        "data_generation": data_generation(),
        "receipts": receipts(),
        "data_engineering": data_engineering(),
        "training": training(),
        "validation": validation(),
        "retrain": retrain,
        "__default__": data_generation() + retrain,
    }
