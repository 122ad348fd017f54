"""Figures of groups, months and folds: what is drawn where."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import num2date
from measured import INSIDE, MORE
from planted import OBSERVATION

from waste_risk.metrics import Estimate, Group
from waste_risk.reporting.plots.groups import plot_calibration_gaps, plot_months
from waste_risk.reporting.plots.splits import plot_splits

FOLDS = pd.DataFrame(
    {
        "fold": [1, 2],
        "train_until": pd.to_datetime(["2024-03-01", "2024-04-01"]),
        "test_from": pd.to_datetime(["2024-03-31", "2024-05-01"]),
        "test_until": pd.to_datetime(["2024-04-30", "2024-05-31"]),
    }
)
DEVELOPMENT = pd.DataFrame({"observed_on": pd.to_datetime(["2024-01-01", "2024-05-31"])})
TEST = pd.DataFrame({"observed_on": pd.to_datetime(["2024-06-30", "2024-07-31"])})
FIGURES = {
    "gaps": lambda: plot_calibration_gaps(MORE),
    "months": lambda: plot_months(MORE),
}


def png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_the_horizon_and_is_the_same_twice(name):
    assert "30 days" in FIGURES[name]().get_suptitle()
    assert png(FIGURES[name]()) == png(FIGURES[name]())


def test_each_measured_group_has_a_bar_of_its_gap_and_a_small_one_has_none():
    (axes,) = FIGURES["gaps"]().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Size group: 1"]
    assert [bar.get_width() for bar in axes.patches] == [INSIDE.calibration_gap.value]


def test_the_prediction_of_a_month_is_its_base_rate_and_its_gap():
    months = (Group("2025-03", 60, 8, 18, INSIDE), Group("2025-04", 60, 8, 18, INSIDE))
    upper, lower = plot_months(replace(MORE, by_month=months)).axes
    assert [label.get_text() for label in lower.get_xticklabels()] == ["2025-03", "2025-04"]
    assert upper.lines[0].get_ydata().tolist() == [0.8812, 0.8812]
    predicted = next(line for line in lower.lines if line.get_label() == "Mean prediction")
    np.testing.assert_allclose(predicted.get_ydata(), [0.3012 - 0.0123] * 2)


@pytest.mark.parametrize(
    "figure",
    [
        lambda: plot_calibration_gaps(replace(MORE, fairness={})),
        lambda: plot_months(replace(MORE, by_month=(Group("2025-04", 15, 4, 3, None),))),
    ],
)
def test_without_a_measured_group_the_figure_says_so(figure):
    (axes,) = figure().axes
    assert [text.get_text() for text in axes.texts] == ["No group is large enough to be measured."]


def test_an_interval_that_leaves_its_estimate_out_is_drawn_up_to_it():
    """The basic interval of an error may end at the estimate or below."""
    odd = Group("2025-03", 60, 8, 18, INSIDE.__class__(**{**vars(INSIDE), "auc": Estimate(0.9, 0.91, 0.95)}))
    axes = plot_months(replace(MORE, by_month=(odd,))).axes[0]
    np.testing.assert_allclose(axes.collections[0].get_segments()[0][:, 1], [0.9, 0.95])


def test_the_splits_are_drawn_as_days_that_train_are_purged_and_evaluate():
    bars = plot_splits(FOLDS, DEVELOPMENT, TEST, OBSERVATION).axes[0].containers
    spans = {bar.get_label(): [(num2date(one.get_x()), one.get_width()) for one in bar] for bar in bars}
    assert [width for _, width in spans["Trains"]] == [60, 91, 151]
    assert [width for _, width in spans["Purged: label not yet known"]] == [30, 30, 30]
    assert [f"{begin:%Y-%m-%d}" for begin, _ in spans["Evaluates"]] == ["2024-03-31", "2024-05-01", "2024-06-30"]


def test_the_splits_name_their_axes_and_are_the_same_picture_twice():
    figure = plot_splits(FOLDS, DEVELOPMENT, TEST, OBSERVATION)
    assert "30 days" in figure.axes[0].get_title(loc="left")
    assert figure.axes[0].get_xlabel()
    assert figure.axes[0].get_ylabel()
    assert png(figure) == png(plot_splits(FOLDS, DEVELOPMENT, TEST, OBSERVATION))
