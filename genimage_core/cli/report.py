"""Where `detect --report` writes, and what goes into each report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genimage_core.cli.options import Detectors
from genimage_core.results.cards import FOLDER
from genimage_core.utils.errors import GenImageError
from genimage_core.utils.paths import safe_name

if TYPE_CHECKING:
    from genimage_core.detectors import Detector, Preprocessing
    from genimage_core.images.facts import LoadedImage
    from genimage_core.provenance import Provenance
    from genimage_core.verdict.pipeline import Report


class ReportWriter:
    """Writes one report for each image, HTML or PDF.

    Args:
        target: a file ending in .html or .pdf for a single image, otherwise a folder, made where absent, for
            HTML.
        files: the images that will come.
        detectors: name -> loaded detector.
        preprocessing: how images reach the networks.
        applied: text form of the degradation applied first, "" for none.

    Raises:
        GenImageError: one file is named for several images.
    """

    def __init__(
        self,
        target: Path,
        files: Sequence[Path],
        detectors: Mapping[str, Detector],
        preprocessing: Preprocessing,
        applied: str = "",
    ) -> None:
        self._single = target.suffix.lower() in (".html", ".htm", ".pdf") and not target.is_dir()
        self._pdf = self._single and target.suffix.lower() == ".pdf"
        if self._single and len(files) > 1:
            raise GenImageError(
                f"one report file for {len(files)} images.",
                hint="Name a folder: it gets one report for each.",
                source=str(target),
            )
        self._target, self._detectors, self._preprocessing, self._applied = (
            target,
            detectors,
            preprocessing,
            applied,
        )
        self._taken: set[str] = set()

    def write(self, path: Path, image: LoadedImage, report: Report, provenance: Provenance) -> Path:
        """Write the report of one image and return where it stands.

        Raises:
            GenImageError: the place cannot be written to.
        """
        from genimage_core.explain.report.select import report_evidence

        more: dict[str, Any] = {
            "evidence": report_evidence(image.pixels, self._detectors, report.detectors),
            "weights": {name: getattr(found, "weights_id", "") for name, found in self._detectors.items()},
            "preprocessing": self._preprocessing,
            "applied": self._applied,
        }
        data = (_pdf if self._pdf else _html)(image, report, provenance, more)
        place = self._target if self._single else self._target / self._name(path)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        except OSError as error:
            raise GenImageError(
                f"the report cannot be written ({error.strerror}).",
                hint="Name a file or folder that can be written to.",
                source=str(place),
            ) from None
        return place

    def _name(self, path: Path) -> str:
        """`photo.jpg` -> `photo.jpg.html`; a name that stands in two folders gets a number."""
        stem, number = safe_name(path.name), 2
        name = f"{stem}.html"
        while name.lower() in self._taken:
            name, number = f"{stem}-{number}.html", number + 1
        self._taken.add(name.lower())
        return name


def _html(image: LoadedImage, report: Report, provenance: Provenance, more: dict[str, Any]) -> bytes:
    from genimage_core.explain.report.html import html_report

    return html_report(image, report, provenance, **more).encode()


def _pdf(image: LoadedImage, report: Report, provenance: Provenance, more: dict[str, Any]) -> bytes:
    from genimage_core.explain.report.pdf import pdf_report

    return pdf_report(image, report, provenance, **more)


def cards(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = FOLDER,
    detectors: Detectors = "all",
) -> None:
    """Write each detector's card: its words, its figures, and metadata that the hub reads."""
    from genimage_core.detectors.registry import chosen_detectors
    from genimage_core.results.cards import write_cards

    for path in write_cards(out, chosen_detectors(detectors)):
        print(path)
