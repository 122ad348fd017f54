import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from measured import MEASURED
from scipy.special import expit
from sklearn.metrics import auc, precision_recall_curve, roc_curve

from waste_risk.parameters import Validation, load
from waste_risk.reporting.plots.curves import (
    plot_calibration_curve,
    plot_confusion_matrix,
    plot_precision_recall_curve,
    plot_roc_curve,
)

RANDOM = np.random.default_rng(0)
PROBABILITY = expit(RANDOM.normal(-1, 1.5, 500)).round(2)
ROWS = pd.DataFrame({"wasted": RANDOM.random(500) < PROBABILITY, "waste_probability": PROBABILITY})
ORACLE = pd.DataFrame({"probability": PROBABILITY})
UNKNOWN = pd.DataFrame()
METRICS = replace(MEASURED, threshold=0.4, high_confidence=0.7, horizon_days=30)
CONF = Path(__file__).parents[3] / "conf/base/parameters_validation.yml"
VALIDATION = load(Validation, CONF).model_copy(update={"n_bins": 10})
FIGURES = {
    "roc_curve": lambda: plot_roc_curve(ROWS, ORACLE, METRICS),
    "precision_recall_curve": lambda: plot_precision_recall_curve(ROWS, METRICS),
    "calibration_curve": lambda: plot_calibration_curve(ROWS, METRICS, VALIDATION),
    "confusion_matrix": lambda: plot_confusion_matrix(ROWS, METRICS),
}


def line(figure, label):
    return next(drawn for drawn in figure.axes[0].lines if drawn.get_label().startswith(label))


def png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_the_horizon_and_names_its_axes(name):
    axes = FIGURES[name]().axes
    assert "30 days" in axes[0].get_title(loc="left")
    assert axes[-1].get_xlabel()
    assert axes[0].get_ylabel()


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_figure_twice_is_the_same_picture(name):
    picture = png(FIGURES[name]())
    assert picture.startswith(b"\x89PNG")
    assert picture == png(FIGURES[name]())


def test_the_roc_curve_is_scikit_learns():
    false_positive_rate, true_positive_rate, _ = roc_curve(ROWS["wasted"], PROBABILITY, drop_intermediate=False)
    drawn = line(plot_roc_curve(ROWS, UNKNOWN, METRICS), "Model").get_xydata()
    assert drawn == pytest.approx(np.column_stack([false_positive_rate, true_positive_rate]))
    assert line(plot_roc_curve(ROWS, UNKNOWN, METRICS), f"Model (AUC {auc(*drawn.T):.3f})")


def test_the_thresholds_mark_lies_on_the_roc_curve():
    figure = plot_roc_curve(ROWS, UNKNOWN, METRICS)
    (mark,) = line(figure, "Threshold 0.400").get_xydata()
    assert np.abs(line(figure, "Model").get_xydata() - mark).sum(axis=1).min() == pytest.approx(0)


def test_the_true_probability_is_drawn_only_where_it_is_known():
    labels = [
        [drawn.get_label()[:4] for drawn in plot_roc_curve(ROWS, oracle, METRICS).axes[0].lines]
        for oracle in (ORACLE, UNKNOWN)
    ]
    assert labels == [["True", "Mode", "Thre", "Chan"], ["Mode", "Thre", "Chan"]]


def test_the_precision_recall_curve_is_scikit_learns():
    precisions, recalls, _ = precision_recall_curve(ROWS["wasted"], PROBABILITY)
    drawn = line(plot_precision_recall_curve(ROWS, METRICS), "Model").get_xydata()
    # scikit-learn starts at an invented precision of 1; ours at that of the highest score.
    assert drawn[1:] == pytest.approx(np.column_stack([recalls, precisions])[::-1][1:])
    assert drawn[0].tolist() == [0, drawn[1, 1]]


def test_reliability_points_are_mean_probability_and_observed_share():
    six = pd.DataFrame({"wasted": [0, 0, 0, 1, 1, 0], "waste_probability": [0.1] * 4 + [0.5, 0.7]})
    figure = plot_calibration_curve(six, METRICS, VALIDATION.model_copy(update={"n_bins": 2}))
    points = next(drawn for drawn in figure.axes[0].lines if drawn.get_marker() == "o").get_xydata()
    assert points == pytest.approx(np.array([[0.1, 0.25], [0.6, 0.5]]))


def test_the_histogram_below_the_reliability_counts_every_row():
    heights = [bar.get_height() for bar in plot_calibration_curve(ROWS, METRICS, VALIDATION).axes[1].patches]
    assert sum(heights) == 500


def test_the_confusion_matrix_shows_counts_and_shares_of_the_observed_class():
    four = pd.DataFrame({"wasted": [0, 0, 0, 1], "waste_probability": [0.1, 0.2, 0.6, 0.5]})
    figure = plot_confusion_matrix(four, replace(METRICS, threshold=0.5))
    texts = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert texts == {(0, 0): "2\n66.7 %", (1, 0): "1\n33.3 %", (0, 1): "0\n0.0 %", (1, 1): "1\n100.0 %"}


def test_a_model_without_high_confidence_alerts_can_still_be_drawn():
    two = pd.DataFrame({"wasted": [0, 1], "waste_probability": [0.1, 0.3]})
    figure = plot_precision_recall_curve(two, replace(METRICS, threshold=0.2))
    assert line(figure, "High confidence 0.7: no alert").get_xydata().shape == (1, 2)
    assert png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("module", "absent"),
    [("waste_risk.reporting.plots.curves", "matplotlib.pyplot"), ("waste_risk.reporting.text", "matplotlib")],
)
def test_drawing_needs_no_global_state_and_reporting_no_drawing(module, absent):
    code = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
