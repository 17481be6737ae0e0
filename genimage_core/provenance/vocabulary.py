"""Words with a fixed meaning: IPTC's digital source types, and the names of generators.

Source types: the IPTC NewsCodes vocabulary `digitalsourcetype` (cv.iptc.org), which C2PA uses too.
"""

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

# Only names that mean nothing else: "Imagen" alone is Spanish for picture, "Gemini" alone a phone.
_GENERATORS: tuple[tuple[str, str], ...] = (
    (r"midjourney", "Midjourney"),
    (r"dall[·\-\s]?e\b", "OpenAI (DALL·E)"),
    (r"chatgpt|gpt-4o|gpt-image|\bopenai\b", "OpenAI"),
    (r"adobe[ _]firefly", "Adobe Firefly"),
    (r"made with google ai|edited with google ai|google generative ai", "Google AI"),
    (r"google (imagen|gemini)|\bimagen \d|\bgemini \d|nano banana", "Google AI"),
    (r"novelai", "NovelAI"),
    (r"invokeai|invoke ?ai", "InvokeAI"),
    (r"comfyui", "ComfyUI"),
    (r"automatic1111|stable[- ]diffusion[- ]web[- ]?ui", "Stable Diffusion web UI"),
    (r"fooocus", "Fooocus"),
    (r"swarmui|stableswarm", "SwarmUI"),
    (r"draw things", "Draw Things"),
    (r"dreamstudio|stability\.?ai|stable[- ]?diffusion|\bsdxl\b", "Stable Diffusion"),
    (r"black forest labs|\bflux\.[12]\b", "FLUX (Black Forest Labs)"),
    (r"bing image creator|image creator from (microsoft )?designer", "Microsoft Image Creator"),
    (r"imagined with ai|\bmeta ai\b", "Meta AI"),
    (r"leonardo\.ai", "Leonardo.Ai"),
    (r"ideogram", "Ideogram"),
    (r"\bgrok\b|\bx\.?ai aurora\b", "xAI Grok"),
    (r"recraft", "Recraft"),
)
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), name) for pattern, name in _GENERATORS)


def generator_name(text: str) -> str:
    """Name the generator that a program's or maker's name means; "" for none.

    For fields that hold such a name only: prose may mention a generator without being its work.
    """
    return next((name for pattern, name in _PATTERNS if pattern.search(text[:500])), "")


def source_type(kind: Kind, value: str, *, trusted: bool = False, tool: str = "") -> Finding:
    """Say what an IPTC digital source type means.

    Args:
        kind: where it was found.
        value: the term or its address, such as
            `http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia`.
        trusted: whether a trusted credential holds it.
        tool: the program named with it.
    """
    term = re.split(r"[/:#]", value.strip())[-1]
    ai, words = _SOURCE_TYPES.get(term.lower(), (None, "a term that the vocabulary does not hold"))
    if ai is False and not trusted:
        ai = None  # anybody can write it, and a lie would pay
    by = f", by {tool}" if tool else ""
    said = finding(kind, SOURCE_TYPE, f"{words} ({term}){by}", trusted=trusted, ai=ai, tool=tool)
    return replace(said, part=term.lower() == "compositewithtrainedalgorithmicmedia")
