"""F3Net's four frequency bands of the view that it reads, as its trained filters cut them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from genimage_core.detectors import Detector
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind

BANDS = ("low", "middle", "high", "all")
WORDS = ("coarse forms", "medium patterns", "fine detail", "everything, as reweighted in training")


@torch.inference_mode()
def fad_bands(image: np.ndarray, detector: Detector) -> tuple[np.ndarray, np.ndarray]:
    """The bands of the first view of an image.

    Args:
        image: RGB uint8 (H, W, 3).
        detector: F3Net.

    Returns:
        The view, (S, S, 3) uint8, and its bands, (4, S, S, 3) float32 in units of [-1, 1] pixels.
    """
    view = detector.views(image)[0]
    x = (
        torch.from_numpy(np.ascontiguousarray(view)).to(detector.device).permute(2, 0, 1)[None].float()
        / 255.0
    )
    fad: Any = detector.net.fad
    bands = fad(detector.net.prepare(x))[0].float().cpu().numpy()
    return view, bands.reshape(len(BANDS), 3, *view.shape[:2]).transpose(0, 2, 3, 1)


def _stretched(band: np.ndarray) -> np.ndarray:
    low, high = np.percentile(band, (0.5, 99.5))
    return np.clip((band - low) / max(float(high - low), 1e-6) * 255, 0, 255).astype(np.uint8)


@evidence_kind(
    "f3net_bands",
    place=90,
    title="Forensics: F3Net's frequency bands",
    means=(
        "The part of the picture that F3Net reads, split into its bands: coarse forms, medium patterns, fine "
        "detail, and everything together. Its first network looks at these four instead of the picture."
    ),
    misleads=(
        "Each band is stretched to full contrast, so a faint band looks as strong as a strong one; the "
        "numbers give the shares. They show what goes in, not what the network makes of it, and people "
        "cannot tell real from fake by looking at them."
    ),
    asks="f3net",
    weighs="Weighs little: it shows what one detector reads.",
)
def bands(subject: Subject) -> Findings:
    """The view and its four bands."""
    view, found = fad_bands(subject.image, subject.detectors["f3net"])
    energy = np.array([float(band.var()) for band in found[:3]])
    shares = energy / max(float(energy.sum()), 1e-12)
    images = {"view": np.ascontiguousarray(view)}
    alts = {"view": f"The {view.shape[0]} px part of the picture that F3Net reads."}
    for name, words, band in zip(BANDS, WORDS, found, strict=True):
        images[name] = _stretched(band)
        alts[name] = f"F3Net's band “{name}”: {words}."
    finding = (
        f"Of the energy of what F3Net reads here, {shares[0]:.1%} lies in coarse forms, {shares[1]:.1%} in "
        f"medium patterns and {shares[2]:.2%} in fine detail."
    )
    data = {
        "view_px": view.shape[0],
        "energy_share": {n: round(float(s), 6) for n, s in zip(BANDS[:3], shares, strict=True)},
    }
    return Findings(images, alts, data, finding=finding)
