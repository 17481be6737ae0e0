"""Results as files: JSON in the shape of the command line's `--json`, CSV with a row a picture, HTML, PDF."""

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from genimage_core.images.load import LoadedImage, load_image
from genimage_core.utils.errors import GenImageError
from pages.components.shared import detectors as models
from pages.components.shared import scoring
from pages.components.shared.pictures import Picture, n_pixels
from pages.components.shared.turns import quiet_turn

if TYPE_CHECKING:
    from genimage_core.detectors import Preprocessing
    from genimage_core.verdict.pipeline import Report


def entries(pictures: list[Picture], preprocessing: str, prior: float = 0.5) -> list[dict[str, Any]]:
    """Return one entry for each picture: its report and facts, or its error."""
    return [_entry(picture, preprocessing, prior) for picture in pictures]


def as_json(pictures: list[Picture], preprocessing: str, prior: float = 0.5) -> str:
    """Return the entries as JSON text."""
    return json.dumps(entries(pictures, preprocessing, prior), indent=2, ensure_ascii=False, default=str)


def as_csv(pictures: list[Picture], preprocessing: str, prior: float = 0.5) -> str:
    """Return the entries as CSV text, a column for each detector and each fact."""
    rows = []
    for entry in entries(pictures, preprocessing, prior):
        row = {key: value for key, value in entry.items() if not isinstance(value, (dict, list, tuple))}
        row |= {f"p_fake_{name}": p for name, p in entry.get("detectors", {}).items()}
        row |= {key: _flat(value) for key, value in entry.get("file", {}).items()}
        row["facts"] = " ".join(entry.get("facts", []))
        row["notes"] = _flat(entry.get("notes", []))
        row |= _origin(entry.get("provenance", {}))
        rows.append(row)
    return pd.DataFrame(rows).to_csv(index=False)


def as_html(picture: Picture, preprocessing: "Preprocessing", prior: float = 0.5) -> str:
    """Return the report of one picture that has been scored, with all its evidence, as one HTML file."""
    from genimage_core.explain.report.html import html_report

    image, report, more = _for_report(picture, preprocessing, prior)
    return html_report(image, report, picture.provenance, **more)


def as_pdf(picture: Picture, preprocessing: "Preprocessing", prior: float = 0.5) -> bytes:
    """Return the same report as a PDF."""
    from genimage_core.explain.report.pdf import pdf_report

    image, report, more = _for_report(picture, preprocessing, prior)
    return pdf_report(image, report, picture.provenance, **more)


def _for_report(
    picture: Picture, preprocessing: "Preprocessing", prior: float
) -> tuple[LoadedImage, "Report", dict[str, Any]]:
    """Return image, report and what else goes into it.

    Touches nothing of the visit's state: Streamlit calls it in a thread of its own, when it is asked for.
    """
    with quiet_turn(n_pixels(picture)):
        return _evidence(picture, preprocessing, prior)


def _evidence(
    picture: Picture, preprocessing: "Preprocessing", prior: float
) -> tuple[LoadedImage, "Report", dict[str, Any]]:
    from genimage_core.explain.report.select import report_evidence

    image, report = load_image(picture.data, name=picture.name), picture.reports[preprocessing]
    report = scoring.answered(picture, report, prior)
    detectors = {name: found for name, found in models.each() if not isinstance(found, GenImageError)}
    more = {
        "evidence": report_evidence(image.pixels, detectors, report.detectors),
        "weights": {name: getattr(found, "weights_id", "") for name, found in detectors.items()},
        "preprocessing": preprocessing,
    }
    return image, report, more


def _entry(picture: Picture, preprocessing: str, prior: float) -> dict[str, Any]:
    if picture.error is not None:
        return {"path": picture.name, "error": f"{picture.error.message} {picture.error.hint}".strip()}
    entry: dict[str, Any] = {"path": picture.name, "preprocessing": preprocessing}
    report = picture.reports.get(preprocessing)
    if report is not None:
        entry |= scoring.answered(picture, report, prior).as_dict()
    if picture.facts is not None:
        entry["file"] = picture.facts.as_dict()
        entry["provenance"] = picture.provenance.model_dump(mode="json")
        if picture.provenance.note:
            entry["notes"] = [*entry.get("notes", []), picture.provenance.note]
    return entry


def _origin(provenance: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that hold what a file says of itself."""
    if not provenance:
        return {}
    sources = [f"{s['kind']} {s['claim']}: {s['value']}" for s in provenance["sources"]]
    return {
        "provenance_ai": provenance["ai"],
        "provenance_says": provenance["explanation"],
        "provenance_sources": _flat(sources),
    }


def _flat(value: Any) -> Any:
    return "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
