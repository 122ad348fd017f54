"""The figures of a search."""

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from searching import SPACE

from waste_risk.reporting.plots.search import plot_search


def trials(*values: float) -> pd.DataFrame:
    """Trials of which those without a value were pruned; the first lies outside of the space."""
    n = len(values)
    return pd.DataFrame(
        {
            "number": np.arange(n),
            "state": ["pruned" if np.isnan(value) else "complete" for value in values],
            "value": values,
            "fold_1": np.full(n, 0.7),
            "fold_2": values,
            "num_leaves": np.resize([31, 5, 9, 7], n),
            "learning_rate": np.resize([0.1, 0.2, 0.3], n),
            "feature_fraction": np.resize([0.5, 0.6], n),
            "bagging_fraction": np.resize([0.7, 0.8], n),
            "min_data_in_leaf": np.resize([20, 40, 60], n),
            "lambda_l1": np.resize([0.0, 1.0], n),
            "lambda_l2": np.resize([0.5, 1.5], n),
            "max_depth": np.resize([-1, 3, 4, 5], n),
        }
    )


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([], set()),
        ([0.8], {"history", "slices"}),
        ([0.8, np.nan], {"history", "slices"}),
        ([0.8, 0.8], {"history", "slices", "importances"}),
        ([0.8, np.nan, 0.9, 0.7], {"history", "slices", "importances"}),
    ],
)
def test_the_figures_are_those_that_the_trials_allow(values: list[float], names: set[str]) -> None:
    assert set(plot_search(trials(*values), SPACE)) == names


def test_the_style_of_other_figures_stays() -> None:
    before = dict(mpl.rcParams)
    plot_search(trials(0.8, 0.9), SPACE)
    assert {name: value for name, value in mpl.rcParams.items() if before[name] != value and name != "backend"} == {}


def test_equal_trials_are_equal_pictures() -> None:
    def picture(figure: Figure) -> bytes:
        file = io.BytesIO()
        figure.savefig(file, metadata={"Software": None})
        return file.getvalue()

    once, again = (plot_search(trials(0.8, np.nan, 0.9), SPACE) for _ in range(2))
    assert {name: picture(figure) for name, figure in once.items()} == {
        name: picture(figure) for name, figure in again.items()
    }
