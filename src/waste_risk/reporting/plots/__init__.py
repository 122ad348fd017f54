"""The plots of a validation, in the order of the page: pure functions from datasets to matplotlib figures.

To add one, write a function ``plot_<name>`` whose arguments are named like datasets or sections of parameters, and add
it to ``PLOTS``: pipeline, catalog, MLflow and page follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Literal

from matplotlib.figure import Figure

from waste_risk.formatting import format_number, to_words
from waste_risk.metrics import ValidationMetrics
from waste_risk.parameters import SECTIONS
from waste_risk.reporting.plots.curves import (
    plot_calibration_curve,
    plot_confusion_matrix,
    plot_precision_recall_curve,
    plot_roc_curve,
)
from waste_risk.reporting.plots.explanations import plot_contributions, plot_feature_importance
from waste_risk.reporting.plots.groups import plot_calibration_gaps, plot_months
from waste_risk.reporting.plots.splits import plot_splits

PageSection = Literal["evaluated", "ranking", "calibration", "decisions", "reasons", "fairness", "stability"]


@dataclass(frozen=True)
class Plot:
    """A plot and what the page says of it.

    Attributes:
        function: returns the figure; its name is that of the dataset, its arguments name its inputs.
        section: of the page.
        alt: describes the figure to those who do not see it.
        caption: stands below the figure.
    """

    function: Callable[..., Figure]
    section: PageSection
    alt: Callable[[ValidationMetrics], str]
    caption: str = ""

    @property
    def dataset(self) -> str:
        """The dataset that keeps the figure, such as ``plot_roc_curve``."""
        return self.function.__name__

    @property
    def inputs(self) -> list[str]:
        """The datasets and parameters that the function takes."""
        return [f"params:{name}" if name in SECTIONS else name for name in signature(self.function).parameters]


def _describe_splits(metrics: ValidationMetrics) -> str:
    folds = f"{len(metrics.folds)} folds, and the test window at the end" if metrics.folds else "the test window"
    days = "the horizon" if metrics.horizon_days is None else f"{metrics.horizon_days} days"
    return f"Timeline of the splits: {folds}. Between the rows that train and those that evaluate lies a gap of {days}."


def _describe_roc_curve(metrics: ValidationMetrics) -> str:
    oracle = metrics.oracle_auc and f", that of the true probability {format_number(metrics.oracle_auc, 3)}"
    return f"ROC curve: the area of the model is {format_number(metrics.auc, 3)}{oracle or ''}; chance is 0.5."


def _describe_calibration_gaps(metrics: ValidationMetrics) -> str:
    gaps = [
        f"{to_words(name)} {format_number(each.largest_calibration_gap, 3)}" for name, each in metrics.fairness.items()
    ]
    return (
        "Bars for each group of households: mean prediction less share wasted, with intervals. The largest gap by "
        f"attribute: {', '.join(gaps)}."
    )


PLOTS = (
    Plot(
        plot_splits,
        section="evaluated",
        alt=_describe_splits,
        caption="A row trains a model only if its label was known before the first day that the model is evaluated on.",
    ),
    Plot(plot_roc_curve, section="ranking", alt=_describe_roc_curve),
    Plot(
        plot_precision_recall_curve,
        section="ranking",
        alt=lambda metrics: (
            f"Precision against recall: average precision {format_number(metrics.average_precision, 3)}; the floor is "
            f"the base rate of {format_number(metrics.base_rate, 3)}."
        ),
    ),
    Plot(
        plot_calibration_curve,
        section="calibration",
        alt=lambda metrics: (
            "Reliability diagram: share truly wasted against predicted probability, with 95 % intervals for each bin; "
            f"the expected calibration error is {format_number(metrics.expected_calibration_error)}."
        ),
        caption="Each dot is a bin of rows with its 95 % interval (Wilson). Below: how often each probability is "
        "predicted.",
    ),
    Plot(
        plot_confusion_matrix,
        section="decisions",
        alt=lambda metrics: (
            f"Confusion matrix at the threshold of {format_number(metrics.threshold, 3)}: precision "
            f"{format_number(metrics.precision, 3)}, recall {format_number(metrics.recall, 3)}."
        ),
    ),
    Plot(
        plot_feature_importance,
        section="reasons",
        alt=lambda _: "Bars: the features that move the prediction most, by mean absolute SHAP value.",
        caption="Over a sample of the rows that trained the model.",
    ),
    Plot(
        plot_contributions,
        section="reasons",
        alt=lambda _: (
            "Beeswarm of SHAP values: a dot for each of a sample of test rows and each of the strongest features, "
            "colored by the value of the feature."
        ),
        caption="A dot is a test row; right of the line the feature raises its risk. Values appear as ranks in color "
        "only, without households or items.",
    ),
    Plot(
        plot_calibration_gaps,
        section="fairness",
        alt=_describe_calibration_gaps,
        caption="Calibration within groups. Where the interval excludes 0, the group is off by more than chance.",
    ),
    Plot(
        plot_months,
        section="stability",
        alt=lambda _: "Month by month: AUC with its interval, and the mean prediction beside the share wasted.",
    ),
)
