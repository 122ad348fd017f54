"""The page of a moment in a real browser: a household is chosen, and its alerts are shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pantry_case import make_champion
from pantry_case import page as render
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "pantry_risk.html"
    path.write_text(render(make_champion()), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def shown(page: Page) -> list[str]:
    """The captions of the lists that are to be seen."""
    return page.locator(".household:visible caption").all_inner_texts()


def test_it_opens_from_disk_without_a_complaint_and_asks_for_nothing_else(page: Page, file: Path) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri(), wait_until="load")
    assert said == []
    assert asked == [file.as_uri()]


def test_the_household_that_is_chosen_is_the_one_that_is_shown(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    assert shown(page) == ["Household 1"]
    assert page.get_by_label("Household", exact=True).locator("option").count() == 3
    page.get_by_label("Household", exact=True).select_option(index=1)
    assert shown(page) == ["Household 2"]
    assert page.get_by_text("ham").is_visible()
    assert not page.get_by_text("milk").is_visible()


def test_the_keyboard_is_enough(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    page.get_by_label("Household", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert shown(page) == ["Household 3"]


def test_without_scripts_every_list_is_shown(browser: Browser, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert len(shown(page)) == 3
    assert not page.locator("select").is_visible()
    context.close()


def test_another_script_does_not_run(page: Page, file: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.html"
    source = file.read_text(encoding="utf-8")
    changed.write_text(source.replace("</main>", "<script>document.title = 'taken'</script></main>"), encoding="utf-8")
    page.goto(changed.as_uri())
    assert page.title() == "Pantry risk, 2025-06-23"


@pytest.mark.parametrize("width", [320, 360, 700, 768, 1440])
def test_no_width_makes_the_page_scroll_sideways(page: Page, file: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_on_a_phone_an_alert_says_what_its_figures_are(page: Page, file: Path) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(file.as_uri())
    cell = page.locator("td[data-head=Bought]").first
    assert page.evaluate("each => getComputedStyle(each, '::before').content", cell.element_handle()) == '"Bought: "'
    page.set_viewport_size({"width": 1440, "height": 800})
    assert page.evaluate("each => getComputedStyle(each, '::before').content", cell.element_handle()) == "none"


def test_its_shades_follow_the_counts(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    cells = page.locator(".heat tbody tr:first-child td")
    grounds = [
        page.evaluate("each => getComputedStyle(each).backgroundColor", each) for each in cells.element_handles()
    ]
    assert grounds[3] != grounds[4]  # an alert, and none
    assert grounds[4] == grounds[5]
