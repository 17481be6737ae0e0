"""The register of generators, and what a file's texts say by it.

To add a generator, add one entry to `local.py` or `services.py`; documentation and tests follow from it.
"""

from __future__ import annotations

from genimage_core.provenance.generators.label import read_label
from genimage_core.provenance.generators.local import LOCAL
from genimage_core.provenance.generators.register import Generator
from genimage_core.provenance.generators.services import SERVICES
from genimage_core.provenance.generators.texts import Text, Texts
from genimage_core.provenance.model import GENERATOR, Finding, finding
from genimage_core.provenance.vocabulary import source_type

GENERATORS: tuple[Generator, ...] = (*LOCAL, *SERVICES)
MAKER_FIELDS = {"software": "software", "make": "camera", "creatortool": "software"}
"""Fields in which a program or device names itself, and what they tell where they name no generator."""
_FACTS = {
    **MAKER_FIELDS, "artist": "artist", "author": "author", "credit": "credit", "source": "source",
    "title": "title", "creation time": "creation time", "comment": "comment", "description": "description",
    "imagedescription": "description",
}  # fmt: skip
_NO_FACT = {"make"}  # told with the model, as the camera


def read_generators(texts: Texts) -> list[Finding]:
    """Recognise the generators that wrote a file's texts: by their own form, by their name as its maker, by
    their credit, by a label or source type.

    Args:
        texts: all text fields.
    """
    found = [said for text in texts if (said := _by_form(text, texts) or _by_name(text))]
    found += [said for text in texts for said in read_label(text)]
    found += [source_type(text.kind, text.words) for text in texts if text.field == "digitalsourcetype"]
    return list({(f.source.kind, f.tool, f.source.claim): f for f in reversed(found)}.values())[::-1]


def read_facts(texts: Texts, named: list[Finding]) -> list[Finding]:
    """What else the texts tell of the file's making: programs, people, credits, descriptions.

    Args:
        texts: all text fields.
        named: the findings about generators, whose texts are not told again.
    """
    told = {(f.source.kind, f.source.value) for f in named if f.source.claim == GENERATOR}
    kinds = {f.source.kind for f in named if f.source.claim == GENERATOR}
    facts = []
    for text in texts:
        claim = _FACTS.get(text.field)
        said = finding(text.kind, claim or "", text.words)
        prose = text.field in ("comment", "description", "imagedescription", "title")
        if claim is None or text.field in _NO_FACT or (text.kind, said.source.value) in told:
            continue
        if not (prose and (text.kind in kinds or text.objects)):
            facts.append(said)
    return facts


def _by_form(text: Text, texts: Texts) -> Finding | None:
    for generator in GENERATORS:
        told = generator.form(text, texts) if generator.form else None
        if told is not None:
            words = f"{generator.name}: {told}" if told else generator.name
            instead = text.field if generator.loose else ""
            return finding(text.kind, GENERATOR, words, ai=True, tool=generator.name, instead=instead)
    return None


def _by_name(text: Text) -> Finding | None:
    if text.field in MAKER_FIELDS and (name := maker_name(text.words)):
        words, instead = text.words, MAKER_FIELDS[text.field]
        return finding(text.kind, GENERATOR, words, ai=True, tool=name, instead=instead)
    if text.field == "credit" and (name := credit_name(text.words)):
        edited = text.words.strip().lower().startswith("edited")
        return finding(text.kind, GENERATOR, text.words, ai=True, tool=name, part=edited)
    return None


def maker_name(value: str) -> str:
    """Name the generator that a field for a file's maker names as a whole; "" for none.

    Args:
        value: such as "DALL·E 3" or "Adobe Firefly 2.0"; "Anna Grok" or "Midjourney fan club" name none.
    """
    return next((generator.name for generator in GENERATORS if generator.made(value)), "")


def credit_name(value: str) -> str:
    """Name the generator that writes this very credit line; "" for none.

    Args:
        value: the field's text.
    """
    return next((generator.name for generator in GENERATORS if generator.credited(value)), "")


def agent_name(value: str) -> str:
    """Name the generator that a signed Content Credential names as a program; "" for none.

    Args:
        value: a software agent, or the description of an action.
    """
    return next((generator.name for generator in GENERATORS if generator.acted(value)), "")
