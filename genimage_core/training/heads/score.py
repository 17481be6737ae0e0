"""Scores of a linear head from cached features, written as the engine writes its own.

For images that hold a single tile (both sides under two tiles) the cached centre crop is just the view that
the engine scores, so the two agree up to the features' 16 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from scipy.special import expit

from genimage_core.datasets import Record
from genimage_core.detectors import build_network
from genimage_core.detectors.tiling import tile_origins
from genimage_core.detectors.weights.store import load_state, weights_entry
from genimage_core.evaluation.devices import run_versions
from genimage_core.evaluation.plan import Plan
from genimage_core.evaluation.select import data_facts
from genimage_core.evaluation.store import Row, RunStore
from genimage_core.training.heads.features import FeatureCache, View
from genimage_core.training.heads.linear import LinearHead
from genimage_core.utils.errors import EvaluationError

SHARD = 256


def score_head(
    records: Sequence[Record],
    detector: str,
    weights: Path,
    features: Path,
    out: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    command: str = "",
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Score images as they are with a head of `fit-head`; features that the cache lacks are computed.

    Args:
        records: the images, of one split, as `select_images` gives them.
        detector: registry name.
        weights: folder of the head's run.
        features: folder of the cache.
        out: folder of the evaluation; one that was stopped goes on.
        limit, seed: how `records` were drawn, for the plan.
        command: for the plan.
        report: called with (features done, of how many) while they are computed.

    Raises:
        EvaluationError: an image holds several tiles.
        TrainingError: the cache holds the features of another trunk.
    """
    state, digest = load_state(detector, weights)
    facts = weights_entry(detector, weights)["training"]
    net = build_network(detector, **facts.get("options", {}))
    net.load_state_dict(state)
    cache = FeatureCache(features, net, facts["init_sha256"])
    head = LinearHead(state["head.weight"][0].numpy(), float(state["head.bias"]), 0)
    _check_single_tiles(records, net.spec.tile)
    plan = Plan(
        data=data_facts(records, split=records[0].split, limit=limit, seed=seed),
        detectors={detector: digest},
        degradations=("none",),
        data_protocol="raw",
        preprocessing="tiles",
        device="cpu",
        versions=run_versions(),
        command=command,
    )
    with RunStore(out, plan) as store:
        done = store.done()
        left = [r for r in records if r.image_id not in done]
        keys = cache.fill(left, View(), report=report)
        for start in range(0, len(left), SHARD):
            some = left[start : start + SHARD]
            scores = head.log_odds(cache.read(keys[start : start + SHARD]))
            store.append([_row(r, z, plan, detector) for r, z in zip(some, scores, strict=True)])


def _row(record: Record, log_odds: np.floating, plan: Plan, detector: str) -> Row:
    return Row(
        image_id=record.image_id, generator=record.generator, split=record.split, label=record.label,
        detector=detector, weights=plan.detectors[detector], degradation="none",
        data_protocol=plan.data_protocol, preprocessing=plan.preprocessing,
        p_fake=float(expit(float(log_odds))), error=None,
    )  # fmt: skip


def _check_single_tiles(records: Sequence[Record], side: int) -> None:
    for record in records:
        image = cv2.imread(str(record.path), cv2.IMREAD_GRAYSCALE)
        if image is not None and len(tile_origins(image.shape[0], image.shape[1], side)) > 1:
            raise EvaluationError(
                "this image holds several tiles; a cached feature sees one.",
                hint="Use `evaluate` for large images.",
                source=str(record.path),
            )
