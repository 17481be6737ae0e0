"""The log-spectrum, beside the average spectra of photographs and of each generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from genimage_core.detectors.tiling import pad_to, tile_origins
from genimage_core.explain.draw import FAINT, FAKE, INK, PHOTO, chart, hex_colour, two_sided
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.reference_stats import SpectrumReference, spectrum_reference
from genimage_core.explain.registry import evidence_kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCALE = 3
"""Screen pixels a frequency."""

FULL_COLOUR = 1.0
"""Difference, in powers of ten, that gets the full colour in one picture; averages differ less."""

FULL_COLOUR_MEAN = 0.5


def _grey(spectrum: np.ndarray) -> np.ndarray:
    low, high = np.percentile(spectrum, (1, 99.8))
    grey = np.clip((spectrum - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    return _enlarge(np.repeat(grey[..., None], 3, 2))


def _enlarge(picture: np.ndarray) -> np.ndarray:
    return picture.repeat(SCALE, 0).repeat(SCALE, 1)


def _profiles(figure: Figure, profile: np.ndarray, reference: SpectrumReference) -> None:
    axes = figure.subplots()
    x = np.arange(1, len(profile) + 1) / SIDE
    base = reference.profiles[0]
    axes.fill_between(
        x, reference.real_low - base, reference.real_high - base, color=hex_colour(PHOTO), alpha=0.25,
        linewidth=0, label="9 in 10 photographs",
    )  # fmt: skip
    for number, (group, line) in enumerate(zip(reference.groups[1:], reference.profiles[1:], strict=True)):
        dash = ("-", "--", ":", "-.")[number % 4]
        shade = 0.5 + 0.5 * (number // 4)
        axes.plot(x, line - base, dash, color=hex_colour(FAKE), alpha=shade, linewidth=1.1, label=group)
    axes.axhline(0, color=hex_colour(PHOTO), linewidth=1.5, label="mean photograph")
    axes.plot(x, profile - base, color=INK, linewidth=2.5, label="this picture")
    axes.set_xlabel("fineness of the pattern (cycles a pixel; .5 is the finest there is)")
    axes.set_ylabel("power against photographs\n(powers of ten)")
    axes.set_xlim(0, 0.5)
    axes.grid(color=FAINT, alpha=0.25)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)


def _averages(figure: Figure, own: np.ndarray, reference: SpectrumReference) -> None:
    panels = [("this picture", own, FULL_COLOUR)]
    panels += [
        (f"{group}\n(mean of {count})", mean - reference.means[0], FULL_COLOUR_MEAN)
        for group, count, mean in zip(
            reference.groups[1:], reference.counts[1:], reference.means[1:], strict=True
        )
    ]
    columns = 5
    grid = figure.subplots(-(-len(panels) // columns), columns, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, (title, values, full) in zip(grid, panels, strict=False):
        axes.imshow(two_sided(values / full, 1.0), interpolation="nearest")
        axes.set_title(title, fontsize=8)


@evidence_kind(
    "spectrum",
    place=60,
    title="Forensics: the spectrum",
    means=(
        "The picture taken apart into patterns: coarse in the middle, the finest at the rim. Generators that "
        "enlarge small images inside can leave regular bright dots or a grid; many leave too little or too "
        "much fine detail. Beside it: how far it differs from the mean photograph (orange more, blue less "
        "power), how the means of known generators differ, and all as curves."
    ),
    misleads=(
        "JPEG compression, resizing, sharpening, screenshots and printed or woven patterns leave dots and "
        "grids in photographs, too, and re-saving removes them from AI images. The means come from small "
        "copies of at most 256 px of this project's own data; one picture may lie far from its group's mean. "
        "Here orange and blue mean more and less power, not fake and real."
    ),
    weighs="Weighs little alone: re-saving leaves such traces, too.",
)
def spectrum(subject: Subject) -> Findings:
    """`spectrum` (grey), `difference` from the mean photograph, `averages` of generators, `profile`."""
    reference = spectrum_reference()
    own = log_spectrum(subject.image)
    profile = radial_profile(own)
    # One picture's spectrum scatters more than groups differ: the mean of 3 x 3 bins can be looked at.
    difference = cv2.blur(own - reference.means[0], (3, 3))
    distances = np.sqrt(((reference.profiles - profile) ** 2).mean(1))
    outside = (profile < reference.real_low) | (profile > reference.real_high)
    order = np.argsort(distances, kind="stable")
    words = (
        f"Of its {len(profile)} degrees of fineness {outside.mean():.0%} have a power that 9 in 10 "
        "photographs do not have."
    )
    images = {
        "spectrum": _grey(own),
        "difference": _enlarge(two_sided(difference / FULL_COLOUR, 1.0)[..., :3]),
        "averages": chart(7.5, 4.0, lambda f: _averages(f, difference, reference)),
        "profile": chart(7.5, 3.2, lambda f: _profiles(f, profile, reference)),
    }
    alts = {
        "spectrum": "The log-spectrum of the picture, coarse patterns in the middle.",
        "difference": f"The spectrum less that of the mean photograph. {words}",
        "averages": "How the mean spectra of known generators differ from the mean photograph.",
        "profile": f"Power against fineness, for this picture and for groups of pictures. {words}",
    }
    data = {
        "share_outside_photographs": round(float(outside.mean()), 4),
        "distance_to_mean": {reference.groups[i]: round(float(distances[i]), 4) for i in map(int, order)},
        "largest_excess": round(float(difference.max()), 3),
    }
    return Findings(images, alts, data, {"spectrum": own, "profile": profile}, words)


SIDE = 128
"""Side of a tile in px: the smallest picture of the data that the averages come from still holds one."""

MAX_TILES = 64


def log_spectrum(image: np.ndarray) -> np.ndarray:
    """Log power spectrum of a picture's brightness, averaged over its tiles (Welch's method).

    Tiles of `SIDE` px at native resolution, mean removed, Hann window. The power is divided by its sum, so
    that contrast and brightness do not count.

    Args:
        image: RGB uint8 (H, W, 3); smaller ones are mirrored at their edges.

    Returns:
        (SIDE, SIDE) float32, log10 of each frequency's share of the power; zero frequency in the middle.
    """
    grey = cv2.cvtColor(pad_to(image, SIDE), cv2.COLOR_RGB2GRAY).astype(np.float32)
    origins = tile_origins(grey.shape[0], grey.shape[1], SIDE)
    keep = np.unique(np.linspace(0, len(origins) - 1, min(len(origins), MAX_TILES)).round().astype(int))
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)
    tiles = np.stack([grey[t : t + SIDE, x : x + SIDE] for t, x in (origins[i] for i in keep)])
    tiles = (tiles - tiles.mean((1, 2), keepdims=True)) * window
    power = (np.abs(np.fft.fft2(tiles)) ** 2).mean(0)
    share = power / max(float(power.sum()), 1e-12)
    return np.fft.fftshift(np.log10(share + 1e-10)).astype(np.float32)


def radial_profile(spectrum: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) centred spectrum -> (SIDE // 2,), mean over rings of 1 .. SIDE / 2 cycles a tile."""
    half = SIDE // 2
    y, x = np.indices((SIDE, SIDE)) - half
    ring = np.hypot(x, y).round().astype(int)
    total = np.bincount(ring.ravel(), spectrum.ravel())
    return (total / np.bincount(ring.ravel()))[1 : half + 1].astype(np.float32)
