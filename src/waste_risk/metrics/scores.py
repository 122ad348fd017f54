"""Groups of metrics that are measured together, each with its intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from waste_risk.metrics.bootstrap import Estimate
from waste_risk.metrics.calibration import (
    brier_decomposition,
    calibration_line,
    debiased_calibration_error,
    equal_width_bins,
    reliability_bins,
    scale_gaps,
    sum_absolute,
    sum_squares,
    weigh_gaps,
)
from waste_risk.metrics.classification import (
    average_precision,
    base_rate,
    brier_score,
    f1_score,
    log_loss,
    mean_cost,
    mean_probability,
    precision,
    precision_at_k,
    recall,
    recall_at_k,
    roc_auc,
)
from waste_risk.metrics.parts import Baseline, CostlyThreshold, ScoreMetrics, TradeOff
from waste_risk.metrics.regression import sum_errors
from waste_risk.metrics.sample import Mask, Sample
from waste_risk.metrics.tally import Array, Tally, ratio

_NORMS = {
    "expected_calibration_error": sum_absolute,
    "equal_width_calibration_error": sum_absolute,
    "brier_reliability": sum_squares,
}


def measure_window(
    sample: Sample, *, threshold: float, high_confidence: float, n_bins: int, top_k: int
) -> dict[str, Estimate]:
    """Measure the model's probability in every way that needs nothing else."""
    counts = sample.count()

    def measure(weights: Array) -> dict[str, Array]:
        tally = counts.weighted(weights)
        return {
            **_rank_and_score(tally, threshold=threshold, top_k=top_k),
            **_calibrate(tally, n_bins),
            "precision": precision(tally, threshold=threshold),
            "recall": recall(tally, threshold=threshold),
            "precision_at_high_confidence": precision(tally, threshold=high_confidence),
            "recall_at_high_confidence": recall(tally, threshold=high_confidence),
            "base_rate": base_rate(tally),
            "mean_probability": mean_probability(tally),
            "calibration_in_the_large": mean_probability(tally) - base_rate(tally),
        }

    n_behind = {
        "precision": sample.count_households(sample.probability >= threshold),
        "precision_at_high_confidence": sample.count_households(sample.probability >= high_confidence),
    }
    estimates = sample.estimate(measure, _NORMS, n_behind)
    # Both estimate the same true error.
    debiased = replace(estimates["expected_calibration_error"], value=estimates["debiased_calibration_error"].value)
    return estimates | {"debiased_calibration_error": debiased}


def measure_newest_days(sample: Sample, newest: Mask) -> Estimate:
    """Measure calibration in the large on the newest rows alone: mean probability less base rate."""
    gap = sample.share(np.where(newest, sample.probability - sample.wasted, 0.0), newest)
    n_behind = {"gap": sample.count_households_of_either_outcome(newest)}
    return sample.estimate(lambda weights: {"gap": gap(weights)}, n_behind=n_behind)["gap"]


def measure_scores(sample: Sample, scores: Array | None, *, threshold: float, top_k: int) -> ScoreMetrics | None:
    """Measure another column of scores, such as those before calibration."""
    if scores is None:
        return None
    counts = sample.count(scores)
    estimates = sample.estimate(
        lambda weights: _rank_and_score(counts.weighted(weights), threshold=threshold, top_k=top_k)
    )
    return ScoreMetrics(**estimates)


def measure_oracle(sample: Sample, oracle: Array | None) -> dict[str, Estimate]:
    """Measure the true probability, and which share of its AUC the model reaches."""
    if oracle is None:
        return {}
    model, true = sample.count(), sample.count(oracle)

    def measure(weights: Array) -> dict[str, Array]:
        auc, oracle_auc = roc_auc(model.weighted(weights)), roc_auc(true.weighted(weights))
        return {"oracle_auc": oracle_auc, "attainable_share": ratio(auc - 0.5, oracle_auc - 0.5)}

    return sample.estimate(measure)


def measure_days(sample: Sample, days: Array, predicted: Array | None, on_label: Array | None) -> dict[str, Estimate]:
    """Measure the errors of the predicted days and of the days on the label; ``days`` is NaN where not wasted."""
    errors = {}
    if predicted is not None:
        errors["days"] = sum_errors(true=days, predicted=predicted, household=sample.household)
    if on_label is not None:
        errors["label_days"] = sum_errors(true=days, predicted=on_label, household=sample.household)
    if predicted is not None and on_label is not None:
        known = np.where(np.isfinite(on_label), days, np.nan)
        errors["where_label"] = sum_errors(true=known, predicted=predicted, household=sample.household)

    def measure(weights: Array) -> dict[str, Array]:
        measured = {_DAYS[name]: each.mean_absolute(weights) for name, each in errors.items()}
        return measured | ({"days_rmse": errors["days"].root_mean_squared(weights)} if "days" in errors else {})

    n_behind = {_DAYS[name]: int((each.rows > 0).sum()) for name, each in errors.items()}
    return sample.estimate(measure, n_behind=n_behind | {"days_rmse": n_behind.get("days_mae", 0)})


