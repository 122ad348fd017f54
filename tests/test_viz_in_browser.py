"""What `kedro viz run` opens with, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from draw_pipelines import BOX, draw_boxes, kedro_viz, open_viz
from matplotlib.image import imread
from playwright.sync_api import Browser, Page

from waste_risk.pipeline_registry import register_pipelines

ROOT = Path(__file__).parents[1]
MAIN_JOB = ["data_engineering", "data_generation", "training", "validation"]
STEP = ".pipeline-node--task"
READABLE = 8.0  # CSS pixels of a name's height, on a screen of 1920 x 1080


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with kedro_viz(ROOT) as address:
        yield address


@pytest.fixture
def viz(browser: Browser, address: str) -> Iterator[Page]:
    page = open_viz(browser, address)
    yield page
    page.context.close()


def names(page: Page, kind: str) -> list[str]:
    return sorted(filter(None, page.locator(kind).all_text_contents()))


def test_the_main_job_opens_as_one_readable_box_for_each_pipeline(viz: Page) -> None:
    assert names(viz, BOX) == MAIN_JOB
    assert names(viz, STEP) == []
    for name in viz.locator(f"{BOX} .pipeline-node__text").all():
        place = name.bounding_box()
        assert place is not None
        assert place["height"] >= READABLE


def test_layers_are_shown(viz: Page) -> None:
    assert names(viz, ".pipeline-layer-name")[:3] == ["intermediate", "model_input", "model_output"]


@pytest.mark.parametrize("name", MAIN_JOB)
def test_a_box_opens_with_its_steps(viz: Page, name: str) -> None:
    viz.locator(f"{BOX}[data-id={name}]").click()
    viz.locator(STEP).first.wait_for()
    steps = [node.short_name for node in register_pipelines()[name].nodes]
    assert names(viz, STEP) == sorted(steps)


def test_the_picture_shows_all_boxes(browser: Browser, address: str, tmp_path: Path) -> None:
    draw_boxes(browser, address, tmp_path / "pipelines.png")
    height, width, _ = imread(tmp_path / "pipelines.png").shape
    assert height > width > 400
