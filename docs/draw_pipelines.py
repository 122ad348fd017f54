"""Draw docs/images/pipelines.png, the boxes that `kedro viz run` opens with: part of `make docs`."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/images/pipelines.png"

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MISSING = "no browser: make browser installs one"

BOX, LINE = ".pipeline-node--modularPipeline", ".pipeline-edge"
# Light, without side bars and a tour for beginners; everything else as Kedro-Viz opens.
SETTINGS = {
    "theme": "light",
    "showFeatureHints": False,
    "visible": {"graph": True, "sidebar": False, "miniMap": False},
}
MARGIN = 16  # pixels around the boxes


def main() -> None:
    """Draw the picture."""
    with kedro_viz(ROOT) as address, chromium() as browser:
        draw_boxes(browser, address, PICTURE)


@contextmanager
def kedro_viz(project: Path) -> Iterator[str]:
    """Serve the pipelines of a project with ``kedro viz run``, and offer the server's address.

    Raises:
        RuntimeError: the server does not start; the message holds what it said.
    """
    server = subprocess.Popen(
        [sys.executable, "-m", "kedro", "viz", "run", "--no-browser"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src"), "DO_NOT_TRACK": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # the server is a child of the command, and outlives it
    )
    try:
        yield _read_address(server)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open a browser without a window: the one of this machine, else Playwright's own.

    Raises:
        FileNotFoundError: there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            raise FileNotFoundError(MISSING)
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def open_viz(browser: Browser, address: str) -> Page:
    """Open Kedro-Viz and wait until its boxes stand where they stay."""
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    page.add_init_script(f"localStorage.setItem('KedroViz', {json.dumps(json.dumps(SETTINGS))})")
    page.goto(address)
    _wait_until_still(page.locator(BOX).last)
    return page


def draw_boxes(browser: Browser, address: str, path: Path) -> None:
    """Draw the boxes and the lines between them, without the datasets on the way."""
    page = open_viz(browser, f"{address}?types=nodes")
    drawn = page.locator(f"{BOX}, {LINE}").all()
    places = [place for place in (each.bounding_box() for each in drawn) if place]
    left, top = (min(place[side] for place in places) - MARGIN for side in ("x", "y"))
    right = max(place["x"] + place["width"] for place in places) + MARGIN
    bottom = max(place["y"] + place["height"] for place in places) + MARGIN
    path.parent.mkdir(exist_ok=True)
    page.screenshot(path=path, clip={"x": left, "y": top, "width": right - left, "height": bottom - top})


def _read_address(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    said = ""
    for line in server.stdout:
        said += line
        found = re.search(r"running at\s+(http\S+)", said)
        if found:
            return found[1]
    raise RuntimeError(f"kedro viz does not start:\n{said}")


def _wait_until_still(place: Locator) -> None:
    """Wait for the end of the animation that moves what the graph shows."""
    place.wait_for()
    before = None
    while (now := place.bounding_box()) != before:
        before = now
        place.page.wait_for_timeout(300)


if __name__ == "__main__":
    main()
