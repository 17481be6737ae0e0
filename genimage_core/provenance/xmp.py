"""XMP: IPTC's digital source type, the camera, the history of edits, and every text property.

Namespaces: Adobe's XMP specification part 2, IPTC Photo Metadata 2025.1. Parsed with defusedxml, so that
entity bombs and outside references are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from genimage_core.provenance.exif import camera_name
from genimage_core.provenance.model import (
    CAMERA,
    EXPOSURE,
    GENERATOR,
    NOT_CHECKED,
    UNREADABLE,
    Finding,
    Kind,
    finding,
)
from genimage_core.provenance.vocabulary import source_type

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
MAX_EVENTS = 5
MAX_TEXTS = 100
_NO_SYSTEM = {"", "-", "no", "none", "n/a", "false"}

Properties = dict[str, list[str]]
Texts = list[tuple[Kind, str, str]]


def read_xmp(packet: bytes) -> tuple[list[Finding], Texts]:
    """Read an XMP packet.

    Args:
        packet: the packet with or without its `xpacket` wrapper.

    Returns:
        (facts, text fields); a field is a property's local name.
    """
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring
    except ImportError:
        return [finding("xmp", NOT_CHECKED, "XMP is there, but the package defusedxml is missing")], []
    try:
        root = fromstring(packet.strip(b"\0 \r\n\t"), forbid_dtd=True)
    except DefusedXmlException:
        words = "the XMP packet defines entities, which no honest one does"
        return [finding("xmp", UNREADABLE, words)], []
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        words = f"the XMP packet is damaged ({type(error).__name__})"
        return [finding("xmp", UNREADABLE, words)], []
    found = _properties(root)
    return [*_iptc(found), *_facts(found), *_history(root), *_remote(found)], _texts(found)


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
    if system.lower() not in _NO_SYSTEM:
        findings.append(finding("iptc", GENERATOR, f"AI system used: {tool}", ai=True, tool=tool))
    return findings


def _texts(found: Properties) -> Texts:
    texts: Texts = []
    for name, values in found.items():
        space, _, local = name.rpartition("}")
        field = local.lower()
        if field == "digitalsourcetype":
            continue
        kind: Kind = "iptc" if f"{space}}}" == _PHOTOSHOP and field in ("credit", "source") else "xmp"
        texts += [(kind, field, value) for value in values if value.strip()]
    return texts[:MAX_TEXTS]


def _facts(found: Properties) -> list[Finding]:
    make, model = _first(found, f"{_TIFF}Make"), _first(found, f"{_TIFF}Model")
    facts = [
        (CAMERA, camera_name(make, model)),
        (EXPOSURE, _first(found, f"{_EXIF}ExposureTime", f"{_EXIF}FNumber")),
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