_DAYS = {"days": "days_mae", "label_days": "label_days_mae", "where_label": "days_mae_where_label"}


def measure_trade_off(sample: Sample, thresholds: Sequence[float]) -> tuple[TradeOff, ...]:
    """Measure what each of several thresholds would give."""
    counts = sample.count()

    def measure(weights: Array) -> dict[str, Array]:
        tally = counts.weighted(weights)
        return {
            f"{name} {threshold}": metric(tally, threshold=threshold)
            for threshold in thresholds
            for name, metric in (("precision", precision), ("recall", recall))
        }

    n_behind = {f"precision {each}": sample.count_households(sample.probability >= each) for each in thresholds}
    estimates = sample.estimate(measure, n_behind=n_behind)
    return tuple(
        TradeOff(
            threshold=float(threshold),
            n_alerts=int((sample.probability >= threshold).sum()),
            precision=estimates[f"precision {threshold}"],
            recall=estimates[f"recall {threshold}"],
        )
        for threshold in thresholds
    )


def measure_cost(
    sample: Sample, *, cheapest: float | None, threshold: float, false_alarm: float, missed_item: float
) -> CostlyThreshold | None:
    """Measure the mean cost of a row at the cheapest threshold, at the model's own, and without any alert."""
    if cheapest is None:
        return None
    counts = sample.count()

    def cost(tally: Tally, at: float) -> Array:
        return mean_cost(tally, threshold=at, false_alarm=false_alarm, missed_item=missed_item)

    def measure(weights: Array) -> dict[str, Array]:
        tally = counts.weighted(weights)
        return {
            "precision": precision(tally, threshold=cheapest),
            "recall": recall(tally, threshold=cheapest),
            "cost": cost(tally, cheapest),
            "cost_at_threshold": cost(tally, threshold),
            "cost_without_alerts": cost(tally, np.inf),
        }

    n_behind = {"precision": sample.count_households(sample.probability >= cheapest)}
    return CostlyThreshold(threshold=float(cheapest), **sample.estimate(measure, n_behind=n_behind))


def compare_baselines(sample: Sample, baselines: Mapping[str, Array]) -> dict[str, Baseline]:
    """Measure simple rules, and how far the model's AUC lies above theirs in the same resamples."""
    model, rules = sample.count(), {name: sample.count(scores) for name, scores in baselines.items()}

    def measure(weights: Array) -> dict[str, Array]:
        auc = roc_auc(model.weighted(weights))
        return {
            f"{name}.{metric}": value
            for name, rule in rules.items()
            for metric, value in _compare(rule.weighted(weights), auc).items()
        }

    estimates = sample.estimate(measure)
    metrics = [field.name for field in fields(Baseline)]
    return {name: Baseline(**{metric: estimates[f"{name}.{metric}"] for metric in metrics}) for name in rules}


def _compare(tally: Tally, model_auc: Array) -> dict[str, Array]:
    auc = roc_auc(tally)
    return {
        "auc": auc,
        "average_precision": average_precision(tally),
        "brier_score": brier_score(tally),
        "auc_gain": model_auc - auc,
    }


def _rank_and_score(tally: Tally, *, threshold: float, top_k: int) -> dict[str, Array]:
    return {
        "auc": roc_auc(tally),
        "average_precision": average_precision(tally),
        "brier_score": brier_score(tally),
        "log_loss": log_loss(tally),
        "precision_at_k": precision_at_k(tally, k=top_k),
        "recall_at_k": recall_at_k(tally, k=top_k),
        "f1": f1_score(tally, threshold=threshold),
    }


def _calibrate(tally: Tally, n_bins: int) -> dict[str, Array]:
    bins = reliability_bins(tally, n_bins=n_bins)
    intercept, slope = calibration_line(tally)
    _, resolution, uncertainty = brier_decomposition(tally, bins)
    return {
        "expected_calibration_error": weigh_gaps(bins),
        "equal_width_calibration_error": weigh_gaps(equal_width_bins(tally, n_bins=n_bins)),
        "debiased_calibration_error": debiased_calibration_error(bins),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "brier_reliability": scale_gaps(bins),
        "brier_resolution": resolution,
        "brier_uncertainty": uncertainty,
    }
