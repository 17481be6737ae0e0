"""How many training images a detector needs: the paper's study of scale, on subsets that hold one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from genimage_core.datasets import Record
from genimage_core.detectors import detector_info
from genimage_core.evaluation.plan import read_plan
from genimage_core.evaluation.store import read_rows
from genimage_core.results.measured import Point
from genimage_core.studies.runner import Lab
from genimage_core.studies.study_file import accuracy_point, write_study
from genimage_core.training.data import select_training

SIZES = (250, 500, 1000, 2000, 4000)
DESCRIPTION = (
    "Half of each training set is fake, drawn from all training generators alike; each set holds the smaller "
    "ones. Same generators: validation images of the generators trained on. Cross generators: those of "
    "generators that no training saw. Unlike in the paper there are several training generators, and "
    "hundreds to thousands of images instead of thousands to hundreds of thousands. A network is trained for "
    "equally many steps on each number of images, a head on a frozen trunk until it fits best."
)


def nested_subset(records: Sequence[Record], size: int, seed: int) -> list[Record]:
    """`size` records, half of each class, generators taken in turn; a smaller size gives a part of a larger.

    Args:
        records: training images of both classes.
        size: how many; fewer where a class has not enough.
        seed: of the draw.
    """
    chosen: list[Record] = []
    for label in (0, 1):
        queues = [
            _shuffled([r for r in records if r.label == label and r.generator == name], seed)
            for name in sorted({r.generator for r in records if r.label == label})
        ]
        in_turn = [queue[i] for i in range(max(map(len, queues))) for queue in queues if i < len(queue)]
        chosen += in_turn[: size // 2]
    return chosen


def _shuffled(records: list[Record], seed: int) -> list[Record]:
    order = np.random.default_rng(seed).permutation(len(records))
    return [records[i] for i in order]


def scale(lab: Lab, detectors: Sequence[str], sizes: Sequence[int] = SIZES) -> None:
    """Train each detector on subsets of several sizes and on everything; score all validation images."""
    training = select_training(lab.records(), "all")
    known = lab.generators()
    points: list[Point] = []
    weights: dict[str, str] = {}
    for detector in detectors:
        for size in [*(s for s in sizes if s < len(training)), len(training)]:
            some = nested_subset(training, size, lab.seed) if size < len(training) else training
            name = f"scale_{len(some)}"
            run = lab.train(detector, name, "all", lab.write_list(name, some))
            scores = lab.score(detector, run, name)
            points += _points(scores, detector_info(detector).title, f"{len(some)} images", known)
            weights[f"{detector}, {len(some)}"] = read_plan(scores).detectors[detector]
    write_study(lab, "scale", "Accuracy by number of training images", DESCRIPTION, points, weights)


def _points(scores: Path, title: str, label: str, known: Sequence[str]) -> list[Point]:
    rows = read_rows(scores).dropna(subset="p_fake")
    rows = rows[rows["generator"] != "not_photo"]
    same = rows["generator"].isin(known)
    parts = {"same generators": rows[same], "cross generators": rows[~same]}
    return [accuracy_point(part, f"{title}, {name}", label) for name, part in parts.items() if len(part)]
