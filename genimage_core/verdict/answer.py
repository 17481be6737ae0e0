"""One answer from all that is known of a picture: what its file proves or says first, then its pixels.

The verdict (`combine.py`) says what the pixels look like. The answer puts the file's own word before it,
names what the detectors can't judge, and says how often such an answer was right on sources that no fit had
seen.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel
from scipy.special import expit, logit

from genimage_core.detectors import detector_info
from genimage_core.metrics.classification import finite_logit
from genimage_core.provenance import Provenance, Source
from genimage_core.utils.errors import PriorError
from genimage_core.verdict import combine
from genimage_core.verdict.combine import Combination, Verdict, Zone
from genimage_core.verdict.image_type import WITHHOLDS, Kind

AnswerName = Literal["file_says_ai", "ai", "leans_ai", "cannot_tell", "leans_photo", "photo", "graphic"]
Basis = Literal["file", "pixels", "none"]

ZONES: dict[Zone, AnswerName] = {
    "fake": "ai",
    "leans_fake": "leans_ai",
    "unsure": "cannot_tell",
    "leans_real": "leans_photo",
    "real": "photo",
}
HEADLINES: dict[AnswerName, str] = {
    "file_says_ai": "AI-generated: the file says so",
    "ai": "AI-generated",
    "leans_ai": "Leans AI-generated",
    "cannot_tell": "Can't tell",
    "leans_photo": "Leans photograph",
    "photo": "Photograph",
    "graphic": "A graphic: not what these detectors judge",
}
EVEN = 0.5
"""Prior: half of all pictures are AI-generated."""
_WHERE = {
    "c2pa": "Content Credentials",
    "iptc": "IPTC metadata",
    "exif": "EXIF metadata",
    "xmp": "XMP metadata",
    "png_text": "text in the file",
    "comment": "comment in the file",
    "watermark": "watermark in the pixels",
}


class Answer(BaseModel):
    """What is said of one picture in the end.

    Attributes:
        answer: one of the seven.
        basis: what it rests on: the `file`'s own word, the `pixels`, or `none` where nothing can be judged.
        odds: P(AI-generated) in [0, 1] for the given prior; None where it rests on no measured share.
        headline: the answer in a few words.
        sentence: how often such an answer was right, or what the file's word is worth.
        facts: one or two facts that carry it.
    """

    answer: AnswerName
    basis: Basis
    odds: float | None = None
    headline: str
    sentence: str
    facts: list[str] = []


def find_answer(
    provenance: Provenance,
    kind: Kind | None,
    verdict: Verdict,
    *,
    prior: float = EVEN,
    how: Combination | None = None,
    measured: bool = True,
) -> Answer:
    """Put everything together.

    Args:
        provenance: what the file says of itself.
        kind: what the picture looks like, None for nothing in particular.
        verdict: what the detectors make of its pixels.
        prior: how likely AI was before anybody looked, strictly between 0 and 1.
        how: the combination that gave the verdict; None takes the bundled one.
        measured: whether the scores come from the weights that the combination was measured with.

    Raises:
        PriorError: `prior` isn't strictly between 0 and 1.
    """
    check_prior(prior)
    if found := file_answer(provenance, verdict):
        return found
    if kind in WITHHOLDS:
        return _not_judged(kind, verdict)
    shares = (how or combine.load_combination()).zone_shares() if measured and not verdict.partial else {}
    share = shares.get(verdict.zone)
    answer = ZONES[verdict.zone]
    odds = bayes(verdict.p_fake if share is None else share.value, prior)
    return Answer(
        answer=answer,
        basis="pixels",
        odds=odds,
        headline=HEADLINES[answer],
        sentence=_frequency(verdict.zone, odds, prior, held_out=share is not None),
        facts=[_voices(verdict), "The file says nothing of AI, which proves nothing."],
    )


def check_prior(prior: float) -> None:
    """Refuse what is no prior.

    Raises:
        PriorError: it isn't strictly between 0 and 1.
    """
    if not 0 < prior < 1:
        raise PriorError(
            "the prior must lie between 0 and 1.",
            hint="Use 0.5 if AI and photographs are equally likely.",
            source=f"{prior:g}",
        )


def bayes(p_even: float, prior: float) -> float:
    """P(AI) for a prior, from the same at even odds: posterior odds are prior odds times their ratio.

    >>> round(bayes(0.9, 0.1), 2)
    0.5
    """
    return float(expit(finite_logit(p_even) + logit(prior)))


def file_answer(provenance: Provenance, verdict: Verdict | None = None) -> Answer | None:
    """The answer that the file's own word gives, whatever the pixels say; None where it says nothing of AI.

    Args:
        provenance: what the file says of itself.
        verdict: what the detectors make of its pixels, where they have answered.
    """
    if provenance.ai is None:
        return None
    source = provenance.said_by
    told = [provenance.made_by, *_worth(source)] if source else [provenance.made_by]
    within = f" ({', '.join(part for part in told if part)})" if any(told) else ""
    name: AnswerName = "file_says_ai" if provenance.ai else "photo"
    if provenance.ai:
        headline = "Edited with AI: the file says so" if provenance.edited else HEADLINES[name]
    else:
        headline = f"{HEADLINES[name]}: the file says so"
    return Answer(
        answer=name,
        basis="file",
        headline=headline + within,
        sentence=provenance.explanation,
        facts=[_pixels_alone(verdict)] if verdict else [],
    )


def _pixels_alone(verdict: Verdict) -> str:
    words = HEADLINES[ZONES[verdict.zone]]
    return f"From the pixels alone, the answer would be “{words}” (score {verdict.p_fake:.2f})."


def _worth(source: Source) -> list[str]:
    if source.kind != "c2pa":
        return [_WHERE.get(source.kind, "")]
    return [_WHERE["c2pa"], "signature valid" if source.trusted else "signature intact, signer not known"]


def _not_judged(kind: Kind | None, verdict: Verdict) -> Answer:
    what = "drawing or painting" if kind == "drawing" else "graphic"
    return Answer(
        answer="graphic",
        basis="none",
        headline=HEADLINES["graphic"].replace("graphic", what),
        sentence="The detectors were made for photographs and pictures like them. On this one, their scores "
        "are no evidence either way.",
        facts=[f"They'd score it {verdict.p_fake:.2f}.", "The file says nothing of AI."],
    )


def _frequency(zone: Zone, odds: float, prior: float, *, held_out: bool) -> str:
    real = zone in ("leans_real", "real")
    count = _of_100(1 - odds if real else odds)
    were = "photographs" if real else "AI-generated"
    given = "if half of all are" if prior == EVEN else f"if {_of_100(prior)} in 100 of all are"
    given = given.replace("all are", "all are AI-generated") if real else given
    if held_out:
        return (
            f"Of 100 pictures with this answer, {count} were {were}, {given} (measured on held-out sources)."
        )
    return (
        f"Of 100 pictures with this score, {count} should be {were}, {given} (from the score's calibration)."
    )


def _of_100(p: float) -> str:
    return "more than 99" if p > 0.995 else "fewer than 1" if p < 0.005 else f"{p * 100:.0f}"


def _voices(verdict: Verdict) -> str:
    count = len(verdict.calibrated)
    side = "AI-generated" if verdict.p_fake >= 0.5 else "photograph"
    if count == 1:
        return f"The one detector asked leans {side}."
    same = round(verdict.agreement * count)
    decide = combine.decisive() & set(verdict.calibrated)
    if len(decide) == 1 and not verdict.partial:
        name = next(iter(decide))
        agree = same - ((verdict.calibrated[name] > 0.5) == (verdict.p_fake > 0.5))
        return (
            f"{detector_info(name).title} decides: {verdict.p_fake:.2f}. Of the other {count - 1} detectors, "
            f"{agree or 'none'} {'lean' if agree > 1 else 'leans'} the same way."
        )
    return f"{same} of {count} detectors lean {side}; together they score {verdict.p_fake:.2f}."
