"""GIF's comments and XMP, block by block: Pillow keeps the first application block alone.

Sources: the GIF89a specification (24 comment extension, 26 application extension); Adobe's XMP specification
part 3, 1.1.2: the packet stands there as plain text, followed by a "magic trailer" that leads readers of
sub-blocks behind it.
"""

from __future__ import annotations

from genimage_core.provenance.containers.raw import MAX_CHUNKS, MAX_TEXT, Raw

_EXTENSION, _IMAGE, _COMMENT, _APPLICATION = 0x21, 0x2C, 0xFE, 0xFF
_XMP = b"XMP DataXMP"
_TRAILER = b"\x01\xff\xfe\xfd"


def read(data: bytes, raw: Raw) -> None:
    """Fill in a GIF's metadata.

    Args:
        data: the whole file.
        raw: where to.
    """
    position = 13 + _palette(data[10:11])
    for _ in range(MAX_CHUNKS):
        mark = data[position] if position < len(data) else 0
        if mark == _IMAGE:
            position += 10 + _palette(data[position + 9 : position + 10]) + 1
            _, position = _sub_blocks(data, position)
        elif mark == _EXTENSION:
            position = _extension(data, position, raw)
        else:
            return


def _extension(data: bytes, position: int, raw: Raw) -> int:
    label, body = data[position + 1 : position + 2], position + 2
    if label == bytes([_APPLICATION]) and data[body + 1 : body + 12] == _XMP:
        start = body + 12
        end = data.find(_TRAILER, start)
        if data[start : start + 1] in (b"<", b"\xef") and end > 0:
            raw.xmp.append(data[start:end])
            return end + 258  # 0x01, 0xFF down to 0x00, and the terminator
        packet, position = _sub_blocks(data, start)
        raw.xmp.append(packet)
        return position
    content, position = _sub_blocks(data, body)
    if label == bytes([_COMMENT]):
        raw.add_text("comment", "comment", content)
    return position


def _sub_blocks(data: bytes, position: int) -> tuple[bytes, int]:
    """Return the joined sub-blocks, at most 4 MB of them, and the position behind their terminator."""
    parts: list[bytes] = []
    total = 0
    while position < len(data) and (size := data[position]):
        total += size
        if total <= MAX_TEXT:
            parts.append(data[position + 1 : position + 1 + size])
        position += 1 + size
    return b"".join(parts), position + 1


def _palette(flags: bytes) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0
