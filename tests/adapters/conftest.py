"""Projects for the tests of the adapters."""

from collections.abc import Callable

import pytest
from projects import Project


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """Make a project in a folder of its own."""
    return lambda: Project.make(tmp_path_factory.mktemp("toy") / "project")


@pytest.fixture(scope="module")
def project(new_project: Callable[[], Project]) -> Project:
    """One project for the tests of a module."""
    return new_project()
