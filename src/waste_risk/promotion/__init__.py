"""Whether a challenger replaces the champion: both score the same rows, and a rule decides.

``compare`` measures the gain with its interval, ``decide`` says promote, keep or inconclusive, with reasons. Neither
moves anything. ``PromotionLog`` knows what was moved, and so which champion a rollback returns to.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from waste_risk.promotion.comparison import Comparison, Contender, Kind, Performance, compare
    from waste_risk.promotion.decision import PromotionDecision, decide, decide_rollback
    from waste_risk.promotion.log import Assignment, LogEntry, PromotionLog

__all__ = [
    "Assignment",
    "Comparison",
    "Contender",
    "Kind",
    "LogEntry",
    "Performance",
    "PromotionDecision",
    "PromotionLog",
    "compare",
    "decide",
    "decide_rollback",
]

_MODULES = {
    **dict.fromkeys(("Comparison", "Contender", "Kind", "Performance", "compare"), "comparison"),
    **dict.fromkeys(("PromotionDecision", "decide", "decide_rollback"), "decision"),
    **dict.fromkeys(("Assignment", "LogEntry", "PromotionLog"), "log"),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: every run reads the log, and few compare predictors."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
