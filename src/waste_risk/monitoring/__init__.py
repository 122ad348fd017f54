"""What becomes of a champion after deployment: expected and realized performance, drift, and alarms.

Probabilities are calibrated, so the expected performance is known before labels are; the realized one stands beside it
once they are mature. Alarms sound where the two differ, or the rows do from those that the predictor has learned from.
"""

from waste_risk.monitoring.alarms import Alarm, find_alarms
from waste_risk.monitoring.drift import Change, Drift, measure_change, observe_weekly
from waste_risk.monitoring.expected import estimate_performance
from waste_risk.monitoring.metrics import MonitoringMetrics, assemble_metrics
from waste_risk.monitoring.realized import Week, match_outcomes, measure_recent, measure_weeks

__all__ = [
    "Alarm",
    "Change",
    "Drift",
    "MonitoringMetrics",
    "Week",
    "assemble_metrics",
    "estimate_performance",
    "find_alarms",
    "match_outcomes",
    "measure_change",
    "measure_recent",
    "measure_weeks",
    "observe_weekly",
]
