"""The noise residual: what is left when a denoised copy is taken away."""

from __future__ import annotations

import cv2
import numpy as np

from genimage_core.explain.draw import PREVIEW_SIDE
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind

WINDOW = 5
"""Side in px of the neighbourhood that the filter looks at."""

SHOWN = 12.0
"""Grey levels of residual that are drawn black or white."""

PARTS = 4


def noise_residual(image: np.ndarray) -> np.ndarray:
    """The picture less its denoised copy.

    The denoiser is Wiener's adaptive filter (Lim 1990, eq. 9.26 to 9.29), channel by channel: flat
    neighbourhoods are averaged, those that vary more than the typical one are kept.

    Args:
        image: RGB uint8 (H, W, 3).

    Returns:
        (H, W, 3) float32, in grey levels around 0.
    """
    x = image.astype(np.float32)
    mean = cv2.blur(x, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    square = cv2.sqrBoxFilter(x, -1, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    variance = np.maximum(square - mean**2, 0.0)
    noise = variance.mean((0, 1))
    kept = np.maximum(variance - noise, 0.0) / np.maximum(np.maximum(variance, noise), 1e-6)
    return (x - mean) * (1.0 - kept)


@evidence_kind(
    "noise",
    place=70,
    title="Forensics: the noise",
    means=(
        "What is left after the picture was smoothed and the smooth copy taken away, made stronger. A camera "
        "leaves fine grain over the whole frame, more of it in the dark; generators often leave grain that "
        "is too even, absent in places, or arranged in a grid."
    ),
    misleads=(
        "Edges always shine through. Phones and editing programs remove noise or add grain, JPEG compression "
        "replaces it by 8 px blocks, and resizing smears it: in a picture from the web most of what you see "
        "was made by the last save. Of a large picture only the middle is shown."
    ),
    weighs="Weighs little alone: smoothing and compression change it.",
)
def noise(subject: Subject) -> Findings:
    """The residual around middle grey."""
    residual = noise_residual(subject.image)
    # Shrinking would average the noise away: of a large picture the middle is shown, pixel for pixel.
    top, left = (max(0, length - PREVIEW_SIDE) // 2 for length in residual.shape[:2])
    middle = residual[top : top + PREVIEW_SIDE, left : left + PREVIEW_SIDE]
    picture = np.clip(127.5 + middle * (127.5 / SHOWN), 0, 255).round().astype(np.uint8)
    rows = np.array_split(residual, min(PARTS, residual.shape[0]), 0)
    parts = [
        float(part.std()) for row in rows for part in np.array_split(row, min(PARTS, residual.shape[1]), 1)
    ]
    strength = float(residual.std())
    alt = (
        f"The noise of the picture, made stronger: {strength:.1f} grey levels on average, "
        f"from {min(parts):.1f} in the quietest to {max(parts):.1f} in the noisiest of {len(parts)} parts."
    )
    data = {
        "strength": round(strength, 3),
        "quietest": round(min(parts), 3),
        "noisiest": round(max(parts), 3),
    }
    return Findings({"noise": picture}, {"noise": alt}, data, finding=alt)
