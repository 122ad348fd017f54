"""From mature observations to a predictor: splits, cross-validation, tuning, the final fit."""

from waste_risk.training.splits import PurgedTimeSeriesSplit

__all__ = ["PurgedTimeSeriesSplit"]
