"""What a picture looks like: a screen or page, a drawing, a render, or a photograph.

A small logistic regression on classic measures, fitted by `python -m genimage_core dev fit-image-type`; its
numbers are in `assets/looks_like.json`. It says nothing rather than something doubtful: a kind is named only
above a score at which it was right for at least nine of ten validation images.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel
from scipy.special import softmax

from genimage_core.utils.errors import WeightsError
from genimage_core.utils.paths import asset
from genimage_core.verdict.image_type_features import FEATURES, image_type_features, tiles_features

__all__ = ["KINDS", "ImageType", "classify_image_type", "image_type_features"]

Kind = Literal["photograph", "drawing", "render", "graphic"]
KINDS: tuple[Kind, ...] = ("photograph", "drawing", "render", "graphic")
CLASSES: dict[str, Kind] = {
    "photograph": "photograph",
    "drawing": "drawing",
    "render": "render",
    "screen": "graphic",
    "document": "graphic",
}
"""Class of the model -> kind. Screens and pages are learned apart and said together: many are both. A comic
or a flat rendered picture counts as a graphic, too; a photograph never does."""
WITHHOLDS: frozenset[Kind] = frozenset({"drawing", "graphic"})
"""Kinds of picture that the detectors were not made for: the verdict may not be "fake"."""
WORDS: dict[Kind, str] = {
    "photograph": "a photograph",
    "drawing": "a drawing or painting",
    "render": "a rendered (3D) image",
    "graphic": "a graphic (a screenshot, chart, map, comic or page of text)",
}
PATH = asset("looks_like.json")
CLIP = 4.0
"""Standardised features beyond this many deviations count as this many: unheard-of values decide nothing."""


class ImageTypeModel(BaseModel):
    """The fitted numbers.

    Attributes:
        features: names, in order; must be those of the code.
        mean, scale: standardise each.
        weights: class -> one weight for each feature, then one for each feature's square.
        bias: class -> constant.
        thresholds: kind -> least probability at which it is said; kinds that may not be said are absent.
        figures: what was measured, on which images.
    """

    features: list[str]
    mean: list[float]
    scale: list[float]
    weights: dict[str, list[float]]
    bias: dict[str, float]
    thresholds: dict[str, float]
    figures: dict[str, Any] = {}


class ImageType(BaseModel):
    """What a picture looks like.

    Attributes:
        kind: the kind that is safe to say, or None.
        probabilities: kind -> probability in [0, 1]; they sum to 1.
    """

    kind: Kind | None
    probabilities: dict[Kind, float]

    @property
    def words(self) -> str:
        """The kind as a reader calls it, "" for none."""
        return WORDS[self.kind] if self.kind else ""

    @property
    def withholds(self) -> bool:
        """Whether the verdict "fake" must be withheld."""
        return self.kind in WITHHOLDS


@cache
def load_model(path: Path = PATH) -> ImageTypeModel:
    """The bundled model.

    Raises:
        WeightsError: the file is missing, damaged or of other features.
    """
    try:
        model = ImageTypeModel.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        model = None
    if model is None or tuple(model.features) != FEATURES:
        raise WeightsError(
            "what tells drawings and screens from photographs is missing or damaged.",
            hint="Restore the assets folder or run `python -m genimage_core dev fit-image-type`.",
            source=path.name,
        )
    return model


def expand(x: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(N, F) features -> (N, 2 F): standardised and clipped, and their squares."""
    z = np.clip((x - mean) / scale, -CLIP, CLIP)
    return np.hstack([z, z * z])


def probabilities(x: np.ndarray, model: ImageTypeModel) -> np.ndarray:
    """(N, F) features -> (N, 4) probabilities of `KINDS`."""
    inputs = expand(x, np.array(model.mean), np.array(model.scale))
    weights = np.array([model.weights[name] for name in CLASSES])
    z = inputs @ weights.T + np.array([model.bias[name] for name in CLASSES])
    p = softmax(z, axis=1)
    return np.column_stack([p[:, [CLASSES[c] == kind for c in CLASSES]].sum(1) for kind in KINDS])


def decide(p: np.ndarray, thresholds: dict[str, float]) -> Kind | None:
    """The kind that (4,) probabilities allow to be said, or None."""
    best = KINDS[int(np.argmax(p))]
    return best if best in thresholds and p.max() >= thresholds[best] else None


def classify_image_type(image: np.ndarray, model: ImageTypeModel | None = None) -> ImageType:
    """Say what a picture looks like, from the mean of what its tiles look like.

    Args:
        image: RGB uint8 (H, W, 3), any size.
        model: None takes the bundled one.

    Raises:
        WeightsError: the bundled model is missing or damaged.
    """
    model = model or load_model()
    p = probabilities(tiles_features(image), model).mean(0)
    return ImageType(
        kind=decide(p, model.thresholds),
        probabilities={kind: float(value) for kind, value in zip(KINDS, p, strict=True)},
    )
