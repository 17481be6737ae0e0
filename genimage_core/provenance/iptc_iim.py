"""IPTC-IIM, the older block of press metadata: credit, source, program, caption, special instructions."""

from __future__ import annotations

from genimage_core.provenance.containers.raw import words
from genimage_core.provenance.model import UNREADABLE, Finding, Kind, finding

# Record 2 of the IPTC Information Interchange Model 4.2.
_FIELDS = {
    40: "instructions", 65: "software", 80: "artist", 110: "credit", 115: "source", 120: "description",
}  # fmt: skip


def read_iim(block: bytes) -> tuple[list[Finding], list[tuple[Kind, str, str]]]:
    """Read an IIM block; each data set is 0x1C, record, number, two bytes of length, value.

    Args:
        block: the block.

    Returns:
        (what is damaged, text fields).
    """
    texts: list[tuple[Kind, str, str]] = []
    position = 0
    while block[position : position + 1] == b"\x1c" and len(texts) < 20:
        record, number = block[position + 1 : position + 3].ljust(2, b"\0")
        size = int.from_bytes(block[position + 3 : position + 5])
        value = block[position + 5 : position + 5 + size]
        if size >= 0x8000 or len(value) < size:
            return [finding("iptc", UNREADABLE, "the IPTC block is damaged")], texts
        if record == 2 and number in _FIELDS and value.strip(b"\0 "):
            texts.append(("iptc", _FIELDS[number], words(value.strip(b"\0 "))))
        position += 5 + size
    return [], texts
