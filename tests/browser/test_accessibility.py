"""Every page through axe, light and dark: nothing that keeps people out."""

from pathlib import Path
from typing import Any

import pytest

from app import PAGES
from tests.browser.conftest import ROOT
from tests.browser.visitor import Visitor

# Addresses that show more of a page than its bare name does.
FULLER = {
    "detect": "detect?sample=picture_08.jpg",
    "degrade": "degrade?sample=picture_08.jpg&degrade=jpeg:30",
    "quiz": "quiz?seed=7",
}
ADDRESSES = (
    {Path(entry.file).stem: Path(entry.file).stem for entry in PAGES}
    | FULLER
    | {
        "home": "",
        "bias": "dataset?show=What+gives+them+away",
        "mistakes": "dataset?show=Worst+mistakes",
    }
)
SERIOUS = ("serious", "critical")
# What Streamlit itself draws so and a page cannot change, by rule and a part of the element's own markup.
STREAMLITS_OWN: tuple[tuple[str, str], ...] = ()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ADDRESSES)
def test_no_serious_finding(browser: Any, server: str, name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with Visitor(browser, f"{server}/{ADDRESSES[name]}", scheme=scheme) as visitor:
        visitor.settle()
        found = serious(axe.run(visitor.page).response["violations"])
        log = Path(ROOT / "artifacts" / f"axe-{name}-{scheme}.txt")
        log.write_text("\n".join(found))
        assert not found, found
        visitor.assert_well()


def serious(violations: list[dict[str, Any]]) -> list[str]:
    """One line for each element with a serious finding that is the pages' own."""
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
        if not any(violation["id"] == rule and part in node["html"] for rule, part in STREAMLITS_OWN)
    ]
