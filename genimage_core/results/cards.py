"""A detector's card: one source for the app, the hub and the documentation.

The words beside the detector's class (`detectors/<name>.md`: what it is, its limits, what it must not be used
for), then tables made from the weight set's manifest and from assets/measured, under metadata with a
model-index that the hub reads. `python -m genimage_core dev cards` writes them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genimage_core.utils.errors import GenImageError, WeightsError
from genimage_core.utils.old_names import of_export
from genimage_core.utils.paths import asset

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
    from genimage_core.detectors.weights.store import weights_entry, weights_id

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
    degradation = one.manifest.get("degradation", "none")
    return EvalResult(
        task_type=TASK,
        dataset_type=re.sub(r"\W+", "-", one.name),
        dataset_name=f"{title} (n = {figure['n']}, degradation: {degradation})",
        dataset_config=generator or None,
        dataset_split="validation",
        dataset_revision=one.manifest.get("data_sha256"),
        metric_type=metric,
        metric_value=figure["value"],
        metric_name=f"{METRICS[metric]}, 95 % interval {figure['low']} to {figure['high']}",
    )


MEASURED = asset("measured")
METRICS = {"auroc": "AUROC", "accuracy": "Accuracy"}


@dataclass(frozen=True)
class Measurement:
    """What was measured with one detector's weights on one set of images.

    Attributes:
        name: of the folder in assets/measured.
        title: of the set, for people.
        manifest: data, weights, preprocessing, data protocol, degradation, command.
        pooled: metric -> {value, low, high, n} over all images.
        generators: the same for each generator.
    """

    name: str
    title: str
    manifest: Mapping[str, Any]
    pooled: Mapping[str, Any]
    generators: Mapping[str, Any]


def measurements(detector: str, weights_id: str, folder: Path = MEASURED) -> list[Measurement]:
    """What stands in `folder/*/<detector>.json` for exactly these weights, by folder name."""
    found = []
    for path in sorted(folder.glob(f"*/{detector}.json")):
        data = _read(path)
        if data.get("manifest", {}).get("weights_sha256") == weights_id and data.get("pooled"):
            table = _read(folder / f"{path.parent.name}.json")
            title = str(table.get("title") or path.parent.name)
            found.append(
                Measurement(
                    path.parent.name,
                    title,
                    of_export(data["manifest"]),
                    data["pooled"],
                    data.get("generators", {}),
                )
            )
    return found


def left_out(detector: str, entry: Mapping[str, Any], folder: Path = MEASURED) -> list[dict[str, Any]]:
    """Leave-one-generator-out figures of heads on the very trunk that these weights have."""
    trunk = entry.get("training", {}).get("init_sha256")
    files = [_read(path) for path in sorted(folder.glob("leave_one_out*.json"))]
    return [f for f in files if f.get("detector") == detector and trunk and f.get("init_sha256") == trunk]


def generated_sections(
    entry: Mapping[str, Any] | None,
    weights_id: str,
    measured: Sequence[Measurement],
    lost: Sequence[Mapping[str, Any]],
) -> str:
    """Markdown: weights and training data, packing loss, figures, leave-one-generator-out.

    Args:
        entry: of the weight set's manifest; None where there are no weights.
        weights_id: sha256 that identifies them.
        measured: of `measurements`.
        lost: of `left_out`.
    """
    if entry is None:
        return "## Weights\n\nThis weight set has none for this detector."
    parts = [_weights(entry, weights_id), _packing(entry.get("packing_loss"))]
    parts += [_figures(one) for one in measured]
    if not measured:
        parts.append("## Figures\n\nNothing was measured with these weights yet.")
    parts += [_left_out(one) for one in lost]
    return "\n\n".join(filter(None, parts))


def in_words(figure: Mapping[str, Any] | None) -> str:
    """{value, low, high} -> `0.932 (0.920 to 0.943)`; a dash for nothing."""
    return "–" if not figure else "{value:.3f} ({low:.3f} to {high:.3f})".format(**figure)


def _weights(entry: Mapping[str, Any], weights_id: str) -> str:
    facts = entry.get("training", {})
    files, fakes = facts.get("files"), facts.get("fakes")
    teacher = facts.get("teacher") or facts.get("distilled_from")
    taught = teacher.get("teacher") if isinstance(teacher, Mapping) else teacher
    train_on = facts.get("train_on")
    rows = {
        "Weights": f"sha256 `{weights_id}`",
        "Size": _size(entry),
        "Trained on": "every generator of the training data" if train_on == "all" else train_on,
        "Training images": f"{files}, {fakes} of them generated" if files and fakes is not None else files,
        "Training data": f"sha256 `{facts['data_sha256']}`" if facts.get("data_sha256") else None,
        "Started from": facts.get("started_from"),
        "Trained": _trained(facts),
        "Teacher": taught,
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items() if value]
    command = facts.get("command")
    text = "## Weights and training data\n\n| | |\n|---|---|\n" + "\n".join(lines)
    return text + (f"\n\nRepeat it on the data in `DIR`:\n\n```\n{command}\n```" if command else "")


def _size(entry: Mapping[str, Any]) -> str:
    size = sum(file.get("bytes", 0) for file in entry.get("files", []))
    words = f"{size / 1e6:.1f} MB" if size else ""
    return words + (f", {entry['bits']} bits a value" if "bits" in entry else "")


def _trained(facts: Mapping[str, Any]) -> str | None:
    if facts.get("trunk") == "frozen":
        return "a linear head on the frozen trunk"
    return f"{facts['steps_done']} steps" if facts.get("steps_done") else None


def _packing(loss: Mapping[str, Any] | None) -> str:
    if not loss:
        return ""
    rows = [
        f"| {label} | {in_words(loss.get(f'{metric}_float'))} | {in_words(loss.get(f'{metric}_packed'))} |"
        for metric, label in METRICS.items()
    ]
    n = loss.get("accuracy_packed", {}).get("n")
    return (
        "## What packing costs\n\n"
        f"The same {n} validation images before and after the weights were packed into few bits; P(fake) "
        f"moved by {loss['p_fake_mean_change']:.3f} on average, {loss['p_fake_max_change']:.3f} at most.\n\n"
        "| | before (95 %) | after (95 %) |\n|---|---|---|\n" + "\n".join(rows)
    )


def _figures(one: Measurement) -> str:
    def row(name: str, figures: Mapping[str, Any]) -> str:
        auroc, accuracy = figures.get("auroc"), figures.get("accuracy")
        n = (accuracy or auroc or {}).get("n", "–")
        return f"| {name} | {in_words(auroc)} | {in_words(accuracy)} | {n} |"

    rows = [row("**all**", one.pooled), *(row(name, f) for name, f in sorted(one.generators.items()))]
    facts = one.manifest
    degradation, data = facts.get("degradation", "none"), facts.get("data_sha256")
    return (
        f"## Figures: {one.title}\n\n"
        f"Validation images, preprocessing `{facts.get('preprocessing', 'tiles')}`, data protocol "
        f"`{facts.get('data_protocol', 'raw')}`, degradation: {degradation}; data sha256 `{data}`. "
        "Accuracy at .5; a generator's row also holds the real images that stand beside it.\n\n"
        "| generator | AUROC (95 %) | accuracy (95 %) | images |\n|---|---|---|---|\n" + "\n".join(rows)
    )


def _left_out(figures: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {in_words(f)} | {f['n']} |" for name, f in sorted(figures["generators"].items())]
    return (
        "## A generator that it has never seen\n\n"
        "For each generator a head was fitted without its images, on the same trunk, and measured on them: "
        f"mean AUROC {figures['mean_auroc']:.3f}. Data sha256 `{figures['data_sha256']}`.\n\n"
        "| left out | AUROC (95 %) | images |\n|---|---|---|\n" + "\n".join(rows)
    )


@cache
def _read_cached(path: Path, changed: int) -> dict[str, Any]:
    data: Any = json.loads(path.read_text(encoding="utf-8"))
    return data if isinstance(data, dict) else {}


def _read(path: Path) -> dict[str, Any]:
    return _read_cached(path, path.stat().st_mtime_ns) if path.is_file() else {}
