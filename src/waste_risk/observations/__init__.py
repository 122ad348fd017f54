"""An item at a moment while it was open, what came of it within the horizon, and the rows a model learns from."""

from waste_risk.observations.observe import observe_items, open_items

__all__ = ["observe_items", "open_items"]
