"""Augmentation: what both classes go through alike, so that the file cannot give the answer away."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import CutMix

from genimage_core.detectors import _timm  # noqa: F401  (makes torchvision importable)
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.tiling import pad_to


def reencode(image: np.ndarray, quality: int, *, webp: bool = False) -> np.ndarray:
    """(H, W, 3) RGB uint8 -> the same after one lossy round trip at `quality` (1..100)."""
    if webp:
        kind, flag = ".webp", cv2.IMWRITE_WEBP_QUALITY
    else:
        kind, flag = ".jpg", cv2.IMWRITE_JPEG_QUALITY
    ok, data = cv2.imencode(kind, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [flag, quality])
    if not ok:
        raise RuntimeError(f"OpenCV could not encode {kind} at quality {quality}")
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


def random_crop(image: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A random (side, side, 3) crop at native resolution; small images are mirrored outwards."""
    image = pad_to(image, side)
    top = int(rng.integers(0, image.shape[0] - side + 1))
    left = int(rng.integers(0, image.shape[1] - side + 1))
    return image[top : top + side, left : left + side]


def rescale(image: np.ndarray, factor: float) -> np.ndarray:
    """Resize both sides by `factor` > 0: area averaging down, bicubic up."""
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=method)


def erase(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fill a random rectangle of 2 to 20 % of the area with noise."""
    side = image.shape[0]
    area = rng.uniform(0.02, 0.2) * side * side
    ratio = np.exp(rng.uniform(-1.0, 1.0))
    h = int(min(side, max(1, np.sqrt(area * ratio))))
    w = int(min(side, max(1, np.sqrt(area / ratio))))
    top, left = int(rng.integers(0, side - h + 1)), int(rng.integers(0, side - w + 1))
    out = image.copy()
    out[top : top + h, left : left + w] = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
    return out


def augment(
    image: np.ndarray, recipe: Recipe, crop: int, rng: np.random.Generator, hardness: float = 1.0
) -> np.ndarray:
    """One random training view.

    The class never enters: a real and a fake image with the same draw go the same way. A margin is
    cut off after the re-encoding, so that the 8 px grid of the new JPEG lies anywhere in the view.

    Args:
        image: (H, W, 3) RGB uint8, any size.
        recipe: the detector's recipe.
        crop: side of the view in px.
        rng: source of every draw.
        hardness: in [0, 1], how far the range of re-encoding qualities has opened; the traces are
            easier to find in lightly compressed views, so training starts with those.

    Returns:
        (crop, crop, 3) RGB uint8.
    """
    if rng.random() < recipe.rescale_p:
        image = rescale(image, float(rng.uniform(*recipe.rescale_range)))
    view = random_crop(image, crop + 8, rng)
    if rng.random() < 0.5:
        view = view[:, ::-1]
    if rng.random() < recipe.blur_p * hardness:
        view = cv2.GaussianBlur(np.ascontiguousarray(view), (0, 0), max(0.05, float(rng.uniform(0, 3))))
    if rng.random() < recipe.encode_p:
        low, high = recipe.jpeg_quality
        floor = high - (high - low) * (0.3 + 0.7 * hardness)
        webp = bool(rng.random() < recipe.webp_share)
        view = reencode(np.ascontiguousarray(view), int(rng.integers(round(floor), high + 1)), webp=webp)
    view = random_crop(view, crop, rng)
    if rng.random() < recipe.erasing_p:
        view = erase(view, rng)
    return np.ascontiguousarray(view)


# isort: split

_CUTMIX = CutMix(alpha=1.0, num_classes=2)


def cutmix(images: Tensor, labels: Tensor, probability: float) -> tuple[Tensor, Tensor]:
    """With `probability`, paste a box of each image's neighbour into it; labels follow the areas.

    In a batch in which fakes and reals take turns every box comes from the other class, so that no object or
    style in the rest of the image decides the label.

    Args:
        images: (N, 3, S, S).
        labels: (N,) floats in {0, 1}.
        probability: in [0, 1]; the draws are torch's, so seed it.

    Returns:
        Images of the same shape and (N,) labels in [0, 1].
    """
    if probability <= 0 or torch.rand(()) >= probability:
        return images, labels
    mixed, shares = _CUTMIX(images, labels.long())
    return mixed, shares[:, 1]
