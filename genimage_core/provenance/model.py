"""The result's form: sources with their claims, and what follows from them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

Kind = Literal["c2pa", "iptc", "exif", "xmp", "png_text", "comment", "jpeg_tables", "watermark", "file"]
MAX_VALUE = 300

UNREADABLE = "unreadable"
NOT_CHECKED = "not checked"
GENERATOR = "generator"
SOURCE_TYPE = "digital source type"
CAMERA = "camera"
EXPOSURE = "exposure"
TRUST = "trust"
UNCHECKABLE = "the signer can't be checked any more"


class Source(BaseModel):
    """One thing that a file says.

    Attributes:
        kind: where it stands: `c2pa` (Content Credentials), `iptc`, `exif`, `xmp`, `png_text` (text chunks),
            `comment` (of a JPEG or GIF), `jpeg_tables` (quantisation tables), `watermark` (in the pixels) or
            `file` (the container itself).
        claim: what it is about, such as "generator", "digital source type", "camera", "encoder"; "unreadable"
            for damaged metadata, "not checked" for what could not be verified here.
        value: what it says, at most 300 characters, without control characters; the file's own words may
            hold markup, so escape them.
        trusted: True only for a credential whose signature fits the file and whose signer is on the trust
            list. All else can be written by anybody.
    """

    kind: Kind
    claim: str
    value: str
    trusted: bool = False


class Provenance(BaseModel):
    """What a file says of its own origin.

    Attributes:
        ai: True if a generator's own metadata or an intact credential says that AI made or changed it; False
            if a trusted credential says that a camera captured it; None if nothing decides.
        sources: everything that was found, the weightiest first.
        explanation: what follows from it, in plain words.
        made_by: the generator's name where one is known, else "".
        note: where `ai` is True, the sentence that says so and that it outranks the detectors; else "".
        said_by: the weightiest source that says what `ai` is; None where that is None.
        edited: where `ai` is True, whether AI edited a picture rather than made it.
    """

    ai: bool | None = None
    sources: list[Source] = []
    explanation: str = ""
    made_by: str = ""
    note: str = ""
    said_by: Source | None = None
    edited: bool = False

    @property
    def summary(self) -> str:
        """One line of what the file says, "" where it says nothing of its origin."""
        said = [s for s in self.sources if s.kind != "jpeg_tables"]
        if not said or self.ai is not None:
            return self.explanation if self.ai is not None else ""
        return "; ".join(f"{s.claim}: {s.value}" for s in said[:4]) + " (this decides nothing)"


@dataclass(frozen=True)
class Finding:
    """A source and what it says of AI, before all findings are weighed.

    Attributes:
        source: what is shown.
        ai: True if it says that AI made it, False if it says that a camera did, None if neither.
        tool: the generator's name, "" where none is named.
        part: True if it says that AI edited a picture rather than made it.
        instead: set where it rests on a name or text that people write, too: the claim that it is shown under
            where the file holds a camera's facts, which outrank it.
    """

    source: Source
    ai: bool | None = None
    tool: str = ""
    part: bool = False
    instead: str = ""

    def as_fact(self) -> Finding:
        """The same words, which decide nothing."""
        return Finding(self.source.model_copy(update={"claim": self.instead or self.source.claim}))


def finding(
    kind: Kind,
    claim: str,
    value: object,
    *,
    trusted: bool = False,
    ai: bool | None = None,
    tool: str = "",
    part: bool = False,
    instead: str = "",
) -> Finding:
    """Make a finding, with the file's words cleaned and cut to length."""
    source = Source(kind=kind, claim=claim, value=clean(value), trusted=trusted)
    return Finding(source, ai, clean(tool, 80), part, instead)


def clean(value: object, limit: int = MAX_VALUE) -> str:
    """Text from a file as one line of at most `limit` characters, without control or direction marks."""
    text = str(value)[: 4 * limit]
    text = "".join(" " if unicodedata.category(c).startswith("C") else c for c in text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
