"""The page in a real browser, headless, with an empty profile."""

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from measured import FULL, LIMITS, SOURCE
from playwright.sync_api import Browser, Page

from waste_risk.reporting.page import render_page
from waste_risk.reporting.plots import PLOTS
from waste_risk.reporting.plots.style import make_figure
from waste_risk.validation.gates import check_gates

A4_WITHOUT_MARGINS = 680  # CSS pixels: 210 mm less 15 mm on either side


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = io.BytesIO()
    make_figure(4, 3).savefig(image, format="png")
    page = render_page(
        FULL,
        check_gates(FULL, LIMITS.model_copy(update={"min_auc": 0.9})),
        generated_at=datetime(2025, 11, 12, 14, 30),
        source=SOURCE,
        plots=dict.fromkeys(PLOTS, image.getvalue()),
    )
    path = tmp_path_factory.mktemp("page") / "validation_report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def width_of(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


def test_it_opens_from_disk_with_every_plot_and_asks_for_nothing_else(page: Page, file: Path) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri(), wait_until="load")
    assert said == []
    assert asked.count(file.as_uri()) == 1
    assert [url for url in asked if not url.startswith("data:image/png")] == [file.as_uri()]
    widths = page.evaluate("Promise.all([...document.images].map(i => i.decode().then(() => i.naturalWidth)))")
    assert len(widths) == len(PLOTS)
    assert min(widths) > 0


def test_the_verdict_is_on_the_first_screen_of_a_phone(page: Page, file: Path) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(file.as_uri())
    box = page.locator(".stamp").bounding_box()
    assert box is not None
    assert page.locator(".stamp").inner_text() == "FAIL"
    assert box["y"] + box["height"] < 640


@pytest.mark.parametrize("width", [320, 360, 768, 1440])
def test_no_width_makes_the_page_scroll_sideways(page: Page, file: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(file.as_uri())
    assert width_of(page) == width


def test_it_is_dark_where_the_reader_wants_it_dark(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 26)"]


def test_it_prints_on_paper_in_full_width(page: Page, file: Path) -> None:
    page.set_viewport_size({"width": A4_WITHOUT_MARGINS, "height": 1_000})
    page.goto(file.as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    assert width_of(page) == A4_WITHOUT_MARGINS
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") >= 2
