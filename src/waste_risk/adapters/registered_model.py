"""Registered models as MLflow pyfunc models, which take any table with their features.

This file is saved with each model, so waste_risk need not be installed where the model is used. It unpickles nothing.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import lightgbm as lgb
import mlflow.lightgbm
import numpy as np
import pandas as pd

SEALED = ("calibrator.json", "classifier.txt", "feature_names.json", "regressor.txt")
SEAL = "metadata.json"  # with the SHA-256 of each of them


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
                Text is given as the numbers of ``waste_risk.features.encoding``; the whole predictor takes text itself.

        Raises:
            ValueError: features are missing or no numbers; the message names them.
        """
        return self._booster.predict(_to_matrix(pd.DataFrame(data), self._booster.feature_name()))


class SealedPredictor:
    """A predictor from the texts of its files; predicts what ``WastePredictor.predict`` does, bit for bit.

    Args:
        files: name to content, as ``read_sealed`` returns them.
    """

    def __init__(self, files: dict[str, str]) -> None:
        self._metadata, self._calibrator = json.loads(files[SEAL]), json.loads(files["calibrator.json"])
        self._classifier = lgb.Booster(model_str=files["classifier.txt"])
        self._regressor = lgb.Booster(model_str=files["regressor.txt"])

    def predict(self, data: Any) -> pd.DataFrame:
        """Predict each row.

        Args:
            data: a pandas table with the features in any order and numeric type (text where the predictor learned from
                text), null where unknown, or what makes one.

        Returns:
            ``waste_probability`` (calibrated, within the horizon), ``days_to_waste`` (given that the item is wasted
            within the horizon) and ``risk_class`` (low, medium, high), with the index of ``data``.

        Raises:
            ValueError: features are missing or no numbers; the message names them.
        """
        table, limits = pd.DataFrame(data), self._metadata["risk_classes"]
        X = _to_matrix(table, self._metadata["feature_names"], self._metadata.get("levels", {}))
        probability = self._calibrate(self._classifier.predict(X))
        risk_class = np.digitize(probability, [limits["medium_from"], limits["high_from"]])
        columns = {
            "waste_probability": probability,
            "days_to_waste": np.clip(self._regressor.predict(X), 0, self._metadata["horizon_days"]),
            "risk_class": np.array(["low", "medium", "high"])[risk_class],
        }
        return pd.DataFrame(columns, index=table.index)

    def _calibrate(self, scores: Any) -> Any:
        """Interpolate between the knots as ``Calibrator.transform`` does."""
        knots, probabilities = self._calibrator["scores"], np.asarray(self._calibrator["probabilities"])
        after = np.searchsorted(knots, scores, side="right").clip(1, len(knots) - 1)
        return np.clip(np.interp(scores, knots, probabilities), probabilities[after - 1], probabilities[after])


def read_sealed(folder: Path) -> dict[str, str]:
    """Return the texts of a predictor's files, after checking that they are those that ``WastePredictor.save`` wrote.

    Raises:
        ValueError: a file is missing, another one than was saved, or one too many; the message names it.
    """
    present = {path.name for path in folder.iterdir()}
    for name in sorted(present.symmetric_difference({*SEALED, SEAL})):
        problem = "is no file of a predictor" if name in present else "is missing"
        raise ValueError(f"{name} {problem}")
    contents = {name: (folder / name).read_bytes() for name in SEALED}
    metadata, seals, sealed = _read_metadata(folder / SEAL)
    for name, content in contents.items():
        if seals.get(name) != _sha256(content):
            raise ValueError(f"{name} is not the file that was saved: its SHA-256 differs")
    texts = {name: content.decode() for name, content in contents.items()} | {SEAL: _to_json(metadata)}
    if _sha256(_to_json({name: _sha256(text.encode()) for name, text in texts.items()}).encode()) != sealed:
        raise ValueError(f"{SEAL} is not the file that was saved: the predictor's SHA-256 differs")
    return texts


def _read_metadata(path: Path) -> tuple[dict[str, Any], dict[str, str], str]:
    """Return the metadata, the SHA-256 of each other file, and that of the predictor."""
    try:
        metadata = json.loads(path.read_bytes())
        return metadata, dict(metadata.pop("sha256")), str(metadata.pop("predictor_sha256"))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ValueError(f"{path.name} is not the file that was saved: it holds no hashes")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False)


def _to_matrix(table: pd.DataFrame, names: list[str], levels: Any = None) -> Any:
    missing = [name for name in names if name not in table]
    if missing:
        raise ValueError(f"features are missing: {', '.join(missing)}")
    # In float32, as boosters have learnt them; else a value that a CSV has rounded could fall to the other side.
    known = levels or {}
    return np.column_stack(
        [_encode(table[name], known[name]) if name in known else _to_float32(table[name], name) for name in names]
    )


def _encode(column: Any, levels: list[str]) -> Any:
    """Return what ``waste_risk.features.encoding.encode`` returns."""
    number = pd.Index(levels, dtype="str").get_indexer(pd.Index(column.astype("str"))).astype(np.float32)
    return np.where(column.isna(), np.float32(0), np.where(number < 0, np.float32(np.nan), number + 1))


def _to_float32(column: Any, name: str) -> Any:
    message = f"feature {name} holds something else than numbers"
    if column.dtype.kind in "mM":  # NumPy would count the nanoseconds of a time
        raise ValueError(message)
    try:
        return column.to_numpy(np.float32, na_value=np.nan)
    except (TypeError, ValueError):
        pass  # NumPy's own words hold a value
    raise ValueError(message)


def _load_pyfunc(path: str) -> RegisteredBooster | SealedPredictor:
    """Return the model whose file or folder MLflow names."""
    if Path(path).is_dir():
        return SealedPredictor(read_sealed(Path(path)))
    return RegisteredBooster(mlflow.lightgbm._load_pyfunc(path).get_raw_model())
