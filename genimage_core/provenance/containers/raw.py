"""What every container's reader fills in, and the caps that hold for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from genimage_core.provenance.model import Kind

MAX_TEXT = 4 * 2**20
MAX_TEXTS = 64
MAX_CHUNKS = 20_000
MAX_BLOCKS = {"exif": 4 * 2**20, "xmp": 4 * 2**20, "iptc": 2**20}


@dataclass
class Raw:
    """A file's metadata before anybody reads them.

    Attributes:
        kind: the container as `sniff` names it, None for no known image.
        exif: TIFF structures without their `Exif` prefix.
        xmp: XMP packets.
        iptc: IPTC-IIM blocks.
        texts: (where, keyword, text) of PNG text chunks and of the comments of JPEG and GIF.
        tables: JPEG quantisation tables, as Pillow gives them.
        segments: names of the application segments of a JPEG, such as "Adobe" or "Ducky".
        has_alpha: whether the pixels may carry an alpha channel without loss.
        broken: what could not be read, in words.
    """

    kind: str | None
    exif: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    texts: list[tuple[Kind, str, str]] = field(default_factory=list)
    tables: dict[int, Sequence[int]] = field(default_factory=dict)
    segments: set[str] = field(default_factory=set)
    has_alpha: bool = False
    broken: list[str] = field(default_factory=list)

    def add_text(self, kind: Kind, keyword: str, text: bytes) -> bool:
        """Keep a text unless the file holds too many; say whether there was room."""
        total = sum(len(kept) for _, _, kept in self.texts) + len(text)
        if total > 2 * MAX_TEXT or len(self.texts) >= MAX_TEXTS:
            self.broken.append("more text chunks than are read")
            return False
        self.texts.append((kind, keyword, words(text)))
        return True


def words(text: bytes) -> str:
    """Decode as UTF-8, which most programs write whatever the format says, else as Latin-1."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")
