"""Figures of groups and of SHAP values: what is drawn where."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from measured import INSIDE, MORE

from waste_risk.metrics import Estimate, Group
from waste_risk.reporting.plots.contributions import plot_contributions, swarm
from waste_risk.reporting.plots.groups import plot_calibration_gaps, plot_months

RANDOM = np.random.default_rng(0)
CONTRIBUTIONS = pd.DataFrame(RANDOM.normal(size=(200, 20)) * np.arange(20), columns=[f"f_{n}" for n in range(20)])
FEATURES = pd.DataFrame(RANDOM.normal(size=(200, 20)), columns=CONTRIBUTIONS.columns).assign(f_19=np.nan)
FIGURES = {
    "gaps": lambda: plot_calibration_gaps(fairness=MORE.fairness, horizon_days=30),
    "months": lambda: plot_months(by_month=MORE.by_month, horizon_days=30),
    "contributions": lambda: plot_contributions(contributions=CONTRIBUTIONS, features=FEATURES, horizon_days=30),
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
    upper, lower = plot_months(by_month=months, horizon_days=None).axes
    assert [label.get_text() for label in lower.get_xticklabels()] == ["2025-03", "2025-04"]
    assert upper.lines[0].get_ydata().tolist() == [0.8812, 0.8812]
    predicted = next(line for line in lower.lines if line.get_label() == "Mean prediction")
    np.testing.assert_allclose(predicted.get_ydata(), [0.3012 - 0.0123] * 2)


@pytest.mark.parametrize(
    "figure",
    [
        lambda: plot_calibration_gaps(fairness={}, horizon_days=30),
        lambda: plot_months(by_month=(Group("2025-04", 15, 4, 3, None),), horizon_days=30),
    ],
)
def test_without_a_measured_group_the_figure_says_so(figure):
    (axes,) = figure().axes
    assert [text.get_text() for text in axes.texts] == ["No group is large enough to be measured."]


def test_an_interval_that_leaves_its_estimate_out_is_drawn_up_to_it():
    """The basic interval of an error may end at the estimate or below."""
    odd = Group("2025-03", 60, 8, 18, INSIDE.__class__(**{**vars(INSIDE), "auc": Estimate(0.9, 0.91, 0.95)}))
    axes = plot_months(by_month=(odd,), horizon_days=30).axes[0]
    np.testing.assert_allclose(axes.collections[0].get_segments()[0][:, 1], [0.9, 0.95])


def test_the_strongest_feature_is_on_top_and_unknown_values_are_grey():
    axes = FIGURES["contributions"]().axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    strongest = CONTRIBUTIONS.abs().mean().nlargest(15).index.str.replace("_", " ").tolist()
    assert names == strongest
    grey, coloured = axes.collections[2 * names.index("f 19") : 2 * names.index("f 19") + 2]
    assert len(grey.get_offsets()) == 200
    assert len(coloured.get_offsets()) == 0
    np.testing.assert_allclose(grey.get_facecolor(), [to_rgba("#C4C4C4")])


def test_dots_of_one_place_fan_out_and_a_lonely_dot_stays_on_its_line():
    heights = swarm(np.array([0.5, 0.5, 0.5, -1.0]), width=1.0)
    assert heights.tolist() == pytest.approx([0.0, 0.4, -0.4, 0.0])
    assert swarm(np.array([0.0, 0.3]), width=0.3).tolist() == [0.0, 0.0]


def test_dots_that_do_not_move_the_risk_are_drawn_too():
    figure = plot_contributions(contributions=CONTRIBUTIONS * 0, features=FEATURES, horizon_days=30)
    assert len(figure.axes[0].get_yticklabels()) == 15
