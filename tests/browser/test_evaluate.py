"""A visitor's data set is evaluated, its result stands on Benchmark, a clicked cell shows its images."""

import shutil
from pathlib import Path
from typing import Any

from tests.browser.conftest import SHOTS
from tests.browser.visitor import Visitor


def test_a_dropped_set_is_evaluated_and_a_cell_shows_its_images(
    browser: Any, server: str, toy_dataset: Path, tmp_path: Path
) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "mine"), "zip", toy_dataset))
    with Visitor(browser, f"{server}/evaluate") as visitor:
        page = visitor.page
        page.get_by_role("radio", name="A ZIP of mine").click()
        visitor.settle()
        visitor.upload(archive)
        page.get_by_role("button", name="Start").click(timeout=60_000)
        page.get_by_text("24 images scored.").wait_for(timeout=300_000)
        visitor.settle()
        visitor.shoot(SHOTS / "evaluate-finished.png")
        page.get_by_role("link", name="Compare on Benchmark").click()
        page.get_by_role("heading", name="The images behind a cell").wait_for(timeout=60_000)
        visitor.settle()
        column = page.get_by_role("combobox", name="Column")
        before = column.input_value()
        cells = page.locator(".st-key-compare_measured .nsewdrag")
        box = cells.bounding_box()
        assert box is not None
        # A corner of the lowest right cell: another than the one that is chosen at first.
        cells.click(position={"x": box["width"] * 0.97, "y": box["height"] * 0.93}, force=True)
        page.locator(".st-key-grid_behind img").first.wait_for(timeout=60_000)
        visitor.settle()
        visitor.shoot(SHOTS / "benchmark-cell.png")
        assert column.input_value() != before
        assert page.locator(".st-key-grid_behind img").count() > 0
        assert not visitor.troubles
