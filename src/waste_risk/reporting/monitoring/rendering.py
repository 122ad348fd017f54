"""Render the page of monitoring."""

import base64
import re
from collections.abc import Mapping
from datetime import datetime

from waste_risk.formatting import make_typographic
from waste_risk.monitoring import MonitoringMetrics
from waste_risk.reporting.monitoring.sentences import GAP_MEANS, tell_alert_effect, tell_maturity, tell_recent
from waste_risk.reporting.templating import make_environment

_MINUS = re.compile(r"(?<!\w)-(?=\d)")
_SHOWN = ("base_rate", "log_loss", "auc", "precision", "recall")


def render_monitoring_page(metrics: MonitoringMetrics, images: Mapping[str, bytes], *, generated_at: datetime) -> str:
    """Return the page as HTML.

    Args:
        metrics: what was measured.
        images: PNG files of the plots: ``weeks``, ``drift`` and ``alerted``.
        generated_at: shown in the head, in UTC.
    """
    environment = make_environment("monitoring", "page")
    environment.filters["sentence"] = _typographic
    return environment.get_template("monitoring.html").render(
        m=metrics,
        newest=max(metrics.weeks, key=lambda week: week.as_of, default=None),
        shown=_SHOWN,
        maturity=tell_maturity(metrics),
        recent=list(tell_recent(metrics)),
        gap_means=GAP_MEANS,
        alert_effect=list(tell_alert_effect(metrics)),
        images={name: "data:image/png;base64," + base64.b64encode(png).decode("ascii") for name, png in images.items()},
        generated_at=generated_at,
    )


def _typographic(sentence: str) -> str:
    """Return a sentence with true minuses; the hyphens of its dates stay."""
    return _MINUS.sub(make_typographic("-"), sentence).replace(" %", "\u00a0%")
