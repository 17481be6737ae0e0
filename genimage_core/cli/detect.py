"""The commands that need no data set: detect, degrade, detectors, tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genimage_core.cli.options import AsJson, Degrade, Detectors, PreprocessingOption, Weights
from genimage_core.utils.errors import GenImageError
from genimage_core.utils.paths import printable

if TYPE_CHECKING:
    from genimage_core.cli.report import ReportWriter


def detect(
    paths: Annotated[list[Path], typer.Argument(help="Image files or folders.")],
    detectors: Detectors = "all",
    degrade: Degrade = "none",
    preprocessing: PreprocessingOption = "tiles",
    weights: Weights = "default",
    prior: Annotated[float, typer.Option(help="How likely AI was beforehand; the odds follow it.")] = 0.5,
    report: Annotated[
        Path | None, typer.Option(help="Also write a report: FILE.html or FILE.pdf, a folder for many.")
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            help="Also write evidence: in this folder one folder of PNGs and a JSON for each image."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score images with the detectors and give a verdict on each."""
    from genimage_core.cli.report import ReportWriter
    from genimage_core.detectors import load_detector
    from genimage_core.evaluation.config import covered_detectors
    from genimage_core.evaluation.devices import weights_of
    from genimage_core.images.degradations import parse
    from genimage_core.images.load import list_image_files
    from genimage_core.verdict.answer import check_prior

    check_prior(prior)
    (names, left_out), degradation = covered_detectors(detectors, weights), parse(degrade)
    files = list_image_files(paths)
    for name in left_out:
        print(f"{name}: no weights in this set, left out", file=sys.stderr)
    # Opening a prepared network is half reading, half arithmetic: two at a time.
    with ThreadPoolExecutor(2) as pool:
        opened = pool.map(lambda name: load_detector(name, weights=weights_of(name, weights)), names)
        loaded = dict(zip(names, opened, strict=True))
    applied = "" if degrade == "none" else str(degradation)
    reports = ReportWriter(report, files, loaded, preprocessing, applied) if report else None
    bundled = weights == "default"
    settings = {
        "degradation": degradation,
        "preprocessing": preprocessing,
        "bundled": bundled,
        "prior": prior,
    }
    results = [_detect_one(path, loaded, settings, reports) for path in files]
    if explain:
        _explain(explain, files, results, loaded, degradation)
    if as_json:
        print(json.dumps(results, indent=1))
    else:
        for entry in results:
            _show(entry)
    failed = sum("error" in entry for entry in results)
    if not results:
        raise GenImageError("no image files found.", hint="Name image files or folders that hold some.")
    if failed:
        print(f"{failed} of {len(results)} files could not be read", file=sys.stderr)
        raise typer.Exit(1)


def _explain(
    out: Path,
    files: list[Path],
    results: list[dict[str, Any]],
    loaded: dict[str, Any],
    degradation: Callable[..., Any],
) -> None:
    """Write the evidence for each image that could be scored, and enter its place in the results."""
    from genimage_core.explain import explain_all
    from genimage_core.explain.export import folder_names, write_evidence
    from genimage_core.images.load import load_image

    for path, name, entry in zip(files, folder_names(files), results, strict=True):
        if "error" not in entry:
            image = degradation(load_image(path).pixels)
            entry["evidence"] = str(write_evidence(out / name, explain_all(image, loaded)))


