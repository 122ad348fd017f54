"""The validation report as one HTML file that needs nothing else: verdict first, then the evidence, then a model card.

The words are in ``templates``; every figure in them comes from the records of a validation.
"""

from waste_risk.reporting.page.limitations import find_limitations
from waste_risk.reporting.page.rendering import render_page

__all__ = ["find_limitations", "render_page"]
