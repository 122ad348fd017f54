"""model_input → development, test → hyperparameters → out-of-fold predictions → calibrator, thresholds → predictor."""

from kedro.pipeline import Node, Pipeline

from waste_risk.model.calibration import fit_calibrator
from waste_risk.model.importance import explain
from waste_risk.pipelines.training.nodes import (
    describe_search,
    describe_training,
    identify_training,
    record_training,
    register_models,
)
from waste_risk.reporting.console import summarise_pool
from waste_risk.training.cross_validation import cross_validate, summarise_folds
from waste_risk.training.fit import fit_predictor
from waste_risk.training.splits import count_pool, split_by_time
from waste_risk.training.thresholds import choose_cheapest_threshold, choose_threshold
from waste_risk.training.tuning.hyperparameters import tune_hyperparameters


def create_pipeline() -> Pipeline:
    """Make every decision on data of its own; the test window is only split off here."""
    return Pipeline(
        [
            Node(
                split_by_time,
                ["model_input", "params:split", "pooled_rows"],
                ["development", "test"],
                name="split_by_time",
            ),
            Node(count_pool, ["development", "pooled_rows"], "pool_counts", name="count_pool"),
            Node(summarise_pool, "pool_counts", "pool_summary", name="summarise_pool"),
            Node(
                tune_hyperparameters,
                ["development", "params:training", "params:split", "params:observation", "params:tuning", "studies"],
                ["tuned_training", "trials"],
                name="tune_hyperparameters",
            ),
            Node(
                describe_search,
                ["trials", "tuned_training", "params:tuning"],
                ["search_plots", "trial_runs", "tuned_parameters"],
                name="describe_search",
            ),
            Node(
                cross_validate,
                ["development", "tuned_training", "params:split", "params:observation"],
                ["out_of_fold", "fold_metrics", "fold_rounds"],
                name="cross_validate",
            ),
            Node(summarise_folds, "fold_metrics", "cross_validation_metrics", name="summarise_folds"),
            Node(fit_calibrator, ["out_of_fold", "params:calibration"], "calibrator", name="fit_calibrator"),
            Node(choose_threshold, ["out_of_fold", "calibrator"], "threshold", name="choose_threshold"),
            Node(
                choose_cheapest_threshold,
                ["out_of_fold", "calibrator", "params:costs"],
                "cost_threshold",
                name="choose_cheapest_threshold",
            ),
            Node(
                identify_training,
                [
                    *("params:split", "tuned_training", "params:tuning", "params:observation", "params:calibration"),
                    *("params:risk_classes", "commit"),
                ],
                "provenance",
                name="identify_training",
            ),
            Node(
                fit_predictor,
                [
                    *("development", "fold_rounds", "calibrator", "threshold"),
                    *("tuned_training", "params:risk_classes", "params:observation", "provenance"),
                ],
                "predictor",
                name="fit_predictor",
            ),
            Node(explain, ["predictor", "development"], "feature_importance", name="explain"),
            Node(
                describe_training,
                ["observation_counts", "fold_metrics", "predictor"],
                "training_facts",
                name="describe_training",
            ),
            Node(
                register_models,
                ["predictor", "params:observation"],
                ["classifier", "regressor", "registered_predictor"],
                name="register_models",
            ),
            Node(record_training, "predictor", "training_run", name="record_training"),
        ]
    )
