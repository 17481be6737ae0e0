"""A linear head for pictures as the web has them: fitted on a manifest, judged on sources it never saw.

Each picture is read as it is and after `web` random ways through the web, both views of it each time. Fakes,
photographs and what is neither have fixed shares of the weight; within each, a source counts by the root of
its size, since breadth of sources teaches more than number. Folds go by source.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from scipy.special import expit

from genimage_core.datasets.manifest import NOT_PHOTO, SourcedRecord, read_manifest
from genimage_core.detectors import build_network
from genimage_core.detectors.base import DetectorNet
from genimage_core.detectors.weights.store import file_sha256
from genimage_core.training.data import data_hash
from genimage_core.training.heads.features import FeatureCache, View, embed_in_8_bits
from genimage_core.training.heads.linear import LinearHead, fit_linear
from genimage_core.training.loop import start_from
from genimage_core.utils.atomic_write import fill_text, fill_whole
from genimage_core.utils.errors import TrainingError
from genimage_core.utils.versions import versions

Report = Callable[[dict[str, Any]], None]
Keys = tuple[list[str], list[str]]
"""Of N pictures' whole views, and of their tiles."""
SHARES = {"ai": 0.5, "nature": 0.3, NOT_PHOTO: 0.2}
"""Of the weight: what is neither passes for AI most easily, so it has more than its number."""
HELD_OUT_COLUMNS = ("image_id", "generator", "source", "label", "degradation", "p_fake")


@dataclass(frozen=True)
class SourcedPlan:
    """What a head is fitted on.

    Attributes:
        data: the manifest.
        init: safetensors file with the trunk.
        features: folder of the feature cache.
        detector: registry name; its network has `embed` and a linear `head`, and reads whole pictures.
        web: random ways through the web a picture.
        inverse_penalty: scikit-learn's C.
        init_note: where the trunk comes from, in words.
        command: for the manifest.
        cached_only: leave out pictures whose features are not in the cache.
        degradations: text forms, also scored by the heads that never saw the source.
        degrade: at most so many pictures a kind and source are degraded.
    """

    data: Path
    init: Path
    features: Path
    detector: str = "clip_b"
    web: int = 1
    inverse_penalty: float = 3e-3
    init_note: str = ""
    command: str = ""
    cached_only: bool = False
    degradations: tuple[str, ...] = ()
    degrade: int = 5

    @property
    def views(self) -> list[tuple[View, View]]:
        """(whole, tile) of the picture as it is, then of each way through the web."""
        ways = [{}, *({"web": True, "seed": seed} for seed in range(self.web))]
        return [(View(whole=True, **way), View(**way)) for way in ways]  # type: ignore[arg-type]


def kind_of(record: SourcedRecord) -> str:
    """`ai`, `nature` or `not_photo`."""
    return "ai" if record.label else NOT_PHOTO if record.generator == NOT_PHOTO else "nature"


def source_weights(kinds: Sequence[str], sources: Sequence[str]) -> np.ndarray:
    """(N,) weights with mean 1: kinds by `SHARES`, within a kind each source by the root of its size."""
    names = np.array(kinds)
    _, place, counts = np.unique(
        [f"{k}/{s}" for k, s in zip(kinds, sources, strict=True)], return_inverse=True, return_counts=True
    )
    weights = 1.0 / np.sqrt(counts[place])
    for kind in set(kinds):
        weights[names == kind] *= SHARES[kind] / weights[names == kind].sum()
    return weights * len(weights) / weights.sum()


@dataclass
class SourcedRows:
    """Features of N pictures in V pairs of views.

    Attributes:
        records: the N pictures.
        cache: where the features lie.
        keys: V x 2 lists of N keys.
    """

    records: list[SourcedRecord]
    cache: FeatureCache
    keys: list[Keys]

    def fit(self, rows: np.ndarray, inverse_penalty: float) -> LinearHead:
        """A head on all views of some pictures (numbers or a mask)."""
        chosen = [self.records[i] for i in np.arange(len(self.records))[rows]]
        weights = source_weights([kind_of(r) for r in chosen], [r.source for r in chosen])
        parts = [self.cache.read([names[i] for i in np.arange(len(self.records))[rows]])
                 for pair in self.keys for names in pair]  # fmt: skip
        labels = np.array([r.label for r in chosen])
        return fit_linear(
            np.concatenate(parts), np.tile(labels, len(parts)), np.tile(weights, len(parts)) / len(parts),
            inverse_penalty=inverse_penalty,
        )  # fmt: skip

    def degraded(self, degradation: str, most: int, report: Report) -> tuple[np.ndarray, Keys]:
        """Numbers of the pictures that are degraded, and the keys of their two views."""
        count: Counter[tuple[str, str]] = Counter()
        picked = []
        for number, record in enumerate(self.records):
            group = kind_of(record), record.source
            if count[group] < most:
                picked.append(number)
                count[group] += 1
        pair = (View(whole=True, degradation=degradation), View(degradation=degradation))
        chosen = [self.records[i] for i in picked]
        keys = [self.cache.fill(chosen, view, report=partial(_tell, report, view.name)) for view in pair]
        return np.array(picked), (keys[0], keys[1])

    def log_odds(self, head: LinearHead, keys: Keys, rows: np.ndarray) -> np.ndarray:
        """Mean log-odds of both views of the pictures at some places (numbers or a mask) of `keys`."""
        picked = np.arange(len(keys[0]))[rows]
        both = [head.log_odds(self.cache.read([names[i] for i in picked])) for names in keys]
        return np.mean(both, axis=0)


