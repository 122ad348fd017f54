"""Render the page from the records of a validation, by ``templates/page.html`` and the templates that it includes."""

import base64
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from waste_risk.metrics import GroupMetrics, ValidationMetrics, find_definitions
from waste_risk.model.predictor import Metadata
from waste_risk.reporting.page.limitations import find_limitations
from waste_risk.reporting.page.verdict import explain_gates
from waste_risk.reporting.plots import Plot
from waste_risk.reporting.templating import make_environment
from waste_risk.reporting.text import CEILING, LEAK, SourceSummary, WindowUse
from waste_risk.validation.gates import GateDecision

_PERSONAL = {
    **dict.fromkeys(("income_is_low", "income_is_middle", "income_is_high"), "the income band"),
    "household_size": "the size of the household",
    "household_children": "the number of children",
}


def render_page(
    metrics: ValidationMetrics,
    decision: GateDecision,
    *,
    generated_at: datetime,
    source: SourceSummary | None = None,
    validation_log: WindowUse | None = None,
    metadata: Metadata | None = None,
    plots: Mapping[Plot, bytes] | None = None,
) -> str:
    """Return the page as HTML; what is not known or was not measured is left out.

    Args:
        metrics: what was measured.
        decision: of the gates.
        generated_at: shown in the head, in UTC.
        source: what the test window was cut from.
        validation_log: how often the window has been used.
        metadata: of the predictor, for the model card.
        plots: a PNG file of each plot; they are shown in their sections, in this order.
    """
    feature_names = metadata.feature_names if metadata else ()
    environment = make_environment("page")
    environment.tests["measured"] = lambda group: group.measured is not None
    return environment.get_template("page.html").render(
        m=metrics,
        group_columns={name: each for name, each in find_definitions(GroupMetrics).items() if each.section == "group"},
        decision=decision,
        gates=explain_gates(decision),
        unsupported=[gate.title for gate in decision.gates if gate.name in decision.unsupported],
        limitations=find_limitations(metrics),
        leak=LEAK,
        ceiling=" ".join(CEILING),
        source=source,
        validation_log=validation_log,
        made=metadata,
        personal=list(dict.fromkeys(_PERSONAL[name] for name in feature_names if name in _PERSONAL)),
        generated_at=generated_at,
        plots=_place(plots or {}, metrics),
    )


def _place(plots: Mapping[Plot, bytes], metrics: ValidationMetrics) -> dict[str, list[dict[str, str]]]:
    """Return by section what the page shows of each plot."""
    placed: dict[str, list[dict[str, str]]] = defaultdict(list)
    for plot, png in plots.items():
        address = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
        placed[plot.section].append({"png": address, "alt": plot.alt(metrics), "caption": plot.caption})
    return placed
