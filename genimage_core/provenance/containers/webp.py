"""WebP's EXIF and XMP chunks, walked by hand: Pillow's decoder sets memory aside before it tells the size.

Source: the WebP container specification.
"""

from __future__ import annotations

from genimage_core.provenance.containers.raw import MAX_CHUNKS, Raw

_ALPHA_FLAG = 0x10  # of the VP8X chunk


def read(data: bytes, raw: Raw) -> None:
    """Fill in a WebP's metadata.

    Args:
        data: the whole file.
        raw: where to.
    """
    position = 12
    lossless = alpha = False
    for _ in range(MAX_CHUNKS):
        name = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        body = data[position + 8 : position + 8 + size]
        if len(name) < 4:
            break
        if name == b"EXIF":
            raw.exif.append(body)
        elif name == b"XMP ":
            raw.xmp.append(body)
        elif name == b"VP8X":
            alpha = bool(body[:1] and body[0] & _ALPHA_FLAG)
        elif name == b"VP8L":
            lossless = True
            alpha = alpha or bool(body[4:5] and body[4] & 0x10)  # the header's alpha_is_used bit
        elif name == b"ALPH":
            lossless = True  # alpha is stored without loss beside lossy colours
        position += 8 + size + size % 2
    raw.has_alpha = lossless and alpha
