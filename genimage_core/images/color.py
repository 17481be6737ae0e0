"""Pixels of any Pillow mode and depth -> RGB of 8 bits a channel, with a sentence for each loss.

Colour profiles are not applied: detectors learn from stored values, and so do the data sets they come from.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genimage_core.images.pillow_gaps import is_unsigned, white_is_zero
from genimage_core.utils.errors import UnsupportedFormatError

RGBImage = NDArray[np.uint8]
"""An image: uint8, height x width x 3, RGB, 0..255."""

_DIRECT_MODES = {"1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV", "LA", "La", "PA", "RGBA", "RGBa", "RGBX"}
_ON_WHITE = "Transparent areas were laid on white."
_BAND = 1 << 22  # pixels
_COLOR_NAMES = {"CMYK": "CMYK", "YCbCr": "YCbCr", "HSV": "HSV"}


def stored_depth(kind: str, data: bytes, image: Image.Image) -> int:
    """Return the bits per channel that the file stores (a palette counts as 8).

    Args:
        kind: format as `image_integrity.sniff` names it.
        data: the whole file.
        image: the same file, opened by Pillow (not necessarily decoded).
    """
    if kind == "PNG":
        return 8 if data[25] == 3 else data[24]
    if kind == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, (1,))
        return 8 if image.mode == "P" else int(max(bits) if isinstance(bits, tuple) else bits)
    if kind == "AVIF" and (at := data.find(b"av1C")) >= 0:
        # AV1 codec configuration: bit 6 of its third byte says "above 8 bits", bit 5 "12 bits".
        flags = data[at + 6]
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    if kind == "HEIF" and (at := data.find(b"hvcC")) >= 0:
        return 8 + (data[at + 4 + 17] & 7)
    return 1 if image.mode == "1" else 8


def to_rgb(image: Image.Image, depth: int) -> tuple[RGBImage, bool, list[str]]:
    """Convert a decoded image to 8-bit RGB; transparency is laid on white.

    Whole-number samples of up to 16 bits are scaled from their full range. Colour of 16 bits comes from
    Pillow as the upper 8 bits. Samples of 32 bits have no agreed white: floats within 0..1 or 0..255 are
    taken at that scale, everything else is stretched from its own minimum to its own maximum.

    Args:
        image: a decoded Pillow image of any mode.
        depth: bits per channel in the file.

    Returns:
        (pixels, whether any pixel is not opaque, plain-language notes on what was done).

    Raises:
        UnsupportedFormatError: a colour mode that has no conversion (LAB, multi-band data).
    """
    notes = [f"{depth} bits per channel reduced to 8."] if depth > 8 else []
    if image.mode.startswith("I") or image.mode == "F":
        return _from_wide_grey(image, depth, notes)
    if image.mode not in _DIRECT_MODES:
        raise UnsupportedFormatError(
            f"Its colour mode {image.mode} cannot be read here.", hint="Save it as an RGB PNG or JPEG."
        )
    if image.mode in _COLOR_NAMES:
        notes.append(f"{_COLOR_NAMES[image.mode]} converted to RGB.")
    may_hide = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    if may_hide:
        _scale_transparent_color(image, depth)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    hidden = False
    for rows, band in _bands(image):
        if may_hide:
            band = _with_alpha(band)
            lowest, _ = band.getchannel("A").getextrema()
            if isinstance(lowest, int | float) and lowest < 255:
                hidden = True
                band = Image.alpha_composite(Image.new("RGBA", band.size, (255, 255, 255, 255)), band)
        pixels[rows] = np.asarray(band if band.mode == "RGB" else band.convert("RGB"))
    return pixels, hidden, [*notes, *([_ON_WHITE] if hidden else [])]


def _bands(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """The image in bands of rows: a large one is never there twice."""
    rows = max(1, _BAND // max(1, image.width))
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        whole = top == 0 and bottom == image.height
        yield slice(top, bottom), image if whole else image.crop((0, top, image.width, bottom))


def _with_alpha(image: Image.Image) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    return image if image.mode == "RGBA" else image.convert("RGBA")


def _scale_transparent_color(image: Image.Image, depth: int) -> None:
    """Bring a PNG's transparent colour to the 8-bit scale of the pixels: Pillow scales only the pixels."""
    value = image.info.get("transparency")
    if image.mode == "L" and isinstance(value, int) and depth in (2, 4):
        image.info["transparency"] = value * 255 // ((1 << depth) - 1)
    elif image.mode == "RGB" and isinstance(value, tuple) and depth == 16:
        image.info["transparency"] = tuple(part >> 8 for part in value)


def _from_wide_grey(image: Image.Image, depth: int, notes: list[str]) -> tuple[RGBImage, bool, list[str]]:
    parts = (_grey(band, image, depth) for _, band in _bands(image))
    edges = [(float(part.min()), float(part.max())) for part in parts]
    low, high = min(edge[0] for edge in edges), max(edge[1] for edge in edges)
    stretched = False
    if image.mode == "F" and low >= 0 and high <= 255:
        factor, offset = (255.0 if high <= 1 else 1.0), 0.0
    elif image.mode != "F" and depth <= 16 and low >= 0:
        factor, offset = 255.0 / ((1 << depth) - 1), 0.0
    else:
        notes.append("Its darkest value was made black and its brightest white.")
        stretched, factor, offset = True, 255.0, low
    transparent = image.info.get("transparency")
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    hidden = False
    for rows, band in _bands(image):
        part = _grey(band, image, depth)
        scaled = (part - offset) / (high - low or 1.0) * factor if stretched else part * factor
        if white_is_zero(image):
            scaled = 255.0 - scaled
        pixels[rows] = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)[..., None]
        if isinstance(transparent, int) and (gone := part == transparent).any():
            pixels[rows][gone] = 255
            hidden = True
    return pixels, hidden, [*notes, *([_ON_WHITE] if hidden else [])]


def _grey(band: Image.Image, image: Image.Image, depth: int) -> NDArray[np.floating]:
    samples = np.asarray(band)
    if is_unsigned(image):
        samples = samples.view(np.uint32)
    # Infinities become the largest float32, which leaves room for differences in float64.
    return np.nan_to_num(samples).astype(np.float64 if depth > 16 else np.float32)
