"""What monitoring measured, for people: as plain text, and as one HTML file that needs nothing else."""

from waste_risk.reporting.monitoring.rendering import render_monitoring_page
from waste_risk.reporting.monitoring.text import render_monitoring_text

__all__ = ["render_monitoring_page", "render_monitoring_text"]
