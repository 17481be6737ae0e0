"""Aligned fakes: real images sent through a neural autoencoder (TAEF2).

What comes out has the content, size and colours of the real image; only the traces of a neural
decoder are new. A detector that learns from such pairs cannot fall back on content or format
(the idea of AlignedForensics, B-Free and DDA). TAEF2 is distilled from the autoencoder of FLUX.2
(madebyollin/taesd, MIT); its weights are not part of this project.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from genimage_core.errors import TrainingError

WIDTH, LATENT = 64, 32


def conv(inputs: int, outputs: int, *, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    """3x3 convolution with padding 1."""
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)


class Block(nn.Module):
    """(N, 64, H, W) -> the same: ReLU(f(x) + x), f three convolutions; with `pool`, x + g(x) first."""

    def __init__(self, *, pool: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            conv(WIDTH, WIDTH), nn.ReLU(), conv(WIDTH, WIDTH), nn.ReLU(), conv(WIDTH, WIDTH)
        )
        self.pool = (
            nn.Sequential(
                nn.Conv2d(WIDTH, 4 * WIDTH, 1, bias=False),
                nn.GroupNorm(4, 4 * WIDTH),
                nn.ReLU(),
                nn.Conv2d(4 * WIDTH, WIDTH, 1, bias=False),
            )
            if pool
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, 64, H, W) -> (N, 64, H, W)."""
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


class Clamp(nn.Module):
    """Soft clamp of the latents to (-3, 3)."""

    def forward(self, x: Tensor) -> Tensor:
        """Tanh(x / 3) * 3."""
        return torch.tanh(x / 3) * 3


def encoder() -> nn.Sequential:
    """(N, 3, H, W) in [0, 1] -> (N, 32, H/8, W/8)."""
    down = [
        [conv(WIDTH, WIDTH, stride=2, bias=False), *(Block(pool=last) for _ in range(3))]
        for last in (False, False, True)
    ]
    return nn.Sequential(conv(3, WIDTH), Block(), *(m for stage in down for m in stage), conv(WIDTH, LATENT))


def decoder() -> nn.Sequential:
    """(N, 32, h, w) -> (N, 3, 8h, 8w)."""

    def up() -> list[nn.Module]:
        return [nn.Upsample(scale_factor=2), conv(WIDTH, WIDTH, bias=False)]

    return nn.Sequential(
        Clamp(), conv(LATENT, WIDTH), nn.ReLU(),
        *(Block(pool=True) for _ in range(3)), *up(),
        *(Block() for _ in range(3)), *up(),
        *(Block() for _ in range(3)), *up(),
        Block(), conv(WIDTH, 3),
    )  # fmt: skip


class Autoencoder(nn.Module):
    """TAEF2: (N, 3, H, W) in [0, 1], sides multiples of 8 -> its reconstruction in [0, 1].

    Args:
        path: safetensors file with the keys `encoder.N...` and `decoder.N...`.

    Raises:
        TrainingError: the file holds another network.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder(), decoder()
        try:
            self.load_state_dict({k: v.float() for k, v in load_file(path).items()})
        except (RuntimeError, OSError) as error:
            raise TrainingError("this file holds no TAEF2 autoencoder.", source=str(path)) from error
        self.eval().requires_grad_(False)

    @torch.inference_mode()
    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> (N, 3, H, W) in [0, 1]."""
        return self.decoder(self.encoder(x)).clamp(0, 1)
