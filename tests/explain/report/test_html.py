"""The HTML report: whole, self-contained, escaped, and the same from the command line and the page."""

from __future__ import annotations

import base64
import io
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image

from genimage_core import explain
from genimage_core.explain import Evidence
from genimage_core.explain.report import select
from genimage_core.explain.report.html import PICTURE_SIDE, html_report
from genimage_core.images.load import load_image
from genimage_core.provenance import Provenance, Source
from genimage_core.utils.errors import GenImageError
from genimage_core.verdict.combine import Combination
from genimage_core.verdict.labels import ANSWER_STYLES, LABEL_STYLES, colours_css, truth_style
from genimage_core.verdict.pipeline import Report, analyse
from tests.cli.test_detect import NAMES, quick, run, save  # noqa: F401  (a fixture)
from tests.conftest import make_image


@pytest.fixture(autouse=True)
def no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence needs real networks; it has tests of its own."""
    monkeypatch.setattr("genimage_core.explain.report.select.report_evidence", lambda *_: [])


REAL_EVIDENCE = select.report_evidence
DATE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
LINK = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""")


class Tags(HTMLParser):
    """Collects tags, and finds those that are closed wrongly."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def png(image: np.ndarray, path: Path) -> Path:
    Image.fromarray(image).save(path)
    return path


def written(tmp_path: Path, *, name: str = "picture.png", score: float = 0.9, **more: object) -> str:
    loaded = load_image(png(make_image(1), tmp_path / name))
    report = analyse(loaded, dict.fromkeys(NAMES, score))
    provenance = more.pop("provenance", Provenance(explanation="Nothing."))
    return html_report(loaded, report, provenance, made_at=DATE, **more)  # type: ignore[arg-type]


def test_it_is_well_formed_and_loads_nothing(quick: None, tmp_path: Path) -> None:  # noqa: F811
    text = written(tmp_path)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert all(link.startswith("data:") for link in LINK.findall(text))
    assert "<script" not in text
    assert all(image["alt"] for image in tags.images)


@pytest.mark.parametrize(("score", "label"), [(0.9, "ai"), (0.5, "cannot_tell"), (0.1, "photo")])
def test_verdict_scores_hashes_and_date_stand_in_it(
    quick: None,  # noqa: F811
    tmp_path: Path,
    score: float,
    label: str,
) -> None:
    text = written(tmp_path, score=score, weights={"spec": "abc123"})
    side = ANSWER_STYLES[label]  # type: ignore[index]
    assert f"{side.shape}</span> {escape(side.words)}" in text
    assert text.count(f'<td class="number">{score:.3f}</td>') == len(NAMES)
    assert "abc123" in text
    assert load_image(tmp_path / "picture.png").facts.sha256 in text
    assert "02 January 2026, 03:04 UTC" in text
    assert "genimage_core" in text


def test_words_from_the_file_are_escaped(quick: None, tmp_path: Path) -> None:  # noqa: F811
    nasty = "<script>alert(1)</script>"
    provenance = Provenance(
        explanation=nasty, sources=[Source(kind="exif", claim="software", value=nasty)], note=nasty
    )
    text = written(tmp_path, name="<b>&.png", provenance=provenance)
    assert "<script>" not in text
    assert "<b>&" not in text.replace("<b>&lt;script", "")
    assert text.count("&lt;script&gt;") == 3


def test_the_picture_itself_stands_in_it(quick: None, tmp_path: Path) -> None:  # noqa: F811
    large = np.tile(make_image(2), (10, 10, 1))
    loaded = load_image(png(large, tmp_path / "large.png"))
    text = html_report(loaded, analyse(loaded, dict.fromkeys(NAMES, 0.9)), Provenance(), made_at=DATE)
    data = re.search(r'src="data:image/jpeg;base64,([^"]+)"', text)
    assert data is not None
    with Image.open(io.BytesIO(base64.b64decode(data[1]))) as shown:
        assert max(shown.size) == PICTURE_SIDE
        small = np.asarray(Image.fromarray(large).resize(shown.size), float)
        assert np.abs(np.asarray(shown, float) - small).mean() < 12
    assert "1600 × 1600 px as examined; shown smaller here" in text


def test_evidence_of_every_kind_of_picture_is_shown(quick: None, tmp_path: Path) -> None:  # noqa: F811
    images = {
        "grey": np.zeros((8, 8), np.uint8),
        "colour": np.zeros((8, 8, 3), np.uint8),
        "overlay": np.zeros((8, 8, 4), np.uint8),
    }
    alts = {name: f"A {name} map" for name in images}
    piece = Evidence("map", "Tile map", "Hot means fake.", "Text looks hot.", images, alts, {}, {})
    text = written(tmp_path, evidence=[piece])
    assert "Hot means fake." in text
    assert "Text looks hot." in text
    assert all(f'alt="A {name} map"' in text for name in images)


def test_the_command_writes_one_file_for_one_image(quick: None, tmp_path: Path) -> None:  # noqa: F811
    save(tmp_path / "red.png")
    assert run("detect", str(tmp_path / "red.png"), "--report", str(tmp_path / "out.html")) == 0
    assert "red.png" in (tmp_path / "out.html").read_text()


def test_the_command_writes_a_folder_for_many(
    quick: None,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "red.png")
    folders = [str(tmp_path / folder) for folder in ("a", "b")]
    assert run("detect", *folders, "--json", "--report", str(tmp_path / "r")) == 0
    entries = json.loads(capsys.readouterr().out)
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["red.png-2.html", "red.png.html"]
    assert all(Path(entry["report"]).is_file() for entry in entries)


def test_one_file_for_many_images_is_refused(
    quick: None,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    assert run("detect", str(tmp_path), "--report", str(tmp_path / "out.html")) == 1
    assert "Name a folder" in capsys.readouterr().err


def test_a_degradation_is_named(quick: None, tmp_path: Path) -> None:  # noqa: F811
    save(tmp_path / "a.png")
    place = tmp_path / "out.html"
    assert run("detect", str(tmp_path / "a.png"), "--degrade", "jpeg:30", "--report", str(place)) == 0
    assert "degraded first: jpeg:30" in place.read_text()


def contrast(first: str, second: str) -> float:
    """WCAG's contrast of two colours."""
    shades = []
    for colour in (first, second):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        shades.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(shades) + 0.05) / (min(shades) + 0.05)


