"""Steps of training that belong to the pipeline alone."""

import numpy as np
import pandas as pd
import pytest
from planted import OBSERVATION, RISK_CLASSES, SPLIT, TRAINING
from searching import QUICK, TUNING, tune

from waste_risk.features import FEATURE_NAMES
from waste_risk.model.predictor import hash_parameters
from waste_risk.parameters import Calibration, Observation, Training
from waste_risk.pipelines.training.nodes import describe_search, identify_training, simulate_example
from waste_risk.pipelines.training.pipeline import create_pipeline


@pytest.mark.parametrize(("horizon_days", "max_age_days", "per_item"), [(30, 30, 1), (1, 1, 1), (365, 365, 20)])
def test_the_example_is_a_few_rows_of_features_without_keys(
    horizon_days: int, max_age_days: int, per_item: int
) -> None:
    observation = Observation(horizon_days=horizon_days, max_age_days=max_age_days, per_item=per_item)
    example = simulate_example(observation)
    assert tuple(example) == FEATURE_NAMES
    assert set(example.dtypes) == {np.dtype("float32")}
    assert len(example) == 5
    pd.testing.assert_frame_equal(simulate_example(observation), example, check_exact=True)


def test_the_example_is_made_of_parameters_and_of_no_source() -> None:
    pipeline = create_pipeline()
    (register,) = (node for node in pipeline.nodes if node.name == "register_models")
    assert register.inputs == ["predictor", "params:observation"]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Training, pd.DataFrame]:
    return tune(f"sqlite:///{tmp_path_factory.mktemp('search') / 'studies.db'}", 8)


class TestTheDescriptionOfASearch:
    """What MLflow is told of it."""

    def test_without_a_search_there_is_nothing_to_say(self) -> None:
        training, trials = tune("sqlite://", 0)
        assert describe_search(trials, training, TUNING) == ({}, [], {})

    def test_the_chosen_values_are_named(self, searched: tuple[Training, pd.DataFrame]) -> None:
        training, trials = searched
        figures, records, chosen = describe_search(trials, training, TUNING)
        assert set(figures) == {"history", "slices", "importances"}
        assert records == []
        assert chosen["num_leaves"] == training.classifier.num_leaves
        assert (chosen["n_finished"], chosen["n_pruned"]) == (8, (trials["state"] == "pruned").sum())
        assert chosen["auc"] == trials["value"].max()

    def test_each_trial_is_a_record_if_runs_of_their_own_are_wanted(
        self, searched: tuple[Training, pd.DataFrame]
    ) -> None:
        training, trials = searched
        _, records, _ = describe_search(trials, training, TUNING.model_copy(update={"nested_runs": True}))
        assert [record["name"] for record in records] == [f"trial {number}" for number in range(8)]
        assert records[0]["parameters"]["num_leaves"] == QUICK.classifier.num_leaves
        assert set(records[0]["metrics"]) == {"value", "fold_1", "fold_2"}
        pruned = trials.index[trials["state"] == "pruned"][0]
        assert records[pruned]["metrics"] == {"fold_1": trials.loc[pruned, "fold_1"]}


def test_the_parameter_hash_changes_with_every_section_and_with_nothing_else() -> None:
    sections = (SPLIT, TRAINING, TUNING, OBSERVATION, Calibration(method="auto"), RISK_CLASSES)
    known = identify_training(*sections, "abc")
    assert known == identify_training(*(section.model_copy() for section in sections), "abc")
    assert known.commit == "abc"
    changes = ({"n_folds": 4}, {"seed": 8}, {"n_trials": 7}, {"per_item": 2}, {"method": "sigmoid"})
    changed = [
        identify_training(*sections[:place], sections[place].model_copy(update=change), *sections[place + 1 :], "abc")
        for place, change in enumerate(changes)
    ]
    assert len({one.parameter_hash for one in changed} | {known.parameter_hash}) == 6


def test_a_parameter_that_is_null_does_not_change_the_hash_and_one_that_is_set_does() -> None:
    older = SPLIT.model_construct(test_share=SPLIT.test_share, n_folds=SPLIT.n_folds)  # before there was test_days
    known = hash_parameters([SPLIT])
    assert SPLIT.test_days is None
    assert hash_parameters([older]) == known
    assert hash_parameters([SPLIT.model_copy(update={"test_days": 28})]) != known
