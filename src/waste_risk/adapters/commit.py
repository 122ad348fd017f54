"""Which commit of the project runs."""

import subprocess
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

UNKNOWN = "unknown"


class CommitDataset(AbstractDataset[NoReturn, str]):
    """The commit that the working folder is at, with ``-dirty`` if tracked files differ; ``unknown`` without git."""

    def __init__(self, metadata: dict[str, Any] | None = None) -> None:
        """Nothing to choose."""
        self.metadata = metadata

    def load(self) -> str:
        """Ask git."""
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            return UNKNOWN
        return done.stdout.strip() or UNKNOWN

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Refuse: git makes commits.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("a commit is made by git")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {}
