"""The predictor: what turns features into a probability and a number of days, and says why."""

from waste_risk.model.predictor import WastePredictor

__all__ = ["WastePredictor"]
