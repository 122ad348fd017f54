"""LightGBM boosters in the MLflow registry, saved as text, with a signature that names every feature."""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import mlflow
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from waste_risk.adapters import registered_booster
from waste_risk.adapters.tracking import active_run_id
from waste_risk.model.lightgbm_calls import Booster

if TYPE_CHECKING:
    from waste_risk.model.predictor import PredictorWithExample

REQUIREMENTS = ("lightgbm", "numpy", "pandas", "scipy")


class BoosterDataset(AbstractDataset["PredictorWithExample", Booster]):
    """One booster of a predictor, logged with the run; ``RegistrationHook`` then registers it."""

    def __init__(
        self, part: str, registered_model_name: str, source: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Choose the booster (``classifier`` or ``regressor``), its name in the registry, and its source."""
        self._part = part
        self._registered_model_name = registered_model_name
        self._source = source
        self._logged: _Logged | None = None
        self.metadata = metadata

    def save(self, data: "PredictorWithExample") -> None:
        """Log the booster in the run, with the example's features."""
        active_run_id()
        predictor, names = data.predictor, list(data.predictor.metadata.feature_names)
        logged = Model.log(
            artifact_path=None,
            name=self._part,
            flavor=_Flavor,
            lgb_model=getattr(predictor, self._part),
            signature=signature(names),
            # Of type object: MLflow compares the names with numbers, of which pandas' own type of text warns.
            input_example=data.example[names].set_axis(pd.Index(names, dtype=object), axis=1),
            pip_requirements=pinned(*REQUIREMENTS),
            code_paths=[registered_booster.__file__],
        )
        self._logged = _Logged(logged.model_uri, logged.model_id, predictor.sha256)

    def register(self, training: "Mapping[str, str] | None", run_id: str) -> None:
        """Register the logged booster as the next version, unless it is registered already.

        Args:
            training: the record of a training of an earlier run, if the predictor is of one; it may be registered.
            run_id: the run that trained the predictor, if no record names another.
        """
        logged, self._logged = self._logged, None
        if logged is None:
            return
        if training is not None and training["predictor_sha256"] == logged.predictor_sha256:
            run_id = training["run_id"]
            found = MlflowClient().search_model_versions(f"name = '{self._registered_model_name}'")
            if any(version.run_id == run_id for version in found):
                return
        tags = {"source": self._source, "predictor_sha256": logged.predictor_sha256}
        register(self._registered_model_name, logged.model_uri, logged.model_id, run_id, tags)

    def load(self) -> Booster:
        """Read the newest version of this source.

        Raises:
            DatasetError: there is none.
        """
        versions = MlflowClient().search_model_versions(
            f"name = '{self._registered_model_name}' and tags.source = '{self._source}'"
        )
        if not versions:
            raise DatasetError(f"{self._registered_model_name} has no version of source {self._source}")
        newest = max(int(found.version) for found in versions)
        booster: Booster = mlflow.lightgbm.load_model(f"models:/{self._registered_model_name}/{newest}")
        return booster

    def _describe(self) -> dict[str, Any]:
        return {"part": self._part, "registered_model_name": self._registered_model_name, "source": self._source}


class _Logged(NamedTuple):
    """A model logged with a run."""

    model_uri: str
    model_id: str
    predictor_sha256: str


class _Flavor:
    """MLflow's LightGBM flavor, in which the pyfunc model is a ``RegisteredBooster``."""

    @staticmethod
    def save_model(path: str, mlflow_model: Model, **arguments: Any) -> None:
        mlflow.lightgbm.save_model(path=path, mlflow_model=mlflow_model, **arguments)
        mlflow_model.flavors["python_function"]["loader_module"] = Path(registered_booster.__file__).stem
        mlflow_model.save(str(Path(path) / MLMODEL_FILE_NAME))


def register(name: str, model_uri: str, model_id: str, run_id: str, tags: Mapping[str, str]) -> int:
    """Register a logged model as the next version, together with its tags; return its number.

    ``mlflow.register_model`` would take two steps and print a message for each.
    """
    client = MlflowClient()
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise
    created = client.create_model_version(name, source=model_uri, run_id=run_id, tags=dict(tags), model_id=model_id)
    return int(created.version)


def signature(feature_names: Iterable[str]) -> ModelSignature:
    """Return the signature of a booster: its features, and one number for each row.

    The types are left open, as the model itself checks its features: MLflow would refuse most integers where floats
    are declared, and shows the rows in its message.
    """
    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs = Schema([ColSpec(anything, name, required=False) for name in feature_names])
    return ModelSignature(inputs=inputs, outputs=Schema([ColSpec(DataType.double)]))


def pinned(*packages: str) -> list[str]:
    """Return requirements of packages in the versions installed here."""
    return [f"{package}=={version(package)}" for package in packages]
