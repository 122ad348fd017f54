"""The predictor: classifier, calibrator, regressor and threshold, as one immutable object."""

import hashlib
import json
import pickle
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from waste_risk.arrays import Floats
from waste_risk.features.encoding import Encoding
from waste_risk.model import artifacts
from waste_risk.model.calibration import Calibrator
from waste_risk.model.forest import Forest, UnknownBoosterError
from waste_risk.model.lightgbm_calls import Booster, contributions, predict, read
from waste_risk.model.matrix import to_columns, to_matrix
from waste_risk.parameters import RiskClasses, Section, Training
from waste_risk.reference.vocabulary import RISK_CLASSES

CLASSES = np.array(RISK_CLASSES)
MANY_ROWS = 8_192  # from here on a forest is faster than LightGBM; a few thousand rows take the same time


class Provenance(Section):
    """The code and the parameters that a predictor was trained with; null where they are unknown.

    Attributes:
        commit: of the project, followed by ``-dirty`` if files differed from it.
        parameter_hash: SHA-256 of all parameters that shape the predictor.
    """

    commit: str | None
    parameter_hash: str | None


NO_PROVENANCE = Provenance(commit=None, parameter_hash=None)


class Metadata(Section):
    """What a predictor was trained on; without date or machine, so the same data and parameters give the same bytes.

    Attributes:
        versions: of Python and the libraries that the numbers depend on.
        horizon_days: within how many days after the observation an item counts as wasted.
        feature_names: columns of a features table, in the order in which the boosters read them.
        levels: of the features that hold text, see ``features.encoding``; left out of the file if there are none.
        training: the hyperparameters of both boosters.
        risk_classes: where the risk turns from low to medium to high.
        rounds: number of boosting rounds, and so of trees, of each booster.
        n_rows: number of development rows.
        waste_ratio: share of them that were wasted within the horizon.
        observed_from: their first day of observation, as ISO text.
        observed_until: their last day of observation.
        data_hash: their SHA-256.
        provenance: code and parameters.
    """

    versions: dict[str, str]
    horizon_days: int
    feature_names: tuple[str, ...]
    levels: dict[str, tuple[str, ...]] = {}
    training: Training
    risk_classes: RiskClasses
    rounds: dict[str, int]
    n_rows: int
    waste_ratio: float
    observed_from: str
    observed_until: str
    data_hash: str
    provenance: Provenance

    @property
    def encoding(self) -> Encoding:
        """The features, and how those that hold text are read."""
        return Encoding(self.feature_names, self.levels)

    @property
    def labels_known_on(self) -> pd.Timestamp:
        """The day on which the labels of all development rows were known."""
        return pd.Timestamp(self.observed_until) + pd.Timedelta(days=self.horizon_days)


