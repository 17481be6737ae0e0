"""Aligned fakes: real images run through a tiny autoencoder.

A reconstruction has the content, size and colours of its real image; only the traces of a neural
decoder are new. A detector that learns from such pairs can't fall back on content or format
(AlignedForensics, B-Free, DDA). The network is TAEF2 (madebyollin/taesd, MIT): it is for training
alone, and its file is no part of this project.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from genimage_core.datasets import Record
from genimage_core.errors import TrainingError
from genimage_core.training.data import read_rgb
from genimage_core.training.plan import bf16_pays
from genimage_core.whole_files import fill_whole

WIDTH, LATENT, STRIDE = 64, 32, 8
GENERATOR = "aligned_taef2"


class Block(nn.Module):
    """ReLU(f(x) + x) with three 3x3 convolutions; `pooled` adds a per-pixel bottleneck before."""

    def __init__(self, *, pooled: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(layer for _ in range(3) for layer in (nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.ReLU()))
        )[:-1]
        self.pool = (
            nn.Sequential(
                nn.Conv2d(WIDTH, 256, 1, bias=False),
                nn.GroupNorm(4, 256),
                nn.ReLU(),
                nn.Conv2d(256, WIDTH, 1, bias=False),
            )
            if pooled
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, 64, H, W) -> the same shape."""
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


class Clamp(nn.Module):
    """tanh(x / 3) * 3: keeps latents in the decoder's range."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        return torch.tanh(x / 3) * 3


def _blocks(count: int, *, pooled: bool = False) -> list[Block]:
    return [Block(pooled=pooled) for _ in range(count)]


def _narrow(*, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(WIDTH, WIDTH, 3, stride=stride, padding=1, bias=False)


class TinyAutoencoder(nn.Module):
    """TAEF2: (N, 3, H, W) RGB in [0, 1], sides multiples of 8 -> its reconstruction in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, WIDTH, 3, padding=1), *_blocks(1),
            _narrow(stride=2), *_blocks(3), _narrow(stride=2), *_blocks(3),
            _narrow(stride=2), *_blocks(3, pooled=True),
            nn.Conv2d(WIDTH, LATENT, 3, padding=1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            Clamp(), nn.Conv2d(LATENT, WIDTH, 3, padding=1), nn.ReLU(), *_blocks(3, pooled=True),
            nn.Upsample(scale_factor=2), _narrow(), *_blocks(3),
            nn.Upsample(scale_factor=2), _narrow(), *_blocks(3),
            nn.Upsample(scale_factor=2), _narrow(), *_blocks(1),
            nn.Conv2d(WIDTH, 3, 3, padding=1),
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> TinyAutoencoder:
        """The network with the weights of `path`.

        Raises:
            TrainingError: the file is missing, or holds another network.
        """
        net = cls()
        try:
            net.load_state_dict({k: v.float() for k, v in load_file(path).items()})
        except (OSError, RuntimeError, ValueError):
            hint = "Take taef2.safetensors of madebyollin/taesd."
            raise TrainingError("no TAEF2 autoencoder.", hint=hint, source=str(path)) from None
        return net.eval()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> the same shape and range."""
        return self.decoder(self.encoder(x)).clamp(0, 1)


@torch.inference_mode()
def reconstruct(net: nn.Module, image: np.ndarray) -> np.ndarray:
    """(H, W, 3) RGB uint8 -> what an autoencoder makes of it, cropped to sides that are multiples of 8."""
    height, width = (side // STRIDE * STRIDE for side in image.shape[:2])
    x = torch.from_numpy(np.ascontiguousarray(image[:height, :width])).permute(2, 0, 1)[None].float() / 255
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16_pays(torch.device("cpu"))):
        out = net(x)
    return (out[0].float().permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def _write_png(image: np.ndarray, path: Path) -> None:
    Image.fromarray(image).save(path, "PNG")


def write_aligned(
    records: Sequence[Record],
    net: nn.Module,
    generator: str,
    out: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> Path:
    """Write reconstructions of real training images as a generator of its own.

    Files that are there already are kept, so that an interrupted run goes on.

    Args:
        records: the real ones of the split `train` are taken.
        net: (N, 3, H, W) in [0, 1] -> the same; sides are multiples of 8.
        generator: the new generator's name.
        out: root of the new data set, in GenImage's layout.
        limit: at most so many, drawn with `seed`.
        seed: of the draw.
        report: called with (done, total).
    """
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    reals = [r for r in records if r.split == "train" and r.label == 0]
    order = np.random.default_rng(seed).permutation(len(reals))[:limit]
    folder = out / generator / "train" / "ai"
    folder.mkdir(parents=True, exist_ok=True)
    for done, i in enumerate(order, 1):
        target = folder / (reals[i].image_id.replace("/", "__").rsplit(".", 1)[0] + ".png")
        image = None if target.exists() else read_rgb(reals[i].path)
        if image is not None and min(image.shape[:2]) >= STRIDE:
            fill_whole(target, partial(_write_png, reconstruct(net, image)))
        if report:
            report(done, len(order))
    return out
