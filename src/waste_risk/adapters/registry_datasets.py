"""Models of the MLflow registry as datasets: those of a training to save, the champion or challenger to load."""

from abc import abstractmethod
from collections.abc import Iterable
from importlib.metadata import version as installed_version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn

import mlflow
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import Model, ModelSignature
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from waste_risk.adapters import registered_model
from waste_risk.adapters.registry import LoggedModel, name_of, newest_version, validated_metrics, version_of_alias
from waste_risk.adapters.tracking import active_run_id
from waste_risk.features.encoding import encode
from waste_risk.model.lightgbm_calls import Booster

if TYPE_CHECKING:
    from waste_risk.model.predictor import PredictorWithExample, RegisteredPredictor, WastePredictor

LOADER = Path(registered_model.__file__)  # is saved with each model, and loads it where waste_risk is not installed
SEALED_FOLDER = "predictor"
REQUIREMENTS = ("lightgbm", "numpy", "pandas", "scipy")


class ModelDataset(AbstractDataset["PredictorWithExample", Any]):
    """A model of a training, logged with the run; ``RegistrationHook`` then registers all of them together."""

    def __init__(self, part: str, source: str, metadata: dict[str, Any] | None = None) -> None:
        """Set the part of the predictor (``classifier``, ``regressor`` or ``predictor``), and its source."""
        self._part = part
        self._source = source
        self._logged: LoggedModel | None = None
        self.metadata = metadata

    def save(self, data: "PredictorWithExample") -> None:
        """Log the model in the run, with the features of the example."""
        active_run_id()
        names = list(data.predictor.metadata.feature_names)
        # Of type object: MLflow compares the names with numbers, of which pandas' own type of text warns.
        example = self._example(data)[names].set_axis(pd.Index(names, dtype=object), axis=1)
        logged = self._log_model(
            data.predictor,
            artifact_path=None,
            name=self._part,
            input_example=example,
            pip_requirements=pinned(*REQUIREMENTS),
            code_paths=[str(LOADER)],
        )
        name = name_of(self._part)
        self._logged = LoggedModel(name, logged.model_uri, logged.model_id, data.predictor.sha256, self._source)

    def take_logged(self) -> LoggedModel | None:
        """Return the model that was logged since the last call, if any."""
        logged, self._logged = self._logged, None
        return logged

    def load(self) -> Any:
        """Load the newest version of this source.

        Raises:
            DatasetError: there is none.
        """
        name = name_of(self._part)
        version = newest_version(name, self._source)
        if version is None:
            raise DatasetError(f"{name} has no version of source {self._source}")
        return self._load_version(version)

    def _example(self, data: "PredictorWithExample") -> pd.DataFrame:
        """Return rows such as the model takes."""
        return data.example

    @abstractmethod
    def _log_model(self, predictor: "WastePredictor", **arguments: Any) -> Any:
        """Log the part of the predictor; return what MLflow says of it."""

    @abstractmethod
    def _load_version(self, version: ModelVersion) -> Any:
        """Load a registered version."""

    def _describe(self) -> dict[str, Any]:
        return {"part": self._part, "source": self._source}


class BoosterDataset(ModelDataset):
    """The classifier or the regressor, as a LightGBM model."""

    def _example(self, data: "PredictorWithExample") -> pd.DataFrame:
        levels = data.predictor.metadata.levels
        return data.example.assign(**{name: encode(data.example[name], each) for name, each in levels.items()})

    def _log_model(self, predictor: "WastePredictor", **arguments: Any) -> Any:
        outputs = Schema([ColSpec(DataType.double)])
        return Model.log(
            flavor=_Flavor,
            lgb_model=getattr(predictor, self._part),
            signature=signature(predictor.metadata.feature_names, outputs),
            **arguments,
        )

    def _load_version(self, version: ModelVersion) -> Booster:
        booster: Booster = mlflow.lightgbm.load_model(f"models:/{version.name}/{version.version}")
        return booster


