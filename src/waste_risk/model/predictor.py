"""The predictor: all that turns features into a probability and a number of days, as one immutable object."""

import hashlib
import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.model import artifacts
from waste_risk.model.calibration import Calibrator
from waste_risk.model.lightgbm_calls import Booster, contributions, predict, read
from waste_risk.model.matrix import to_matrix
from waste_risk.parameters import RiskClasses, Section, Training

CLASSES = np.array(["low", "medium", "high"])


class Provenance(Section):
    """Which code and which parameters made a predictor; null where nobody told.

    Attributes:
        commit: of the project, with ``-dirty`` behind it if files differed from it.
        parameter_hash: SHA-256 of every parameter that training read.
    """

    commit: str | None
    parameter_hash: str | None


UNKNOWN = Provenance(commit=None, parameter_hash=None)


class Metadata(Section):
    """What a predictor was made of: no clock, no machine, so the same data and parameters give the same metadata.

    Attributes:
        versions: of Python and the libraries that shape the numbers.
        horizon_days: how far ahead the label looks.
        feature_names: columns of a features table that the boosters read, in their order.
        training: the parameters of both boosters.
        risk_classes: where the risk turns from low to medium to high.
        rounds: trees of each booster.
        n_rows: development rows.
        waste_ratio: share of them that were wasted within the horizon.
        observed_from: first day of them, as ISO text.
        observed_until: last day of them.
        data_hash: SHA-256 of them.
        provenance: code and parameters.
    """

    versions: dict[str, str]
    horizon_days: int
    feature_names: tuple[str, ...]
    training: Training
    risk_classes: RiskClasses
    rounds: dict[str, int]
    n_rows: int
    waste_ratio: float
    observed_from: str
    observed_until: str
    data_hash: str
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class WastePredictor:
    """Classifier, calibrator and regressor, with what is needed to use them.

    Attributes:
        classifier: raw probability that an item is wasted within the horizon.
        calibrator: from that to a probability that means what it says.
        regressor: days until an item is wasted, *given* that it is wasted within the horizon.
        threshold: the calibrated probability from which F1 was best, out of fold.
        metadata: features, parameters, and the data it was made from.
    """

    classifier: Booster
    calibrator: Calibrator
    regressor: Booster
    threshold: float
    metadata: Metadata

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict each row, under its own index.

        Returns:
            ``waste_probability`` (calibrated, within the horizon), ``days_to_waste`` (between 0 and the horizon, given
            that the item is wasted within it) and ``risk_class`` (low, medium, high).

        Raises:
            ValueError: features are missing; the message names all of them.
        """
        X = to_matrix(features, self.metadata.feature_names)
        probability = self.calibrator.transform(predict(self.classifier, X))
        columns = {
            "waste_probability": probability,
            "days_to_waste": np.clip(predict(self.regressor, X), 0, self.metadata.horizon_days),
            "risk_class": classify_risk(probability, self.metadata.risk_classes),
        }
        return pd.DataFrame(columns, index=features.index)

    def explain(self, features: pd.DataFrame) -> pd.DataFrame:
        """Split the classifier's log-odds of each row into one contribution per feature and a ``base_value``.

        They sum to the raw score in log-odds. It is TreeSHAP (Lundberg et al., 2020) as LightGBM itself computes it.

        Raises:
            ValueError: features are missing; the message names all of them.
        """
        names = self.metadata.feature_names
        values = contributions(self.classifier, to_matrix(features, names))
        return pd.DataFrame(values, columns=[*names, "base_value"], index=features.index)

    @cached_property
    def sha256(self) -> str:
        """Identify the predictor by its bytes: the SHA-256 over those of its files."""
        return artifacts.fingerprint(self.to_files())

    def to_files(self) -> dict[str, str]:
        """Write the predictor as text: file name to content."""
        settings = {"threshold": self.threshold, **self.metadata.model_dump(mode="json")}
        return {
            "classifier.txt": self.classifier.model_to_string(),
            "regressor.txt": self.regressor.model_to_string(),
            "calibrator.json": self.calibrator.to_json(),
            "feature_names.json": artifacts.to_json(self.metadata.feature_names),
            "metadata.json": artifacts.to_json(settings),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> Self:
        """Read what ``to_files`` wrote."""
        settings = json.loads(files["metadata.json"])
        threshold = settings.pop("threshold")
        return cls(
            classifier=read(files["classifier.txt"]),
            calibrator=Calibrator.from_json(files["calibrator.json"]),
            regressor=read(files["regressor.txt"]),
            threshold=threshold,
            metadata=Metadata.model_validate(settings),
        )

    def save(self, folder: str | Path, *, for_analysts: bool = False) -> None:
        """Put the predictor into a folder, whole or not at all.

        Args:
            folder: replaced as a whole; one writer at a time.
            for_analysts: add ``calibrator.pkl`` (scikit-learn) and ``explainer.pkl`` (shap). They hold no rows.
        """
        artifacts.save(self.to_files(), folder, self._to_pickles() if for_analysts else {})

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a predictor from its folder.

        Raises:
            FileNotFoundError: there is none.
            ValueError: a file is not the one that was saved; the message names it.
        """
        return cls.from_files(artifacts.load(folder))

    def _to_pickles(self) -> dict[str, bytes]:
        return {
            "calibrator.pkl": pickle.dumps(self.calibrator.to_isotonic()),
            "explainer.pkl": pickle.dumps(artifacts.Explainer(self.classifier.model_to_string())),
        }


class PredictorWithExample(NamedTuple):
    """A predictor, and simulated rows of its features to show how its boosters are called."""

    predictor: WastePredictor
    example: pd.DataFrame


def classify_risk(probability: NDArray[np.float64], params: RiskClasses) -> NDArray[np.str_]:
    """Call each probability low, medium or high; a class begins at its bound."""
    classes: NDArray[np.str_] = CLASSES[np.digitize(probability, [params.medium_from, params.high_from])]
    return classes


def hash_rows(rows: pd.DataFrame) -> str:
    """Identify rows by their values and their order: a SHA-256 in hexadecimal, without the index."""
    return hashlib.sha256(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()).hexdigest()


def hash_parameters(sections: Sequence[Section]) -> str:
    """Identify parameters by their values: a SHA-256 in hexadecimal."""
    values = [section.model_dump(mode="json") for section in sections]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
