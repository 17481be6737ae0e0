"""A detector's card: one source for the app, the hub and the documentation.

The words beside the detector's class (`detectors/<name>.md`: what it is, its limits, what it must not be used
for), then tables made from the weight set's manifest and from assets/measured, under metadata with a
model-index that the hub reads. `python -m genimage_core cards` writes them all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genimage_core.card_tables import METRICS, Measurement, generated_sections, left_out, measurements
from genimage_core.errors import GenImageError, WeightsError

if TYPE_CHECKING:
    from huggingface_hub import ModelCard
    from huggingface_hub.repocard_data import EvalResult

    from genimage_core.detectors import DetectorInfo

FOLDER = Path("docs/cards")
LIBRARY, LICENCE, TASK = "genimage-lab", "apache-2.0", "image-classification"
TAGS = ["ai-image-detection", "genimage"]


def card_text(
    info: DetectorInfo, entry: dict[str, Any] | None, weights_id: str, *, title: bool = True
) -> str:
    """The card without metadata, as markdown.

    Args:
        info: the detector's facts.
        entry: what the weight set's manifest says of it; None where it has no weights.
        weights_id: sha256 of the weights; results of other weights are left out.
        title: whether the first line is the detector's name.
    """
    words = f"# {info.title}\n"
    if info.card_path.is_file():
        words = info.card_path.read_text(encoding="utf-8")
    if not title:
        words = re.sub(r"\A\s*# .*\n", "", words)
    measured = measurements(info.name, weights_id)
    tables = generated_sections(entry, weights_id, measured, left_out(info.name, entry or {}))
    return f"{words.strip()}\n\n{tables}\n"


def model_card(info: DetectorInfo, entry: dict[str, Any] | None, weights_id: str) -> ModelCard:
    """The card with metadata for the hub; arguments as for `card_text`."""
    from huggingface_hub import ModelCard, ModelCardData

    results = measured_results(info.name, weights_id)
    data = ModelCardData(
        license=LICENCE,
        library_name=LIBRARY,
        pipeline_tag=TASK,
        tags=TAGS,
        model_name=info.title if results else None,
        eval_results=results or None,
    )
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{card_text(info, entry, weights_id)}")


def bundled_entry(name: str) -> tuple[dict[str, Any] | None, str]:
    """What the bundled set's manifest says of a detector, and its weights' sha256; (None, "") for nothing."""
    from genimage_core.detectors.weights import weights_entry, weights_id

    try:
        return weights_entry(name), weights_id(name)
    except WeightsError:
        return None, ""


def bundled_card(name: str) -> ModelCard:
    """The card of a detector with the bundled weights.

    Raises:
        UnknownDetectorError: no such detector.
    """
    from genimage_core.detectors import detector_info

    return model_card(detector_info(name), *bundled_entry(name))


def write_cards(folder: Path, names: Sequence[str]) -> list[Path]:
    """Write `folder/<name>.md` for each detector.

    Raises:
        GenImageError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.md" for name in names]
        for path, name in zip(paths, names, strict=True):
            path.write_text(str(bundled_card(name)), encoding="utf-8")
    except OSError as error:
        raise GenImageError(
            f"the cards cannot be written ({error.strerror}).",
            hint="Name another folder.",
            source=str(folder),
        ) from None
    return paths


def measured_results(name: str, weights_id: str) -> list[EvalResult]:
    """What stands in assets/measured for exactly these weights: each set as a whole, then each generator."""
    found = []
    for one in measurements(name, weights_id):
        for generator, figures in [("", one.pooled), *sorted(one.generators.items())]:
            found += [
                _result(one, generator, metric, figures[metric]) for metric in METRICS if metric in figures
            ]
    return found


def _result(one: Measurement, generator: str, metric: str, figure: dict[str, float]) -> EvalResult:
    from huggingface_hub.repocard_data import EvalResult

    title = f"{one.title}, {generator}" if generator else one.title
    condition = one.manifest.get("condition", "none")
    return EvalResult(
        task_type=TASK,
        dataset_type=re.sub(r"\W+", "-", one.name),
        dataset_name=f"{title} (n = {figure['n']}, degradation: {condition})",
        dataset_config=generator or None,
        dataset_split="validation",
        dataset_revision=one.manifest.get("data_sha256"),
        metric_type=metric,
        metric_value=figure["value"],
        metric_name=f"{METRICS[metric]}, 95 % interval {figure['low']} to {figure['high']}",
    )