@pytest.mark.parametrize("side", LABEL_STYLES.values(), ids=lambda side: side.short)
def test_the_inks_can_be_read_on_light_and_dark(side) -> None:  # type: ignore[no-untyped-def]
    assert contrast(side.ink_light, "#F0EEE8") >= 4.5
    assert contrast(side.ink_dark, "#1E2327") >= 4.5
    assert side.ink_light in colours_css()


def test_sides_differ_in_word_shape_and_colour() -> None:
    for part in ("words", "shape", "colour", "css"):
        assert len({getattr(side, part) for side in LABEL_STYLES.values()}) == 3
    assert truth_style(True) is LABEL_STYLES["fake"]
    assert set(LABEL_STYLES) == set(Report.model_fields["verdict"].annotation.__args__)  # type: ignore[union-attr]


def test_evidence_for_one_detector_is_drawn_for_the_weightiest(quick: None, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    asked: list[tuple[str, list[str]]] = []

    def explain_all(image, detectors, *, scores, only):  # type: ignore[no-untyped-def]
        for kind in only:
            asked.append((kind, sorted(detectors)))
            yield (
                kind,
                GenImageError("cannot be had") if kind == "ela" else Evidence(kind, "", "", "", {}, {}, {}),
            )

    monkeypatch.setattr(explain, "explain_all", explain_all)
    monkeypatch.setattr(
        select,
        "load_combination",
        lambda: Combination(
            weights={"a": 0.1, "b": 3.0, "c": 2.0}, bias=0, single={}, low=0.3, high=0.7, fitted_on=""
        ),
    )
    found = REAL_EVIDENCE(make_image(0), dict.fromkeys("abc"), {})  # type: ignore[arg-type]
    assert [item.kind for item in found] == [kind for kind in explain.list_kinds() if kind != "ela"]
    assert all(
        names == (["b", "c"] if explain.kind_info(kind).asks == "each" else ["a", "b", "c"])
        for kind, names in asked
    )
