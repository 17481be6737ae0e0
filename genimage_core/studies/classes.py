"""How many classes a detector needs: the paper's study of class subsets, on ImageNet photographs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from genimage_core.datasets import Record
from genimage_core.detectors import detector_info
from genimage_core.evaluation.plan import read_plan
from genimage_core.evaluation.store import read_rows
from genimage_core.metrics.classification import Estimate, accuracy
from genimage_core.results.measured import Point
from genimage_core.studies.runner import Lab
from genimage_core.studies.scale import nested_subset
from genimage_core.studies.study_file import point, write_study
from genimage_core.training.data import select_training
from genimage_core.utils.errors import DatasetError

SUBSETS = ((1, 100), (2, 50), (5, 20), (10, 10), (10, 100))
"""Classes and photographs of each, as in the paper's table: the same number spread wider, then more."""
_SYNSET = re.compile(r"n\d{8}")
DESCRIPTION = (
    "Training photographs are of one to ten classes of ImageNet (the ten of Imagenette), the same number of "
    "fakes comes from all training generators; tested on validation photographs of all ten classes and as "
    "many fakes of the same generators. With fewer than ten classes the figure is the mean over several "
    "choices of classes. Unlike in the paper the fakes have no classes, and a hundred to a thousand "
    "photographs stand for thousands to a hundred thousand."
)


def classes(lab: Lab, detectors: Sequence[str], groups: Mapping[str, str]) -> None:
    """Train on photographs of some classes and fakes of all training generators.

    Args:
        lab: where things are.
        detectors: registry names.
        groups: image id -> group of the data set's manifest, which names an ImageNet photograph's class.

    Raises:
        DatasetError: the data set names fewer than ten classes.
    """
    records = lab.records()
    of_class = _classes(records, groups)
    training = select_training(records, "all")
    photographs = Counter(of_class[r.image_id] for r in training if r.image_id in of_class)
    names = sorted(name for name, _ in photographs.most_common(10))
    if len(names) < 10:
        raise DatasetError(
            "ten classes of ImageNet photographs are needed.",
            hint="Check the manifest's groups.",
            source=str(lab.data),
        )
    validation = {r.image_id for r in records if r.split == "val" and of_class.get(r.image_id) in names}
    points: list[Point] = []
    weights: dict[str, str] = {}
    for detector in detectors:
        for count, each in SUBSETS:
            figures = []
            for chosen in _choices(names, count):
                some = _training_set(training, of_class, chosen, each, lab.seed)
                name = f"classes_{count}x{each}_{chosen[0]}"
                run = lab.train(detector, name, "all", lab.write_list(name, some))
                scores = lab.score(detector, run, name, generators="train")
                figures.append(_figure(read_rows(scores).dropna(subset="p_fake"), validation, lab.seed))
                weights[f"{detector}, {name}"] = read_plan(scores).detectors[detector]
            points.append(point(detector_info(detector).title, f"{count} x {each}", _mean(figures)))
    write_study(
        lab, "class_subset", "Accuracy by classes x photographs of each", DESCRIPTION, points, weights
    )


def _classes(records: Sequence[Record], groups: Mapping[str, str]) -> dict[str, str]:
    """Image id -> synset of the photographs whose group names one."""
    found = {}
    for record in records:
        match = _SYNSET.search(groups.get(record.image_id, "")) if record.label == 0 else None
        if match:
            found[record.image_id] = match[0]
    return found


def _choices(names: Sequence[str], count: int, most: int = 5) -> list[list[str]]:
    """Choices of `count` of the names, the first of each another one, at most `most`; all of them: one."""
    if count >= len(names):
        return [list(names)]
    starts = np.linspace(0, len(names), min(most, len(names)), endpoint=False).astype(int)
    return [[names[(start + i) % len(names)] for i in range(count)] for start in starts]


def _training_set(
    training: Sequence[Record], of_class: Mapping[str, str], chosen: Sequence[str], each: int, seed: int
) -> list[Record]:
    rng = np.random.default_rng(seed)
    real: list[Record] = []
    for name in chosen:
        pool = [r for r in training if of_class.get(r.image_id) == name]
        real += [pool[i] for i in rng.permutation(len(pool))[:each]]
    fakes = [r for r in nested_subset(training, len(training), seed) if r.label == 1]
    return real + fakes[: len(real)]


def _figure(rows: pd.DataFrame, photographs: set[str], seed: int) -> Estimate:
    """Accuracy on the photographs named and as many fakes."""
    real = rows[rows["image_id"].isin(photographs)]
    fake = rows[rows["label"] == 1].sort_values("image_id").sample(len(real), random_state=seed)
    both = pd.concat([real, fake])
    return accuracy(both["label"].to_numpy(), both["p_fake"].to_numpy())


def _mean(figures: Sequence[Estimate]) -> Estimate:
    """Mean of accuracies on the same images; their intervals are averaged, not narrowed."""
    means = [float(np.mean([getattr(f, end) for f in figures])) for end in ("value", "low", "high")]
    return Estimate(means[0], means[1], means[2], figures[0].n)
