"""Pictures of each kind, made on the spot: crude, but of the right statistics."""

from __future__ import annotations

import cv2
import numpy as np

Image = np.ndarray


def photograph(seed: int, side: int = 256) -> Image:
    """Soft shapes at all scales under camera noise."""
    rng = np.random.default_rng(seed)
    image = np.zeros((side, side, 3), np.float32)
    for scale in (4, 8, 16, 32, 64):
        coarse = rng.normal(0, 60 / np.sqrt(scale / 4), (scale, scale, 3)).astype(np.float32)
        coarse = 0.3 * coarse + 0.7 * coarse.mean(2, keepdims=True)
        image += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(image + 120 + rng.normal(0, 5, image.shape), 0, 255).astype(np.uint8)


def screen(seed: int, side: int = 256) -> Image:
    """A window: flat panes, thin lines, short words."""
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), int(rng.integers(225, 256)), np.uint8)
    image[: side // 8] = rng.integers(40, 200, 3)
    for _ in range(8):
        x, y = (int(v) for v in rng.integers(0, side - 20, 2))
        colour = [int(c) for c in rng.integers(0, 256, 3)]
        cv2.rectangle(
            image, (x, y), (x + int(rng.integers(20, 120)), y + 14), colour, int(rng.choice([-1, 1]))
        )
        cv2.putText(image, "File Edit", (x, y + 11), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (20, 20, 20), 1)
    return image


def document(seed: int, side: int = 256) -> Image:
    """Rows of dark words on paper with a little grain."""
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), int(rng.integers(235, 250)), np.uint8)
    for y in range(12, side, 14):
        cv2.putText(
            image, "lorem ipsum dolor sit amet", (4, y), cv2.FONT_HERSHEY_TRIPLEX, 0.4, (30, 30, 30), 1
        )
    return np.clip(image + rng.normal(0, 3, (side, side, 1)), 0, 255).astype(np.uint8)


def drawing(seed: int, side: int = 256) -> Image:
    """Broad strokes of vivid colour."""
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), [int(c) for c in rng.integers(80, 255, 3)], np.uint8)
    for _ in range(150):
        a, b = (tuple(int(v) for v in rng.integers(0, side, 2)) for _ in range(2))
        colour = [int(c) for c in rng.integers(0, 256, 3)]
        cv2.line(image, a, b, colour, int(rng.integers(3, 12)), cv2.LINE_AA)
    return cv2.GaussianBlur(image, (0, 0), 0.8)


def render(seed: int, side: int = 256) -> Image:
    """Shaded balls on a smooth floor, without noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    image = np.repeat((80 + 120 * y / side)[..., None], 3, 2)
    for _ in range(5):
        cx, cy, radius = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(20, 60)
        inside = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
        light = np.clip(1 - np.hypot(x - cx + radius / 3, y - cy + radius / 3) / (1.5 * radius), 0.1, 1)
        image[inside] = (light[..., None] * rng.uniform(60, 255, 3))[inside]
    return image.astype(np.uint8)


MAKERS = {
    "photograph": photograph, "screen": screen, "document": document, "drawing": drawing, "render": render,
}  # fmt: skip
