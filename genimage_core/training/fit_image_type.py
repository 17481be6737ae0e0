"""Fit what says whether a picture looks like a screen, a page, a drawing, a render or a photograph."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression

from genimage_core.datasets import Record
from genimage_core.evaluation.calibration.fit import fold_of
from genimage_core.images.degradations import parse
from genimage_core.images.load import load_image
from genimage_core.metrics.classification import share
from genimage_core.utils.errors import GenImageError, TrainingError
from genimage_core.verdict.image_type import CLASSES, KINDS, ImageTypeModel, decide, expand, probabilities
from genimage_core.verdict.image_type_features import FEATURES, image_type_features

KIND_OF_PREFIX = {
    "ui": "screen", "chart": "screen", "map": "screen", "doc": "document", "art": "drawing", "cg": "render",
}  # fmt: skip
"""First word of the names of files that are no photographs -> class."""
GROUP = "not_photo"
PRECISION = 0.9
"""A kind is only said where it is right this often on validation images."""
TARGET = 0.95
"""What its threshold aims at on held-out training images; the gap is the margin."""
DAMAGE = ("none", "jpeg:75", "jpeg:50", "jpeg:90")
FOLDS = 5
FEWEST = 10
"""A threshold that fewer training images pass proves nothing."""
STRENGTH = 0.05
"""Inverse strength of the ridge, scikit-learn's C."""


@dataclass
class Gathered:
    """Features of images.

    Attributes:
        x: (N, F) of `image_type_features`.
        kind: (N,) names of `CLASSES`, or "ai" for generated images, whose kind nobody has told.
        group: (N,) images of one source or scene share it.
        image_id: (N,).
    """

    x: np.ndarray
    kind: np.ndarray
    group: np.ndarray
    image_id: np.ndarray

    def of(self, rows: np.ndarray) -> Gathered:
        """Some of the rows."""
        return Gathered(self.x[rows], self.kind[rows], self.group[rows], self.image_id[rows])


def kind_of(record: Record) -> str:
    """Class of a data set's image: by the first word of its name in `not_photo`, else photograph or "ai"."""
    if record.label == 1:
        return "ai"
    if record.generator != GROUP:
        return "photograph"
    return KIND_OF_PREFIX.get(record.path.name.split("_")[0], "drawing")


def source_of(record: Record) -> str:
    """The file's name without its number, one source of pictures."""
    return re.sub(r"[_-]?\d+$", "", record.path.stem)


def gather(
    records: Sequence[Record], *, damage: bool, progress: Callable[[int, int], None] | None = None
) -> Gathered:
    """Measure images; with `damage` recompressed, so that the fit survives what sites do.

    Images that are no photographs are few: they go through every one of `DAMAGE`, the others through one in
    turn. Files that cannot be read are passed over.

    Raises:
        TrainingError: no file can be read.
    """
    cv2.setNumThreads(1)  # tiles are small: threads cost more than they save
    rows: list[tuple[np.ndarray, str, str, str]] = []
    for i, record in enumerate(records):
        kind = kind_of(record)
        try:
            image = load_image(record.path).pixels
        except GenImageError:
            continue
        many = (
            DAMAGE
            if damage and record.generator == GROUP
            else (DAMAGE[i % len(DAMAGE)] if damage else "none",)
        )
        for text in many:
            features = image_type_features(parse(text)(image))
            rows.append((features, kind, source_of(record), record.image_id))
        if progress:
            progress(i + 1, len(records))
    if not rows:
        raise TrainingError("no image could be read.", hint="Check the data set's files.")
    x, kinds, groups, ids = zip(*rows, strict=True)
    return Gathered(np.array(x), np.array(kinds), np.array(groups), np.array(ids))


def fit_image_type(train: Gathered, val: Gathered) -> ImageTypeModel:
    """Fit on `train`, choose thresholds on its held-out sources, keep kinds that prove themselves on `val`.

    Generated images have no kind that anybody has told: in training each counts as photograph or drawing,
    whichever a first fit finds likelier, so that screens, pages and renders are told from them, too.

    Raises:
        TrainingError: some kind has no training images.
    """
    mean, scale = train.x.mean(0), np.maximum(train.x.std(0), 1e-6)
    held = np.zeros((len(train.x), len(KINDS)))
    folds = np.array([fold_of(group, FOLDS) for group in train.group])
    for fold in np.unique(folds):
        model = _fit_once(train.of(folds != fold), mean, scale)
        held[folds == fold] = probabilities(train.x[folds == fold], model)
    model = _fit_once(train, mean, scale)
    model.thresholds = _thresholds(held, train)
    p = probabilities(val.x, model)
    figures = image_type_figures(p, val, model.thresholds)
    for kind in list(model.thresholds):
        if (said := figures["precision"].get(kind)) is None or said["value"] < PRECISION:
            del model.thresholds[kind]
    model.figures = image_type_figures(p, val, model.thresholds) | {"n_train": _count(train)}
    return model


