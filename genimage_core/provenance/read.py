"""`read_provenance`: every reader asked in turn, their findings weighed. Broken metadata never raise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from genimage_core.provenance.containers import Raw, read_raw
from genimage_core.provenance.credential import read_credential
from genimage_core.provenance.exif import read_exif
from genimage_core.provenance.explain import (
    decide,
    edited,
    explain,
    made_by,
    note,
    outrank_names,
    said_by,
)
from genimage_core.provenance.generators import read_facts, read_generators
from genimage_core.provenance.generators.texts import collect
from genimage_core.provenance.iptc_iim import read_iim
from genimage_core.provenance.jpeg_tables import read_tables
from genimage_core.provenance.model import UNREADABLE, Finding, Kind, Provenance, finding
from genimage_core.provenance.stealth import read_stealth
from genimage_core.provenance.watermark import read_watermark
from genimage_core.provenance.xmp import read_xmp
from genimage_core.utils.errors import GenImageError

Texts = list[tuple[Kind, str, str]]


def read_provenance(
    data: bytes, name: str = "", *, pixels: NDArray[np.uint8] | None = None, trust_list: str | None = None
) -> Provenance:
    """Read what a file says of its own origin.

    Works in memory and without a network. Never raises on bad bytes: what cannot be read becomes a source
    with the claim "unreadable".

    Args:
        data: the whole file.
        name: the file's name, for the decoder's messages only.
        pixels: the decoded picture, RGB uint8 (H, W, 3), where the caller has it already; otherwise it is
            decoded here to look for watermarks.
        trust_list: root certificates (PEM) of the signers that count as known; by default the file that the
            environment variable GENIMAGE_TRUST_LIST names, without it none.
    """
    raw = read_raw(data)
    found = [finding("file", UNREADABLE, words) for words in raw.broken]
    texts: Texts = list(raw.texts)
    for kind, reader in _readers(data, raw, name, pixels, trust_list):
        try:
            findings, more = reader()
        except Exception as error:  # a reader's bug on hostile bytes must not cost the others' findings
            findings, more = [finding(kind, UNREADABLE, f"damaged ({type(error).__name__})")], []
        found += findings
        texts += more
    collected = collect(texts)
    named = read_generators(collected)
    found = outrank_names([*found, *named, *read_facts(collected, named)])
    ranked = sorted(found, key=_rank)
    unique = {f.source.model_dump_json(): f.source for f in ranked}
    return Provenance(
        ai=decide(found),
        sources=list(unique.values()),
        explanation=explain(found),
        made_by=made_by(found),
        note=note(found),
        said_by=said_by(found),
        edited=edited(found),
    )


def _readers(
    data: bytes, raw: Raw, name: str, pixels: NDArray[np.uint8] | None, trust_list: str | None
) -> list[tuple[Kind, Callable[[], tuple[list[Finding], Texts]]]]:
    return [
        ("c2pa", lambda: (read_credential(data, trust_list), [])),
        *[("xmp", partial(read_xmp, packet)) for packet in raw.xmp],
        *[("exif", partial(read_exif, block)) for block in raw.exif],
        *[("iptc", partial(read_iim, block)) for block in raw.iptc],
        ("watermark", lambda: _in_pixels(data, raw, name, pixels)),
        ("jpeg_tables", lambda: (read_tables(raw.tables, raw.segments), [])),
    ]


def _in_pixels(
    data: bytes, raw: Raw, name: str, pixels: NDArray[np.uint8] | None
) -> tuple[list[Finding], Texts]:
    """Watermarks, and texts hidden in the lowest bits."""
    if raw.kind is None and pixels is None:
        return [], []
    from genimage_core.images.load import load_alpha, load_image

    if pixels is None:
        try:
            pixels = load_image(data, name=name or None).pixels
        except GenImageError as error:
            return [finding("file", UNREADABLE, f"the picture cannot be decoded: {error.message}")], []
    try:
        hidden = (read_stealth(load_alpha(data)) if raw.has_alpha else []) or read_stealth(pixels)
    except (ValueError, OSError, SyntaxError) as error:
        return [*read_watermark(pixels), finding("watermark", UNREADABLE, error)], []
    return read_watermark(pixels), hidden


def _rank(f: Finding) -> int:
    """Trusted first, then what says AI or camera, other facts, encoders, and the unreadable last."""
    if f.source.trusted:
        return 0
    if f.ai is not None:
        return 1
    return {"jpeg_tables": 4}.get(f.source.kind, 5 if f.source.claim == UNREADABLE else 3)
