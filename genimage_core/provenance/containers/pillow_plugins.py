"""JPEG, TIFF, AVIF and HEIF: their headers as Pillow's own plugins read them; no pixel is decoded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from genimage_core.provenance.containers.raw import MAX_BLOCKS, Raw
from genimage_core.provenance.containers.raw_profile import photoshop_iptc

_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_TIFF_IPTC, _TIFF_PHOTOSHOP = 33723, 34377
MAX_COMMENTS = 16


def read(data: bytes, raw: Raw) -> None:
    """Fill in what Pillow calls `exif` and `xmp`.

    Args:
        data: the whole file.
        raw: where to.
    """
    with _opened(data, raw) as image:
        if image is not None:
            _common(image, raw)


def read_jpeg(data: bytes, raw: Raw) -> None:
    """Fill in a JPEG's metadata: EXIF, XMP with its extension, Photoshop's IPTC, comments, tables.

    Args:
        data: the whole file.
        raw: where to.
    """
    with _opened(data, raw) as image:
        if image is None:
            return
        _common(image, raw)
        blocks = image.info.get("photoshop")
        raw.iptc.append(blocks.get(0x0404, b"") if isinstance(blocks, dict) else b"")
        raw.tables = dict(getattr(image, "quantization", None) or {})
        segments = [(name, bytes(body)) for name, body in getattr(image, "applist", ())]
    raw.segments = {body[:5].decode("latin-1") for name, body in segments if len(body) > 5 and name != "COM"}
    for body in [body for name, body in segments if name == "COM"][:MAX_COMMENTS]:
        raw.add_text("comment", "comment", body.rstrip(b"\0"))
    raw.xmp += _extended_xmp([body for name, body in segments if name == "APP1"])


def read_tiff(data: bytes, raw: Raw) -> None:
    """Fill in a TIFF's metadata, whose own tags are its EXIF.

    Args:
        data: the whole file.
        raw: where to.
    """
    with _opened(data, raw) as image:
        if image is None:
            return
        _common(image, raw)
        if not image.info.get("exif"):
            tags = image.getexif()
            tags.bigtiff = False  # the block's reader knows the classic form alone
            raw.exif.append(tags.tobytes())
        for tag in (_TIFF_IPTC, _TIFF_PHOTOSHOP):
            raw.iptc.append(photoshop_iptc(_as_bytes(image.tag_v2.get(tag, b""))))


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, tuple) and all(isinstance(number, int) for number in value):
        # Many writers declare the IPTC block as 32-bit numbers.
        return b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in value)
    return b""


def _common(image: Any, raw: Raw) -> None:
    raw.exif.append(image.info.get("exif") or b"")
    xmp = image.info.get("xmp") or b""
    raw.xmp.append(xmp.encode() if isinstance(xmp, str) else bytes(xmp))


@contextmanager
def _opened(data: bytes, raw: Raw) -> Iterator[Any]:
    """Open with the one plugin that fits; None where it is not installed (HEIF's is optional)."""
    assert raw.kind is not None
    Image.init()
    factory, _ = Image.OPEN.get(raw.kind, (None, None))
    if factory is None:
        yield None
        return
    with factory(io.BytesIO(data), "") as image:
        yield image


def _extended_xmp(segments: list[bytes]) -> list[bytes]:
    """Join the portions of extended XMP, by their digest and offset.

    Each is the mark, 32 hexadecimal digits of the whole's MD5, its full length, this portion's offset, data
    (Adobe's XMP specification part 3, 1.1.3.1).
    """
    portions: dict[bytes, dict[int, bytes]] = {}
    for body in segments:
        if body.startswith(_EXTENDED) and len(body) > len(_EXTENDED) + 40:
            head = body[len(_EXTENDED) :]
            portions.setdefault(head[:32], {})[int.from_bytes(head[36:40])] = head[40:]
    joined = [b"".join(part for _, part in sorted(parts.items())) for parts in portions.values()]
    return [packet for packet in joined if len(packet) <= MAX_BLOCKS["xmp"]]
