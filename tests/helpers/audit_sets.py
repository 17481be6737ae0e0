"""Small data sets with known faults, made for the tests of the audit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.conftest import make_image


def save(path: Path, image: np.ndarray, quality: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **({} if path.suffix == ".png" else {"quality": quality}))
    return path


def biased_set(root: Path) -> Path:
    """GenImage's own bias in small: fakes are PNGs of one size, photographs JPEGs of many sizes.

    The pictures themselves come from one distribution, so nothing but the files can tell them apart.
    """
    rng = np.random.default_rng(0)
    for i in range(30):
        save(root / "gen" / "val" / "ai" / f"{i}.png", make_image(2 * i, side=256))
        image = make_image(2 * i + 1, side=320)
        height, width = rng.integers(230, 320, 2)
        save(root / "gen" / "val" / "nature" / f"{i}.jpg", image[:height, :width], 75 + i % 20)
    return root


def copies_set(root: Path) -> None:
    """Four scenes; one is in both splits, one has both labels, one is in val twice, one is alone."""
    small = Image.fromarray(make_image(1, side=200)).resize((120, 120), Image.Resampling.LANCZOS)
    save(root / "g" / "train" / "ai" / "a.png", make_image(1, side=200))
    save(root / "g" / "val" / "ai" / "a_smaller.jpg", np.asarray(small))
    save(root / "g" / "val" / "ai" / "b.png", make_image(2))
    save(root / "h" / "val" / "nature" / "b_again.jpg", make_image(2), 60)
    for name in ("c", "c_copy"):
        save(root / "h" / "val" / "nature" / f"{name}.png", make_image(3))
    save(root / "h" / "val" / "nature" / "d.png", make_image(4))
