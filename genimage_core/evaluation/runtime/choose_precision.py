"""In how many bits each detector runs on a CPU: measured on images, speed against what it costs."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from genimage_core.datasets import Record
from genimage_core.detectors.detector import Detector
from genimage_core.detectors.onnx.activation_ranges import drop_ranges, write_ranges
from genimage_core.detectors.onnx.detector import Precision, prepared_path
from genimage_core.detectors.onnx.precision import PATH, read_choices
from genimage_core.evaluation.engine.run import score_in_memory
from genimage_core.evaluation.runtime.find_ranges import find_ranges
from genimage_core.metrics.classification import accuracy
from genimage_core.utils.atomic_write import write_whole

if TYPE_CHECKING:
    from genimage_core.detectors.base import DetectorNet

FASTER = 0.95
"""A candidate must take at most this share of float32's time."""


class Limits(NamedTuple):
    """What a candidate may cost.

    Attributes:
        points: accuracy lost, percentage points.
        change: mean change of P(fake).
    """

    points: float = 0.5
    change: float = 0.02


def candidates(net: DetectorNet) -> tuple[Precision, ...]:
    """What is worth measuring: fixed ranges for convolutions, ranges found at each pass for transformers.

    Transformers' activations have outliers that a fixed range cuts off or makes coarse; and dynamic
    quantisation leaves convolutions as they are.
    """
    from torch import nn

    convolutions = sum(isinstance(module, nn.Conv2d) for module in net.modules())
    return ("int8",) if convolutions > 3 else ("int8_dynamic",)


def best_of(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Least seconds of each call; the calls take turns, so that a busy moment hits all alike."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def compare(labels: np.ndarray, exact: np.ndarray, rough: np.ndarray) -> dict[str, Any]:
    """What other scores for the same images cost: (N,) labels (fake = 1) and P(fake) before and after."""
    before, after = accuracy(labels, exact), accuracy(labels, rough)
    return {
        "points_lost": round(100 * (before.value - after.value), 3),
        "mean_change": round(float(np.abs(exact - rough).mean()), 5),
        "largest_change": round(float(np.abs(exact - rough).max()), 4),
    }


def allowed(figures: Mapping[str, Any], limits: Limits) -> bool:
    """Whether a candidate's figures keep the limits."""
    return figures["points_lost"] <= limits.points and figures["mean_change"] <= limits.change


def measure(
    name: str,
    records: Sequence[Record],
    *,
    weights: str | Path = "default",
    calibration: Sequence[Record] = (),
    command: str = "",
    limits: Limits = Limits(),  # noqa: B008 (immutable)
    rounds: int = 5,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Measure every candidate for one detector.

    Args:
        name: the detector.
        records: images of both classes.
        weights: as for `load_detector`.
        calibration: images that show the range of activations, for fixed ranges; none takes the bundled ones.
        command: the command line, for the file of ranges.
        limits: what a candidate may cost.
        rounds: of timing; the least time counts.

    Returns:
        JSON-ready: `weights` (sha256), `precision` (the choice), `ms` for a 1024 x 1024 image and each
        candidate's figures; and P(fake) of all records by precision.
    """
    from genimage_core.detectors.onnx.prepare import prepare_detector
    from genimage_core.detectors.registry import load_network

    net, weights_id = load_network(name, weights)
    every: tuple[Precision, ...] = ("fp32", *candidates(net))
    drop_ranges(name)  # else those of an earlier measurement would be taken
    if "int8" in every and calibration:
        write_ranges(name, weights_id, find_ranges(net, calibration), command)
    ready: dict[str, Detector] = {how: prepare_detector(net, weights_id, how) for how in every}
    big = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    seconds = best_of({how: lambda d=d: d.predict([big]) for how, d in ready.items()}, rounds)  # type: ignore[misc]
    scores = score_in_memory(records, ready)
    labels = np.array([r.label for r in records])
    figures: dict[str, Any] = {}
    choice: Precision = "fp32"
    for how in every[1:]:
        figures[how] = compare(labels, scores["fp32"], scores[how])
        fits = allowed(figures[how], limits) and seconds[how] <= FASTER * seconds["fp32"]
        if fits and seconds[how] < seconds[choice]:
            choice = how
    for how in every:
        if how not in ("fp32", choice):
            with contextlib.suppress(OSError):
                prepared_path(name, weights_id, how).unlink()
            if how == "int8":
                drop_ranges(name)
    ms = {how: round(1e3 * s, 1) for how, s in seconds.items()}
    return {"weights": weights_id, "precision": choice, "ms": ms, "cost": figures}, scores


def together(
    records: Sequence[Record],
    exact: Mapping[str, np.ndarray],
    chosen: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """What all choices together do to the combined answer."""
    from genimage_core.verdict.combine import combine

    before, after = (
        [combine({name: float(p[i]) for name, p in by.items()}) for i in range(len(records))]
        for by in (exact, chosen)
    )
    labels = np.array([r.label for r in records])
    p, q = (np.array([v.p_fake for v in verdicts]) for verdicts in (before, after))
    other = sum(a.label != b.label for a, b in zip(before, after, strict=True))
    return compare(labels, p, q) | {"verdicts_changed": other}


def write_choices(found: dict[str, Any], path: Path = PATH) -> None:
    """Write the table that `prepare` and `load_detector` read.

    Entries of detectors that were not measured this time stay as they are; `together`, which is then of other
    choices, goes.

    Args:
        found: `command`, `images`, `detectors` (name -> entry) and `together`.
        path: the table.
    """
    old = read_choices(path).get("detectors", {})
    if kept := {name: entry for name, entry in old.items() if name not in found["detectors"]}:
        own = {"command": found["command"], "images": found["images"]}
        new = {name: own | entry for name, entry in found["detectors"].items()}
        found = {"detectors": kept | new}
    write_whole(path, (json.dumps(found, indent=1) + "\n").encode())
    read_choices.cache_clear()
