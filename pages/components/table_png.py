"""A table of results as a PNG file, in the colours of the page's heatmap."""

import io
import textwrap

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from genimage_core.figures import cell_colour, ink_on

_CELL = (104, 52)
_GAP = 3
_MARGIN = 36
_BLOCK_GAP = 34
_LINE = 22
_PAPER = (255, 255, 255)
_INK, _QUIET = "#22262B", "#6A6F75"
_TEXT, _SMALL, _LARGE = (ImageFont.load_default(size) for size in (20, 16, 26))


def table_png(
    title: str, values: pd.DataFrame, averages: pd.DataFrame, caption: str, *, percent: bool = True
) -> bytes:
    """Draw a table; averages stand apart on the right, the caption below.

    Args:
        title: above the table.
        values: the index names the rows.
        averages: the same rows; may have no columns.
        caption: below the table.
        percent: accuracies, coloured; otherwise plain whole numbers.
    """
    names = [str(name) for name in values.index]
    label_width = 24 + int(max(_TEXT.getlength(name) for name in names))
    body = label_width + _CELL[0] * (values.shape[1] + averages.shape[1]) + _BLOCK_GAP
    width = max(body, int(_LARGE.getlength(title))) + 2 * _MARGIN
    lines = textwrap.wrap(caption, (width - 2 * _MARGIN) // 8)
    top = _MARGIN + 104
    bottom = top + _CELL[1] * len(names)
    sheet = Image.new("RGB", (width, bottom + 24 + _LINE * len(lines) + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), title, font=_LARGE, fill=_INK)
    for row, name in enumerate(names):
        draw.text((_MARGIN, top + _CELL[1] * row + _CELL[1] / 2), name, font=_TEXT, fill=_INK, anchor="lm")
    left = _MARGIN + label_width
    for block in (values, averages):
        for column in block.columns:
            _column(draw, left, top, str(column), block[column].to_numpy(float), percent)
            left += _CELL[0]
        left += _BLOCK_GAP
    for number, line in enumerate(lines):
        draw.text((_MARGIN, bottom + 24 + _LINE * number), line, font=_SMALL, fill=_QUIET)
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()


def _column(
    draw: ImageDraw.ImageDraw, left: int, top: int, name: str, values: np.ndarray, percent: bool
) -> None:
    heading = "\n".join(textwrap.wrap(name, 12, break_on_hyphens=True))
    middle = left + (_CELL[0] - _GAP) / 2
    draw.multiline_text((middle, top - 8), heading, font=_SMALL, fill=_INK, anchor="md", align="center")
    for row, value in enumerate(values):
        y = top + _CELL[1] * row
        colour = cell_colour(value) if percent else _PAPER
        draw.rectangle((left, y, left + _CELL[0] - _GAP, y + _CELL[1] - _GAP), fill=colour)
        text = f"{value:.1f}" if percent else f"{value:,.0f}"
        draw.text((middle, y + (_CELL[1] - _GAP) / 2), text, font=_TEXT, fill=ink_on(colour), anchor="mm")
