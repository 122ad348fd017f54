"""Open items at one moment each, what became of them within the horizon, and the rows a model learns from."""

from waste_risk.observations.observe import label_items, observe_items, open_items

__all__ = ["label_items", "observe_items", "open_items"]
