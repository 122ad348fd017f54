"""Evaluating rows with the base parameters, for tests that change one or two of them."""

from pathlib import Path
from typing import Any

from waste_risk.metrics import ValidationMetrics, evaluate
from waste_risk.parameters import Validation, load

PARAMS = load(Validation, Path(__file__).parents[1] / "conf/base/parameters_validation.yml")


def evaluate_rows(**options: Any) -> ValidationMetrics:
    """Evaluate; an option that is a parameter of the section ``validation`` replaces it there."""
    changed = {name: options.pop(name) for name in Validation.model_fields if name in options}
    return evaluate(**{"high_confidence": 0.7} | options, params=PARAMS.model_copy(update=changed))
