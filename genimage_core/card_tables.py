"""The parts of a detector's card that are generated: weights, training data, figures. Nothing is typed in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from genimage_core.paths import asset

MEASURED = asset("measured")
METRICS = {"auroc": "AUROC", "accuracy": "Accuracy"}


@dataclass(frozen=True)
class Measurement:
    """What was measured with one detector's weights on one set of images.

    Attributes:
        name: of the folder in assets/measured.
        title: of the set, for people.
        manifest: data, weights, protocol, condition, command.
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
                    path.parent.name, title, data["manifest"], data["pooled"], data.get("generators", {})
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
    condition, data = facts.get("condition", "none"), facts.get("data_sha256")
    return (
        f"## Figures: {one.title}\n\n"
        f"Validation images, reading `{facts.get('protocol', 'native')}`, data protocol "
        f"`{facts.get('data_protocol', 'raw')}`, degradation: {condition}; data sha256 `{data}`. "
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
