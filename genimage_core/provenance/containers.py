"""Where metadata stand in a file: raw EXIF, XMP, IPTC, text chunks and JPEG tables, with caps on every size.

PNG and WebP are walked here, without a decoder: Pillow refuses a whole PNG for one huge text chunk, and its
WebP decoder sets memory aside before it tells the size. Sources: the PNG specification (11.3.3 textual
information, 11.3.4.6 eXIf), the WebP container specification.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from PIL import Image

from genimage_core.images.integrity import sniff

MAX_TEXT = 4 * 2**20
MAX_TEXTS = 64
MAX_CHUNKS = 20_000
MAX_BLOCKS = {"exif": 4 * 2**20, "xmp": 2**20, "iptc": 2**20}


@dataclass
class Raw:
    """A file's metadata before anybody reads them.

    Attributes:
        kind: the container as `sniff` names it, None for no known image.
        exif: the TIFF structure without its `Exif` prefix, b"" for none.
        xmp: the XMP packet, b"" for none.
        iptc: the IPTC-IIM block, b"" for none.
        texts: PNG text chunks by keyword.
        tables: JPEG quantisation tables, as Pillow gives them.
        segments: names of the application segments of a JPEG, such as "Adobe" or "Ducky".
        broken: what could not be read, in words.
    """

    kind: str | None
    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    texts: dict[str, str] = field(default_factory=dict)
    tables: dict[int, Sequence[int]] = field(default_factory=dict)
    segments: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)


def read_raw(data: bytes) -> Raw:
    """Collect a file's metadata; damage goes to `broken` and never raises.

    Args:
        data: the whole file.
    """
    raw = Raw(sniff(data) if data else None)
    try:
        if raw.kind == "PNG":
            _read_png(data, raw)
        elif raw.kind == "WEBP":
            _read_webp(data, raw)
        elif raw.kind in ("JPEG", "TIFF", "AVIF", "HEIF", "GIF"):
            _read_by_pillow(data, raw)
    except Exception as error:  # decoders raise almost anything on hostile bytes
        raw.broken.append(f"{raw.kind} metadata: {type(error).__name__}")
    for name, limit in MAX_BLOCKS.items():
        if len(getattr(raw, name)) > limit:
            raw.broken.append(f"{name.upper()}: larger than {limit >> 20} MB")
            setattr(raw, name, b"")
    raw.exif = raw.exif.removeprefix(b"Exif\0\0")
    return raw


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 8
    for _ in range(MAX_CHUNKS):
        length, name = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
        end = position + 8 + length
        if len(name) < 4 or end > len(data) or name == b"IEND":
            return
        if name in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            yield name, data[position + 8 : end]
        position = end + 4


def _read_png(data: bytes, raw: Raw) -> None:
    total = 0
    for name, body in _png_chunks(data):
        if name == b"eXIf":
            raw.exif = body
            continue
        keyword, text = b"", b""
        try:
            keyword, text = _png_text(name, body)
        except (ValueError, zlib.error) as error:
            raw.broken.append(
                f"{name.decode()} chunk {_words(keyword or body[:30].split(bytes(1))[0])}: {error}"
            )
            continue
        total += len(text)
        if total > 2 * MAX_TEXT or len(raw.texts) >= MAX_TEXTS:
            raw.broken.append("more text chunks than are read")
            return
        if keyword == b"XML:com.adobe.xmp":
            raw.xmp = text
        else:
            raw.texts.setdefault(_words(keyword), _words(text))


def _png_text(name: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Return (keyword, text) of a text chunk.

    Raises:
        ValueError: it is cut short or too large.
        zlib.error: its compressed data are damaged.
    """
    keyword, mark, rest = body.partition(b"\0")
    if not mark:
        raise ValueError("no keyword")
    if name == b"tEXt":
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


def _words(text: bytes) -> str:
    # The specification says Latin-1 for tEXt; most generators write UTF-8 into it.
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _read_webp(data: bytes, raw: Raw) -> None:
    position = 12
    for _ in range(MAX_CHUNKS):
        name, size = (
            data[position : position + 4],
            int.from_bytes(data[position + 4 : position + 8], "little"),
        )
        body = data[position + 8 : position + 8 + size]
        if len(name) < 4:
            return
        if name == b"EXIF":
            raw.exif = body
        elif name == b"XMP ":
            raw.xmp = body
        position += 8 + size + size % 2


def _read_by_pillow(data: bytes, raw: Raw) -> None:
    """Read the headers with the one plugin that fits; no pixel is decoded."""
    assert raw.kind is not None
    Image.init()
    factory, _ = Image.OPEN.get(raw.kind, (None, None))
    if factory is None:
        return  # HEIF without its optional plugin
    with factory(io.BytesIO(data), "") as image:
        raw.exif = image.info.get("exif") or (_tiff_tags(image) if raw.kind == "TIFF" else b"")
        xmp = image.info.get("xmp") or b""
        raw.xmp = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
        blocks = image.info.get("photoshop")
        raw.iptc = blocks.get(0x0404, b"") if isinstance(blocks, dict) else b""
        raw.tables = dict(getattr(image, "quantization", None) or {})
        raw.segments = {
            bytes(body[:5]).decode("latin-1") for _, body in getattr(image, "applist", ()) if len(body) > 5
        }


def _tiff_tags(image: Image.Image) -> bytes:
    """Return a TIFF file's own tags as an EXIF block."""
    tags = image.getexif()
    tags.bigtiff = False  # the block's reader knows the classic form alone
    return tags.tobytes()
