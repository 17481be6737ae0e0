"""Where metadata stand in a file: raw EXIF, XMP, IPTC, texts and JPEG tables, with caps on every size."""

from __future__ import annotations

from genimage_core.images.integrity import sniff
from genimage_core.provenance.containers import gif, pillow_plugins, png, webp
from genimage_core.provenance.containers.raw import MAX_BLOCKS, Raw

__all__ = ["Raw", "read_raw"]

_READERS = {
    "PNG": png.read,
    "WEBP": webp.read,
    "GIF": gif.read,
    "JPEG": pillow_plugins.read_jpeg,
    "TIFF": pillow_plugins.read_tiff,
    "AVIF": pillow_plugins.read,
    "HEIF": pillow_plugins.read,
}


def read_raw(data: bytes) -> Raw:
    """Collect a file's metadata; damage goes to `broken` and never raises.

    Args:
        data: the whole file.
    """
    raw = Raw(sniff(data) if data else None)
    reader = _READERS.get(raw.kind or "")
    try:
        if reader:
            reader(data, raw)
    except Exception as error:  # decoders raise almost anything on hostile bytes
        raw.broken.append(f"{raw.kind} metadata: {type(error).__name__}")
    for name, limit in MAX_BLOCKS.items():
        blocks = getattr(raw, name)
        if any(len(block) > limit for block in blocks):
            raw.broken.append(f"{name.upper()}: larger than {limit >> 20} MB")
        setattr(raw, name, list(dict.fromkeys(block for block in blocks if 0 < len(block) <= limit)))
    raw.exif = [block.removeprefix(b"Exif\0\0") for block in raw.exif]
    return raw
