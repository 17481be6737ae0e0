"""The report on one picture as a PDF: the same words and pictures as the HTML report, to attach or print."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from genimage_core.analysis import Report
from genimage_core.image_facts import LoadedImage
from genimage_core.provenance import Provenance
from genimage_core.report_html import PROTOCOLS, detector_rows, fact_rows
from genimage_core.report_paper import Paper
from genimage_core.sides import SIDES
from genimage_core.verdict import combine, load_combination
from genimage_core.versions import versions

if TYPE_CHECKING:
    from genimage_core.explain import Evidence

PICTURE_SIDE = 1000
EVIDENCE_SIDE = 640
CAUTION = (
    "A score is evidence, not proof: generators that the detectors have not learned, retouching and heavy "
    "compression can all mislead them."
)


def pdf_report(
    image: LoadedImage,
    report: Report,
    provenance: Provenance,
    *,
    evidence: Iterable[Evidence] = (),
    weights: Mapping[str, str] | None = None,
    protocol: str = "native",
    applied: str = "",
    made_at: datetime | None = None,
) -> bytes:
    """Write one picture's report; the arguments are those of `report_html.html_report`.

    Returns:
        A PDF of A4 pages; it holds no link, script or file.

    Raises:
        ImportError: fpdf2 or matplotlib (for its font) is not installed.
    """
    date = (made_at or datetime.now(UTC)).astimezone(UTC)
    paper = Paper(f"{image.facts.name}: {SIDES[report.verdict].words}", date)
    paper.quiet("GenImage Lab · report on one picture")
    paper.title(image.facts.name)
    paper.quiet(f"Made on {date:%d %B %Y, %H:%M UTC}.")
    _top(paper, image, report, provenance)
    _scores(paper, report, weights or {}, f"{_applied(applied)}{PROTOCOLS[protocol]}")
    _origin(paper, provenance)
    _evidence(paper, list(evidence))
    paper.heading("File and software")
    paper.pairs([*fact_rows(image.facts), *versions().items()])
    paper.quiet(f"The verdict's combination was fitted on: {load_combination().fitted_on}")
    return paper.written()


def _applied(applied: str) -> str:
    return f"The picture was degraded first: {applied}. " if applied else ""


def _top(paper: Paper, image: LoadedImage, report: Report, provenance: Provenance) -> None:
    band = combine(report.detectors)  # fewer detectors have a band of their own
    side, height = SIDES[report.verdict], image.pixels.shape[0]
    caption = f"{image.pixels.shape[1]} × {height} px as examined; shown smaller here."
    paper.picture(encoded(image.pixels, PICTURE_SIDE), caption, most_high=85)
    paper.verdict(f"{side.shape} {side.words}", side.colour, report.explanation)
    paper.gauge(report.p_fake, (band.low, band.high))
    paper.text(
        f"Combined score {report.p_fake:.2f} (unsure from {band.low:.2f} to {band.high:.2f}), from 0, like a "
        "photograph, to 1, like an AI-generated picture."
    )
    if provenance.note:
        paper.text(provenance.note, bold=True)
    paper.heading("What must be known")
    for note in [*report.notes, CAUTION]:
        paper.text(f"• {note}")


def _scores(paper: Paper, report: Report, weights: Mapping[str, str], words: str) -> None:
    paper.heading("Each detector's score")
    paper.quiet(f"From 0, like a photograph, to 1, like an AI-generated picture. {words}")
    rows = [
        (row["title"], f"{row['p_fake']:.3f}", row["reads"], row["weights"] or "not known")
        for row in detector_rows(report, weights)
    ]
    paper.table(("Detector", "Score", "What it reads", "Weights, sha256"), rows, (24, 14, 82, 60))


def _origin(paper: Paper, provenance: Provenance) -> None:
    paper.heading("What the file itself says")
    paper.text(provenance.explanation or "Not examined.")
    rows = [(s.kind, s.claim, str(s.value), "yes" if s.trusted else "no") for s in provenance.sources]
    if rows:
        paper.table(("Where", "What", "Says", "Verified"), rows, (30, 45, 85, 20))


def _evidence(paper: Paper, items: list[Evidence]) -> None:
    if items:
        paper.heading("Evidence")
    for item in items:
        paper.heading(item.title, level=2)
        paper.text(item.means)
        paper.text(f"When it misleads: {item.misleads}")
        for name, pixels in item.images.items():
            paper.picture(encoded(pixels, EVIDENCE_SIDE), item.alts.get(name, name), most_high=75)


def encoded(pixels: np.ndarray, side: int) -> bytes:
    """An image at most `side` px, as a JPEG for opaque colour, else a PNG.

    Args:
        pixels: uint8 (H, W), (H, W, 3) or (H, W, 4).
        side: longest side, px.
    """
    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if picture.mode == "RGB":
        picture.save(out, "JPEG", quality=88)
    else:
        picture.save(out, "PNG")
    return out.getvalue()
