"""Steps of monitoring that belong to this pipeline alone."""

import pandas as pd

from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.monitoring import (
    Change,
    MonitoringMetrics,
    assemble_metrics,
    measure_change,
    observe_weekly,
)
from waste_risk.parameters import Monitoring
from waste_risk.pipelines import now
from waste_risk.reporting.monitoring import render_monitoring_page, render_monitoring_text


def observe_reference(
    outcomes: pd.DataFrame,
    items: pd.DataFrame,
    events: pd.DataFrame,
    champion: RegisteredPredictor,
    monitoring: Monitoring,
) -> pd.DataFrame:
    """Observe the open items of the newest scored moment, and of the last weeks that the champion was trained on.

    One of another source was trained on none of them: then, of the weeks before the moment.
    """
    as_of = outcomes["as_of"].max()
    until = as_of if champion.is_lent else pd.Timestamp(champion.predictor.metadata.observed_until)
    return observe_weekly(items, events, as_of, until, monitoring)


def measure_drift(
    features: pd.DataFrame, outcomes: pd.DataFrame, champion: RegisteredPredictor, monitoring: Monitoring
) -> tuple[Change, ...]:
    """Measure the drift of features and probability at the newest scored moment; nothing of too small a source."""
    change = measure_change(features, outcomes["as_of"].max(), champion, monitoring)
    return () if change is None else (change,)  # no dataset takes a null


def assemble_monitoring(  # noqa: PLR0917
    outcomes: pd.DataFrame,
    expected_performance: pd.DataFrame,
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    change: tuple[Change, ...],
    champion: RegisteredPredictor,
    monitoring: Monitoring,
) -> MonitoringMetrics:
    """Put together all that was measured, and find the alarms."""
    return assemble_metrics(
        predictions=predictions,
        items=items,
        outcomes=outcomes,
        expected_performance=expected_performance,
        change=change[0] if change else None,
        model_version=champion.version,
        predictor_sha256=champion.predictor.sha256,
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
