"""The PDF report: it opens, and holds verdict, scores and pictures."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pypdf
import pytest
from PIL import Image

from genimage_core.explain import Evidence
from genimage_core.explain.report.pdf import pdf_report
from genimage_core.images.load import load_image
from genimage_core.provenance import Provenance, Source
from genimage_core.verdict.labels import ANSWER_STYLES
from genimage_core.verdict.pipeline import analyse
from tests.cli.test_detect import NAMES, quick, run, save  # noqa: F401  (a fixture)
from tests.conftest import make_image

DATE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def written(
    tmp_path: Path, *, name: str = "picture.png", score: float = 0.9, **more: object
) -> pypdf.PdfReader:
    path = tmp_path / name
    Image.fromarray(make_image(1, side=96)).save(path)
    loaded = load_image(path)
    report = analyse(loaded, dict.fromkeys(NAMES, score))
    provenance = more.pop("provenance", Provenance(explanation="Nothing."))
    data = pdf_report(loaded, report, provenance, made_at=DATE, **more)  # type: ignore[arg-type]
    return pypdf.PdfReader(io.BytesIO(data), strict=True)


def text(pdf: pypdf.PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


def pictures(pdf: pypdf.PdfReader) -> int:
    return sum(len(page.images) for page in pdf.pages)


@pytest.mark.parametrize(("score", "label"), [(0.9, "ai"), (0.5, "cannot_tell"), (0.1, "photo")])
def test_verdict_scores_date_and_picture_stand_in_it(
    quick: None,  # noqa: F811
    tmp_path: Path,
    score: float,
    label: str,
) -> None:
    pdf = written(tmp_path, score=score, weights={"spec": "abc123"})
    side, words = ANSWER_STYLES[label], text(pdf)  # type: ignore[index]
    assert f"{side.shape} {side.words}" in words
    assert words.count(f"{score:.3f}") == len(NAMES)
    assert "abc123" in words
    assert "02 January 2026, 03:04 UTC" in words
    assert load_image(tmp_path / "picture.png").facts.sha256 in words.replace(" ", "")
    assert pictures(pdf) == 1


def test_evidence_stands_in_it_with_its_words(quick: None, tmp_path: Path) -> None:  # noqa: F811
    item = Evidence(
        kind="ela",
        title="Error levels",
        means="What it means.",
        misleads="When it does.",
        data={},
        images={"one": make_image(2), "grey": np.zeros((40, 60), np.uint8)},
        alts={"one": "The first", "grey": "The second"},
    )
    pdf = written(tmp_path, evidence=[item])
    assert pictures(pdf) == 3
    for words in ("Error levels", "What it means.", "When it misleads: When it does.", "The first"):
        assert words in text(pdf)


def test_what_a_file_says_is_drawn_letter_by_letter(quick: None, tmp_path: Path) -> None:  # noqa: F811
    said = Source(kind="xmp", claim="software", value="<b>**x**</b> " + "y" * 300, trusted=True)
    pdf = written(tmp_path, name="猫 <i>é.png", provenance=Provenance(sources=[said], explanation="Says so."))
    words = text(pdf)
    assert "<b>**x**</b>" in words
    assert "□ <i>é.png" in words  # no letter is lost unseen
    assert "yyy" in words


def test_it_holds_no_link_and_no_script(quick: None, tmp_path: Path) -> None:  # noqa: F811
    pdf = written(tmp_path)
    assert all("/Annots" not in page for page in pdf.pages)
    assert "/Names" not in pdf.trailer["/Root"]  # where files and scripts would stand
    assert "/JS" not in str(pdf.trailer["/Root"])


def test_the_command_writes_it(
    quick: None,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("genimage_core.explain.report.select.report_evidence", lambda *_: [])
    picture, target = save(tmp_path / "a.png"), tmp_path / "out" / "a.pdf"
    assert run("detect", str(picture), "--report", str(target)) == 0
    assert "a.png" in text(pypdf.PdfReader(target))
