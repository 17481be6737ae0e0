"""Small decoders of the designs that old generators share, trained to copy photographs.

AutoGAN (Zhang, Karaman, Chang: Detecting and simulating artifacts in GAN fake images, WIFS 2019): what gives
a generator away comes largely from how its decoder goes up to the image's size. An autoencoder with the same
kind of upsampling leaves the same traces in a copy of a real photograph, and no generator is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimage_core.datasets import Record
from genimage_core.errors import TrainingError
from genimage_core.training.augment import random_crop
from genimage_core.training.data import read_rgb

Design = Literal["transpose3", "transpose4", "nearest", "bilinear", "shuffle"]
DESIGNS: tuple[Design, ...] = get_args(Design)
WIDTH = 24
STRIDE = 4


def _up(design: Design, channels: int, out: int) -> nn.Module:
    """One doubling of both sides, as generators do it."""
    if design == "transpose3":  # kernel no multiple of the stride: the checkerboard of early GANs
        return nn.ConvTranspose2d(channels, out, 3, stride=2, padding=1, output_padding=1)
    if design == "transpose4":
        return nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1)
    if design == "shuffle":
        return nn.Sequential(nn.Conv2d(channels, 4 * out, 3, padding=1), nn.PixelShuffle(2))
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=design), nn.Conv2d(channels, out, 3, padding=1))


class Residual(nn.Module):
    """x + f(x) with instance normalisation, as in CycleGAN and StarGAN."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.f = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.InstanceNorm2d(channels, affine=True), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        return x + self.f(x)


class Simulator(nn.Module):
    """(N, 3, H, W) RGB in [0, 1], sides multiples of 4 -> a copy of the same shape and range."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        w = WIDTH
        self.encoder = nn.Sequential(
            nn.Conv2d(3, w, 5, padding=2), nn.ReLU(), nn.Conv2d(w, 2 * w, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(2 * w, 4 * w, 4, stride=2, padding=1), Residual(4 * w),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            Residual(4 * w), _up(design, 4 * w, 2 * w), nn.ReLU(), _up(design, 2 * w, w), nn.ReLU(),
            nn.Conv2d(w, 3, 5, padding=2),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> the same shape and range."""
        return self.unclamped(x).clamp(0, 1)

    def unclamped(self, x: Tensor) -> Tensor:
        """As `forward`, but outside of [0, 1] too, so that gradients reach every pixel."""
        return self.decoder(self.encoder(x * 2 - 1)).add(1).div(2)


def edges(x: Tensor) -> Tensor:
    """(N, 3, H, W) -> differences to the right and lower neighbours, (N, 6, H-1, W-1)."""
    return torch.cat(
        [x[..., :-1, 1:] - x[..., :-1, :-1], x[..., 1:, :-1] - x[..., :-1, :-1]], dim=1
    )  # fmt: skip


def train_simulator(
    records: Sequence[Record],
    design: Design,
    *,
    steps: int = 250,
    batch: int = 8,
    crop: int = 96,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> Simulator:
    """Train a simulator to copy crops of real training images.

    Args:
        records: the real ones of the split `train` are taken.
        design: how the decoder goes up.
        steps, batch, crop: of the training; crop in px, a multiple of 4.
        seed: of weights and crops.
        report: called with (step, steps).

    Raises:
        TrainingError: there are no real training images.
    """
    reals = [r for r in records if r.split == "train" and r.label == 0]
    if not reals:
        raise TrainingError("no real training images.", hint="Check the `nature` folders.")
    rng = np.random.default_rng([seed, DESIGNS.index(design)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Simulator(design)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for step in range(1, steps + 1):
        crops: list[np.ndarray] = []
        while len(crops) < batch:
            image = read_rgb(reals[rng.integers(len(reals))].path)
            if image is not None:
                crops.append(random_crop(image, crop, rng))
        x = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
        copy = net.unclamped(x)
        # Edges count extra: a mean error alone is content with blur, and blur is no generator's trace.
        loss = F.l1_loss(copy, x) + 2 * F.l1_loss(edges(copy), edges(x))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if report:
            report(step, steps)
    return net.eval()
