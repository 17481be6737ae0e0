"""A4 pages with the few things that a report needs: words, a verdict, a scale, tables, pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace, TTFFont
from PIL import Image

MARGIN = 15.0
INK, QUIET, RULE = (34, 38, 43), (86, 92, 99), (217, 213, 203)
REAL, UNSURE, FAKE = (47, 134, 193), (138, 143, 148), (224, 123, 26)
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

    def gauge(self, p_fake: float, band: tuple[float, float]) -> None:
        """The combined score on its scale from 0 to 1, with the unsure band."""
        pdf, width, height = self._pdf, self._pdf.epw, 4.0
        top = pdf.get_y()
        for start, end, colour in ((0.0, band[0], REAL), (band[0], band[1], UNSURE), (band[1], 1.0, FAKE)):
            pdf.set_fill_color(*(round(255 - 0.45 * (255 - c)) for c in colour))
            pdf.rect(MARGIN + start * width, top, (end - start) * width, height, style="F")
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
