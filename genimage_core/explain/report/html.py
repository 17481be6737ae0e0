"""One self-contained HTML file about one picture: what a reader attaches, prints, or keeps.

Pictures stand in it as data URIs, and a content policy forbids it to load anything. Every word that comes
from the file is escaped by the template engine.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from genimage_core.images.facts import ImageFacts, LoadedImage
from genimage_core.provenance import Provenance
from genimage_core.utils.versions import versions
from genimage_core.verdict.combine import combine, load_combination
from genimage_core.verdict.labels import ANSWER_STYLES, LABEL_STYLES, ZONE_NAMES, colours_css, truth_style
from genimage_core.verdict.pipeline import Report

if TYPE_CHECKING:
    from jinja2 import Template

    from genimage_core.explain import Evidence

FOLDER = Path(__file__).with_name("templates")
PICTURE_SIDE = 1200
EVIDENCE_SIDE = 640
PREPROCESSINGS = {
    "tiles": "Parts of the picture were read at their own resolution.",
    "resize": "The picture was shrunk and its middle read, as in the benchmark.",
}


def html_report(
    image: LoadedImage,
    report: Report,
    provenance: Provenance,
    *,
    evidence: Iterable[Evidence] = (),
    weights: Mapping[str, str] | None = None,
    preprocessing: str = "tiles",
    applied: str = "",
    made_at: datetime | None = None,
) -> str:
    """Write one picture's report.

    Args:
        image: as it was scored, with the facts of its file.
        report: verdict, scores, notes.
        provenance: what the file says of itself.
        evidence: pictures that explain the scores, in the order shown.
        weights: detector -> sha256 of the weights that gave its score.
        preprocessing: `tiles` or `resize`.
        applied: text form of the degradation that was applied first, "" for none.
        made_at: the report's date; None: now.

    Returns:
        A whole HTML document.
    """
    borders = combine(report.detectors).borders  # fewer detectors have a band of their own
    return _template().render(
        name=image.facts.name,
        date=(made_at or datetime.now(UTC)).strftime("%d %B %Y, %H:%M UTC"),
        css=_style(),
        side=ANSWER_STYLES[report.answer],
        verdict_words=LABEL_STYLES[report.verdict].words,
        report=report,
        zones=zones(borders),
        fitted_on=load_combination().fitted_on,
        provenance=provenance,
        picture=_picture(image),
        detectors=detector_rows(report, weights or {}),
        evidence=[_evidence(item) for item in evidence],
        facts=fact_rows(image.facts),
        versions=versions(),
        preprocessing_words=PREPROCESSINGS[preprocessing],
        applied=applied,
        pc=lambda share: f"{share:.1%}",
    )


def zones(borders: Sequence[float]) -> list[dict[str, Any]]:
    """The five zones of the combined score: its name and style, its start and width in [0, 1]."""
    edges = (0.0, *borders, 1.0)
    return [
        {"name": name, "style": ANSWER_STYLES[name], "start": start, "width": end - start}
        for name, start, end in zip(ZONE_NAMES, edges, edges[1:], strict=False)
    ]


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("report.html.j2")


@cache
def _style() -> Any:
    from markupsafe import Markup

    return Markup(colours_css() + (FOLDER / "report.css").read_text(encoding="utf-8"))


def detector_rows(report: Report, weights: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a report says of each detector: title, what it reads, score, side, weights."""
    from genimage_core.detectors import detector_info

    rows = []
    for name, p_fake in report.detectors.items():
        info = detector_info(name)
        rows.append(
            {
                "title": info.title,
                "reads": info.reads,
                "p_fake": p_fake,
                "side": truth_style(p_fake >= 0.5),
                "weights": weights.get(name, ""),
            }
        )
    return rows


def _picture(image: LoadedImage) -> dict[str, str]:
    height, width = image.pixels.shape[:2]
    shrunk = max(height, width) > PICTURE_SIDE
    caption = f"{width} × {height} px as examined"
    return {
        "uri": data_uri(image.pixels, PICTURE_SIDE),
        "caption": f"{caption}; shown smaller here." if shrunk else f"{caption}.",
    }


def _evidence(item: Evidence) -> dict[str, Any]:
    pictures = [
        {"name": name, "uri": data_uri(pixels, EVIDENCE_SIDE), "alt": item.alts.get(name, name)}
        for name, pixels in item.images.items()
    ]
    words = {key: getattr(item, key) for key in ("title", "finding", "weighs", "means", "misleads")}
    return {**words, "pictures": pictures}


def fact_rows(facts: ImageFacts) -> Sequence[tuple[str, str]]:
    """What a report says of the file: names and values."""
    shown = [
        ("Name", facts.name),
        ("Format", facts.format),
        ("Size", f"{facts.width} × {facts.height} px"),
        ("Bytes", f"{facts.n_bytes:,}"),
        ("Colour", f"{facts.mode}, {facts.bit_depth} bit"),
        ("sha256", facts.sha256),
    ]
    if facts.jpeg_quality is not None:
        shown.insert(4, ("JPEG quality", f"about {facts.jpeg_quality}"))
    return shown


def data_uri(pixels: np.ndarray, side: int) -> str:
    """An image as a data URI, at most `side` px: JPEG for opaque colour, else PNG.

    Args:
        pixels: uint8 (H, W), (H, W, 3) or (H, W, 4).
        side: longest side, px.
    """
    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    kind = "JPEG" if picture.mode == "RGB" else "PNG"
    out = io.BytesIO()
    picture.save(out, kind, **({"quality": 90} if kind == "JPEG" else {}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(out.getvalue()).decode()}"
