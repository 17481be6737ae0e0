"""IPTC-IIM, the older block of press metadata that Photoshop keeps in a JPEG: credit, source, program."""

from __future__ import annotations

from genimage_core.provenance.model import GENERATOR, UNREADABLE, Finding, finding
from genimage_core.provenance.vocabulary import generator_name

# Record 2 of the IPTC Information Interchange Model 4.2.
_FIELDS = {65: "software", 110: "credit", 115: "source"}


def read_iim(block: bytes) -> list[Finding]:
    """Read an IIM block; each data set is 0x1C, record, number, two bytes of length, value."""
    found: list[Finding] = []
    position = 0
    while block[position : position + 1] == b"\x1c" and len(found) < 20:
        record, number = block[position + 1 : position + 3].ljust(2, b"\0")
        size = int.from_bytes(block[position + 3 : position + 5])
        value = block[position + 5 : position + 5 + size]
        if size >= 0x8000 or len(value) < size:
            return [*found, finding("iptc", UNREADABLE, "the IPTC block is damaged")]
        if record == 2 and number in _FIELDS and value.strip(b"\0 "):
            found.append(_field(_FIELDS[number], value.decode("utf-8", errors="replace")))
        position += 5 + size
    return found


def _field(claim: str, words: str) -> Finding:
    tool = generator_name(words)
    return finding("iptc", GENERATOR if tool else claim, words, ai=bool(tool) or None, tool=tool)
