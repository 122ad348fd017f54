"""What is at risk in the pantries at a moment, as one HTML file: by category and day, and each household's alerts.

Households have numbers that follow from the order on the page, and nothing of their ids.
"""

from waste_risk.reporting.pantry.rendering import render_pantry

__all__ = ["render_pantry"]
