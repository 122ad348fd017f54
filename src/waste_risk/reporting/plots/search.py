"""The figures of a search, replotted by Optuna from its table of trials."""

import sys
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from waste_risk.parameters import LightGBM, Space

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

_SLICES_SIZE = (24.0, 4.0)  # inches: one square for each hyperparameter
_DPI = 120


def plot_search(trials: pd.DataFrame, space: Space) -> dict[str, Figure]:
    """Plot what a search tried.

    Configured values outside of the space are shown at its edge.

    Args:
        trials: as ``tune_hyperparameters`` returns them.
        space: that was searched.

    Returns:
        figures by name: ``history``, ``slices`` and, from the second completed trial on, ``importances`` (PED-ANOVA,
        Watanabe et al., 2023); none without trials.
    """
    if trials.empty:
        return {}
    if "matplotlib.pyplot" not in sys.modules:
        mpl.use("agg")  # Optuna draws by pyplot, which would look for a screen
    # Optuna changes the style of all later figures, and calls these functions experimental.
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _plot(_rebuild(trials, space), n_completed=int((trials["state"] == "complete").sum()))


def _plot(study: "Study", *, n_completed: int) -> dict[str, Figure]:
    from matplotlib import pyplot as plt  # noqa: PLC0415, global state for this function alone
    from optuna.visualization import matplotlib as drawing  # noqa: PLC0415, Optuna is for searches only

    drawn = {
        "history": drawing.plot_optimization_history(study, target_name="AUC").figure,
        "slices": np.asarray(drawing.plot_slice(study, target_name="AUC")).flat[0].figure,
    }
    if n_completed > 1:
        drawn["importances"] = drawing.plot_param_importances(study, target_name="AUC").figure
    drawn["slices"].set_size_inches(*_SLICES_SIZE)
    for figure in drawn.values():
        figure.set_layout_engine("constrained")
        figure.set_dpi(_DPI)
        plt.close(figure)
    return drawn


def _rebuild(trials: pd.DataFrame, space: Space) -> "Study":
    import optuna  # noqa: PLC0415, Optuna is for searches only

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    study.add_trials([_trial(row, space) for _, row in trials.iterrows()])
    return study


def _trial(row: "pd.Series[Any]", space: Space) -> "FrozenTrial":
    from optuna.trial import TrialState, create_trial  # noqa: PLC0415

    from waste_risk.training.tuning.search import distributions, nearest  # noqa: PLC0415

    folds = row.filter(like="fold_").dropna()
    return create_trial(
        state=TrialState[str(row["state"]).upper()],
        value=row["value"] if row["state"] == "complete" else None,
        params=nearest(LightGBM.model_construct(**row), space),
        distributions=distributions(space),
        intermediate_values=dict(enumerate(folds, start=1)),
    )
