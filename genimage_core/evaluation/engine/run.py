"""The engine: records in, rows in the store, in batches that can be stopped between and gone on from.

While the networks score one batch of images, threads decode and degrade the next. A batch is every view of
its images in every degradation, and each detector gets them in as few passes as fit. `Preparer` and
`score_batch` are functions of their arguments alone, so that another scheduler can call them as well.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np

from genimage_core.datasets import Record, data_protocol
from genimage_core.detectors import Detector, Preprocessing
from genimage_core.evaluation.engine.views import Prepared, Preparer, read_ahead, view_kind
from genimage_core.evaluation.plan import Plan
from genimage_core.evaluation.store import Row, RunStore
from genimage_core.images.degradations import parse
from genimage_core.utils.errors import EvaluationError

NOT_FINITE = "The network gave no finite score."

# Images times degradations in a batch: half a minute's work for seven networks on two CPU cores, some
# seconds' on a GPU; about 1 MB of views each.
_BATCH = {"cpu": 64, "cuda": 1024}
_VIEWS_PER_PASS = {"cpu": 32, "cuda": 256}


def run(
    records: Sequence[Record],
    detectors: Mapping[str, Detector],
    plan: Plan,
    folder: Path,
    *,
    workers: int = 0,
    batch: int = 0,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Score what the run in `folder` still lacks.

    Args:
        records: all images of the plan.
        detectors: name -> detector, those of the plan.
        plan: what the scores depend on.
        folder: of the run; one that was stopped goes on.
        workers: threads that decode and degrade; 0: one a core, at most 16.
        batch: images a batch; 0: as many as suit the device and the number of degradations.
        progress: called with (images done, of how many) at the start and after each batch.
        should_stop: asked between batches.

    Returns:
        Whether every image is done.

    Raises:
        EvaluationError: the folder belongs to another plan or process, or is damaged; or records and
            detectors are not the plan's.
    """
    if {name: d.weights_id for name, d in detectors.items()} != plan.detectors:
        raise EvaluationError("the detectors are not those of the plan.", source=str(folder))
    if len({r.image_id for r in records}) != plan.data.images or len(records) != plan.data.images:
        raise EvaluationError("the images are not those of the plan.", source=str(folder))
    workers = workers or min(16, os.cpu_count() or 1)
    batch = batch or batch_size(plan)
    prepare = Preparer(
        [detector.net.spec for detector in detectors.values()],
        {degradation: parse(degradation) for degradation in plan.degradations},
        data_protocol(plan.data_protocol),
        plan.preprocessing,
    )
    with RunStore(folder, plan) as store:
        known = store.done()
        todo = [r for r in records if r.image_id not in known]
        done = len(records) - len(todo)
        if progress:
            progress(done, len(records))
        # Enough ahead that a whole batch gets ready while another one is scored.
        with closing(read_ahead(prepare, todo, workers, batch + workers)) as ready:
            for part in _batches(ready, batch):
                store.append(score_batch(part, detectors, plan))
                done += len(part)
                part.clear()  # or its views would stay until the next batch is whole
                if progress:
                    progress(done, len(records))
                if should_stop():
                    break
    return done == len(records)


def batch_size(plan: Plan) -> int:
    """Images a batch that suit the device and the number of degradations."""
    return max(1, _BATCH.get(plan.device, _BATCH["cpu"]) // len(plan.degradations))


def score_batch(
    images: Sequence[Prepared], detectors: Mapping[str, Detector], plan: Plan, views_per_pass: int = 0
) -> list[Row]:
    """All rows of some images: each detector reads the views of all of them and of all degradations together.

    Args:
        images: of `Preparer`.
        detectors: name -> detector.
        plan: for the degradations and what stands in each row.
        views_per_pass: 0: what suits the device.

    Returns:
        `plan.rows_per_image` rows for each image, image by image.
    """
    scores = _scores(images, detectors, plan.degradations, plan.preprocessing, views_per_pass)
    return [
        _row(image, name, degradation, plan, scores.get((image.record.image_id, name, degradation)))
        for image in images
        for name in detectors
        for degradation in plan.degradations
    ]


def score_in_memory(
    records: Sequence[Record],
    detectors: Mapping[str, Detector],
    *,
    progress: Callable[[int, int], None] | None = None,
    batch: int = 16,
) -> dict[str, np.ndarray]:
    """Score images as they are, without a run folder: for measurements that keep no scores.

    Args:
        records: the images.
        detectors: name -> detector.
        progress: called with (images done, of how many).
        batch: images at a time.

    Returns:
        Name -> (N,) P(fake) in [0, 1], NaN for an image that cannot be read.
    """
    specs = [detector.spec for detector in detectors.values()]
    prepare = Preparer(specs, {"none": parse("none")}, data_protocol("raw"), "tiles")
    workers = min(16, os.cpu_count() or 1)
    found: dict[str, list[float]] = {name: [] for name in detectors}
    with closing(read_ahead(prepare, records, workers, batch + workers)) as ready:
        for part in _batches(ready, batch):
            scores = _scores(part, detectors, ("none",), "tiles")
            for name, values in found.items():
                values += [scores.get((image.record.image_id, name, "none"), math.nan) for image in part]
            if progress:
                progress(len(next(iter(found.values()))), len(records))
    return {name: np.array(values) for name, values in found.items()}


def _scores(
    images: Sequence[Prepared],
    detectors: Mapping[str, Detector],
    degradations: Sequence[str],
    preprocessing: Preprocessing,
    views_per_pass: int = 0,
) -> dict[tuple[str, str, str], float]:
    """(image id, detector, degradation) -> P(fake), where there are views."""
    scores: dict[tuple[str, str, str], float] = {}
    for name, detector in detectors.items():
        kind = view_kind(detector.spec, preprocessing)
        places = [(i, d) for i in images for d in degradations if d not in i.errors]
        per_place = [image.views[kind, degradation] for image, degradation in places]
        size = views_per_pass or _VIEWS_PER_PASS.get(detector.device.type, _VIEWS_PER_PASS["cpu"])
        p_fake = detector.predict_views(per_place, size)
        for (image, degradation), p in zip(places, p_fake, strict=True):
            scores[image.record.image_id, name, degradation] = float(p)
    return scores


def _row(image: Prepared, name: str, degradation: str, plan: Plan, score: float | None) -> Row:
    error = image.errors.get(degradation)
    if error is None and (score is None or not math.isfinite(score)):
        error, score = NOT_FINITE, None
    return Row(
        image_id=image.record.image_id,
        generator=image.record.generator,
        split=image.record.split,
        label=image.record.label,
        detector=name,
        weights=plan.detectors[name],
        degradation=degradation,
        data_protocol=plan.data_protocol,
        preprocessing=plan.preprocessing,
        p_fake=score,
        error=error,
    )


def _batches(items: Iterable[Prepared], size: int) -> Iterator[list[Prepared]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part
