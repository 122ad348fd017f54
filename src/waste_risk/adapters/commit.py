"""The commit that the project is at."""

import subprocess
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

NO_COMMIT = "unknown"


class CommitDataset(AbstractDataset[NoReturn, str]):
    """The commit that the project is at, with ``-dirty`` if tracked files differ; ``unknown`` if git does not track it.

    A project inside another repository, which does not track it, has no commit.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Set the file by which the repository is recognised: one that it tracks."""
        self._tracked = Path(filepath)
        self.metadata = metadata

    def load(self) -> str:
        """Return the commit."""
        if self._ask("ls-files", "--error-unmatch", self._tracked.name) is None:
            return NO_COMMIT
        return self._ask("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*") or NO_COMMIT

    def _ask(self, *question: str) -> str | None:
        command = ["git", "-C", str(self._tracked.parent), *question]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise an error: git makes commits.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("a commit is made by git")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._tracked)}
