"""The catalog's entry ``studies``: in which file or database a search keeps its studies; and its progress bar."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from waste_risk.training.tuning.studies import Studies

if TYPE_CHECKING:
    from tqdm import tqdm

_LOCK_SECONDS = 60  # how long a process waits until another one has written its trial


class StudiesDataset(AbstractDataset[NoReturn, Studies]):
    """The storage of the studies: an SQLite file in the project, or a database that the environment names."""

    def __init__(self, filepath: str, url: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        """Set the SQLite file, or the SQLAlchemy URL of a database to use instead."""
        self._database = Path(filepath)
        self._url = url
        self.metadata = metadata

    def load(self) -> Studies:
        """Return the storage; nothing is opened or created yet."""
        from sqlalchemy import URL  # noqa: PLC0415, MLflow has it loaded

        file = URL.create("sqlite", database=str(self._database), query={"timeout": str(_LOCK_SECONDS)})
        return Studies(self._url or file.render_as_string(hide_password=False), watch=ProgressBar())

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: a search writes each trial itself.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("studies are written trial by trial, and not as a whole")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"place": "named by the environment" if self._url else str(self._database)}


class ProgressBar:
    """The finished trials, the best value and the time left; shown on a terminal only."""

    def __init__(self) -> None:
        """Create the bar, which is shown when the first trial has finished."""
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, finished: int, wanted: int, best: float | None) -> None:
        """Show how many trials have finished, of how many, and the best value."""
        if self._bar is None:
            from tqdm import tqdm  # noqa: PLC0415, only a search needs it

            # `disable=None`: on a terminal only. What finished before tells nothing of the time left.
            self._bar = tqdm(total=wanted, initial=finished, unit="trial", disable=None, leave=False)
        self._bar.update(finished - self._bar.n)
        self._bar.set_postfix_str("" if best is None else f"best AUC {best:.4f}")
        if finished >= wanted:
            self._bar.close()
