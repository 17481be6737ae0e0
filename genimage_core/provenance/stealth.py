"""Text hidden in the lowest bits of the pixels: NovelAI's and the "stealth pnginfo" extension's of web UIs.

Column by column, from the top: 15 bytes of mark, the payload's length in bits (32 bits, big endian), the
payload, packed by gzip or plain, highest bit first; in alpha, or in red, green and blue in turn. Sources:
NovelAI/novelai-image-metadata nai_meta.py, ashen-sensored/sd_webui_stealth_pnginfo.
"""

from __future__ import annotations

import json
import zlib

import numpy as np
from numpy.typing import NDArray

from genimage_core.provenance.containers.raw import MAX_TEXT, words
from genimage_core.provenance.model import Kind

_MARKS = {
    b"stealth_pnginfo": (True, False),
    b"stealth_pngcomp": (True, True),
    b"stealth_rgbinfo": (False, False),
    b"stealth_rgbcomp": (False, True),
}
_HEAD = 15 * 8 + 32  # bits
_GZIP = 31  # zlib's window bits for gzip


def read_stealth(plane: NDArray[np.uint8]) -> list[tuple[Kind, str, str]]:
    """Read the texts hidden in alpha or in the colours.

    Args:
        plane: uint8, alpha (H, W) or RGB (H, W, 3), as stored: neither turned nor laid on white.

    Returns:
        (kind, field, text): the fields of the JSON object that was hidden, or `parameters`; [] for none.

    Raises:
        ValueError: a mark is there, but its payload is cut short, damaged or too large.
    """
    head = _bytes(plane, 0, _HEAD)
    in_alpha, packed = _MARKS.get(head[:15], (None, False))
    if in_alpha is not (plane.ndim == 2):
        return []
    size = int.from_bytes(head[15:19])
    if size > 8 * MAX_TEXT or _HEAD + size > plane.size:
        raise ValueError("hidden text: cut short or too large")
    return _fields(_unpacked(_bytes(plane, _HEAD, size), packed=packed))


def _bytes(plane: NDArray[np.uint8], start: int, size: int) -> bytes:
    """Lowest bits number `start` to `start + size`, column by column, as bytes."""
    per_column = plane.size // max(1, plane.shape[1])
    if not per_column:
        return b""
    first, last = start // per_column, -(-(start + size) // per_column)
    bits = plane[:, first:last].swapaxes(0, 1).reshape(-1) & 1
    offset = start - first * per_column
    return np.packbits(bits[offset : offset + size]).tobytes()


def _unpacked(payload: bytes, *, packed: bool) -> str:
    if not packed:
        return words(payload)
    try:
        text = zlib.decompressobj(_GZIP).decompress(payload, MAX_TEXT + 1)
    except zlib.error:
        raise ValueError("hidden text: damaged") from None
    if len(text) > MAX_TEXT:
        raise ValueError(f"hidden text: larger than {MAX_TEXT >> 20} MB")
    return words(text)


def _fields(text: str) -> list[tuple[Kind, str, str]]:
    try:
        value = json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and {"Comment", "Software"} & set(value):
        return [("watermark", key, inner) for key, inner in value.items() if isinstance(inner, str)]
    return [("watermark", "parameters", text)]
