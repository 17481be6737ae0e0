"""Error-level analysis: what changes when the picture is saved as a JPEG once more."""

from __future__ import annotations

import numpy as np

from genimage_core.explain.draw import preview
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind
from genimage_core.images.degradations import Jpeg

QUALITY = 90
BRIGHT = 99.5
"""The percentile of the differences that is drawn white."""


def error_levels(image: np.ndarray, quality: int = QUALITY) -> np.ndarray:
    """(H, W, 3) uint8 -> (H, W, 3) float32, absolute change in grey levels after one JPEG save."""
    return np.abs(image.astype(np.float32) - Jpeg(quality)(image).astype(np.float32))


@evidence_kind(
    "ela",
    place=80,
    title="Forensics: error levels",
    means=(
        "The picture was saved once more as a JPEG; bright is what that changed most. In a picture saved as "
        "a whole, similar surfaces are similarly bright; a pasted or repainted part may stand out."
    ),
    misleads=(
        "Edges, text and strong colours are always brighter. An AI image is made in one piece and looks "
        "even, like a photograph; re-saving, resizing or a screenshot wipes differences out. On its own this "
        "proves nothing."
    ),
    weighs="Weighs very little: it tells of compression more than of AI.",
)
def ela(subject: Subject) -> Findings:
    """Error levels, brightened so that the strongest half per cent is white."""
    levels = error_levels(subject.image)
    top = max(1.0, float(np.percentile(levels, BRIGHT)))
    picture = preview(np.clip(levels * (255.0 / top), 0, 255).astype(np.uint8))
    mean = float(levels.mean())
    alt = f"Error levels after a save at quality {QUALITY}: on average {mean:.1f} of 255 grey levels change."
    data = {"jpeg_quality": QUALITY, "mean_change": round(mean, 3), "white_at": round(top, 2)}
    return Findings({"ela": picture}, {"ela": alt}, data, finding=alt)
