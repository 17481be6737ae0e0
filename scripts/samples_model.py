"""A small cascaded diffusion model that paints new pictures in the manner of a handful of photographs.

A *coarse* network draws a thumbnail about 32 pixels high. It may be told, for each pixel, a place in the
photograph; in training these coordinates are often withheld. Leaving them out, bending them or folding
them when sampling is what gives new layouts. A *detail* network then doubles the size three times, each
time diffusing the detail that the doubled picture lacks. Both are convolutional without any normalisation
over space, so they are trained on crops and sample at any size that `SCALE` divides.

Noise levels, loss weights and the sampler follow Karras et al., "Elucidating the Design Space of
Diffusion-Based Generative Models" (2022); learning patches scale by scale from few photographs follows
SinDDM (Kulikov et al., 2023). Pictures are float32 in [-1, 1], shape (batch, 3, height, width),
throughout.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

LEVELS = 3
"""Number of doublings after the coarse picture."""
SCALE = 2 * 2**LEVELS * 2
"""Sizes of a sampled picture are multiples of this."""
COARSE_SIDE = 32
COARSE_SIGMA_DATA = 0.5
PLACE_PLANES = 2 * 10


class PixelNorm(nn.Module):
    """RMS norm over channels at each pixel: (N, C, H, W) -> the same shape, nothing shared between pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """Scale each pixel's channel vector to unit mean square."""
        return x * torch.rsqrt(x.float().square().mean(1, keepdim=True) + 1e-4).to(x.dtype)


