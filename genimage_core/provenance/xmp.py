"""XMP: IPTC's digital source type, the creating program, the camera, and the history of edits.

Namespaces: Adobe's XMP specification part 2, IPTC Photo Metadata 2025.1. Parsed with defusedxml, so that
entity bombs and outside references are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from genimage_core.provenance.model import GENERATOR, NOT_CHECKED, UNREADABLE, Finding, finding
from genimage_core.provenance.tool_texts import read_tool_texts
from genimage_core.provenance.vocabulary import generator_name, source_type

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_MM = "{http://ns.adobe.com/xap/1.0/mm/}"
_EVENT = "{http://ns.adobe.com/xap/1.0/sType/ResourceEvent#}"
_RAW = "{http://ns.adobe.com/camera-raw-settings/1.0/}"
_TERMS = "{http://purl.org/dc/terms/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_AIGC = "{http://www.tc260.org.cn/ns/AIGC/1.0/}"
MAX_EVENTS = 5

Properties = dict[str, list[str]]


def read_xmp(packet: bytes) -> list[Finding]:
    """Read an XMP packet.

    Args:
        packet: the packet with or without its `xpacket` wrapper; b"" for none.
    """
    if not packet:
        return []
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring
    except ImportError:
        return [finding("xmp", NOT_CHECKED, "XMP is there, but the package defusedxml is missing")]
    try:
        root = fromstring(packet.strip(b"\0 \r\n\t"), forbid_dtd=True)
    except DefusedXmlException:
        return [finding("xmp", UNREADABLE, "the XMP packet defines entities, which no honest one does")]
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        return [finding("xmp", UNREADABLE, f"the XMP packet is damaged ({type(error).__name__})")]
    found = _properties(root)
    return [*_iptc(found), *_tools(found), *_facts(found), *_history(root), *_remote(found)]


def _descriptions(root: Element) -> Iterator[Element]:
    # Never below another description: XMP nests none that matters here, and hostile packets nest thousands.
    for graph in root.iter(f"{_RDF}RDF"):
        yield from graph.iterfind(f"{_RDF}Description")


def _properties(root: Element) -> Properties:
    """Every property of every top-level description: qualified name -> values."""
    found: Properties = {}
    for description in _descriptions(root):
        for name, value in description.attrib.items():
            found.setdefault(name, []).append(value)
        for child in description:
            items = [item.text or "" for item in child.iterfind(f"*/{_RDF}li")]
            values = items or [child.get(f"{_RDF}resource") or child.text or ""]
            found.setdefault(child.tag, []).extend(value.strip() for value in values)
    return found


def _first(found: Properties, *names: str) -> str:
    return next((v for name in names for v in found.get(name, []) if v.strip()), "").strip()


def _iptc(found: Properties) -> list[Finding]:
    # Older writers spell it DigitalSourcetype or DigitalsourceType.
    terms = [
        v for name, vs in found.items() if name.lower() == f"{_IPTC}DigitalSourceType".lower() for v in vs
    ]
    system = _first(found, f"{_IPTC}AISystemUsed")
    version = _first(found, f"{_IPTC}AISystemVersionUsed")
    tool = f"{system} {version}".strip()
    findings = [source_type("iptc", term, tool=tool) for term in terms if term.strip()]
    if tool:
        findings.append(finding("iptc", GENERATOR, f"AI system used: {tool}", ai=True, tool=tool))
    for name in ("Credit", "Source"):
        words = _first(found, f"{_PHOTOSHOP}{name}")
        if words and (known := generator_name(words)):
            findings.append(finding("iptc", GENERATOR, f"{name.lower()}: {words}", ai=True, tool=known))
    return findings


def _tools(found: Properties) -> list[Finding]:
    texts = {
        "parameters": _first(found, f"{_EXIF}UserComment"),
        "Description": _first(found, f"{_DC}description"),
        "AIGC": _first(found, f"{_AIGC}AIGC"),
    }
    findings = read_tool_texts({key: text for key, text in texts.items() if text}, "xmp")
    if words := _first(found, f"{_XMP}CreatorTool", f"{_TIFF}Software"):
        tool = generator_name(words)
        findings.append(
            finding("xmp", GENERATOR if tool else "software", words, ai=bool(tool) or None, tool=tool)
        )
    return findings


def _facts(found: Properties) -> list[Finding]:
    make, model = _first(found, f"{_TIFF}Make"), _first(found, f"{_TIFF}Model")
    camera = model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()
    facts = [
        ("camera", camera),
        ("captured", _first(found, f"{_EXIF}DateTimeOriginal", f"{_PHOTOSHOP}DateCreated")),
        ("changed", _first(found, f"{_XMP}ModifyDate")),
        ("edited", "developed with Camera Raw or Lightroom settings" if _developed(found) else ""),
    ]
    return [finding("xmp", claim, value) for claim, value in facts if value]


def _developed(found: Properties) -> bool:
    return any(name.startswith(_RAW) for name in found)


def _history(root: Element) -> list[Finding]:
    """The edits that Adobe's programs log, the first few."""
    events = []
    for event in (e for d in _descriptions(root) for e in d.iterfind(f"{_MM}History/*/{_RDF}li")):
        inner = event.find(f"{_RDF}Description")
        fields = dict(event.attrib)
        for part in (event, inner if inner is not None else event):
            fields |= dict(part.attrib) | {child.tag: child.text or "" for child in part}
        action = fields.get(f"{_EVENT}action", "")
        agent = fields.get(f"{_EVENT}softwareAgent", "")
        if action:
            events.append(f"{action} with {agent}" if agent else action)
    if not events:
        return []
    steps = list(dict.fromkeys(events))
    more = f"; {len(steps) - MAX_EVENTS} more" if len(steps) > MAX_EVENTS else ""
    return [finding("xmp", "edited", "; ".join(steps[:MAX_EVENTS]) + more)]


def _remote(found: Properties) -> list[Finding]:
    place = _first(found, f"{_TERMS}provenance")
    if not place.startswith(("http://", "https://")):
        return []
    return [finding("c2pa", NOT_CHECKED, f"a Content Credential is kept at {place}; nothing is fetched")]
