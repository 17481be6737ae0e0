"""Runs of linear heads: which images, which features, what is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from genimage_core.datasets import Record, list_generators, scan_dataset
from genimage_core.detectors import build_network
from genimage_core.detectors.base import DetectorNet
from genimage_core.detectors.weights.store import file_sha256
from genimage_core.metrics.classification import auroc
from genimage_core.training.data import data_hash, only_listed, select_training
from genimage_core.training.heads.features import FeatureCache, View
from genimage_core.training.heads.linear import LinearHead, fit_linear, group_weights
from genimage_core.training.loop import start_from
from genimage_core.training.plan import backbone_options
from genimage_core.utils.atomic_write import fill_text, fill_whole
from genimage_core.utils.errors import TrainingError
from genimage_core.utils.versions import versions

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class HeadPlan:
    """What a head is fitted on.

    Attributes:
        data: root of a data set in GenImage's layout.
        init: safetensors file with the trunk.
        features: folder of the feature cache.
        detector: registry name; its network has `embed` and a linear `head`.
        backbone: another timm vision transformer than the detector's own, or "".
        train_on: generators separated by commas, or `all`.
        only: text file with the ids of the images to fit on, one a line, or None for all.
        views: augmented views of each training image.
        inverse_penalty: scikit-learn's C.
        init_note: where the trunk comes from, in words.
        command: for the manifest.
    """

    data: Path
    init: Path
    features: Path
    detector: str = "dinov2"
    backbone: str = ""
    train_on: str = "all"
    only: Path | None = None
    views: int = 1
    inverse_penalty: float = 1e-3
    init_note: str = ""
    command: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """What the network's class is called with."""
        return backbone_options(self.backbone)


@dataclass(frozen=True)
class TrainingRows:
    """Features of training images: (N, D) float16, labels and generators of (N,)."""

    features: np.ndarray
    labels: np.ndarray
    generators: list[str]

    def without(self, generator: str) -> TrainingRows:
        """All but the fakes of `generator`; its real images stay, they are photographs like others."""
        keep = np.array([g != generator or y == 0 for g, y in zip(self.generators, self.labels, strict=True)])
        kept = [g for g, k in zip(self.generators, keep, strict=True) if k]
        return TrainingRows(self.features[keep], self.labels[keep], kept)

    def fit(self, inverse_penalty: float) -> LinearHead:
        """A head on these rows, generators weighted by the root of their size."""
        names = [f"{g}/{y}" for g, y in zip(self.generators, self.labels, strict=True)]
        weights = group_weights(names, self.labels)
        return fit_linear(self.features, self.labels, weights, inverse_penalty=inverse_penalty)


def frozen_network(plan: HeadPlan) -> tuple[DetectorNet, int]:
    """The plan's network with its trunk's weights, and how many tensors those were."""
    net = build_network(plan.detector, **plan.options)
    return net, start_from(net, plan.detector, plan.init)[0]


def open_cache(plan: HeadPlan, net: DetectorNet) -> FeatureCache:
    """The plan's feature cache."""
    return FeatureCache(plan.features, net, file_sha256(plan.init))


def training_records(plan: HeadPlan) -> list[Record]:
    """The training images."""
    records = select_training(scan_dataset(plan.data), plan.train_on)
    if plan.only:
        records = only_listed(records, plan.only)
    if not any(r.label for r in records):
        raise TrainingError(
            "a head needs fakes to learn from.", hint="Name generators.", source=plan.train_on
        )
    return records


def training_rows(
    plan: HeadPlan, cache: FeatureCache, records: Sequence[Record], report: Report
) -> TrainingRows:
    """Features of `views` augmented views of each record, computed where the cache lacks them."""
    recipe = type(cache.net).recipe
    keys: list[str] = []
    for seed in range(plan.views):
        keys += cache.fill(records, View(recipe, seed), report=_progress(report, f"view {seed}"))
    labels = np.array([r.label for r in records] * plan.views)
    return TrainingRows(cache.read(keys), labels, [r.generator for r in records] * plan.views)


def _progress(report: Report, what: str) -> Callable[[int, int], None]:
    return lambda done, total: report({"features": what, "done": done, "total": total})


def fit_head_run(plan: HeadPlan, out: Path, report: Report) -> Path:
    """Fit a head and write weights and manifest as `train` does; returns the weights' path."""
    net, tensors = frozen_network(plan)
    records = training_records(plan)
    rows = training_rows(plan, open_cache(plan, net), records, report)
    head = rows.fit(plan.inverse_penalty)
    state = net.state_dict() | {
        "head.weight": torch.from_numpy(head.weight)[None],
        "head.bias": torch.tensor([head.bias], dtype=torch.float32),
    }
    out.mkdir(parents=True, exist_ok=True)
    weights = out / "weights.safetensors"
    tidy = {k: v.contiguous() for k, v in state.items()}
    fill_whole(weights, lambda p: save_file(tidy, p))
    manifest = {
        "detector": plan.detector,
        "options": plan.options,
        "trunk": "frozen",
        "train_on": plan.train_on,
        "only_sha256": file_sha256(plan.only) if plan.only else None,
        "views": plan.views,
        "inverse_penalty": plan.inverse_penalty,
        "iterations": head.iterations,
        "files": len(records),
        "fakes": sum(r.label for r in records),
        "data_sha256": data_hash(records),
        "recipe": asdict(type(net).recipe),
        "started_from": plan.init_note or plan.init.name,
        "init_tensors": tensors,
        "init_sha256": file_sha256(plan.init),
        "versions": versions(),
        "command": plan.command,
    }
    text = json.dumps(manifest, indent=1)
    fill_text(out / "manifest.json", text)
    return weights


def leave_one_out_figures(plan: HeadPlan, report: Report) -> dict[str, Any]:
    """AUROC of heads on the validation images of the training generator that each never saw.

    Returns:
        `mean_auroc`, `generators` (name -> AUROC with 95 % interval and n), and the manifest's facts.
    """
    net, _ = frozen_network(plan)
    cache = open_cache(plan, net)
    records = scan_dataset(plan.data)
    training = training_records(plan)
    rows = training_rows(plan, cache, training, report)
    found: dict[str, Any] = {}
    for name in list_generators(records, "train"):
        held_out = [r for r in records if r.split == "val" and r.generator == name]
        keys = cache.fill(held_out, View(), report=_progress(report, f"val {name}"))
        head = rows.without(name).fit(plan.inverse_penalty)
        labels = np.array([r.label for r in held_out])
        if len(set(labels.tolist())) < 2:
            continue
        figure = auroc(labels, head.log_odds(cache.read(keys)))
        found[name] = figure.as_dict()
        report({"left out": name, "auroc": round(figure.value, 4), "iterations": head.iterations})
    return {
        "mean_auroc": round(float(np.mean([f["value"] for f in found.values()])), 4),
        "generators": found,
        "detector": plan.detector,
        "trunk": "frozen",
        "init_sha256": file_sha256(plan.init),
        "data_sha256": data_hash(training),
        "inverse_penalty": plan.inverse_penalty,
        "views": plan.views,
        "versions": versions(),
        "command": plan.command,
    }
