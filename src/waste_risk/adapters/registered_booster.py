"""A registered booster as an MLflow pyfunc model, which takes any table with its features.

This file is saved with the model, so waste_risk need not be installed where the model is used.
"""

from typing import Any

import mlflow.lightgbm
import numpy as np
import pandas as pd


class RegisteredBooster:
    """A booster that selects its features by name; its errors show no value of the table."""

    def __init__(self, booster: Any) -> None:
        self._booster = booster

    def get_raw_model(self) -> Any:
        """Return the LightGBM booster itself."""
        return self._booster

    def predict(self, data: Any) -> Any:
        """Predict one number for each row.

        Args:
            data: a pandas table with the features in any order and numeric type, null where unknown, or what makes one.

        Raises:
            ValueError: features are missing or no numbers; the message names them.
        """
        table, names = pd.DataFrame(data), self._booster.feature_name()
        missing = [name for name in names if name not in table]
        if missing:
            raise ValueError(f"features are missing: {', '.join(missing)}")
        # In float32, as the booster has learnt them; else a value that a CSV has rounded could fall to the other side.
        return self._booster.predict(np.column_stack([_to_float32(table[name], name) for name in names]))


def _to_float32(column: Any, name: str) -> Any:
    message = f"feature {name} holds something else than numbers"
    if column.dtype.kind in "mM":  # NumPy would count the nanoseconds of a time
        raise ValueError(message)
    try:
        return column.to_numpy(np.float32, na_value=np.nan)
    except (TypeError, ValueError):
        pass  # NumPy's own words hold a value
    raise ValueError(message)


def _load_pyfunc(path: str) -> RegisteredBooster:
    return RegisteredBooster(mlflow.lightgbm._load_pyfunc(path).get_raw_model())
