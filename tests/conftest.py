"""Shared fixtures: images and data sets that the tests make themselves."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genimage_core.detectors import _timm  # noqa: F401  (tests import timm)

# No test leaves hashes of its files in the user's cache.
os.environ["GENIMAGE_CACHE"] = tempfile.mkdtemp(prefix="genimage-test-")

# Small tensors gain nothing from threads, and lose much to waiting where the machine is busy.
torch.set_num_threads(1)


def make_image(seed: int, side: int = 160, *, fake: bool = False) -> np.ndarray:
    """A smooth random scene with noise; a "fake" one carries a 2 px checkerboard trace."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    scene = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC), np.float32)
    scene += rng.normal(0, 6, scene.shape)
    if fake:
        rows, columns = np.indices((side, side))
        scene += (((rows + columns) % 2) * 2.0 - 1.0)[..., None] * 20.0
    return np.clip(scene, 0, 255).astype(np.uint8)


@pytest.fixture
def toy_dataset(tmp_path: Path) -> Path:
    """Two generators in GenImage's layout, one of them with an archive folder between."""
    root = tmp_path / "data"
    for place, generator in enumerate(("alpha", "beta/imagenet_ai_0001_beta")):
        for split, count in (("train", 12), ("val", 6)):
            for label in ("ai", "nature"):
                folder = root / generator / split / label
                folder.mkdir(parents=True)
                for i in range(count):
                    seed = 1000 * place + 100 * (split == "val") + 2 * i + (label == "ai")
                    image = make_image(seed, fake=label == "ai")
                    Image.fromarray(image).save(folder / f"{i}.png")
    return root
