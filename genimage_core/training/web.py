"""What the web does to a picture, drawn at random: crops, thumbnails, filters, one or two encoders.

Both classes go through it alike, so that neither the last encoder nor the size gives the answer away.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

Pixels = Image.Image

RESAMPLING = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
)
LARGEST, SMALLEST = 2048, 180
"""Longer side that sites keep at most; shorter side below which nothing is shrunk further."""


def web_chain(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One random way of a picture through the web.

    Args:
        image: (H, W, 3) RGB uint8, any size.
        rng: source of every draw.

    Returns:
        (h, w, 3) RGB uint8.
    """
    picture = Image.fromarray(image)
    if rng.random() < 0.35:
        picture = _crop(picture, rng)
    picture = _fit(picture, rng)
    if rng.random() < 0.2:
        picture = _retouch(picture, rng)
    if rng.random() < 0.92:
        picture = _encode(picture, rng)
    if rng.random() < 0.2:  # shared on
        if rng.random() < 0.6:
            picture = _resize(picture, rng.uniform(0.6, 1.0), rng)
        picture = _encode(picture, rng)
    return np.asarray(picture)


def _resize(picture: Pixels, factor: float, rng: np.random.Generator) -> Pixels:
    size = (max(64, round(picture.width * factor)), max(64, round(picture.height * factor)))
    return picture.resize(size, RESAMPLING[rng.integers(len(RESAMPLING))])


def _crop(picture: Pixels, rng: np.random.Generator) -> Pixels:
    share = rng.uniform(0.5, 0.98)
    width = min(picture.width, max(96, int(picture.width * share)))
    other = rng.uniform(max(0.5, share - 0.2), min(1.0, share + 0.2))
    height = min(picture.height, max(96, int(picture.height * other)))
    left = int(rng.integers(0, picture.width - width + 1))
    top = int(rng.integers(0, picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


def _fit(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """A site's own size, a thumbnail, a smaller or a slightly enlarged copy, or none of these."""
    drawn, longer, shorter = rng.random(), max(picture.size), min(picture.size)
    if longer > LARGEST:
        return _resize(picture, rng.uniform(500, LARGEST) / longer, rng)
    if drawn < 0.12 and longer > 420:
        return _resize(picture, rng.uniform(320, 512) / longer, rng)
    if drawn < 0.5:
        return _resize(picture, max(rng.uniform(0.33, 1.0), SMALLEST / shorter), rng)
    if drawn < 0.6 and longer < 1300:
        return _resize(picture, rng.uniform(1.0, 1.6), rng)
    return picture


def _retouch(picture: Pixels, rng: np.random.Generator) -> Pixels:
    kind = rng.integers(5)
    if kind == 0:
        return ImageEnhance.Brightness(picture).enhance(rng.uniform(0.8, 1.25))
    if kind == 1:
        return ImageEnhance.Contrast(picture).enhance(rng.uniform(0.8, 1.3))
    if kind == 2:
        return ImageEnhance.Color(picture).enhance(rng.uniform(0.5, 1.5))
    if kind == 3:
        return picture.filter(ImageFilter.UnsharpMask(rng.uniform(0.8, 3), int(rng.uniform(40, 150)), 2))
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))


def _encode(picture: Pixels, rng: np.random.Generator) -> Pixels:
    kind = rng.choice(["JPEG", "WEBP", "AVIF"], p=[0.65, 0.25, 0.10])
    quality, file = int(rng.integers(40, 96)), io.BytesIO()
    if kind == "JPEG":
        picture.save(file, "JPEG", quality=quality, subsampling=int(rng.choice([0, 2, 2])))
    elif kind == "WEBP":
        picture.save(file, "WEBP", quality=quality, method=2)
    else:
        picture.save(file, "AVIF", quality=quality, speed=10)
    file.seek(0)
    return Image.open(file).convert("RGB")
