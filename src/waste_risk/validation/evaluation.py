"""Judge a predictor on rows that it has not seen: ``evaluate_predictor(predictor, rows)``.

The rows are those of model_input or a part of it: the features, ``wasted``, and what else is known of them.
"""

from typing import Any

import pandas as pd

from waste_risk.errors import ContractError
from waste_risk.metrics import ValidationMetrics, evaluate
from waste_risk.model.lightgbm_calls import predict
from waste_risk.model.matrix import to_matrix
from waste_risk.model.predictor import WastePredictor

_SENSITIVE = "sensitive_"
_OPTIONAL = ["item_id", "household_id", "observed_on", "days_to_waste"]


def evaluate_predictor(predictor: WastePredictor, rows: pd.DataFrame, **options: Any) -> ValidationMetrics:
    """Predict the rows, and measure the predictions beside what happened.

    Args:
        predictor: to be judged, at its own threshold; "high confidence" begins with its high risk class.
        rows: features and ``wasted``; with ``household_id`` intervals are by household, with ``days_to_waste`` the days
            are judged too, with ``observed_on`` the metrics are also by month, with ``item_id`` beside it warnings have
            a lead time, and each column ``sensitive_…`` is an attribute for fairness.
        options: of ``evaluate``, such as ``n_resamples`` or ``baselines``.

    Raises:
        ContractError: the predictor has learnt from days of these rows.
        ValueError: features or ``wasted`` are missing.
    """
    defaults = {"high_confidence": predictor.metadata.risk_classes.high_from}
    return evaluate_beside_truth(predictor, predict_beside_truth(predictor, rows), **{**defaults, **options})


def predict_beside_truth(predictor: WastePredictor, rows: pd.DataFrame) -> pd.DataFrame:
    """Predict the rows; beside the predictions stand the raw score and what the rows say of truth and groups.

    Raises:
        ContractError: the predictor has learnt from days of these rows.
        ValueError: features or ``wasted`` are missing.
    """
    if "wasted" not in rows:
        raise ValueError("the rows have no column wasted, so there is nothing to judge the predictions by")
    _refuse_learnt(predictor, rows)
    names, horizon = predictor.metadata.feature_names, predictor.metadata.horizon_days
    predicted = predictor.predict(rows).rename(columns={"days_to_waste": "predicted_days_to_waste"})
    known = rows[[name for name in [*_OPTIONAL, "wasted"] if name in rows]]
    beside: dict[str, Any] = {
        "score": predict(predictor.classifier, to_matrix(rows, names)),
        "days_on_label": rows["days_to_printed_date"].clip(0, horizon),
    }
    return pd.concat([known, predicted, rows.filter(regex=f"^{_SENSITIVE}")], axis=1).assign(**beside)


def evaluate_beside_truth(predictor: WastePredictor, predictions: pd.DataFrame, **options: Any) -> ValidationMetrics:
    """Measure what ``predict_beside_truth`` gave; a column that it lacks is left out."""
    sensitive = predictions.filter(regex=f"^{_SENSITIVE}")
    return evaluate(
        y_true=predictions["wasted"],
        probability=predictions["waste_probability"],
        raw_score=predictions["score"],
        item_id=predictions.get("item_id"),
        household_id=predictions.get("household_id"),
        observed_on=predictions.get("observed_on"),
        is_new_household=predictions.get("is_new_household"),
        days_true=predictions.get("days_to_waste"),
        days_predicted=predictions["predicted_days_to_waste"],
        days_on_label=predictions["days_on_label"],
        sensitive={str(name).removeprefix(_SENSITIVE): values for name, values in sensitive.items()},
        threshold=predictor.threshold,
        horizon_days=predictor.metadata.horizon_days,
        predictor_sha256=predictor.sha256,
        **options,
    )


def _refuse_learnt(predictor: WastePredictor, rows: pd.DataFrame) -> None:
    if "observed_on" not in rows:
        return
    learnt_until = pd.Timestamp(predictor.metadata.observed_until) + pd.Timedelta(days=predictor.metadata.horizon_days)
    too_early = rows["observed_on"] < learnt_until
    if too_early.any():
        raise ContractError(
            f"test.observed_on: must not lie before {learnt_until:%Y-%m-%d}, when the predictor's labels were known "
            f"({too_early.sum()} of {len(rows)} rows); run the pipeline training again"
        )
