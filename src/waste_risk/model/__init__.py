"""The predictor: from features to a probability of waste, days to waste, and the reasons for a prediction."""

from waste_risk.model.predictor import WastePredictor
from waste_risk.model.reasons import explain_items

__all__ = ["WastePredictor", "explain_items"]
