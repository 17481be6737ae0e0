"""Image files of every kind, made in memory for the tests of reading them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

SAMPLES = Path(__file__).parent.parent.parent.parent / "shared" / "samples"
HAS_AVIF = features.check("avif")


def picture(width: int = 61, height: int = 47, mode: str = "RGB") -> Image.Image:
    """Smooth colours with some texture: compresses, yet has content everywhere."""
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([x * 255 / width, y * 255 / height, (x * 7 + y * 3) % 256], axis=-1)
    return Image.fromarray(base.astype(np.uint8)).convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def raw_png(width: int, height: int, depth: int, color: int, rows: bytes, *extra: bytes) -> bytes:
    """Write a PNG by hand, for the kinds that Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(rows))
    start = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    return start + b"".join(extra) + body + png_chunk(b"IEND", b"")


def animation(kind: str, frames: int = 5) -> bytes:
    images = [picture().rotate(10 * i) for i in range(frames)]
    return encoded(images[0], kind, save_all=True, append_images=images[1:], duration=50)


def bomb(side: int = 50_000) -> bytes:
    """Return a small, complete PNG of side x side black pixels (1 bit each)."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + side // 8)
    parts = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", parts) + png_chunk(b"IEND", b"")


KINDS: dict[str, Callable[[], bytes]] = {
    "png": lambda: encoded(picture(), "PNG"),
    "jpeg": lambda: encoded(picture(), "JPEG", quality=85),
    "progressive jpeg": lambda: encoded(picture(), "JPEG", quality=85, progressive=True),
    "webp": lambda: encoded(picture(), "WEBP"),
    "lossless webp": lambda: encoded(picture(mode="RGBA"), "WEBP", lossless=True),
    "gif": lambda: animation("GIF"),
    "tiff": lambda: encoded(picture(), "TIFF"),
    "tiff lzw": lambda: encoded(picture(), "TIFF", compression="tiff_lzw"),
    "big tiff": lambda: encoded(picture(), "TIFF", big_tiff=True),
    "bmp": lambda: encoded(picture(), "BMP"),
    "mpo": lambda: encoded(picture(), "MPO", save_all=True, append_images=[picture(90, 70)]),
    "apng": lambda: animation("PNG"),
    "animated webp": lambda: animation("WEBP"),
    **({"avif": lambda: encoded(picture(), "AVIF")} if HAS_AVIF else {}),
}
