"""Whether a challenger replaces the champion: both score the same rows, and a rule decides.

``compare`` measures the gain with its interval, ``decide`` says promote, keep or inconclusive, with reasons. Neither
moves anything. ``PromotionLog`` knows what was moved, and so which champion a rollback returns to.
"""

from waste_risk.promotion.comparison import Comparison, Contender, Kind, Performance, compare
from waste_risk.promotion.decision import PromotionDecision, decide
from waste_risk.promotion.log import Assignment, LogEntry, PromotionLog, decide_rollback

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
