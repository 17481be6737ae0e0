"""PNG chunks that hold metadata, walked without a decoder.

Pillow refuses a whole PNG for one huge text chunk. Sources: the PNG specification (11.3.3 textual
information, 11.3.4.6 eXIf). `comf` is ComfyUI's private chunk in animated PNG,
`keyword NUL text` like tEXt (comfy_extras/nodes_images.py).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from genimage_core.provenance.containers.raw import MAX_CHUNKS, MAX_TEXT, Raw, words
from genimage_core.provenance.containers.raw_profile import read_profile

_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"comf")
_ALPHA_COLOURS = (4, 6)  # grey or RGB with alpha (11.2.1 IHDR)


def read(data: bytes, raw: Raw) -> None:
    """Fill in a PNG's metadata.

    Args:
        data: the whole file.
        raw: where to.
    """
    raw.has_alpha = data[25:26] in [bytes([colour]) for colour in _ALPHA_COLOURS]
    for name, body in _chunks(data):
        if name == b"eXIf":
            raw.exif.append(body)
            continue
        try:
            keyword, text = _text(name, body)
        except (ValueError, zlib.error) as error:
            raw.broken.append(f"{name.decode()} chunk {words(body[:30].split(bytes(1))[0])}: {error}")
            continue
        if keyword == b"XML:com.adobe.xmp":
            raw.xmp.append(text)
        elif not read_profile(words(keyword), text, raw) and not raw.add_text(
            "png_text", words(keyword), text
        ):
            return


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 8
    for _ in range(MAX_CHUNKS):
        length, name = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
        end = position + 8 + length
        if len(name) < 4 or end > len(data) or name == b"IEND":
            return
        if name in _TEXTS or name == b"eXIf":
            yield name, data[position + 8 : end]
        position = end + 4


def _text(name: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Return (keyword, text) of a text chunk.

    Raises:
        ValueError: it is cut short or too large.
        zlib.error: its compressed data are damaged.
    """
    keyword, mark, rest = body.partition(b"\0")
    if not mark:
        raise ValueError("no keyword")
    if name in (b"tEXt", b"comf"):
        text = rest
    elif name == b"zTXt":
        text = _inflate(rest[1:])
    else:
        packed = rest[:1] == b"\1"
        text = rest[2:].split(b"\0", 2)[-1]  # behind the language and the translated keyword
        text = _inflate(text) if packed else text
    if len(text) > MAX_TEXT:
        raise ValueError(f"larger than {MAX_TEXT >> 20} MB")
    return keyword, text


def _inflate(packed: bytes) -> bytes:
    # One byte more than allowed shows that there is more, whatever size it would unpack to.
    return zlib.decompressobj().decompress(packed, MAX_TEXT + 1)
