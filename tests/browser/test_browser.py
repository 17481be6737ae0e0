"""The app as a visitor meets it: a real server, a real browser, the bundled weights."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from genimage_core.verdict.answer import HEADLINES
from tests.browser.conftest import ROOT, SHOTS
from tests.browser.visitor import ALL, Visitor

PAGES = ("GenImage Lab", "Detect", "Degrade", "Can you tell?", "Benchmark", "Data set", "About")
SCREENS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
SAMPLES = ROOT / "assets" / "samples"


@pytest.fixture(scope="module")
def photograph() -> Path:
    found = sorted(SAMPLES.glob("*.jpg"))
    if not found:
        pytest.skip("assets/samples holds no photograph")
    return found[0]


def test_the_first_visitor_may_follow_a_link_to_any_page(browser: Any, server: str) -> None:
    """Must stay the first test here: it holds for a server that has served nothing yet."""
    with Visitor(browser, f"{server}/benchmark?table=scale") as visitor:
        assert visitor.page.locator(".st-key-brand").is_visible()
        assert visitor.page.locator("h3").first.inner_text() == "Number of training images and classes"
        visitor.assert_well()


def test_upload_gives_all_scores_and_a_verdict(browser: Any, server: str, photograph: Path) -> None:
    with Visitor(browser, f"{server}/detect") as visitor:
        visitor.upload(photograph)
        visitor.wait_for_scores()
        visitor.settle()
        assert len(visitor.scores()) == ALL
        words = visitor.page.locator(".gl-words").inner_text()[1:].strip()  # a shape, then words
        assert words in HEADLINES.values()
        visitor.assert_well()


def test_results_download_as_json(browser: Any, server: str, photograph: Path) -> None:
    with Visitor(browser, f"{server}/detect") as visitor:
        visitor.upload(photograph)
        visitor.wait_for_scores()
        visitor.settle()
        with visitor.page.expect_download() as download:
            visitor.page.get_by_role("button", name="Results as JSON").click()
        (entry,) = json.loads(Path(download.value.path()).read_text())
        assert entry["path"] == photograph.name
        assert len(entry["detectors"]) == ALL


def test_a_moved_slider_moves_the_scores(browser: Any, server: str, photograph: Path) -> None:
    with Visitor(browser, f"{server}/detect") as visitor:
        visitor.upload(photograph)
        visitor.wait_for_scores()
        visitor.go("Degrade")
        before = visitor.scores()
        slider = visitor.page.locator(".st-key-blur [role=slider], .st-key-blur input[type=range]").first
        slider.focus()
        for _ in range(6):
            slider.press("ArrowRight")
        visitor.page.wait_for_timeout(500)
        visitor.settle()
        assert "--degrade blur:3" in visitor.page.locator("[data-testid=stMain]").inner_text()
        assert visitor.scores() != before
        visitor.assert_well()


def test_the_divider_moves_by_keyboard(browser: Any, server: str, photograph: Path) -> None:
    with Visitor(browser, f"{server}/detect") as visitor:
        visitor.upload(photograph)
        visitor.wait_for_scores()
        visitor.go("Degrade")
        divider = visitor.page.get_by_label("Divider between before and after")
        divider.focus()
        divider.press("End")
        assert visitor.page.locator(".frame").evaluate("f => f.style.getPropertyValue('--at')") == "100%"
        visitor.assert_well()


def test_a_pasted_picture_is_taken(browser: Any, server: str, photograph: Path) -> None:
    with Visitor(browser, f"{server}/detect") as visitor:
        visitor.page.evaluate(
            """async () => {
              const canvas = Object.assign(document.createElement("canvas"), { width: 200, height: 150 });
              canvas.getContext("2d").fillRect(20, 20, 60, 60);
              const blob = await new Promise((done) => canvas.toBlob(done));
              const clipboardData = new DataTransfer();
              clipboardData.items.add(new File([blob], "pasted.png", { type: "image/png" }));
              document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
            }"""
        )
        visitor.wait_for_scores()
        assert "pasted.png" in visitor.page.locator("[data-testid=stMain]").inner_text()
        visitor.assert_well()


def test_bad_files_are_named_and_the_good_one_is_scored(
    browser: Any, server: str, photograph: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.png").write_text("a text that calls itself a picture")
    (tmp_path / "cut.jpg").write_bytes(photograph.read_bytes()[:2000])
    (tmp_path / "nothing.gif").write_bytes(b"")
    with Visitor(browser, f"{server}/detect") as visitor:
        visitor.upload(photograph, *sorted(tmp_path.iterdir()))
        visitor.wait_for_scores()
        visitor.settle()
        text = visitor.page.locator("[data-testid=stMain]").inner_text()
        assert "3 files could not be read" in text
        assert all(path.name in text for path in tmp_path.iterdir())
        visitor.assert_well()


def test_a_shared_view_of_degrade_opens_as_it_was(browser: Any, server: str) -> None:
    address = f"{server}/degrade?sample=picture_08.jpg&degrade=blur:2%2Bjpeg:65"
    with Visitor(browser, address) as visitor:
        visitor.wait_for_scores()
        visitor.settle()
        assert "--degrade blur:2+jpeg:65" in visitor.page.locator("[data-testid=stMain]").inner_text()
        assert "sample=picture_08.jpg" in visitor.page.url
        visitor.assert_well()


def test_a_picture_is_guessed_by_keyboard(browser: Any, server: str) -> None:
    with Visitor(browser, f"{server}/quiz?seed=7") as visitor:
        button = visitor.page.get_by_role("button", name="AI-generated")
        place = button.bounding_box()
        button.focus()
        button.press("Enter")
        visitor.page.get_by_role("button", name="Next picture").wait_for()
        visitor.wait_for_rows()
        visitor.page.get_by_role("button", name="Next picture").press("Enter")
        button.wait_for()
        visitor.settle()
        assert button.bounding_box() == place  # nothing jumps from one picture to the next
        visitor.assert_well()


def test_a_table_can_be_linked_to(browser: Any, server: str) -> None:
    with Visitor(browser, f"{server}/benchmark?table=task2_degradations") as visitor:
        assert "tested on degraded images" in visitor.page.locator("h3").first.inner_text()
        assert "table=task2_degradations" in visitor.page.url
        visitor.page.get_by_role("tab", name="As text").click()
        assert visitor.page.locator("table").first.inner_text().count("GramNet") == 1


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_every_page_on_every_screen(
    browser: Any, server: str, tmp_path: Path, width: int, scheme: str
) -> None:
    picture = tmp_path / "picture.jpg"
    with Image.open(SAMPLES / "picture_08.jpg") as image:
        image.save(picture)
    with Visitor(browser, f"{server}/detect", width=width, scheme=scheme) as visitor:
        visitor.shoot(SHOTS / f"welcome-{scheme}-{width}.png")
        visitor.upload(picture)
        visitor.wait_for_scores()
        for title in PAGES:
            visitor.go(title)
            if title == "Degrade":
                visitor.page.get_by_role("button", name="JPEG 30").or_(
                    visitor.page.get_by_role("radio", name="JPEG 30")
                ).first.click()
                visitor.page.wait_for_timeout(500)
                visitor.settle()
            name = re.sub(r"\W+", "-", title.lower()).strip("-")
            visitor.shoot(SHOTS / f"{name}-{scheme}-{width}.png")
            visitor.assert_well()
