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

from experiments.samples.network import (
    COARSE_SIDE,
    COARSE_SIGMA_DATA,
    LEVELS,
    PLACE_PLANES,
    Denoiser,
    coordinates,
    denoise,
    double,
    place_planes,
)


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
