"""The networks of the samples' generator: small, convolutional, without any normalisation over space."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
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
