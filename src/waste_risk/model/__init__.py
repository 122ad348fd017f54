"""The predictor: from features to a probability of waste, days to waste, and the reasons for a prediction."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from waste_risk.model.predictor import WastePredictor
    from waste_risk.model.reasons import explain_items

__all__ = ["WastePredictor", "explain_items"]

_MODULES = {"WastePredictor": "predictor", "explain_items": "reasons"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: LightGBM takes a second, and whoever reads a predictor's files alone needs none."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
