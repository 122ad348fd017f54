"""model_input → development, test → hyperparameters → out-of-fold predictions → calibrator, threshold → predictor."""

from kedro.pipeline import Node, Pipeline

from waste_risk.model.calibration import choose_threshold, fit_calibrator
from waste_risk.model.importance import explain
from waste_risk.pipelines.training.nodes import (
    describe_search,
    describe_training,
    identify_training,
    record_training,
    register_boosters,
)
from waste_risk.training.cross_validation import cross_validate, summarise_folds
from waste_risk.training.fit import fit_predictor
from waste_risk.training.splits import split_by_time
from waste_risk.training.tuning.hyperparameters import tune_hyperparameters


def create_pipeline() -> Pipeline:
    """Every decision on data of its own; the test window is only cut off here."""
    return Pipeline(
        [
            Node(
                split_by_time,
                inputs=["model_input", "params:split"],
                outputs=["development", "test"],
                name="split_by_time",
            ),
            Node(
                tune_hyperparameters,
                inputs=[
                    "development",
                    "params:training",
                    "params:split",
                    "params:observation",
                    "params:tuning",
                    "studies",
                ],
                outputs=["tuned_training", "trials"],
                name="tune_hyperparameters",
            ),
            Node(
                describe_search,
                inputs=["trials", "tuned_training", "params:tuning"],
                outputs=["search_plots", "trial_runs", "tuned_parameters"],
                name="describe_search",
            ),
            Node(
                cross_validate,
                inputs=["development", "tuned_training", "params:split", "params:observation"],
                outputs=["out_of_fold", "fold_metrics"],
                name="cross_validate",
            ),
            Node(summarise_folds, inputs="fold_metrics", outputs="cross_validation_metrics", name="summarise_folds"),
            Node(
                fit_calibrator,
                inputs=["out_of_fold", "params:calibration"],
                outputs="calibrator",
                name="fit_calibrator",
            ),
            Node(choose_threshold, inputs=["out_of_fold", "calibrator"], outputs="threshold", name="choose_threshold"),
            Node(
                identify_training,
                inputs=[
                    "params:split",
                    "tuned_training",
                    "params:tuning",
                    "params:observation",
                    "params:calibration",
                    "params:risk_classes",
                    "commit",
                ],
                outputs="provenance",
                name="identify_training",
            ),
            Node(
                fit_predictor,
                inputs={
                    "development": "development",
                    "fold_metrics": "fold_metrics",
                    "calibrator": "calibrator",
                    "threshold": "threshold",
                    "training": "tuned_training",
                    "risk_classes": "params:risk_classes",
                    "observation": "params:observation",
                    "provenance": "provenance",
                },
                outputs="predictor",
                name="fit_predictor",
            ),
            Node(explain, inputs=["predictor", "development"], outputs="feature_importance", name="explain"),
            Node(
                describe_training,
                inputs=["observation_counts", "fold_metrics", "predictor"],
                outputs="training_facts",
                name="describe_training",
            ),
            Node(
                register_boosters,
                inputs=["predictor", "params:observation"],
                outputs=["classifier", "regressor"],
                name="register_boosters",
            ),
            Node(record_training, inputs="predictor", outputs="training_run", name="record_training"),
        ]
    )
