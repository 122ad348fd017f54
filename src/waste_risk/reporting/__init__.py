"""What people read: the text report, the page, the plots, the closing lines of a run."""

from waste_risk.reporting.text import render_text

__all__ = ["render_text"]
