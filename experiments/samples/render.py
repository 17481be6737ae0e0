"""Paint new pictures with the samples' generator."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.samples.diffusion import Cascade
from experiments.samples.network import (
    COARSE_SIGMA_DATA,
    LEVELS,
    SCALE,
    coordinates,
    denoise,
    double,
    place_planes,
)


@dataclass(frozen=True)
class Scene:
    """What to paint: photographs whose manner to follow, size, seed, and how much of the layout to keep."""

    photos: tuple[tuple[str, float], ...]
    """(name, weight) pairs; more than one blends the manners."""
    seed: int
    height: int = 256
    width: int = 384
    place: str = "y"
    """Which coordinates the coarse network is told: "" (a free layout), "y" (what is up stays up), "yx"."""
    below: tuple[tuple[str, float], ...] = ()
    """If given, the manner of the lower part, blended in around `split`."""
    split: float = 0.5
    zoom: float = 1.0
    """Share of the coordinate range that the picture covers; below 1 is a closer view."""
    fold: int = 1
    """How many times the horizontal coordinate runs to and fro across the picture."""
    warp: float = 0.0
    """Strength of a random smooth displacement of the coordinates."""


def _sigmas(steps: int, low: float, high: float) -> list[float]:
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    return [*((high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7).tolist(), 0.0]


def _solve(estimate: Callable[[Tensor, float], Tensor], noise: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Heun's method down the noise levels: noise (N, 3, H, W) of unit variance -> clean signal."""
    x = noise * sigmas[0]
    for now, then in itertools.pairwise(sigmas):
        slope = (x - estimate(x, now)) / now
        ahead = x + slope * (then - now)
        if then > 0:
            slope = (slope + (ahead - estimate(ahead, then)) / then) / 2
            ahead = x + slope * (then - now)
        x = ahead
    return x


@torch.no_grad()
def paint(
    model: Cascade, scene: Scene, steps: tuple[int, int] = (20, 8), aug: float = 0.03, levels: int = LEVELS
) -> Tensor:
    """Sample one picture: uint8 (height, width, 3). The same model and scene give the same picture.

    `steps` are the solver's steps (coarse, each doubling); `aug` is the noise put on a picture before it is
    doubled, which the detail network removes together with the picture's flaws; fewer `levels` stop at a
    smaller picture. Raises ValueError for a size that `SCALE` does not divide or a name the model was not
    trained on.
    """
    if scene.height % SCALE or scene.width % SCALE:
        raise ValueError(f"height and width must be multiples of {SCALE}, got {scene.height} x {scene.width}")
    unknown = {name for name, _ in scene.photos + scene.below} - set(model.names)
    if unknown:
        raise ValueError(f"not among the training photographs {model.names}: {sorted(unknown)}")
    generator = torch.Generator().manual_seed(scene.seed)

    def blend(parts: tuple[tuple[str, float], ...]) -> Tensor:
        row = torch.zeros(1, len(model.names))
        for name, weight in parts:
            row[0, model.names.index(name)] = weight
        return row

    manners = [blend(scene.photos)] + ([blend(scene.below)] if scene.below else [])

    def blended(make: Callable[[Tensor], Tensor], height: int) -> Tensor:
        if len(manners) == 1:
            return make(manners[0])
        lower = torch.sigmoid((torch.linspace(0, 1, height) - scene.split) * 16)[None, None, :, None]
        return make(manners[0]) * (1 - lower) + make(manners[1]) * lower

    height, width = scene.height >> LEVELS, scene.width >> LEVELS
    shown = torch.tensor([float("y" in scene.place), float("x" in scene.place)])[None, :, None, None]
    where = coordinates(height, width, -scene.zoom, scene.zoom, -scene.zoom, scene.zoom)[None]
    bumps = torch.randn(1, 2, 3, 4, generator=generator)
    bend = F.interpolate(bumps, size=(height, width), mode="bicubic", align_corners=True)
    where = where + scene.warp * bend
    if scene.fold > 1:
        where[:, 1] = 2 * ((where[:, 1] + 1) * scene.fold / 2 - 1).remainder(2).sub(1).abs() - 1
    planes = place_planes(where, shown)
    zero = torch.zeros(1)

    def coarse(x: Tensor, sigma: float) -> Tensor:
        def one(manner: Tensor) -> Tensor:
            level, now = torch.zeros(1, dtype=torch.long), torch.tensor([sigma])
            return denoise(model.coarse, x, now, COARSE_SIGMA_DATA, planes, manner, level, zero)

        return blended(one, height).clamp(-1.2, 1.2)

    noise = torch.randn(1, 3, height, width, generator=generator)
    picture = _solve(coarse, noise, _sigmas(steps[0], 0.01, 40.0)).clamp(-1, 1)
    for number in range(1, levels + 1):
        speckle = torch.randn(picture.shape, generator=generator)
        below = double(picture + aug * speckle)
        scale = math.hypot(model.detail_std[number - 1], aug)

        def detail(x: Tensor, sigma: float, below: Tensor = below, number: int = number) -> Tensor:
            def one(manner: Tensor) -> Tensor:
                level, added = torch.tensor([number]), torch.tensor([aug])
                return denoise(model.detail, x, torch.tensor([sigma]), 1.0, below, manner, level, added)

            return blended(one, below.shape[2])

        noise = torch.randn(below.shape, generator=generator)
        picture = (below + scale * _solve(detail, noise, _sigmas(steps[1], 0.02, 20.0))).clamp(-1, 1)
    return ((picture[0].permute(1, 2, 0) + 1) * 127.5).round().to(torch.uint8)