class Block(nn.Module):
    """Residual block of two 3x3 convolutions, scaled and shifted by the conditioning vector."""

    def __init__(self, width: int, condition: int) -> None:
        """Build a block of `width` channels reading a conditioning vector of `condition` numbers."""
        super().__init__()
        self.norm1, self.norm2 = PixelNorm(), PixelNorm()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.modulate = nn.Linear(condition, 2 * width)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.modulate.weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, C, H, W), (N, K) -> (N, C, H, W)."""
        scale, shift = self.modulate(condition)[:, :, None, None].chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h) * (1 + scale) + shift
        return x + self.conv2(F.silu(h))


class Denoiser(nn.Module):
    """A U-Net (or, with one width, a flat residual net) on 2 x 2 folded pixels."""

    frequencies: Tensor

    def __init__(
        self, photos: int, extra: int, widths: Sequence[int], blocks: int, condition: int = 128
    ) -> None:
        """Build for `photos` photographs, `extra` input planes beside the picture, `blocks` per stage."""
        super().__init__()
        self.photo = nn.Parameter(torch.randn(photos, condition) * 0.5)
        self.level = nn.Parameter(torch.randn(LEVELS + 1, condition) * 0.5)
        self.noise = nn.Sequential(nn.Linear(34, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.mix = nn.Sequential(nn.SiLU(), nn.Linear(condition, condition), nn.SiLU())
        self.register_buffer("frequencies", torch.arange(1, 17) * 0.25)
        self.enter = nn.Conv2d(4 * (3 + extra), widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.before = nn.ModuleList(nn.ModuleList(Block(w, condition) for _ in range(blocks)) for w in widths)
        self.after = nn.ModuleList(
            nn.ModuleList(Block(w, condition) for _ in range(blocks)) for w in widths[:-1]
        )
        self.leave = nn.Conv2d(widths[0], 12, 3, padding=1)
        nn.init.zeros_(self.leave.weight)

    @staticmethod
    def stage_blocks(side: nn.ModuleList, stage: int) -> list[nn.Module]:
        """List the blocks of one stage."""
        chosen = side[stage]
        assert isinstance(chosen, nn.ModuleList)
        return list(chosen)

    def forward(self, x: Tensor, c_noise: Tensor, blend: Tensor, level: Tensor, blur_noise: Tensor) -> Tensor:
        """Estimate the scaled clean signal (N, 3, H, W).

        `x` (N, 3 + extra, H, W): noisy picture and planes; `c_noise` (N,): its noise; `blend` (N, P): weights
        of the photographs; `level` (N,): 0 for coarse; `blur_noise` (N,): noise on the picture being doubled.
        """
        angle = c_noise[:, None] * self.frequencies
        noise = torch.cat([angle.sin(), angle.cos(), c_noise[:, None], blur_noise[:, None] * 4], 1)
        condition = self.mix(self.noise(noise) + blend @ self.photo + self.level[level])
        h = self.enter(F.pixel_unshuffle(x, 2))
        skips = []
        for stage in range(len(self.before)):
            if stage:
                skips.append(h)
                h = self.down[stage - 1](h)
            for block in self.stage_blocks(self.before, stage):
                h = block(h, condition)
        for stage in range(len(self.after) - 1, -1, -1):
            h = (self.up[stage](h) + skips[stage]) * 0.7
            for block in self.stage_blocks(self.after, stage):
                h = block(h, condition)
        return F.pixel_shuffle(self.leave(h), 2).float()


def denoise(
    net: Denoiser,
    x: Tensor,
    sigma: Tensor,
    sigma_data: float,
    planes: Tensor,
    blend: Tensor,
    level: Tensor,
    aug: Tensor,
) -> Tensor:
    """Preconditioned estimate of the clean signal from `x` = signal + `sigma` * noise; all first dims N."""
    s = sigma[:, None, None, None]
    total = (s**2 + sigma_data**2).sqrt()
    out = net(torch.cat([x / total, planes], 1), sigma.log() / 4, blend, level, aug)
    return x * (sigma_data / total) ** 2 + out * (s * sigma_data / total)


def double(x: Tensor) -> Tensor:
    """Bicubic x2: (N, 3, H, W) -> (N, 3, 2H, 2W)."""
    return F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=False)


def place_planes(places: Tensor, shown: Tensor) -> Tensor:
    """Turn coordinates (N, 2, H, W) and whether each is shown (N, 2, 1, 1) into planes (N, 20, H, W)."""
    waves = [places] + [f(places * (math.pi * k)) for k in (0.5, 1, 2, 4) for f in (torch.sin, torch.cos)]
    return torch.cat([w * shown for w in waves] + [shown.expand_as(places)], 1)


def coordinates(height: int, width: int, top: float, bottom: float, left: float, right: float) -> Tensor:
    """Planes (2, H, W): y and x, each rising linearly between the given ends."""
    y = torch.linspace(top, bottom, height)[:, None].expand(height, width)
    x = torch.linspace(left, right, width)[None, :].expand(height, width)
    return torch.stack([y, x])


@dataclass
class Photographs:
    """The training set: for each photograph a few sizes, each with its pyramid of `LEVELS` halvings."""

    names: tuple[str, ...]
    pyramids: list[list[list[Tensor]]] = field(repr=False)
    """[photo][size][level] -> (3, H, W); level 0 is the coarsest."""
    detail_std: list[float]
    """Standard deviation, for each level from 1, of what a doubled picture lacks."""

    @classmethod
    def load(cls, files: dict[str, Path], sides: Sequence[int] = (256, 304)) -> Photographs:
        """Read `files` (name -> path) at each short side the photograph has pixels for (the first always)."""
        step = 2**LEVELS * 2
        pyramids = []
        for path in files.values():
            with Image.open(path) as opened:
                image = opened.convert("RGB")
            sizes = []
            for side in sides:
                if side > sides[0] and side > min(image.size):
                    continue
                factor = side / min(image.size)
                width, height = (max(step, round(n * factor / step) * step) for n in image.size)
                small = image.resize((width, height), Image.Resampling.LANCZOS)
                full = torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float() / 127.5 - 1
                halved = [F.avg_pool2d(full, 2 ** (LEVELS - n)) for n in range(LEVELS)]
                sizes.append([*halved, full])
            pyramids.append(sizes)
        std = []
        for level in range(1, LEVELS + 1):
            gaps = [(p[0][level] - double(p[0][level - 1][None])[0]).square().mean() for p in pyramids]
            std.append(float(torch.stack(gaps).mean().sqrt()))
        return cls(tuple(files), pyramids, std)

    def crops(
        self, level: int, count: int, size: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw crops (N, 3, S, S), their coordinates (N, 2, S, S) and one-hot photographs (N, P)."""
        images, places = [], []
        chosen = rng.integers(len(self.names), size=count)
        for photo in chosen:
            sizes = self.pyramids[photo]
            source = sizes[rng.integers(len(sizes))][level]
            height, width = source.shape[1:]
            y = int(rng.integers((height - size) // 2 + 1)) * 2
            x = int(rng.integers((width - size) // 2 + 1)) * 2
            crop = source[:, y : y + size, x : x + size]
            vertical = (2 * y / height - 1, 2 * (y + size) / height - 1)
            horizontal = (2 * x / width - 1, 2 * (x + size) / width - 1)
            place = coordinates(size, size, *vertical, *horizontal)
            if level and rng.random() < 0.5:
                crop, place = crop.flip(-1), place.flip(-1)
            images.append(crop)
            places.append(place)
        blend = F.one_hot(torch.from_numpy(chosen), len(self.names)).float()
        return torch.stack(images), torch.stack(places), blend


class Cascade(nn.Module):
    """The whole generator: coarse network, detail network and what they need to know of the training set."""

    def __init__(
        self, names: Sequence[str], detail_std: Sequence[float], width: int = 64, blocks: int = 3
    ) -> None:
        """Build untrained networks; `width` channels at the finest stage, `blocks` in the coarse network."""
        super().__init__()
        self.names = tuple(names)
        self.detail_std = [float(v) for v in detail_std]
        self.width, self.blocks = width, blocks
        self.trained: tuple[int, int, int] = (0, 0, 0)
        """Steps of the coarse and the detail network, and the seed of their training."""
        self.coarse = Denoiser(len(names), PLACE_PLANES, [width * 2], blocks)
        self.detail = Denoiser(len(names), 3, [width, width * 2], max(1, blocks // 2))

    def save(self, path: Path) -> None:
        """Write weights and settings to `path`."""
        settings: dict[str, Any] = {"names": self.names, "detail_std": self.detail_std}
        settings |= {"width": self.width, "blocks": self.blocks}
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"settings": settings, "trained": self.trained, "weights": self.state_dict()}, path)

    @classmethod
    def load(cls, path: Path) -> Cascade:
        """Read what `save` wrote."""
        stored = torch.load(path, weights_only=True)
        model = cls(**stored["settings"])
        model.load_state_dict(stored["weights"])
        model.trained = stored["trained"]
        return model.eval()

    def loss_coarse(self, data: Photographs, batch: int, rng: np.random.Generator) -> Tensor:
        """Denoising loss of the coarse network on `batch` crops."""
        images, places, blend = data.crops(0, batch, COARSE_SIDE, rng)
        shown = torch.from_numpy(rng.random((batch, 2)) < 0.6).float()[:, :, None, None]
        planes = place_planes(places, shown)
        sigma = torch.from_numpy(np.exp(rng.normal(-0.6, 1.3, batch))).float()
        noise = torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))
        level, aug = torch.zeros(batch, dtype=torch.long), torch.zeros(batch)
        s = sigma[:, None, None, None]
        with torch.autocast("cpu", torch.bfloat16):
            noisy = images + s * noise
            out = denoise(self.coarse, noisy, sigma, COARSE_SIGMA_DATA, planes, blend, level, aug)
        weight = (s**2 + COARSE_SIGMA_DATA**2) / (s * COARSE_SIGMA_DATA) ** 2
        return (weight * (out - images) ** 2).mean()

    def loss_detail(self, data: Photographs, batch: int, size: int, rng: np.random.Generator) -> Tensor:
        """Denoising loss of the detail network on `batch` crops of one random level."""
        number = int(rng.choice(LEVELS, p=[0.2, 0.3, 0.5])) + 1
        images, _, blend = data.crops(number, batch, size, rng)
        aug = torch.from_numpy(rng.uniform(0, 0.15, batch)).float()
        below = double(F.avg_pool2d(images, 2))
        speckle = torch.from_numpy(rng.standard_normal((batch, 3, size // 2, size // 2), dtype=np.float32))
        below = below + aug[:, None, None, None] * double(speckle)
        scale = (self.detail_std[number - 1] ** 2 + aug**2).sqrt()[:, None, None, None]
        target = (images - below) / scale
        sigma = torch.from_numpy(np.exp(rng.normal(-0.6, 1.2, batch))).float()
        s = sigma[:, None, None, None]
        noisy = target + s * torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))
        with torch.autocast("cpu", torch.bfloat16):
            out = denoise(self.detail, noisy, sigma, 1.0, below, blend, torch.full((batch,), number), aug)
        weight = (s**2 + 1) / s**2
        return (weight * (out - target) ** 2).mean()


def train(
    model: Cascade,
    data: Photographs,
    steps: tuple[int, int],
    seed: int,
    batch: tuple[int, int] = (8, 8),
    crop: int = 64,
    rate: float = 2e-3,
    minutes: float = math.inf,
    log: Callable[[str], None] = print,
) -> Cascade:
    """Train both networks for `steps` (coarse, detail); returns their averaged weights.

    `minutes`, if finite, is shared between the networks and may end training early, which makes the result
    depend on the machine's speed.
    """
    taken = [0, 0]
    for part, (name, net) in enumerate((("coarse", model.coarse), ("detail", model.detail))):
        rng = np.random.default_rng([seed, part])
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        net.train()
        average = {k: v.detach().clone() for k, v in net.state_dict().items()}
        optimiser = torch.optim.AdamW(net.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.0)
        started, running, done = time.monotonic(), 0.0, 0.0
        for step in range(steps[part]):
            done = max(step / steps[part], (time.monotonic() - started) / (30 * minutes))
            if done >= 1:
                break
            taken[part] = step + 1
            decay = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))
            for group in optimiser.param_groups:
                group["lr"] = rate * min(1, (step + 1) / 50) * decay
            if part == 0:
                loss = model.loss_coarse(data, batch[0], rng)
            else:
                loss = model.loss_detail(data, batch[1], crop, rng)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            keep = min(0.995, (step + 1) / (step + 10))
            with torch.no_grad():
                for key, value in net.state_dict().items():
                    average[key].lerp_(value, 1 - keep)
            running = float(loss.detach()) if step == 0 else 0.98 * running + 0.02 * float(loss.detach())
            if step % 200 == 0 or step == steps[part] - 1:
                spent = time.monotonic() - started
                log(f"{name} step {step + 1}/{steps[part]} loss {running:.3f} {spent:.0f} s")
        net.load_state_dict(average)
        net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    model.trained = (taken[0], taken[1], seed)
    return model.eval()


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
