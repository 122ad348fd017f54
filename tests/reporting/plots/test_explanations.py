"""Figures of SHAP values: what is drawn where."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from measured import MEASURED
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.model.calibration import Calibrator
from waste_risk.reporting.plots.explanations import (
    plot_contributions,
    plot_feature_importance,
    plot_shap_values,
    swarm,
)
from waste_risk.training.fit import fit_predictor

IMPORTANCE = pd.DataFrame(
    {
        "feature": [f"days_since_{number}" for number in range(30)],
        "mean_abs_shap": np.arange(30) / 30,
    }
)
RANDOM = np.random.default_rng(0)
CONTRIBUTIONS = pd.DataFrame(RANDOM.normal(size=(200, 20)) * np.arange(20), columns=[f"f_{n}" for n in range(20)])
FEATURES = pd.DataFrame(RANDOM.normal(size=(200, 20)), columns=CONTRIBUTIONS.columns).assign(f_19=np.nan)


def png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def test_the_twenty_most_important_features_come_first_in_readable_names():
    axes = plot_feature_importance(IMPORTANCE, MEASURED).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [f"days since {number}" for number in range(29, 9, -1)]
    assert axes.yaxis_inverted()
    assert axes.get_xlabel()


FIGURES = [
    lambda: plot_feature_importance(IMPORTANCE, MEASURED),
    lambda: plot_shap_values(CONTRIBUTIONS, FEATURES, 30),
]


@pytest.mark.parametrize("draw", FIGURES)
def test_a_figure_says_the_horizon_in_a_title_that_fits(draw):
    figure = draw()
    assert "30 days" in figure.get_suptitle()
    figure.draw_without_rendering()
    title = next(text for text in figure.texts if text.get_text() == figure.get_suptitle())
    assert title.get_window_extent().x1 < figure.bbox.x1


@pytest.mark.parametrize("draw", FIGURES)
def test_the_same_figure_twice_is_the_same_picture(draw):
    picture = png(draw())
    assert picture.startswith(b"\x89PNG")
    assert picture == png(draw())


def test_a_dot_is_drawn_for_each_sampled_row():
    folds = pd.DataFrame({"n_train": [500], "rounds_classifier": [5], "rounds_regressor": [3]})
    training = TRAINING.model_copy(update={"explain_rows": 40})
    calibrator = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
    predictor = fit_predictor(plant(500), folds, calibrator, 0.5, training, RISK_CLASSES, OBSERVATION)
    axes = plot_contributions(predictor, plant(100, seed=2)).axes[0]
    unknown, known = axes.collections[:2]
    assert len(unknown.get_offsets()) + len(known.get_offsets()) == 40


def test_the_strongest_feature_is_on_top_and_unknown_values_are_gray():
    axes = plot_shap_values(CONTRIBUTIONS, FEATURES, 30).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    strongest = CONTRIBUTIONS.abs().mean().nlargest(15).index.str.replace("_", " ").tolist()
    assert names == strongest
    gray, colored = axes.collections[2 * names.index("f 19") : 2 * names.index("f 19") + 2]
    assert len(gray.get_offsets()) == 200
    assert len(colored.get_offsets()) == 0
    np.testing.assert_allclose(gray.get_facecolor(), [to_rgba("#C4C4C4")])


def test_dots_of_one_place_fan_out_and_a_lonely_dot_stays_on_its_line():
    heights = swarm(np.array([0.5, 0.5, 0.5, -1.0]), width=1.0)
    assert heights.tolist() == pytest.approx([0.0, 0.4, -0.4, 0.0])
    assert swarm(np.array([0.0, 0.3]), width=0.3).tolist() == [0.0, 0.0]


def test_dots_that_do_not_move_the_risk_are_drawn_too():
    figure = plot_shap_values(CONTRIBUTIONS * 0, FEATURES, 30)
    assert len(figure.axes[0].get_yticklabels()) == 15
