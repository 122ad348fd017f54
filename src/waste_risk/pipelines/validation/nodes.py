"""Steps of validation that belong to this pipeline alone."""

from dataclasses import replace

import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.features.build import KEYS
from waste_risk.features.encoding import LABELS
from waste_risk.metrics import ValidationMetrics
from waste_risk.model.predictor import WastePredictor, hash_rows
from waste_risk.parameters import Costs, Gates, Validation
from waste_risk.pipelines import now
from waste_risk.reporting import plots
from waste_risk.reporting.console import ObservationCounts
from waste_risk.reporting.page import render_page
from waste_risk.reporting.text import SourceSummary, WindowUse, render_text
from waste_risk.simulation import oracle_probability
from waste_risk.tables.checks import TableCounts
from waste_risk.training.splits import PoolCounts
from waste_risk.validation.evaluation import evaluate_with_outcomes, predict_with_outcomes
from waste_risk.validation.gates import GateDecision
from waste_risk.validation.leakage import find_purest_feature, validate_adversarially


def predict_test(
    predictor: WastePredictor, training_run: dict[str, str], development: pd.DataFrame, test: pd.DataFrame
) -> pd.DataFrame:
    """Predict the test window; every row carries the SHA-256 of the predictor.

    Beside the predictions stand the raw score, whether the household is new to the predictor, and the groups of
    fairness.

    Raises:
        ContractError: the predictor is not the one of the training run, or was trained on rows of the test window.
    """
    if training_run["predictor_sha256"] != predictor.sha256:
        raise ContractError("the predictor is not the one that training_run names; run the pipeline training again")
    return predict_with_outcomes(predictor, test).assign(
        is_new_household=~test["household_id"].isin(development["household_id"]), predictor_sha256=predictor.sha256
    )


def find_oracle(
    test_predictions: pd.DataFrame,
    checked_items: pd.DataFrame,
    checked_events: pd.DataFrame,
    truth: pd.DataFrame,
    predictor: WastePredictor,
) -> pd.DataFrame:
    """Look up the true probability of each row of the test window; a source without latents has none."""
    observations = test_predictions if len(truth) else test_predictions.iloc[:0]
    return oracle_probability(observations, checked_items, checked_events, truth, predictor.metadata.horizon_days)


def evaluate_predictions(
    *,
    test_predictions: pd.DataFrame,
    oracle: pd.DataFrame,
    baseline_predictions: pd.DataFrame,
    fold_metrics: pd.DataFrame,
    cost_threshold: float,
    predictor: WastePredictor,
    development: pd.DataFrame,
    test: pd.DataFrame,
    costs: Costs,
    validation: Validation,
    gates: Gates,
) -> tuple[dict[str, str], ValidationMetrics]:
    """Evaluate the predictions of the test window, and the features of both windows.

    There are no metrics without the entry that goes on record. It names the predictor and the window, whose hash is
    that of its observations and labels: with other features it is the same window.

    Returns:
        the entry for ``validation_log``, and the metrics.

    Raises:
        ContractError: the predictions were made by another predictor.
    """
    if set(test_predictions["predictor_sha256"]) != {predictor.sha256}:
        raise ContractError("test_predictions were made by another predictor; run predict_test again")
    metrics = evaluate_with_outcomes(
        predictor,
        test_predictions,
        oracle_probability=oracle["probability"] if len(oracle) else None,
        baselines={str(name): values for name, values in baseline_predictions.items()},
        fold_metrics=fold_metrics,
        costs=costs,
        cost_threshold=cost_threshold,
        params=validation,
        high_confidence=gates.high_confidence,
    )
    metadata = predictor.metadata
    windows = (development, test, metadata.feature_names, validation, metadata.levels)
    metrics = replace(
        metrics,
        adversarial_validation=validate_adversarially(*windows),
        purest_feature=find_purest_feature(*windows),
    )
    return {"window_sha256": hash_rows(test[[*KEYS, *LABELS]]), "predictor_sha256": predictor.sha256}, metrics


def write_report(  # noqa: PLR0917
    validation_metrics: ValidationMetrics,
    gate_decision: GateDecision,
    table_counts: TableCounts,
    observation_counts: ObservationCounts,
    validation_log: WindowUse,
    pool_counts: PoolCounts | None = None,
) -> str:
    """Write the text report, dated now."""
    source = _summarise_source(table_counts, observation_counts, pool_counts, validation_metrics)
    return render_text(
        validation_metrics, gate_decision, generated_at=now(), source=source, validation_log=validation_log
    )


def write_page(
    *,
    validation_metrics: ValidationMetrics,
    gate_decision: GateDecision,
    table_counts: TableCounts,
    observation_counts: ObservationCounts,
    validation_log: WindowUse,
    pool_counts: PoolCounts,
    predictor: WastePredictor,
    **images: bytes,
) -> str:
    """Write the report as one HTML file with the plots in it, dated now.

    ``images`` are PNG files, one for each of ``PLOTS``, by the name of its dataset.
    """
    return render_page(
        validation_metrics,
        gate_decision,
        generated_at=now(),
        source=_summarise_source(table_counts, observation_counts, pool_counts, validation_metrics),
        validation_log=validation_log,
        metadata=predictor.metadata,
        plots={plot: images[plot.dataset] for plot in plots.PLOTS},
    )


def _summarise_source(
    table_counts: TableCounts,
    observation_counts: ObservationCounts,
    pool_counts: PoolCounts | None,
    metrics: ValidationMetrics,
) -> SourceSummary:
    given = {"days to waste": metrics.days_mae is not None, "sensitive attributes": bool(metrics.fairness)}
    return SourceSummary(
        n_items=table_counts["items"],
        item_waste_ratio=table_counts["items_wasted_share"],
        n_observations=observation_counts["mature"],
        observation_waste_ratio=observation_counts["mature_wasted_share"],
        n_pooled=pool_counts["pooled"] if pool_counts else 0,
        dropped=table_counts["dropped"],
        repaired=table_counts["repaired"],
        not_given=tuple(name for name, is_given in given.items() if not is_given),
    )
