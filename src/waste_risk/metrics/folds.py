"""How steadily the model did over the folds of the cross-validation."""

from typing import Any

import pandas as pd


def summarise_folds(fold_metrics: pd.DataFrame | None) -> dict[str, Any]:
    """Give every number of every fold, and its mean and standard deviation (ddof 1) over the folds."""
    if fold_metrics is None:
        return {}
    numbers = fold_metrics.select_dtypes("number").astype(float)
    means, stds = numbers.drop(columns="fold", errors="ignore").mean(), numbers.std(ddof=1)
    return {
        "cv_mean_auc": float(means["auc"]),
        "cv_std_auc": float(stds["auc"]),
        "folds": tuple(numbers.to_dict("records")),
        "fold_means": {str(name): float(value) for name, value in means.items()},
        "fold_stds": {str(name): float(stds[name]) for name in means.index},
    }
