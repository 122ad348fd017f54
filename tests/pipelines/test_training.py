"""Steps of training that belong to the pipeline alone."""

import numpy as np
import pandas as pd
import pytest

from waste_risk.features import FEATURE_NAMES
from waste_risk.parameters import Observation
from waste_risk.pipelines.training.nodes import simulate_example
from waste_risk.pipelines.training.pipeline import create_pipeline


@pytest.mark.parametrize(("horizon_days", "max_look_days", "looks_per_item"), [(30, 30, 1), (1, 1, 1), (365, 365, 20)])
def test_the_example_is_a_few_rows_of_features_without_keys(
    horizon_days: int, max_look_days: int, looks_per_item: int
) -> None:
    observation = Observation(horizon_days=horizon_days, max_look_days=max_look_days, looks_per_item=looks_per_item)
    example = simulate_example(observation)
    assert tuple(example) == FEATURE_NAMES
    assert set(example.dtypes) == {np.dtype("float32")}
    assert len(example) == 5
    pd.testing.assert_frame_equal(simulate_example(observation), example, check_exact=True)


def test_the_example_is_made_of_parameters_and_of_no_source() -> None:
    pipeline = create_pipeline()
    (register,) = (node for node in pipeline.nodes if node.name == "register_boosters")
    assert register.inputs == ["predictor", "params:observation"]
