"""Settings of all tests."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from sqlalchemy import URL

# How long an example takes says nothing about what it shows; on a busy machine it would fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

TESTS = Path(__file__).parent
# Tests that start a server, a browser or a run of the project, or that train many models.
SLOW = (
    *("end_to_end", "adapters", "training/tuning", "features/test_features_properties.py"),
    *("model/test_lightgbm_calls.py", "reporting/plots/test_search.py", "reporting/test_page_in_browser.py"),
    *(
        "reporting/test_pantry_in_browser.py",
        "simulation/test_marginals.py",
        "tables/test_ids.py",
        "test_notebooks.py",
        "test_viz_in_browser.py",
        "validation/test_sabotage.py",
    ),
)


def pytest_configure() -> None:
    """Refuse a slow test that has moved: it would silently become a fast one."""
    gone = [name for name in SLOW if not (TESTS / name).exists()]
    if gone:
        raise pytest.UsageError(f"tests/conftest.py names slow tests that are not there: {', '.join(gone)}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, which `make test-fast` leaves out."""
    slow = [TESTS / name for name in SLOW]
    for item in items:
        if any(item.path.is_relative_to(path) for path in slow):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def postgresql() -> "Iterator[URL]":
    """The address of a PostgreSQL server, started for the first test that asks for it."""
    from postgres_server import serve  # noqa: PLC0415, few tests need a server

    with serve() as url:
        yield url


@pytest.fixture
def database(postgresql: "URL") -> str:
    """The address, with its password, of an empty PostgreSQL database."""
    from postgres_server import make_database  # noqa: PLC0415

    return make_database(postgresql).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A browser without a window; a module that asks for it is skipped where there is none."""
    from draw_pipelines import chromium  # noqa: PLC0415

    try:
        with chromium() as started:
            yield started
    except FileNotFoundError as missing:
        # Who checks all must know that this was not checked.
        pytest.fail(str(missing)) if os.environ.get("CI") else pytest.skip(str(missing))
