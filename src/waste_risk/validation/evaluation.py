"""Evaluate a predictor on rows that it has not seen, with or without Kedro.

The rows are those of model_input or a part of it: the features, ``wasted``, and what else is known of them.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from waste_risk.errors import ContractError
from waste_risk.features.encoding import SENSITIVE
from waste_risk.metrics import ValidationMetrics, evaluate
from waste_risk.model.lightgbm_calls import predict
from waste_risk.model.matrix import to_matrix
from waste_risk.model.predictor import WastePredictor
from waste_risk.parameters import Costs, Validation

_OPTIONAL = ["item_id", "household_id", "observed_on", "days_to_waste"]


def evaluate_predictor(
    predictor: WastePredictor,
    rows: pd.DataFrame,
    *,
    params: Validation,
    high_confidence: float | None = None,
    oracle_probability: ArrayLike | None = None,
    baselines: Mapping[str, ArrayLike] | None = None,
    fold_metrics: pd.DataFrame | None = None,
    costs: Costs | None = None,
    cost_threshold: float | None = None,
) -> ValidationMetrics:
    """Predict the rows, and evaluate the predictions against what happened.

    Args:
        predictor: evaluated at its own threshold.
        rows: features and ``wasted``; with ``household_id`` intervals are by household, with ``days_to_waste`` the days
            are evaluated too, with ``observed_on`` the metrics are also by month, with ``item_id`` beside it alerts
            have a lead time, and each column ``sensitive_…`` is an attribute for fairness.
        params: the section ``validation``, as ``load(Validation, "conf/base/parameters_validation.yml")`` reads it.
        high_confidence: probability from which an alert is a high-confidence alert; by default where the predictor's
            risk class "high" begins.
        oracle_probability: the true probability of each row, known of simulated rows only.
        baselines: probabilities of baselines for the same rows, by name.
        fold_metrics: one row per fold of the cross-validation with its ``auc``.
        costs: of a false alarm and of a missed item; with ``cost_threshold`` it gives the mean cost of a row.
        cost_threshold: the threshold that was cheapest on other rows.

    Raises:
        ContractError: the predictor may have learnt from these rows.
        ValueError: features or ``wasted`` are missing.
    """
    high_from = predictor.metadata.risk_classes.high_from
    return evaluate_with_outcomes(
        predictor,
        predict_with_outcomes(predictor, rows),
        params=params,
        high_confidence=high_from if high_confidence is None else high_confidence,
        oracle_probability=oracle_probability,
        baselines=baselines,
        fold_metrics=fold_metrics,
        costs=costs,
        cost_threshold=cost_threshold,
    )


def predict_with_outcomes(predictor: WastePredictor, rows: pd.DataFrame) -> pd.DataFrame:
    """Predict the rows, and keep their outcomes, raw scores and sensitive attributes beside the predictions.

    Raises:
        ContractError: the predictor may have learnt from these rows.
        ValueError: features or ``wasted`` are missing.
    """
    if "wasted" not in rows:
        raise ValueError("the rows have no column wasted, so there is nothing to evaluate the predictions against")
    _refuse_learnt(predictor, rows)
    encoding, horizon = predictor.metadata.encoding, predictor.metadata.horizon_days
    predicted = predictor.predict(rows).rename(columns={"days_to_waste": "predicted_days_to_waste"})
    known = rows[[name for name in [*_OPTIONAL, "wasted"] if name in rows]]
    if "days_to_waste" in known and rows["wasted"].any() and rows["days_to_waste"].isna().all():
        known = known.drop(columns="days_to_waste")  # nobody has recorded any
    more: dict[str, Any] = {"score": predict(predictor.classifier, to_matrix(rows, encoding.names, encoding.levels))}
    if "days_to_printed_date" in rows:
        more["days_on_label"] = rows["days_to_printed_date"].clip(0, horizon)
    return pd.concat([known, predicted, rows.filter(regex=f"^{SENSITIVE}")], axis=1).assign(**more)


def evaluate_with_outcomes(
    predictor: WastePredictor,
    predictions: pd.DataFrame,
    *,
    params: Validation,
    high_confidence: float,
    oracle_probability: ArrayLike | None = None,
    baselines: Mapping[str, ArrayLike] | None = None,
    fold_metrics: pd.DataFrame | None = None,
    costs: Costs | None = None,
    cost_threshold: float | None = None,
) -> ValidationMetrics:
    """Evaluate the predictions of ``predict_with_outcomes``; what needs a column that they lack is left out.

    See ``evaluate_predictor`` for the arguments.
    """
    sensitive = predictions.filter(regex=f"^{SENSITIVE}")
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
        days_on_label=predictions.get("days_on_label"),
        sensitive={str(name).removeprefix(SENSITIVE): values for name, values in sensitive.items()},
        params=params,
        threshold=predictor.threshold,
        high_confidence=high_confidence,
        costs=costs,
        cost_threshold=cost_threshold,
        oracle_probability=oracle_probability,
        baselines=baselines,
        fold_metrics=fold_metrics,
        horizon_days=predictor.metadata.horizon_days,
        predictor_sha256=predictor.sha256,
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