def _detect_one(
    path: Path,
    loaded: dict[str, Any],
    settings: dict[str, Any],
    reports: ReportWriter | None = None,
) -> dict[str, Any]:
    """One file's entry; a bad file is an entry with `error`. `settings` go to `analyse_file`."""
    from genimage_core.verdict.pipeline import analyse_file

    try:
        image, origin, report = analyse_file(path, loaded, **settings)
    except GenImageError as error:
        return {"path": printable(path), "error": error.message, "hint": error.hint}
    # Outside of the `try`: a report that cannot be written is no fault of the image's.
    written = {"report": str(reports.write(path, image, report, origin))} if reports else {}
    return written | {
        "path": printable(path),
        "answer": report.answer,
        "basis": report.basis,
        "odds": None if report.odds is None else round(report.odds, 4),
        "headline": report.headline,
        "sentence": report.sentence,
        "facts": report.facts,
        "p_fake": round(report.p_fake, 4),
        "verdict": report.verdict,
        "detectors": {name: round(p, 4) for name, p in report.detectors.items()},
        "calibrated": {name: round(p, 4) for name, p in report.calibrated.items()},
        "agreement": round(report.agreement, 3),
        "image_type": report.image_type,
        "image_warnings": report.image_warnings,
        "notes": report.notes,
        "provenance": origin.model_dump(mode="json"),
    }


def _show(entry: dict[str, Any]) -> None:
    """One entry for human eyes."""
    from genimage_core.provenance import Provenance

    if "error" in entry:
        print(f"{entry['path']}: {entry['error']} {entry['hint']}", file=sys.stderr)
        return
    print(
        f"{entry['path']}: {entry['headline']}  (P(fake) {entry['p_fake']:.3f}, verdict {entry['verdict']})"
    )
    print(f"    {entry['sentence']}")
    print("    " + "  ".join(f"{name} {p:.2f}" for name, p in entry["detectors"].items()))
    for note in entry["notes"]:
        print(f"    note: {note}")
    if says := Provenance(**entry["provenance"]).summary:
        print(f"    origin: {says}")
    if "report" in entry:
        print(f"    report: {entry['report']}")


def degrade(
    source: Annotated[Path, typer.Argument(help="Image file.")],
    out: Annotated[Path, typer.Argument(help="File to write; .png keeps every value.")],
    apply: Annotated[str, typer.Option(help="Chain, e.g. lowres:112 or blur:3+jpeg:65.")],
    as_json: AsJson = False,
) -> None:
    """Degrade one image as the benchmark does."""
    from PIL import Image

    from genimage_core.images.degradations import parse
    from genimage_core.images.load import load_image

    image = parse(apply)(load_image(source).pixels)
    try:
        Image.fromarray(image).save(out)
    except (OSError, ValueError) as error:
        raise GenImageError(
            f"cannot be written ({error}).", hint="Use a writable path ending in .png.", source=str(out)
        ) from None
    facts = {"out": str(out), "applied": apply, "width": image.shape[1], "height": image.shape[0]}
    print(json.dumps(facts) if as_json else f"{out}: {apply}, {image.shape[1]} x {image.shape[0]} px")


def detectors(as_json: AsJson = False) -> None:
    """List the detectors."""
    from genimage_core.detectors import detector_info, list_detectors

    infos = [detector_info(name) for name in list_detectors()]
    if as_json:
        keys = ("name", "title", "year", "paper", "paper_url", "reads", "in_benchmark")
        print(json.dumps([{k: getattr(info, k) for k in keys} for info in infos], indent=1))
        return
    for info in infos:
        print(f"{info.name:10} {info.title:10} {info.reads}")


def tables(
    table: Annotated[str | None, typer.Argument(help="A table's id; without it, the list.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the published tables."""
    from genimage_core.results.published import list_tables, load_table

    if table is None:
        entries = [{"id": t, "title": load_table(t).title} for t in list_tables()]
        print(
            json.dumps(entries, indent=1)
            if as_json
            else "\n".join(f"{e['id']:22} {e['title']}" for e in entries)
        )
        return
    found = load_table(table)
    frame = found.flat()
    if as_json:
        rows = json.loads(frame.to_json(orient="records"))
        print(json.dumps({"id": table, "title": found.title, "source": found.source, "rows": rows}, indent=1))
    else:
        print(f"{found.title}\n{found.source}\n\n{frame.to_string(index=False)}")
