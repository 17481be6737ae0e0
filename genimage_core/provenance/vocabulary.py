"""IPTC's digital source types: the NewsCodes vocabulary (cv.iptc.org), which C2PA uses, too."""

from __future__ import annotations

import re
from dataclasses import replace

from genimage_core.provenance.model import SOURCE_TYPE, Finding, Kind, finding

_SOURCE_TYPES: dict[str, tuple[bool | None, str]] = {
    "trainedalgorithmicmedia": (True, "made by generative AI"),
    "compositewithtrainedalgorithmicmedia": (True, "edited with generative AI"),
    "trainedalgorithmicdata": (True, "data made by generative AI"),
    "compositesynthetic": (None, "composite with synthetic elements"),
    "algorithmicmedia": (None, "made by an algorithm that was not trained"),
    "algorithmicallyenhanced": (None, "enhanced by an algorithm"),
    "datadrivenmedia": (None, "made from data"),
    "digitalart": (None, "digital art by a person"),
    "digitalcreation": (None, "made by a person with software"),
    "digitalcapture": (False, "captured by a digital camera"),
    "computationalcapture": (None, "merged from several frames of a digital camera"),
    "compositecapture": (None, "composite of captured pictures"),
    "composite": (None, "composite"),
    "humanedits": (None, "edited by a person"),
    "minorhumanedits": (None, "edited by a person"),
    "negativefilm": (None, "scanned from a negative"),
    "positivefilm": (None, "scanned from a slide"),
    "print": (None, "scanned from a print"),
    "screencapture": (None, "screenshot"),
    "virtualrecording": (None, "recorded in a virtual place"),
    "softwareimage": (None, "made by software"),
}


def source_type(kind: Kind, value: str, *, trusted: bool = False, tool: str = "") -> Finding:
    """Say what an IPTC digital source type means.

    Args:
        kind: where it was found.
        value: the term or its address, such as
            `http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia`.
        trusted: whether a trusted credential holds it.
        tool: the program named with it.
    """
    term = re.split(r"[/:#]", value.strip().rstrip("/#"))[-1].strip()
    ai, words = _SOURCE_TYPES.get(term.lower(), (None, "a term that the vocabulary does not hold"))
    if ai is False and not trusted:
        ai = None  # anybody can write it, and a lie would pay
    by = f", by {tool}" if tool else ""
    said = finding(kind, SOURCE_TYPE, f"{words} ({term}){by}", trusted=trusted, ai=ai, tool=tool)
    return replace(said, part=term.lower() == "compositewithtrainedalgorithmicmedia")
