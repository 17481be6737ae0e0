"""All findings weighed: does the file say that AI made it, and what is that worth, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from genimage_core.provenance.model import CAMERA, EXPOSURE, TRUST, UNCHECKABLE, UNREADABLE, Finding, Source

NOTHING = (
    "The file says nothing of its origin. That proves nothing: most sites and messengers strip such data, "
    "and anybody can."
)
_UNDECIDED = (
    "Nothing in the file says that AI made it, or proves that it did not. Camera, software and dates can be "
    "written by anybody, and missing metadata prove nothing."
)
_CONTRADICTION = (
    "The file contradicts itself: a trusted Content Credential says that a camera captured it, other data in "
    "it say that AI made it. Neither is counted."
)
_CAMERA = (
    "A valid Content Credential of a known signer says that a camera captured this picture, and the file is "
    "unchanged since. It does not say what stood before the camera."
)
_INVALID = " Its Content Credential does not fit the file and is not counted."
_DAMAGED = " Some of its metadata could not be read."


def outrank_names(findings: Sequence[Finding]) -> list[Finding]:
    """Make facts of findings that rest on a name alone, where the file holds a camera's facts.

    Anybody's name, credit or job number may look like a generator's; few generators write make and exposure.

    Args:
        findings: all of a file's.
    """
    camera = any(f.source.claim in (CAMERA, EXPOSURE) for f in findings)
    return [f.as_fact() if camera and f.instead else f for f in findings]


def decide(findings: Sequence[Finding]) -> bool | None:
    """Weigh what the findings say of AI.

    Returns:
        True if one says that AI made or changed it, False if only a trusted camera's credential speaks, None
        if nothing does, or if the two contradict each other.
    """
    # A credential that names both a camera and an AI edit tells of one picture's life: AI took part in it.
    made = any(f.ai is True for f in findings)
    captured = any(f.ai is False for f in findings)
    told_by_credential = any(f.ai is True and f.source.kind == "c2pa" for f in findings)
    if made and captured and not told_by_credential:
        return None
    return True if made else (False if captured else None)


def made_by(findings: Sequence[Finding]) -> str:
    """The generator's name, from the weightiest finding that names one; "" for none."""
    named = [f for f in findings if f.ai is True and f.tool]
    return max(named, key=_weight).tool if named else ""


def said_by(findings: Sequence[Finding]) -> Source | None:
    """The weightiest source that says what `decide` found; None where that is nothing."""
    ai = decide(findings)
    saying = [f for f in findings if ai is not None and f.ai is ai]
    return max(saying, key=_weight).source if saying else None


def edited(findings: Sequence[Finding]) -> bool:
    """Whether AI is said to have edited a picture rather than made it."""
    return decide(findings) is True and all(f.part for f in findings if f.ai is True)


def claim(findings: Sequence[Finding]) -> str:
    """The file's own word on AI as a sentence without its full stop; "" unless it says that AI took part."""
    if decide(findings) is not True:
        return ""
    how = "edited with" if edited(findings) else "made by"
    return f"The file itself says it was {how} {made_by(findings) or 'generative AI'}"


def note(findings: Sequence[Finding]) -> str:
    """The sentence for a result's notes where the file's own word outranks the detectors, else ""."""
    words = claim(findings)
    return f"{words}: that outranks what the detectors make of its pixels." if words else ""


def explain(findings: Sequence[Finding]) -> str:
    """Say what follows from the findings, and what it is worth."""
    ai = decide(findings)
    if ai is True:
        best = max((f for f in findings if f.ai is True), key=_weight)
        text = f"{claim(findings)}. {_worth(best)}{_doubt(best, findings)}"
    elif ai is False:
        text = _CAMERA
    elif any(f.ai is True for f in findings):
        text = _CONTRADICTION
    else:
        said = any(f.source.kind != "jpeg_tables" and f.source.claim != UNREADABLE for f in findings)
        text = _UNDECIDED if said else NOTHING
    if any(f.source.claim == "credential" and f.source.value.startswith("invalid") for f in findings):
        text += _INVALID
    if any(f.source.claim == UNREADABLE for f in findings):
        text += _DAMAGED
    return text


def _weight(f: Finding) -> int:
    if f.source.trusted:
        return 3
    # Naming a generator outright tells more than a term that any editor can set.
    return {"c2pa": 2, "png_text": 1, "comment": 1, "exif": 1, "xmp": 1}.get(f.source.kind, 0)


def _doubt(best: Finding, findings: Sequence[Finding]) -> str:
    """Why the signer of the credential that counts can't be checked, as a sentence; "" for no such reason."""
    if best.source.kind != "c2pa":
        return ""
    told = [
        f.source.value for f in findings if f.source.claim == TRUST and f.source.value.startswith(UNCHECKABLE)
    ]
    return f" {told[0][0].upper()}{told[0][1:]}." if told else ""


def _worth(best: Finding) -> str:
    """What the weightiest finding is worth."""
    if best.source.trusted:
        return "A valid Content Credential of a known signer says so: strong evidence."
    if best.source.kind == "c2pa":
        return (
            "A Content Credential says so, and the file is unchanged since it was signed. That its signer is "
            "who it claims to be was not proven, but hardly anybody gains by claiming this falsely."
        )
    if best.source.kind == "watermark":
        return (
            "Its pixels carry that program's invisible watermark or hidden text, which others could add, "
            "though hardly anybody gains by it."
        )
    return (
        "Such metadata can be edited by anybody, but hardly anybody gains by claiming this falsely: it "
        "outweighs a guess from the pixels."
    )