def gather(plan: SourcedPlan, cache: FeatureCache, report: Report) -> SourcedRows:
    """Features of all views of a manifest's pictures, computed where the cache lacks them."""
    records = read_manifest(plan.data)
    if plan.cached_only:
        records = _cached(records, cache, plan)
    if {r.label for r in records} != {0, 1}:
        raise TrainingError("a head needs both classes.", hint="Check the manifest.", source=str(plan.data))
    keys = []
    for pair in plan.views:
        tell = [partial(_tell, report, view.name) for view in pair]
        both = [cache.fill(records, view, report=show) for view, show in zip(pair, tell, strict=True)]
        keys.append((both[0], both[1]))
    return SourcedRows(records, cache, keys)


def _cached(records: list[SourcedRecord], cache: FeatureCache, plan: SourcedPlan) -> list[SourcedRecord]:
    wanted = [view.name for pair in plan.views for view in pair]
    digests = [file_sha256(r.path) for r in records]
    return [
        r for r, digest in zip(records, digests, strict=True)
        if all(f"{digest}:{name}" in cache.places for name in wanted)
    ]  # fmt: skip


def _tell(report: Report, name: str, done: int, total: int) -> None:
    report({"features": name, "done": done, "total": total})


def fit_by_source(plan: SourcedPlan, out: Path, report: Report) -> Path:
    """Fit a head, and for each fold one that never saw its sources.

    Writes `weights.safetensors` and `manifest.json` as `train` does, and `held_out.csv`: each picture's
    P(fake) from the head without its fold, as it is and under each of the degradations.

    Returns:
        Path of the weights.
    """
    net = build_network(plan.detector).eval()
    tensors = start_from(net, plan.detector, plan.init)[0]
    cache = FeatureCache(plan.features, net, file_sha256(plan.init), embed_in_8_bits(net))
    rows = gather(plan, cache, report)
    folds = np.array([r.fold for r in rows.records])
    tests = {"none": (np.arange(len(folds)), rows.keys[0])}
    tests |= {name: rows.degraded(name, plan.degrade, report) for name in plan.degradations}
    scores = {name: np.zeros(len(picked)) for name, (picked, _) in tests.items()}
    for fold in np.unique(folds):
        head = rows.fit(folds != fold, plan.inverse_penalty)
        for name, (picked, keys) in tests.items():
            here = folds[picked] == fold
            scores[name][here] = expit(rows.log_odds(head, keys, here))
        report({"fold": int(fold), "pictures": int((folds == fold).sum()), "iterations": head.iterations})
    head = rows.fit(np.ones(len(folds), bool), plan.inverse_penalty)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "held_out.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HELD_OUT_COLUMNS)
        for name, (picked, _) in tests.items():
            for i, p in zip(picked, scores[name], strict=True):
                r = rows.records[i]
                writer.writerow((r.image_id, r.generator, r.source, r.label, name, f"{p:.6f}"))
    return _write_head(plan, out, rows.records, net, head, tensors)


def _write_head(
    plan: SourcedPlan, out: Path, records: Sequence[SourcedRecord], net: DetectorNet,
    head: LinearHead, tensors: int,
) -> Path:  # fmt: skip
    state = net.state_dict() | {
        "head.weight": torch.from_numpy(head.weight)[None],
        "head.bias": torch.tensor([head.bias], dtype=torch.float32),
    }
    weights = out / "weights.safetensors"
    tidy = {k: v.contiguous() for k, v in state.items()}
    fill_whole(weights, lambda p: save_file(tidy, p))
    facts = {
        "detector": plan.detector,
        "trunk": "frozen",
        "data": "manifest by source",
        "sources": len({r.source for r in records}),
        "files": len(records),
        "fakes": sum(r.label for r in records),
        "not_photo": sum(kind_of(r) == NOT_PHOTO for r in records),
        "web": plan.web,
        "inverse_penalty": plan.inverse_penalty,
        "iterations": head.iterations,
        "data_sha256": data_hash(records),
        "recipe": asdict(type(net).recipe),
        "started_from": plan.init_note or plan.init.name,
        "init_tensors": tensors,
        "init_sha256": file_sha256(plan.init),
        "versions": versions(),
        "command": plan.command,
    }
    fill_text(out / "manifest.json", json.dumps(facts, indent=1))
    return weights
