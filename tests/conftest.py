"""Settings of all tests."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from sqlalchemy import URL

# How long an example takes says nothing about what it shows; on a busy machine it would fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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