@dataclass(frozen=True, eq=False)
class WastePredictor:
    """Predicts whether and when open items will be wasted, and explains its predictions.

    Attributes:
        classifier: predicts the raw probability that an item is wasted within the horizon.
        calibrator: converts raw to calibrated probabilities.
        regressor: predicts the days until an item is wasted, *given* that it is wasted within the horizon.
        threshold: the calibrated probability from which an item counts as wasted; F1 is highest there, out of fold.
        metadata: features, parameters, and the data it was trained on.
    """

    classifier: Booster
    calibrator: Calibrator
    regressor: Booster
    threshold: float
    metadata: Metadata

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict each row.

        Args:
            features: one row per item, with the columns of ``metadata.feature_names``; other columns are ignored.

        Returns:
            ``waste_probability`` (calibrated, within the horizon), ``days_to_waste`` (between 0 and the horizon, given
            that the item is wasted within it) and ``risk_class`` (low, medium, high), with the index of ``features``.

        Raises:
            ValueError: features are missing; the message names all of them.
        """
        scores, days = self._predict_raw(features)
        probability = self.calibrator.transform(scores)
        columns = {
            "waste_probability": probability,
            "days_to_waste": np.clip(days, 0, self.metadata.horizon_days),
            "risk_class": classify_risk(probability, self.metadata.risk_classes),
        }
        return pd.DataFrame(columns, index=features.index)

    def _predict_raw(self, features: pd.DataFrame) -> list[NDArray[np.float64]]:
        """Return what the classifier and the regressor predict, bit for bit the same in either way."""
        names, levels = self.metadata.feature_names, self.metadata.levels
        if len(features) < MANY_ROWS or self._forests is None:
            X = to_matrix(features, names, levels)
            return [predict(self.classifier, X), predict(self.regressor, X)]
        columns = to_columns(features, names, levels)
        with ThreadPoolExecutor(len(self._forests)) as pool:
            return list(pool.map(lambda forest: forest.predict(columns), self._forests))

    @cached_property
    def _forests(self) -> tuple[Forest, Forest] | None:
        """Classifier and regressor for many rows; None if one of them has what only LightGBM knows."""
        try:
            return Forest.read(self.classifier.model_to_string()), Forest.read(self.regressor.model_to_string())
        except UnknownBoosterError:
            return None

    def explain(self, features: pd.DataFrame) -> pd.DataFrame:
        """Compute the SHAP values of each row: one contribution per feature and a ``base_value``.

        They sum to the raw score in log-odds. This is TreeSHAP (Lundberg et al., 2020), as LightGBM computes it.

        Raises:
            ValueError: features are missing; the message names all of them.
        """
        names = self.metadata.feature_names
        values = contributions(self.classifier, to_matrix(features, names, self.metadata.levels))
        return pd.DataFrame(values, columns=[*names, "base_value"], index=features.index)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 over those of its files, in hexadecimal, which identifies the predictor by its bytes."""
        return artifacts.fingerprint(self.to_files())

    def to_files(self) -> dict[str, str]:
        """Convert the predictor to text files: name to content."""
        absent = set() if self.metadata.levels else {"levels"}
        settings = {"threshold": self.threshold, **self.metadata.model_dump(mode="json", exclude=absent)}
        return {
            "classifier.txt": self.classifier.model_to_string(),
            "regressor.txt": self.regressor.model_to_string(),
            "calibrator.json": self.calibrator.to_json(),
            "feature_names.json": artifacts.to_json(self.metadata.feature_names),
            "metadata.json": artifacts.to_json(settings),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> Self:
        """Return the predictor that ``to_files`` converted."""
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
        """Write the predictor into a folder, all of its files or none.

        Args:
            folder: replaced as a whole; one writer at a time.
            for_analysts: add ``calibrator.pkl`` (scikit-learn) and ``explainer.pkl`` (shap), which hold no rows.
        """
        files, pickles = self.to_files(), {}
        if for_analysts:
            pickles["calibrator.pkl"] = pickle.dumps(self.calibrator.to_isotonic())
            pickles["explainer.pkl"] = pickle.dumps(artifacts.Explainer(files["classifier.txt"]))
        artifacts.save(files, folder, pickles)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a predictor from its folder.

        Raises:
            FileNotFoundError: there is no predictor.
            ValueError: a file is not the one that was saved; the message names it.
        """
        return cls.from_files(artifacts.load(folder))


class PredictorWithExample(NamedTuple):
    """A predictor, and simulated rows of its features as an input example."""

    predictor: WastePredictor
    example: pd.DataFrame


class RegisteredPredictor(NamedTuple):
    """A predictor of the model registry, and what the registry knows about it.

    Attributes:
        predictor: the predictor itself.
        version: of its registered model.
        source: whose records it was trained on.
        validated: the metrics of its validation, by name; empty if its training run is gone.
        is_lent: whether it is of another source than the one that it scores, and has learned nothing of that.
    """

    predictor: WastePredictor
    version: str
    source: str
    validated: Mapping[str, float]
    is_lent: bool = False


def classify_risk(probability: Floats, params: RiskClasses) -> NDArray[np.str_]:
    """Return the risk class of each probability: low, medium or high; a class includes its lower bound."""
    classes: NDArray[np.str_] = CLASSES[np.digitize(probability, [params.medium_from, params.high_from])]
    return classes


def hash_rows(rows: pd.DataFrame) -> str:
    """Return a SHA-256 of the rows' values and their order, in hexadecimal; the index has no part in it."""
    return hashlib.sha256(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()).hexdigest()


def hash_parameters(sections: Sequence[Section]) -> str:
    """Return a SHA-256 of the parameters' values, in hexadecimal; one that is null is off, as if it did not exist."""
    values = [section.model_dump(mode="json", exclude_none=True) for section in sections]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
