"""What kind of image some bytes are, and whether they reach their end.

Decoders forgive a missing end: they pad, or stop at the first whole frame. Half an image must not be judged
as if it were whole, so each container is walked here to its own end mark, without decoding a pixel. Sources:
the PNG, JPEG (ITU-T T.81, CIPA DC-007 for MPO), GIF89a, TIFF 6.0 and BigTIFF, RIFF/WebP and ISO BMFF formats.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator

from genimage_core.utils.errors import CorruptImageError

_PREFIXES = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"),
    "BMP": (b"BM",),
}
_BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_TIFF_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_JPEG_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_AGAIN = "Copy or download it again."


def _cut_short(what: str) -> CorruptImageError:
    return CorruptImageError(f"The file is cut short: {what}.", hint=_AGAIN)


def sniff(data: bytes) -> str | None:
    """Name the image format by its first bytes.

    A file that is shorter than a format's signature but agrees with it so far counts as that format.

    Returns:
        "PNG", "JPEG" (MPO too), "GIF", "TIFF", "BMP", "WEBP", "AVIF", "HEIF", or None if it is none of these.
    """
    for name, prefixes in _PREFIXES.items():
        if any(data[: len(prefix)] == prefix[: len(data)] for prefix in prefixes):
            if name == "BMP" and len(data) >= 18 and data[14] not in _BMP_HEADER_SIZES:
                continue  # two letters are a weak signature: prose may start with them
            return name
    if data[:4] == b"RIFF"[: len(data)] and data[8:12] == b"WEBP"[: max(0, len(data) - 8)]:
        return "WEBP"
    if data[4:8] == b"ftyp":
        brands = {data[i : i + 4] for i in range(8, min(len(data), int.from_bytes(data[:4]), 128), 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIF"
    return None


def header_size(kind: str, data: bytes) -> tuple[int, int] | None:
    """Read (width, height) in pixels from the header of a PNG or WebP; None for other kinds.

    These two are read here because their decoders set aside memory before they tell the size.
    """
    if kind == "PNG" and data[12:16] == b"IHDR" and len(data) >= 24:
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if kind == "WEBP" and len(data) >= 30:
        if data[12:16] == b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        if data[12:16] == b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if data[12:16] == b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None


def check_complete(kind: str, data: bytes) -> int | None:
    """Walk the file to its end mark.

    Args:
        kind: a name that `sniff` gave.
        data: the whole file.

    Returns:
        The number of frames (GIF) or pages (TIFF), None for the kinds whose decoder counts them itself.

    Raises:
        CorruptImageError: the file ends before its end mark, or (PNG) a checksum is wrong.
    """
    try:
        return _CHECKS[kind](data)
    except (IndexError, struct.error) as error:
        raise _cut_short("it stops in the middle of a block") from error


def _check_png(data: bytes) -> None:
    position = 8
    while True:
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise _cut_short("its last block is not whole")
        # Lower case marks chunks that no pixel depends on: those may be damaged.
        if name[:1].isupper() and zlib.crc32(data[position + 4 : end - 4]) != int.from_bytes(
            data[end - 4 : end]
        ):
            raise CorruptImageError("The image data are damaged: a checksum is wrong.", hint=_AGAIN)
        if name == b"IEND":
            return
        position = end


def _jpeg_end(data: bytes, position: int) -> int:
    """Return the index just after the end mark of the JPEG stream that starts at `position`."""
    position += 2
    while True:
        # Outside a segment only marker bytes are expected; inside a scan, data up to the next real marker.
        match = _JPEG_MARKER.search(data, position)
        if match is None:
            raise _cut_short("the end mark of the picture is missing")
        position = match.end()
        marker = data[position - 1]
        if marker == 0xD9:
            return position
        if marker != 0x01:
            position += int.from_bytes(data[position : position + 2])


def _mpo_offsets(data: bytes, end: int) -> Iterator[int]:
    """Yield the file offsets of the further pictures that an MPO index (APP2 "MPF") names."""
    index = data.find(b"MPF\0", 0, min(end, 1 << 20))
    if index < 0:
        return
    base = index + 4
    order = "<" if data[base : base + 2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", data, base + 4)
    (entries,) = struct.unpack_from(order + "H", data, base + first)
    for number in range(entries):
        tag, _, size, where = struct.unpack_from(order + "HHII", data, base + first + 2 + 12 * number)
        if tag == 0xB002:
            for entry in range(base + where, min(base + where + size, end - 15), 16):
                (offset,) = struct.unpack_from(order + "I", data, entry + 8)
                if offset:  # zero stands for the first picture
                    yield base + offset


def _check_jpeg(data: bytes) -> None:
    end = _jpeg_end(data, 0)
    if end == len(data):
        return  # an MPO whose further pictures were taken off whole is a plain JPEG
    try:
        offsets = list(_mpo_offsets(data, end))
    except struct.error:
        return  # a damaged index: the first picture does not need it
    for offset in offsets:
        if offset >= len(data) - 1:
            raise _cut_short("a further picture that it names is missing")
        if data[offset : offset + 2] == b"\xff\xd8":
            _jpeg_end(data, offset)


def _skip_sub_blocks(data: bytes, position: int) -> int:
    while data[position]:
        position += data[position] + 1
    return position + 1


def _color_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _check_gif(data: bytes) -> int:
    frames = 0
    position = 13 + _color_table_bytes(data[10])
    while data[position] != 0x3B:
        if data[position] == 0x2C:
            frames += 1
            position = _skip_sub_blocks(data, position + 11 + _color_table_bytes(data[position + 9]))
        elif data[position] == 0x21:
            position = _skip_sub_blocks(data, position + 2)
        else:
            position += 1  # stray bytes between blocks are common and harmless
    return frames


def _check_bmp(data: bytes) -> None:
    if struct.unpack_from("<I", data, 2)[0] > len(data):
        raise _cut_short("it is smaller than its header says")


def _check_webp(data: bytes) -> None:
    if struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        raise _cut_short("it is smaller than its header says")


def _check_tiff(data: bytes) -> int:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    count_form, entry_form, offset_form = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    (position,) = struct.unpack_from(order + offset_form, data, 8 if big else 4)
    seen: set[int] = set()
    while position and position not in seen:
        seen.add(position)
        (entries,) = struct.unpack_from(order + count_form, data, position)
        position += struct.calcsize(count_form)
        values: dict[int, tuple[int, ...]] = {}
        for _ in range(entries):
            tag, kind, count, inline = struct.unpack_from(order + entry_form, data, position)
            position += struct.calcsize("<" + entry_form)
            size = count * _TIFF_TYPE_SIZES.get(kind, 0)
            start = 0 if size <= len(inline) else struct.unpack(order + offset_form, inline)[0]
            if start + size > len(data):
                raise _cut_short("a field lies behind its end")
            # Offsets and byte counts of strips (273, 279) and tiles (324, 325).
            if tag in (273, 279, 324, 325) and kind in (3, 4, 16):
                form = f"{order}{count}{ {3: 'H', 4: 'I', 16: 'Q'}[kind] }"
                values[tag] = struct.unpack_from(form, data if start else inline, start)
        for offsets, counts in ((273, 279), (324, 325)):
            for offset, count in zip(values.get(offsets, ()), values.get(counts, ()), strict=False):
                if offset + count > len(data):
                    raise _cut_short("image data lie behind its end")
        (position,) = struct.unpack_from(order + offset_form, data, position)
    return len(seen)


def _check_boxes(data: bytes) -> None:
    position = 0
    while position < len(data):
        size, _ = struct.unpack_from(">I4s", data, position)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, position + 8)
        if size == 0:  # "to the end of the file"
            return
        if size < 8 or position + size > len(data):
            raise _cut_short("its last block is not whole")
        position += size


_CHECKS: dict[str, Callable[[bytes], int | None]] = {
    "PNG": _check_png,
    "JPEG": _check_jpeg,
    "GIF": _check_gif,
    "TIFF": _check_tiff,
    "BMP": _check_bmp,
    "WEBP": _check_webp,
    "AVIF": _check_boxes,
    "HEIF": _check_boxes,
}
