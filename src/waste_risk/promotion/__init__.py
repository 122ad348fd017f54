"""Whether a challenger replaces the champion: both score the same rows, and a rule decides.

``compare`` measures the gain with its interval, ``decide`` says promote, keep or inconclusive, with reasons. Neither
moves anything.
"""

from waste_risk.promotion.comparison import Comparison, Contender, Performance, compare
from waste_risk.promotion.decision import PromotionDecision, decide

__all__ = ["Comparison", "Contender", "Performance", "PromotionDecision", "compare", "decide"]
