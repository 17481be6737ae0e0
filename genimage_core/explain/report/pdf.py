"""The report on one picture as a PDF: the same words and pictures as the HTML report, to attach or print."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace, TTFFont
from PIL import Image

from genimage_core.explain.report.html import PREPROCESSINGS, detector_rows, fact_rows, zones
from genimage_core.images.facts import LoadedImage
from genimage_core.provenance import Provenance
from genimage_core.utils.versions import versions
from genimage_core.verdict.combine import combine, load_combination
from genimage_core.verdict.labels import ANSWER_STYLES, LABEL_STYLES
from genimage_core.verdict.pipeline import Report

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
    preprocessing: str = "tiles",
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
    paper = Paper(f"{image.facts.name}: {report.headline}", date)
    paper.quiet("GenImage Lab · report on one picture")
    paper.title(image.facts.name)
    paper.quiet(f"Made on {date:%d %B %Y, %H:%M UTC}.")
    _top(paper, image, report, provenance)
    _scores(paper, report, weights or {}, f"{_applied(applied)}{PREPROCESSINGS[preprocessing]}")
    _origin(paper, provenance)
    _evidence(paper, list(evidence))
    paper.heading("File and software")
    paper.pairs([*fact_rows(image.facts), *versions().items()])
    paper.quiet(f"The verdict's combination was fitted on: {load_combination().fitted_on}")
    return paper.written()


def _applied(applied: str) -> str:
    return f"The picture was degraded first: {applied}. " if applied else ""


def _top(paper: Paper, image: LoadedImage, report: Report, provenance: Provenance) -> None:
    borders = combine(report.detectors).borders  # fewer detectors have a band of their own
    side, height = ANSWER_STYLES[report.answer], image.pixels.shape[0]
    caption = f"{image.pixels.shape[1]} × {height} px as examined; shown smaller here."
    paper.picture(encoded(image.pixels, PICTURE_SIDE), caption, most_high=85)
    paper.verdict(f"{side.shape} {report.headline}", side.colour, report.sentence)
    for fact in report.facts:
        paper.text(f"• {fact}")
    paper.heading("What the pixels say")
    paper.text(f"{LABEL_STYLES[report.verdict].words}. {report.explanation}")
    paper.gauge(report.p_fake, borders)
    paper.text(
        f"Combined score {report.p_fake:.2f}, from 0, like a photograph, to 1, like an AI-generated picture. "
        "The five zones: "
        + "; ".join(f"{z['style'].words} from {z['start']:.2f}" for z in zones(borders))
        + "."
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
        if item.finding:
            paper.text(f"{item.finding} {item.weighs}", bold=True)
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


MARGIN = 15.0
INK, QUIET, RULE = (34, 38, 43), (86, 92, 99), (217, 213, 203)
FONT = "DejaVu"


class Paper:
    """Pages written from top to bottom; lengths in mm.

    Args:
        title: of the document.
        date: when it was made, with its time zone.
    """

    def __init__(self, title: str, date: datetime) -> None:
        self._pdf = pdf = FPDF(format="A4")
        pdf.set_title(title)
        pdf.set_creator("GenImage Lab")
        pdf.set_lang("en-GB")
        pdf.set_creation_date(date)
        pdf.set_margin(MARGIN)
        pdf.set_auto_page_break(True, MARGIN)
        for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            pdf.add_font(FONT, style, _fonts() / file)
        pdf.add_page()

    def title(self, words: str) -> None:
        """The page's title."""
        self._write(words, 18, bold=True, line=8)

    def heading(self, words: str, *, level: int = 1) -> None:
        """A section's heading; it never stands alone at the foot of a page."""
        self._room(30)
        self._pdf.ln(3.5 if level == 1 else 2)
        self._write(words, 13 if level == 1 else 10.5, bold=True, line=6)

    def text(self, words: str, *, bold: bool = False) -> None:
        """A paragraph."""
        self._write(words, 9.5, bold=bold, line=4.8)
        self._pdf.ln(0.8)

    def quiet(self, words: str) -> None:
        """A paragraph of lesser weight."""
        self._write(words, 8, colour=QUIET, line=4.2)

    def verdict(self, words: str, colour: str, explanation: str) -> None:
        """The verdict in large letters beside a bar in its colour ("#rrggbb"), and one sentence."""
        self._room(28)
        pdf = self._pdf
        pdf.ln(2)
        top = pdf.get_y()
        pdf.set_left_margin(MARGIN + 5)
        self._write(words, 16, bold=True, line=8)
        self._write(explanation, 9.5, line=4.8)
        pdf.set_left_margin(MARGIN)
        pdf.set_fill_color(colour)
        pdf.rect(MARGIN, top, 2, pdf.get_y() - top, style="F")
        pdf.ln(2)

    def gauge(self, p_fake: float, borders: Sequence[float]) -> None:
        """The combined score on its scale from 0 to 1, with the five zones."""
        pdf, width, height = self._pdf, self._pdf.epw, 4.0
        top = pdf.get_y()
        for zone, strength in zip(zones(borders), (0.9, 0.4, 0.4, 0.4, 0.9), strict=True):
            colour = (int(zone["style"].colour[i : i + 2], 16) for i in (1, 3, 5))
            pdf.set_fill_color(*(round(255 - strength * (255 - c)) for c in colour))
            pdf.rect(MARGIN + zone["start"] * width, top, zone["width"] * width, height, style="F")
        pdf.set_fill_color(*INK)
        pdf.rect(MARGIN + p_fake * width - 0.6, top - 1, 1.2, height + 2, style="F")
        pdf.set_y(top + height + 1)
        self._font(8, colour=QUIET)
        pdf.cell(pdf.epw / 2, 4.2, "0 · photograph")
        pdf.cell(0, 4.2, "AI-generated · 1", align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pdf.ln(1)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        """A table; long words break, and the head is repeated on every page."""
        self._font(8)
        self._pdf.set_draw_color(*RULE)
        self._pdf.set_fill_color(255, 255, 255)  # the table fills its cells with the colour last used
        with self._pdf.table(
            col_widths=tuple(widths),
            text_align="LEFT",
            line_height=4.2,
            padding=0.8,
            headings_style=FontFace(emphasis="B", color=INK),
            borders_layout="HORIZONTAL_LINES",
        ) as table:
            for row in (head, *rows):
                table.row([self._drawable(word) for word in row])
        self._pdf.ln(1)

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and values, one below the other."""
        for name, value in pairs:
            self._write(f"{name}: {value}", 8, line=4.2)

    def picture(self, data: bytes, caption: str, *, most_high: float) -> None:
        """A picture as wide as the page or `most_high` mm high, with its caption."""
        with Image.open(io.BytesIO(data)) as image:
            ratio = image.width / image.height
        width = min(self._pdf.epw, most_high * ratio)
        self._room(width / ratio + 10)
        self._pdf.image(io.BytesIO(data), w=width, h=width / ratio, alt_text=self._drawable(caption))
        self._pdf.ln(1)
        self.quiet(caption)
        self._pdf.ln(1)

    def written(self) -> bytes:
        """The whole document."""
        return bytes(self._pdf.output())

    def _write(
        self,
        words: str,
        size: float,
        *,
        line: float,
        bold: bool = False,
        colour: tuple[int, int, int] = INK,
    ) -> None:
        self._font(size, bold=bold, colour=colour)
        self._pdf.multi_cell(0, line, self._drawable(words), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _font(self, size: float, *, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
        self._pdf.set_font(FONT, "B" if bold else "", size)
        self._pdf.set_text_color(*colour)

    def _room(self, height: float) -> None:
        """Begin a new page where less than so much is left of this one."""
        if self._pdf.will_page_break(height):
            self._pdf.add_page()

    def _drawable(self, words: str) -> str:
        """The words with a box in place of every letter that the font has not."""
        font = self._pdf.fonts[FONT.lower()]
        known = font.cmap if isinstance(font, TTFFont) else {}
        return "".join(c if ord(c) in known or c == "\n" else "\u25a1" for c in words)


def _fonts() -> Path:
    """The folder of the DejaVu fonts that matplotlib brings: shapes and most alphabets are in them."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"
