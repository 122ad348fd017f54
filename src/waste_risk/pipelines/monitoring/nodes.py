"""Steps of monitoring that belong to this pipeline alone."""

import pandas as pd

from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.monitoring import (
    Change,
    MonitoringMetrics,
    assemble_metrics,
    match_outcomes,
    measure_change,
    observe_weekly,
)
from waste_risk.monitoring.realized import leave_out_hindsight
from waste_risk.parameters import Monitoring
from waste_risk.pipelines import now
from waste_risk.reporting.monitoring import render_monitoring_page, render_monitoring_text
from waste_risk.scoring import learned_until


def match_predictions(
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    events: pd.DataFrame,
    champion: RegisteredPredictor,
    monitoring: Monitoring,
) -> pd.DataFrame:
    """Match each week's predictions with what became of the items, without those that the champion could know."""
    kept = leave_out_hindsight(predictions, champion.predictor.sha256, learned_until(champion))
    return match_outcomes(kept, items, events, champion.predictor.metadata.horizon_days, monitoring)


def observe_reference(
    outcomes: pd.DataFrame,
    items: pd.DataFrame,
    events: pd.DataFrame,
    champion: RegisteredPredictor,
    monitoring: Monitoring,
) -> pd.DataFrame:
    """Observe the open items of the newest scored moment, and of the last weeks that the champion was trained on."""
    until = pd.Timestamp(champion.predictor.metadata.observed_until)
    return observe_weekly(items, events, outcomes["as_of"].max(), until, monitoring)


def measure_drift(features: pd.DataFrame, champion: RegisteredPredictor, monitoring: Monitoring) -> Change:
    """Measure the drift of features and probability at the newest scored moment."""
    return measure_change(features, champion.predictor, monitoring)


def assemble_monitoring(  # noqa: PLR0917
    outcomes: pd.DataFrame,
    expected_performance: pd.DataFrame,
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    change: Change,
    champion: RegisteredPredictor,
    monitoring: Monitoring,
) -> MonitoringMetrics:
    """Put together all that was measured, and find the alarms."""
    return assemble_metrics(
        predictions=predictions,
        items=items,
        outcomes=outcomes,
        expected_performance=expected_performance,
        change=change,
        horizon_days=champion.predictor.metadata.horizon_days,
        params=monitoring,
    )


def write_monitoring_report(monitoring_metrics: MonitoringMetrics) -> str:
    """Write the text report, dated now."""
    return render_monitoring_text(monitoring_metrics, generated_at=now())


def write_monitoring_page(
    monitoring_metrics: MonitoringMetrics,
    plot_monitored_weeks: bytes,
    plot_monitored_drift: bytes,
    plot_monitored_alerts: bytes,
) -> str:
    """Write the report as one HTML file with the plots in it, dated now."""
    images = {"weeks": plot_monitored_weeks, "drift": plot_monitored_drift, "alerted": plot_monitored_alerts}
    return render_monitoring_page(monitoring_metrics, images, generated_at=now())
