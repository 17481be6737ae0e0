"""Training samples: the k-th sample of a run is a function of the seed and k alone.

So a run can stop after any step and go on as if nothing had happened.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from genimage_core.datasets import Record, list_generators
from genimage_core.detectors.recipe import Recipe
from genimage_core.training.augment import augment
from genimage_core.utils.errors import TrainingError

log = logging.getLogger(__name__)

NONE = "none"
"""Instead of generators' names: real images alone, from which only a teacher's tokens can be learned."""


def read_rgb(path: Path) -> np.ndarray | None:
    """Decode a file to (H, W, 3) RGB uint8, or None where it cannot be decoded."""
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) if path.stat().st_size else None
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def select_training(records: Sequence[Record], train_on: str, reals: str = "pool") -> list[Record]:
    """The training records: fakes of the named generators, and reals.

    Args:
        records: of `scan_dataset`.
        train_on: generator names separated by commas, `all`, or `none` for the real images alone.
        reals: `pool` takes every real training image of the data set, `own` only those in the
            named generators' folders.

    Raises:
        TrainingError: an unknown generator, or a class without images.
    """
    known = list_generators(records, "train")
    names = known if train_on == "all" else [n.strip() for n in train_on.split(",") if n.strip()]
    if train_on == NONE:
        names, reals = [], "pool"
    unknown = sorted(set(names) - set(known))
    if unknown or not (names or train_on == NONE):
        raise TrainingError(
            "no training images of such a generator.",
            hint=f"Choose from: {', '.join(known)}, `all`, or `{NONE}` (a start, without labels).",
            source=", ".join(unknown) or train_on,
        )
    chosen = [
        r
        for r in records
        if r.split == "train"
        and (r.generator in names if r.label == 1 else reals == "pool" or r.generator in names)
    ]
    if not any(r.label == 0 for r in chosen):
        raise TrainingError("no real training images.", hint="Check the `nature` folders.", source=train_on)
    return chosen


def only_listed(records: Sequence[Record], path: Path) -> list[Record]:
    """The records whose ids stand in a text file, one a line.

    Raises:
        TrainingError: the file cannot be read, or names an image that is not among the records.
    """
    try:
        wanted = {line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()}
    except (OSError, ValueError):
        raise TrainingError("the list cannot be read.", hint="One id a line.", source=str(path)) from None
    unknown = wanted - {r.image_id for r in records}
    if unknown or not wanted:
        raise TrainingError(
            f"{len(unknown)} of {len(wanted)} listed images are not among those to train on.",
            hint="Ids look like `sd_v1/train/ai/name.jpg`; --train-on must cover their generators.",
            source=min(unknown, default=str(path)),
        )
    return [r for r in records if r.image_id in wanted]


def balanced(records: Sequence[Record], most: int = 4) -> list[Record]:
    """Repeat the images of small generators, so that each counts by about the square root of its size.

    Args:
        records: of `select_training`.
        most: times an image is repeated at most.

    Returns:
        The records in their order; an image of a generator (and class) with n images stands
        round(sqrt(N / n)) times, N being the size of the largest of its class.
    """
    sizes = Counter((r.label, r.generator) for r in records)
    largest = {label: max(n for (of, _), n in sizes.items() if of == label) for label, _ in sizes}

    def times(record: Record) -> int:
        share = largest[record.label] / sizes[record.label, record.generator]
        return min(most, round(share**0.5))

    return [r for r in records for _ in range(times(r))]


def favoured(records: Sequence[Record], times: Mapping[str, int]) -> list[Record]:
    """Repeat the images of some folders, so that they are drawn more often.

    Args:
        records: of `select_training`, or of `balanced`.
        times: how often an image stands in the result, by its folder's (generator's) name; 1 for the others.

    Raises:
        TrainingError: a name of which there is no image.
    """
    unknown = set(times) - {r.generator for r in records}
    if unknown:
        raise TrainingError(
            "no training images of such a folder.",
            hint="--favour takes NAME=TIMES with folders of the data set.",
            source=", ".join(sorted(unknown)),
        )
    return [r for r in records for _ in range(times.get(r.generator, 1))]


def data_hash(records: Sequence[Record]) -> str:
    """sha256 over the ids and contents of `records`, in their order."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(record.image_id.encode())
        digest.update(hashlib.sha256(record.path.read_bytes()).digest())
    return digest.hexdigest()


class TrainingSamples(Dataset[tuple[Tensor, float]]):
    """Sample k: fake when k is odd; every file of a class once before any comes again.

    Args:
        records: of `select_training`.
        recipe: the detector's recipe.
        total_steps: of the whole run, for what changes over its course.
        seed: of every draw.
    """

    def __init__(self, records: Sequence[Record], recipe: Recipe, total_steps: int, seed: int) -> None:
        self.by_label = [[r for r in records if r.label == label] for label in (0, 1)]
        self.recipe, self.total_steps, self.seed = recipe, total_steps, seed
        self._order = lru_cache(maxsize=4)(self._shuffled)

    def __len__(self) -> int:
        return self.total_steps * self.recipe.batch_size

    def _shuffled(self, label: int, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, label, epoch]).permutation(len(self.by_label[label]))

    def _image(self, label: int, place: int) -> np.ndarray:
        pool = self.by_label[label]
        for attempt in range(100):
            epoch, i = divmod(place + attempt, len(pool))
            record = pool[self._order(label, epoch)[i]]
            image = read_rgb(record.path)
            if image is not None:
                return image
            log.warning("%s cannot be decoded, skipped", record.path)
        raise TrainingError("a hundred files in a row cannot be decoded.", hint="Check the data set.")

    def crop_at(self, step: int) -> int:
        """The crop's side in px at `step`."""
        return self.recipe.crop_at(step, self.total_steps)

    def __getitem__(self, k: int) -> tuple[Tensor, float]:
        label, step = k % 2, k // self.recipe.batch_size
        rng = np.random.default_rng([self.seed, 7, k])
        hardness = min(1.0, 2.0 * step / max(1, self.total_steps))
        view = augment(self._image(label, k // 2), self.recipe, self.crop_at(step), rng, hardness)
        return torch.from_numpy(view).permute(2, 0, 1), float(label)

    def __getstate__(self) -> dict[str, object]:
        state = self.__dict__.copy()
        del state["_order"]
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._order = lru_cache(maxsize=4)(self._shuffled)
