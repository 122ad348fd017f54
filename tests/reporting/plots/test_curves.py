import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import num2date
from scipy.special import expit
from sklearn.metrics import auc, precision_recall_curve, roc_curve

from waste_risk.reporting.plots.curves import (
    plot_calibration,
    plot_confusion_matrix,
    plot_feature_importance,
    plot_precision_recall,
    plot_roc,
)
from waste_risk.reporting.plots.splits import plot_splits

RANDOM = np.random.default_rng(0)
PROBABILITY = expit(RANDOM.normal(-1, 1.5, 500)).round(2)
ROWS = {"y_true": RANDOM.random(500) < PROBABILITY, "probability": PROBABILITY, "horizon_days": 30}
IMPORTANCE = pd.DataFrame(
    {
        "feature": [f"days_since_{number}" for number in range(30)],
        "mean_abs_shap": np.arange(30) / 30,
    }
)
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
    "roc": lambda: plot_roc(**ROWS, threshold=0.4, oracle_probability=PROBABILITY),
    "precision_recall": lambda: plot_precision_recall(**ROWS, threshold=0.4, high_confidence=0.7),
    "calibration": lambda: plot_calibration(**ROWS, n_bins=10),
    "confusion_matrix": lambda: plot_confusion_matrix(**ROWS, threshold=0.4),
    "splits": lambda: plot_splits(fold_metrics=FOLDS, development=DEVELOPMENT, test=TEST, horizon_days=30),
    "feature_importance": lambda: plot_feature_importance(feature_importance=IMPORTANCE, horizon_days=30),
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
    assert name == "feature_importance" or axes[0].get_ylabel()


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_figure_twice_is_the_same_picture(name):
    picture = png(FIGURES[name]())
    assert picture.startswith(b"\x89PNG")
    assert picture == png(FIGURES[name]())


def test_the_roc_curve_is_scikit_learns():
    false_positive_rate, true_positive_rate, _ = roc_curve(ROWS["y_true"], PROBABILITY, drop_intermediate=False)
    drawn = line(plot_roc(**ROWS, threshold=0.4), "Model").get_xydata()
    assert drawn == pytest.approx(np.column_stack([false_positive_rate, true_positive_rate]))
    assert line(plot_roc(**ROWS, threshold=0.4), f"Model (AUC {auc(*drawn.T):.3f})")


def test_the_thresholds_mark_lies_on_the_roc_curve():
    figure = plot_roc(**ROWS, threshold=0.4)
    (mark,) = line(figure, "Threshold 0.400").get_xydata()
    assert np.abs(line(figure, "Model").get_xydata() - mark).sum(axis=1).min() == pytest.approx(0)


def test_the_true_probability_is_drawn_only_where_it_is_known():
    labels = [
        [drawn.get_label()[:4] for drawn in plot_roc(**ROWS, threshold=0.4, oracle_probability=oracle).axes[0].lines]
        for oracle in (PROBABILITY, None)
    ]
    assert labels == [["True", "Mode", "Thre", "Chan"], ["Mode", "Thre", "Chan"]]


def test_the_precision_recall_curve_is_scikit_learns():
    precisions, recalls, _ = precision_recall_curve(ROWS["y_true"], PROBABILITY)
    drawn = line(plot_precision_recall(**ROWS, threshold=0.4, high_confidence=0.7), "Model").get_xydata()
    # scikit-learn starts at an invented precision of 1; ours at that of the highest score.
    assert drawn[1:] == pytest.approx(np.column_stack([recalls, precisions])[::-1][1:])
    assert drawn[0].tolist() == [0, drawn[1, 1]]


def test_reliability_points_are_mean_probability_and_observed_share():
    figure = plot_calibration(y_true=[0, 0, 0, 1, 1, 0], probability=[0.1] * 4 + [0.5, 0.7], n_bins=2, horizon_days=30)
    points = next(drawn for drawn in figure.axes[0].lines if drawn.get_marker() == "o").get_xydata()
    assert points == pytest.approx(np.array([[0.1, 0.25], [0.6, 0.5]]))


def test_the_histogram_below_the_reliability_counts_every_row():
    heights = [bar.get_height() for bar in plot_calibration(**ROWS, n_bins=10).axes[1].patches]
    assert sum(heights) == 500


def test_the_confusion_matrix_shows_counts_and_shares_of_the_observed_class():
    figure = plot_confusion_matrix(
        y_true=[0, 0, 0, 1], probability=[0.1, 0.2, 0.6, 0.5], threshold=0.5, horizon_days=30
    )
    texts = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert texts == {(0, 0): "2\n66.7 %", (1, 0): "1\n33.3 %", (0, 1): "0\n0.0 %", (1, 1): "1\n100.0 %"}


def test_the_twenty_most_important_features_come_first_in_readable_names():
    axes = FIGURES["feature_importance"]().axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [f"days since {number}" for number in range(29, 9, -1)]
    assert axes.yaxis_inverted()


def test_a_model_without_loud_alerts_can_still_be_drawn():
    figure = plot_precision_recall(
        y_true=[0, 1], probability=[0.1, 0.3], threshold=0.2, high_confidence=0.7, horizon_days=30
    )
    assert line(figure, "High confidence 0.7: no alert").get_xydata().shape == (1, 2)
    assert png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("module", "absent"),
    [("waste_risk.reporting.plots.curves", "matplotlib.pyplot"), ("waste_risk.reporting.text", "matplotlib")],
)
def test_drawing_needs_no_global_state_and_reporting_no_drawing(module, absent):
    code = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_splits_are_drawn_as_days_that_train_are_purged_and_are_judged():
    bars = FIGURES["splits"]().axes[0].containers
    spans = {bar.get_label(): [(num2date(one.get_x()), one.get_width()) for one in bar] for bar in bars}
    assert [width for _, width in spans["Trains"]] == [60, 91, 151]
    assert [width for _, width in spans["Purged: label not known yet"]] == [30, 30, 30]
    assert [f"{begin:%Y-%m-%d}" for begin, _ in spans["Judged"]] == ["2024-03-31", "2024-05-01", "2024-06-30"]
