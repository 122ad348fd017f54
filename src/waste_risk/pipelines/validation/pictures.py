"""The pictures of a validation, as the report shows them."""

import pandas as pd
from matplotlib.figure import Figure

from waste_risk.metrics import ValidationMetrics
from waste_risk.model.importance import draw_rows
from waste_risk.model.predictor import WastePredictor
from waste_risk.parameters import Gates, Observation, Validation
from waste_risk.reporting.plots.contributions import plot_contributions
from waste_risk.reporting.plots.curves import (
    plot_calibration,
    plot_confusion_matrix,
    plot_feature_importance,
    plot_precision_recall,
    plot_roc,
)
from waste_risk.reporting.plots.groups import plot_calibration_gaps, plot_months
from waste_risk.reporting.plots.splits import plot_splits


def draw_plots(
    *,
    test_predictions: pd.DataFrame,
    oracle: pd.DataFrame,
    predictor: WastePredictor,
    validation: Validation,
    gates: Gates,
) -> dict[str, Figure]:
    """Draw what the predictions are worth."""
    wasted, probability = test_predictions["wasted"], test_predictions["waste_probability"]
    true = oracle["probability"] if len(oracle) else None
    days, threshold, high = predictor.metadata.horizon_days, predictor.threshold, gates.high_confidence
    return {
        "roc_curve": plot_roc(
            y_true=wasted, probability=probability, threshold=threshold, horizon_days=days, oracle_probability=true
        ),
        "precision_recall_curve": plot_precision_recall(
            y_true=wasted, probability=probability, threshold=threshold, high_confidence=high, horizon_days=days
        ),
        "calibration_curve": plot_calibration(
            y_true=wasted, probability=probability, n_bins=validation.n_bins, horizon_days=days
        ),
        "confusion_matrix": plot_confusion_matrix(
            y_true=wasted, probability=probability, threshold=threshold, horizon_days=days
        ),
    }


def draw_explanations(
    predictor: WastePredictor, feature_importance: pd.DataFrame, test: pd.DataFrame
) -> tuple[Figure, Figure]:
    """Draw which features matter, and how they push the risk of some of the judged rows."""
    days, rows = predictor.metadata.horizon_days, draw_rows(predictor, test)
    contributions = predictor.explain(rows).drop(columns="base_value")
    return (
        plot_feature_importance(feature_importance=feature_importance, horizon_days=days),
        plot_contributions(contributions=contributions, features=rows, horizon_days=days),
    )


def draw_groups(validation_metrics: ValidationMetrics) -> tuple[Figure, Figure]:
    """Draw for whom and when the probabilities hold."""
    days = validation_metrics.horizon_days
    return (
        plot_calibration_gaps(fairness=validation_metrics.fairness, horizon_days=days),
        plot_months(by_month=validation_metrics.by_month, horizon_days=days),
    )


def draw_splits(
    fold_metrics: pd.DataFrame, development: pd.DataFrame, test: pd.DataFrame, observation: Observation
) -> Figure:
    """Draw which days trained and which are judged."""
    return plot_splits(
        fold_metrics=fold_metrics, development=development, test=test, horizon_days=observation.horizon_days
    )
