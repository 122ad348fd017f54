"""Evaluate a predictor on rows that it has not seen, and decide by gates whether it may be promoted."""

from waste_risk.validation.evaluation import evaluate_predictor
from waste_risk.validation.gates import GateDecision, check_gates

__all__ = ["GateDecision", "check_gates", "evaluate_predictor"]
