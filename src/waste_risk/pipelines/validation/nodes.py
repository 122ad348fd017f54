"""Steps of judging that belong to this pipeline alone."""

from datetime import UTC, datetime

import pandas as pd

from waste_risk.boosting import to_matrix
from waste_risk.checks import TableCounts
from waste_risk.errors import ContractError
from waste_risk.gates import GateDecision
from waste_risk.metrics import ValidationMetrics, evaluate
from waste_risk.model import WastePredictor
from waste_risk.page import render_page
from waste_risk.parameters import Gates, Validation
from waste_risk.report import SourceSummary, render_text
from waste_risk.simulation import oracle_probability
from waste_risk.summary import ObservationCounts

_KEPT = ["item_id", "household_id", "observed_on", "wasted", "days_to_waste"]
_SENSITIVE = "sensitive_"


def predict_test(
    predictor: WastePredictor, training_run: dict[str, str], development: pd.DataFrame, test: pd.DataFrame
) -> pd.DataFrame:
    """Predict the test window; every row carries the SHA-256 of the predictor that it judges.

    Beside the predictions stand the raw score, whether the household is new to the predictor, and the groups by which
    fairness is judged.

    Raises:
        ContractError: the predictor is not the one of the training run, or has learnt from the test window.
    """
    if training_run["predictor_sha256"] != predictor.sha256:
        raise ContractError("the predictor is not the one that training_run names; run the pipeline training again")
    learnt_until = pd.Timestamp(predictor.metadata.observed_until) + pd.Timedelta(days=predictor.metadata.horizon_days)
    too_early = test["observed_on"] < learnt_until
    if too_early.any():
        raise ContractError(
            f"test.observed_on: must not lie before {learnt_until:%Y-%m-%d}, when the predictor's labels were known "
            f"({too_early.sum()} of {len(test)} rows); run the pipeline training again"
        )
    predicted = predictor.predict(test).rename(columns={"days_to_waste": "predicted_days_to_waste"})
    beside = {
        "score": predictor.classifier.predict(to_matrix(test, predictor.metadata.feature_names)),
        "days_on_label": test["days_to_printed_date"].clip(0, predictor.metadata.horizon_days),
        "is_new_household": ~test["household_id"].isin(development["household_id"]),
        "predictor_sha256": predictor.sha256,
    }
    return pd.concat([test[_KEPT], predicted, test.filter(like=_SENSITIVE)], axis=1).assign(**beside)


def find_oracle(
    test_predictions: pd.DataFrame,
    checked_items: pd.DataFrame,
    checked_events: pd.DataFrame,
    truth: pd.DataFrame,
    predictor: WastePredictor,
) -> pd.DataFrame:
    """Look up the true probability of each judged row; of a source without latents there are no rows."""
    looks = test_predictions if len(truth) else test_predictions.iloc[:0]
    return oracle_probability(looks, checked_items, checked_events, truth, predictor.metadata.horizon_days)


def evaluate_predictions(
    *,
    test_predictions: pd.DataFrame,
    oracle: pd.DataFrame,
    baseline_predictions: pd.DataFrame,
    fold_metrics: pd.DataFrame,
    cost_threshold: float,
    predictor: WastePredictor,
    validation: Validation,
    gates: Gates,
) -> ValidationMetrics:
    """Judge the predictions of the test window.

    Raises:
        ContractError: the predictions were made by another predictor.
    """
    if set(test_predictions["predictor_sha256"]) != {predictor.sha256}:
        raise ContractError("test_predictions were made by another predictor; run predict_test again")
    sensitive = test_predictions.filter(like=_SENSITIVE)
    return evaluate(
        y_true=test_predictions["wasted"],
        probability=test_predictions["waste_probability"],
        raw_score=test_predictions["score"],
        item_id=test_predictions["item_id"],
        household_id=test_predictions["household_id"],
        observed_on=test_predictions["observed_on"],
        is_new_household=test_predictions["is_new_household"],
        days_true=test_predictions["days_to_waste"],
        days_predicted=test_predictions["predicted_days_to_waste"],
        days_on_label=test_predictions["days_on_label"],
        oracle_probability=oracle["probability"] if len(oracle) else None,
        baselines={str(name): values for name, values in baseline_predictions.items()},
        sensitive={str(name).removeprefix(_SENSITIVE): values for name, values in sensitive.items()},
        fold_metrics=fold_metrics,
        threshold=predictor.threshold,
        cost_threshold=cost_threshold,
        high_confidence=gates.high_confidence,
        horizon_days=predictor.metadata.horizon_days,
        predictor_sha256=predictor.sha256,
        **validation.model_dump(),
    )


def write_report(
    validation_metrics: ValidationMetrics,
    gate_decision: GateDecision,
    table_counts: TableCounts,
    observation_counts: ObservationCounts,
) -> str:
    """Write the text report, dated now."""
    source = _summarise_source(table_counts, observation_counts)
    return render_text(validation_metrics, gate_decision, generated_at=_now(), source=source)


def write_page(
    validation_metrics: ValidationMetrics,
    gate_decision: GateDecision,
    predictor: WastePredictor,
    table_counts: TableCounts,
    observation_counts: ObservationCounts,
    **pictures: bytes,
) -> str:
    """Write the report as one HTML file with the pictures in it, dated now."""
    return render_page(
        validation_metrics,
        gate_decision,
        generated_at=_now(),
        source=_summarise_source(table_counts, observation_counts),
        metadata=predictor.metadata,
        pictures=pictures,
    )


def _summarise_source(table_counts: TableCounts, observation_counts: ObservationCounts) -> SourceSummary:
    return SourceSummary(
        n_items=table_counts["items"],
        item_waste_ratio=table_counts["items_wasted_share"],
        n_observations=observation_counts["observations"],
        observation_waste_ratio=observation_counts["observations_wasted_share"],
        dropped=table_counts["dropped"],
        repaired=table_counts["repaired"],
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
