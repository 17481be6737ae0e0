"""The demo's three calls: a file or a name in, JSON-ready answers out. Pages and API share them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import numpy as np

from genimage_core import api
from genimage_core.images.degradations import parse
from genimage_core.images.load import load_image
from genimage_core.results.published import list_tables, load_table, recomputed_average
from genimage_core.utils.errors import GenImageError, ImageReadError
from genimage_core.utils.settings import demo_detectors
from gradio_demo.gpu import gpu, on_zero_gpu

__all__ = ["degrade", "detect", "on_zero_gpu", "tables", "warm_up"]

Call = TypeVar("Call", bound=Callable[..., Any])


def warm_up() -> None:
    """Load the detectors, so that the first visitor need not wait for it."""
    from genimage_core.evaluation.config import covered_detectors

    for name in covered_detectors(demo_detectors(), "default")[0]:
        api.loaded_detector(name, "default", "auto")


def told(call: Call) -> Call:
    """Turn the core's errors into messages that Gradio shows and its API returns."""

    @functools.wraps(call)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except GenImageError as error:
            raise gr.Error(f"{error.message} {error.hint}".strip(), print_exception=False) from None

    return wrapped  # type: ignore[return-value]


@told
@gpu
def detect(image: str) -> dict[str, Any]:
    """Ask AI-image detectors whether a picture is AI-generated.

    Args:
        image: the picture as PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF, at most 30 MB. The file as it is: a
            screenshot or a re-saved copy gives another answer.

    Returns:
        verdict ("fake", "real" or "unsure"), p_fake (combined, 0 to 1), detectors (P(fake) of each),
        agreement, notes, explanation, provenance (what the file says of its own origin).
    """
    report, origin = api.detect_with_origin(_bytes(image), detectors=demo_detectors())
    return report.as_dict() | {"provenance": origin.model_dump(mode="json")}


@told
@gpu
def degrade(image: str, how: str) -> tuple[tuple[np.ndarray, np.ndarray], dict[str, Any]]:
    """Damage a picture as the web does, and ask the detectors before and after.

    Args:
        image: the picture, at most 30 MB.
        how: a chain of "lowres:SIDE", "jpeg:QUALITY" and "blur:SIGMA", such as "blur:3+jpeg:65".

    Returns:
        The picture before and after, and for both the verdict, p_fake and each detector's P(fake).
    """
    data = _bytes(image)
    before = load_image(data).pixels
    after = api.degrade(before, how)
    answers = {
        "applied": str(parse(how)),
        "before": _short(api.detect(data, detectors=demo_detectors())),
        "after": _short(api.detect(data, detectors=demo_detectors(), degrade=how)),
    }
    return (before, after), answers


@told
def tables(table: str) -> dict[str, Any]:
    """Return a table published with the GenImage benchmark or in later work on it.

    Args:
        table: the table's id, such as "task1_sd14" (seven detectors trained on Stable Diffusion 1.4),
            "resnet50_matrix" or "task2_degradations".

    Returns:
        id, title, description, unit, source, notes, rows, recomputed_average (null where averages make no
        sense), and known: the ids of all tables. Published figures, not measured here.
    """
    found = load_table(table)
    averages = recomputed_average(found).round(3) if found.average_column else None
    return {
        "id": found.id,
        "title": found.title,
        "description": found.description,
        "unit": found.unit,
        "source": found.source,
        "notes": list(found.notes),
        "rows": json.loads(found.flat().to_json(orient="records")),
        "recomputed_average": None if averages is None else averages.to_dict(),
        "known": list_tables(),
    }


def _short(report: Any) -> dict[str, Any]:
    return {"verdict": report.verdict, "p_fake": report.p_fake, "detectors": report.detectors}


def _bytes(image: str | None) -> bytes:
    if not image:
        raise ImageReadError("no picture yet.", hint="Choose a file first.")
    return Path(image).read_bytes()