class PredictorModelDataset(ModelDataset):
    """The whole predictor, as a pyfunc model with the predictor's sealed files."""

    def __init__(self, source: str, metadata: dict[str, Any] | None = None) -> None:
        """Set the source."""
        super().__init__("predictor", source, metadata)

    def _log_model(self, predictor: "WastePredictor", **arguments: Any) -> Any:
        outputs = Schema(
            [
                ColSpec(DataType.double, "waste_probability"),
                ColSpec(DataType.double, "days_to_waste"),
                ColSpec(DataType.string, "risk_class"),
            ]
        )
        with TemporaryDirectory() as folder:
            place = Path(folder) / SEALED_FOLDER
            predictor.save(place)
            return Model.log(
                flavor=mlflow.pyfunc,
                loader_module=LOADER.stem,
                data_path=str(place),
                signature=signature(predictor.metadata.feature_names, outputs),
                **arguments,
            )

    def _load_version(self, version: ModelVersion) -> "WastePredictor":
        return load_predictor(version)


class RegisteredPredictorDataset(AbstractDataset[NoReturn, "RegisteredPredictor | None"]):
    """The predictor that an alias points at, such as ``champion``; None where there is none yet."""

    def __init__(self, alias: str, source: str | None, metadata: dict[str, Any] | None = None) -> None:
        """Set the alias, and the source whose predictor it must be; null for any."""
        self._alias = alias
        self._source = source
        self.metadata = metadata

    def load(self) -> "RegisteredPredictor | None":
        """Load the predictor.

        Raises:
            DatasetError: it is of another source, or not the one that was registered.
        """
        from waste_risk.model.predictor import RegisteredPredictor  # noqa: PLC0415, a run without models needs none

        version = version_of_alias(name_of("predictor"), self._alias)
        if version is None:
            return None
        source = str(version.tags.get("source"))
        if self._source not in {source, None}:
            raise DatasetError(f"{_title(version)} is of source {source}, not of {self._source}")
        validated = validated_metrics(version)
        return RegisteredPredictor(load_predictor(version), str(version.version), source, validated)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: aliases are set by moving a version set."""
        raise DatasetError(f"the {self._alias} cannot be saved; move a version set instead")

    def _describe(self) -> dict[str, Any]:
        return {"alias": self._alias, "source": self._source}


def load_predictor(version: ModelVersion) -> "WastePredictor":
    """Load a registered predictor, after checking its seal.

    Raises:
        DatasetError: its files are gone, not those that were saved, or not those that were registered.
    """
    from waste_risk.model.predictor import WastePredictor  # noqa: PLC0415, a run without models needs no LightGBM

    try:
        with TemporaryDirectory() as folder:
            uri = f"models:/{version.name}/{version.version}"
            model = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder)
            files = registered_model.read_sealed(Path(model) / "data" / SEALED_FOLDER)
    except ValueError as error:
        raise DatasetError(f"{_title(version)}: {error}") from error
    except FileNotFoundError:  # it names a copy in a temporary folder
        raise DatasetError(f"{_title(version)}: its files are gone from the store; restore {version.source}") from None
    predictor = WastePredictor.from_files(files)
    if predictor.sha256 != version.tags.get("predictor_sha256"):
        raise DatasetError(f"{_title(version)} holds another predictor than was registered: its SHA-256 differs")
    return predictor


def signature(feature_names: Iterable[str], outputs: Schema) -> ModelSignature:
    """Return the signature of a model of features.

    The types of the inputs are left open, as the model itself checks its features: MLflow would refuse most integers
    where floats are declared, and shows the rows in its message.
    """
    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs = Schema([ColSpec(anything, name, required=False) for name in feature_names])
    return ModelSignature(inputs=inputs, outputs=outputs)


def pinned(*packages: str) -> list[str]:
    """Return requirements of packages in the versions installed here."""
    return [f"{package}=={installed_version(package)}" for package in packages]


class _Flavor:
    """MLflow's LightGBM flavor, in which the pyfunc model is a ``RegisteredBooster``."""

    @staticmethod
    def save_model(path: str, mlflow_model: Model, **arguments: Any) -> None:
        mlflow.lightgbm.save_model(path=path, mlflow_model=mlflow_model, **arguments)
        mlflow_model.flavors["python_function"]["loader_module"] = LOADER.stem
        mlflow_model.save(str(Path(path) / MLMODEL_FILE_NAME))


def _title(version: ModelVersion) -> str:
    return f"version {version.version} of {version.name}"
