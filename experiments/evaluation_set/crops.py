"""Crops of the bundled photographs that are free of any condition (public domain and CC0)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from genimage_core.datasets.samples import list_samples
from genimage_core.images.load import load_image

SIDE = 224
FREE = ("Public domain", "CC0")


def photographs() -> dict[str, np.ndarray]:
    """File name -> RGB uint8 (H, W, 3) of the bundled photographs under a licence of `FREE`, by name."""
    free = [s for s in list_samples() if s.truth == "real" and s.licence.startswith(FREE)]
    return {s.file: load_image(s.path).pixels for s in sorted(free, key=lambda s: s.file)}


def draw_crops(
    photos: dict[str, np.ndarray], count: int, seed: int, side: int = SIDE
) -> list[tuple[str, np.ndarray]]:
    """Draw (photograph, RGB uint8 (side, side, 3)) crops at random places and scales, some mirrored.

    Each photograph is drawn as often as its area allows for, and at least once in `count` where it can be.
    """
    rng = np.random.default_rng(seed)
    names = list(photos)
    areas = np.array([photos[n].shape[0] * photos[n].shape[1] for n in names], float) ** 0.5
    order = [*rng.permutation(len(names)), *rng.choice(len(names), count, p=areas / areas.sum())][:count]
    found = []
    for place in order:
        photo = photos[names[place]]
        least = side / min(photo.shape[:2])
        scale = float(rng.uniform(max(least, 0.45), max(least, 1.0)))
        height, width = (max(side, round(n * scale)) for n in photo.shape[:2])
        small = Image.fromarray(photo).resize((width, height), Image.Resampling.LANCZOS)
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        crop = np.asarray(small.crop((left, top, left + side, top + side)))
        found.append((names[place], crop[:, ::-1].copy() if rng.random() < 0.5 else crop.copy()))
    return found
