"""Bitmaps and TIFFs of every kind that the reader takes, with the picture that they hold."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.helpers.image_files import picture

HEIGHT, WIDTH = 40, 57
Pixels = NDArray[Any]


def bitmap(
    data: bytes, bits: int, palette: bytes = b"", *, compression: int = 0, top_down: bool = False,
    size: tuple[int, int] = (WIDTH, HEIGHT), masks: tuple[int, ...] = (),
) -> bytes:  # fmt: skip
    """A Windows bitmap around its rows of pixels."""
    width, height = size
    tables = struct.pack(f"<{len(masks)}I", *masks) + palette
    start = 14 + 40 + len(tables)
    sizes = (width, -height if top_down else height)
    header = struct.pack(
        "<IiiHHIIiiII", 40, *sizes, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0
    )
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + header + tables + data


def run_lengths(indices: Pixels, bits: int, rng: np.random.Generator) -> bytes:
    """Encode rows, from the bottom, in repeated and absolute runs of random lengths, odd ones among them."""
    out = bytearray()
    for row in indices[::-1].tolist():
        x = 0
        while x < len(row):
            part = row[x : x + int(rng.integers(1, 12))]
            if len(part) >= 3 and rng.random() < 0.6:
                body = bytes(part) if bits == 8 else _nibbles(part)
                out += bytes([0, len(part)]) + body + b"\0" * (len(body) % 2)
                x += len(part)
            else:
                pair = part[:2] if bits == 4 else part[:1] * 2
                length = 1
                while length < len(part) and part[length] == pair[length % 2]:
                    length += 1
                out += bytes([length, _nibbles(pair)[0] if bits == 4 else pair[0]])
                x += length
        out += b"\0\0"
    return bytes(out[:-2]) + b"\0\1"


def _nibbles(values: list[int]) -> bytes:
    padded = values + [0] * (len(values) % 2)
    return bytes(high << 4 | low for high, low in zip(padded[::2], padded[1::2], strict=True))


def run_length_bitmap(bits: int, seed: int) -> tuple[bytes, Pixels]:
    """(file, RGB pixels) of an RLE4 or RLE8 bitmap of a random size."""
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(1, 40, 2))
    palette = rng.integers(0, 256, (2**bits, 3), dtype=np.uint8)
    coarse = rng.integers(0, 2**bits, (height, -(-width // 5)))
    indices = (
        np.repeat(coarse, 5, axis=1)[:, :width] if seed % 2 else rng.integers(0, 2**bits, (height, width))
    )
    table = b"".join(bytes([b, g, r, 0]) for r, g, b in palette.tolist())
    data = run_lengths(indices, bits, rng)
    file = bitmap(data, bits, table, compression=2 if bits == 4 else 1, size=(width, height))
    return file, palette[indices]


def samples(bands: int, dtype: str) -> Pixels:
    """A picture of one to four bands over the whole range of a sample type; floats from 0 to 1."""
    rgba = np.dstack([np.asarray(picture(WIDTH, HEIGHT)), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    part = rgba[..., 1] if bands == 1 else rgba[..., :bands]
    kind = np.dtype(dtype)
    return (part / 255).astype(kind) if kind.kind == "f" else part.astype(kind) * (np.iinfo(kind).max // 255)


def tiff(data: Pixels, *, planar: bool = False, **options: Any) -> bytes:
    """A TIFF as tifffile writes it, in one plane or several."""
    import tifffile

    if planar:
        data, options["planarconfig"] = np.moveaxis(data, -1, 0).copy(), "separate"
    options.setdefault("photometric", "minisblack" if data.ndim == 2 else "rgb")
    if data.ndim == 3 and data.shape[0 if planar else -1] == 4 and options["photometric"] == "rgb":
        options["extrasamples"] = ["unassalpha"]
    out = io.BytesIO()
    tifffile.imwrite(out, data, metadata=None, **options)
    return out.getvalue()


def with_orientation(kind: str, orientation: int, **options: Any) -> bytes:
    """A file whose EXIF says how it is turned."""
    exif = Image.Exif()
    exif[274] = orientation
    out = io.BytesIO()
    picture(WIDTH, HEIGHT).save(out, kind, exif=exif.tobytes(), **options)
    return out.getvalue()