def _once(data: Gathered) -> np.ndarray:
    """(N,) weights: every image counts once, however often it was recompressed."""
    _, place, copies = np.unique(data.image_id, return_inverse=True, return_counts=True)
    return 1.0 / copies[place]


def _weights(data: Gathered) -> np.ndarray:
    """As `_once`, and rare kinds count more."""
    once = _once(data)
    total = {kind: once[data.kind == kind].sum() for kind in np.unique(data.kind)}
    most = max(total.values())
    return once * np.array([np.sqrt(most / total[kind]) for kind in data.kind])


def _fit_once(data: Gathered, mean: np.ndarray, scale: np.ndarray) -> ImageTypeModel:
    known = data.kind != "ai"
    inputs, weights = expand(data.x, mean, scale), _weights(data)
    model = LogisticRegression(C=STRENGTH, max_iter=400)
    model.fit(inputs[known], data.kind[known], sample_weight=weights[known])
    if set(model.classes_) != set(CLASSES):
        raise TrainingError("some kind has no training images.", hint=f"Needed: {', '.join(CLASSES)}.")
    if not known.all():
        either = ("photograph", "drawing")
        columns = [list(model.classes_).index(kind) for kind in either]
        kinds = data.kind.astype(object)
        kinds[~known] = np.array(either)[model.predict_proba(inputs[~known])[:, columns].argmax(1)]
        model.fit(inputs, kinds.astype(str), sample_weight=weights)
    classes = [str(name) for name in model.classes_]
    return ImageTypeModel(
        features=list(FEATURES),
        mean=_rounded(mean),
        scale=_rounded(scale),
        weights={name: _rounded(model.coef_[i]) for i, name in enumerate(classes)},
        bias={name: round(float(model.intercept_[i]), 5) for i, name in enumerate(classes)},
        thresholds={},
    )


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{v:.6g}") for v in values]


def _thresholds(p: np.ndarray, data: Gathered) -> dict[str, float]:
    """Kind -> least probability above which held-out training images were right `TARGET` of the time."""
    known, best, top, once = data.kind != "ai", p.argmax(1), p.max(1), _once(data)
    true = _kinds(data)
    found: dict[str, float] = {}
    for i, kind in enumerate(KINDS):
        rows = np.flatnonzero(known & (best == i))
        rows = rows[np.argsort(-top[rows])]
        right = np.cumsum(once[rows] * _right(true[rows], kind)) / np.cumsum(once[rows])
        good = np.flatnonzero(right >= TARGET)
        if len(good) and good[-1] >= FEWEST:
            found[kind] = round(float(top[rows[good[-1]]]), 4)
    return found


def _kinds(data: Gathered) -> np.ndarray:
    """(N,) kinds as they are said; "ai" stays."""
    return np.array([CLASSES.get(str(name), str(name)) for name in data.kind])


def _right(true: np.ndarray, kind: str) -> np.ndarray:
    """Whether `kind` may be said of each image: flat drawings and renders are graphics, too."""
    return true != "photograph" if kind == "graphic" else true == kind


def _count(data: Gathered) -> dict[str, int]:
    return {str(kind): len(set(data.image_id[data.kind == kind])) for kind in np.unique(data.kind)}


def image_type_figures(p: np.ndarray, data: Gathered, thresholds: dict[str, float]) -> dict[str, Any]:
    """What is said of images whose kind is known, with n and 95 % intervals.

    Args:
        p: (N, 4) probabilities. data: the same N images. thresholds: kind -> least probability.

    Returns:
        `confusion`: true class -> kind said ("nothing" among them) -> images; `precision`: kind -> share of
        right ones among the images it was said of; `recall`: kind -> share of its images it was said of;
        `of_ai`: kind -> share of generated images it was said of.
    """
    said = np.array([decide(row, thresholds) or "nothing" for row in p])
    found: dict[str, Any] = {"confusion": {}, "precision": {}, "recall": {}, "of_ai": {}}
    for kind in np.unique(data.kind):
        names, counts = np.unique(said[data.kind == kind], return_counts=True)
        found["confusion"][str(kind)] = dict(zip(names.tolist(), counts.tolist(), strict=True))
    true, known, ai = _kinds(data), data.kind != "ai", data.kind == "ai"
    for kind in thresholds:
        here = said == kind
        if (here & known).any():
            found["precision"][kind] = share(_right(true[here & known], kind)).as_dict()
        if (true == kind).any():
            found["recall"][kind] = share(here[true == kind]).as_dict()
        if ai.any():
            found["of_ai"][kind] = share(here[ai]).as_dict()
    return found
