"""F3Net: two Xceptions, one on frequency-filtered images, one on local frequency statistics."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import CamTarget, DetectorInfo, DetectorNet, InputSpec, fake_log_odds
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import register_detector


def dct_matrix(size: int) -> Tensor:
    """(size, size) orthonormal DCT-II matrix D: D @ x is the transform of a column x."""
    k = torch.arange(size, dtype=torch.float64)[:, None]
    i = torch.arange(size, dtype=torch.float64)[None]
    matrix = torch.cos(math.pi * (2 * i + 1) * k / (2 * size)) * math.sqrt(2.0 / size)
    matrix[0] /= math.sqrt(2.0)
    return matrix.float()


def band_mask(size: int, start: float, end: float) -> Tensor:
    """(size, size) of 0 and 1: DCT coefficients (i, j) with start <= i + j <= end."""
    index = torch.arange(size)
    total = index[:, None] + index[None]
    return ((total >= start) & (total <= end)).float()


class FrequencyAwareDecomposition(nn.Module):
    """FAD: the image split into four frequency bands by fixed plus learnable DCT filters.

    Qian et al. 2020, section 3.1. The learnable part, 2 sigmoid(w) - 1 with w ~ N(0, .1), has the
    paper's 299 px; for views of another size it is resampled, as the fixed bands are drawn anew.
    """

    base_size = 299

    def __init__(self) -> None:
        super().__init__()
        self.learned = nn.Parameter(torch.randn(4, self.base_size, self.base_size) * 0.1)

    def filters(self, size: int) -> Tensor:
        """(4, size, size): the band-pass filters for views of `size` px."""
        bands = ((0, size / 16), (size / 16, size / 8), (size / 8, size), (0, 2 * size))
        fixed = torch.stack([band_mask(size, low, high) for low, high in bands]).to(self.learned)
        learned: Tensor = self.learned
        if size != self.base_size:
            learned = F.interpolate(learned[None], (size, size), mode="bilinear", align_corners=False)[0]
        return fixed + 2.0 * torch.sigmoid(learned) - 1.0

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, S, S) -> (N, 12, S, S): four filtered copies of the image."""
        size = x.shape[-1]
        dct = dct_matrix(size).to(x.device)
        with torch.autocast(x.device.type, enabled=False):
            spectrum = dct @ x.float() @ dct.T
            filtered = spectrum[:, None] * self.filters(size).float()[None, :, None]
            return (dct.T @ filtered @ dct).flatten(1, 2)


class LocalFrequencyStatistics(nn.Module):
    """LFS: in sliding 10 x 10 blocks, the log-energy of six learnable DCT bands.

    Qian et al. 2020, section 3.2; blocks every 2 px, so that S px give S/2 positions.
    """

    window, stride, bands = 10, 2, 6
    kernels: Tensor
    fixed: Tensor

    def __init__(self) -> None:
        super().__init__()
        side, bands = self.window, self.bands
        dct = dct_matrix(side)
        # One convolution kernel a DCT coefficient: outer products of the matrix's rows.
        kernels = torch.einsum("ia,jb->ijab", dct, dct).reshape(side * side, 1, side, side)
        step = 2.0 * side / bands
        fixed = [band_mask(side, step * b, step * (b + 1)) for b in range(bands)]
        self.register_buffer("kernels", kernels, persistent=False)
        self.register_buffer("fixed", torch.stack(fixed).reshape(bands, side * side, 1, 1), persistent=False)
        self.learned = nn.Parameter(torch.randn(bands, side * side, 1, 1) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, S, S) in [-1, 1] -> (N, 6, ceil((S - 1) / 2), ...) log10 band energies."""
        with torch.autocast(x.device.type, enabled=False):
            weights = x.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
            grey = (x.float() * weights).sum(1, keepdim=True) * 122.5 + 122.5
            blocks = F.conv2d(grey, self.kernels, stride=self.stride, padding=self.window // 2 - 1)
            filters = self.fixed + 2.0 * torch.sigmoid(self.learned) - 1.0
            energy = F.conv2d(blocks.square(), filters.square())
            return torch.log10(energy + 1e-15) / 2.0


class MixBlock(nn.Module):
    """Cross-attention between the two streams: each is offered what the other found.

    Qian et al. 2020, section 3.3. The gates start at 2 sigmoid(0) - 1 = 0: closed.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fad_query = nn.Conv2d(channels, channels, 1)
        self.lfs_query = nn.Conv2d(channels, channels, 1)
        self.fad_key = nn.Conv2d(channels, channels, 1)
        self.lfs_key = nn.Conv2d(channels, channels, 1)
        self.fad_gate = nn.Parameter(torch.zeros(1))
        self.lfs_gate = nn.Parameter(torch.zeros(1))
        self.to_fad = nn.Sequential(
            nn.Conv2d(channels, channels, 1, groups=channels), nn.BatchNorm2d(channels)
        )
        self.to_lfs = nn.Sequential(
            nn.Conv2d(channels, channels, 1, groups=channels), nn.BatchNorm2d(channels)
        )

    def forward(self, fad: Tensor, lfs: Tensor) -> tuple[Tensor, Tensor]:
        """Two (N, C, S, S) streams -> the same two, each with the other's evidence added."""
        queries = torch.cat([self.fad_query(fad), self.lfs_query(lfs)], 3)
        keys = torch.cat([self.fad_key(fad), self.lfs_key(lfs)], 3)
        attention = torch.softmax(queries @ keys.transpose(2, 3), -1)
        fad_gate, lfs_gate = (2.0 * torch.sigmoid(g) - 1.0 for g in (self.fad_gate, self.lfs_gate))
        return (
            fad + self.to_fad(lfs * attention * lfs_gate),
            lfs + self.to_lfs(fad * attention * fad_gate),
        )


def _entry(net: Any, x: Tensor) -> Tensor:
    """Stem and blocks 1 to 7 of a timm Xception."""
    x = net.act1(net.bn1(net.conv1(x)))
    x = net.act2(net.bn2(net.conv2(x)))
    for i in range(1, 8):
        x = getattr(net, f"block{i}")(x)
    return x


def _middle(net: Any, x: Tensor) -> Tensor:
    """Blocks 8 to 12 of a timm Xception."""
    for i in range(8, 13):
        x = getattr(net, f"block{i}")(x)
    return x


def _exit(net: Any, x: Tensor) -> Tensor:
    """The last two separable convolutions and global pooling: (N, 2048)."""
    x = net.act3(net.bn3(net.conv3(x)))
    x = net.act4(net.bn4(net.conv4(x)))
    return x.mean((2, 3))


@register_detector
class F3Net(DetectorNet):
    """Two timm Xceptions (FAD, LFS) joined by two MixBlocks; 4096 numbers, dropout .2, one logit."""

    info = DetectorInfo(
        name="f3net",
        title="F3Net",
        year=2020,
        paper=(
            "Qian et al., Thinking in Frequency: Face Forgery Detection by Mining Frequency-aware Clues, "
            "ECCV 2020"
        ),
        paper_url="https://arxiv.org/abs/2007.09355",
        reads="Frequency bands of the view and the frequency statistics of small blocks.",
        card_path=Path(__file__).with_suffix(".md"),
    )
    spec = InputSpec(tile=191, max_tiles=1, paper_resize=299, paper_crop=299, mean=(0.5,) * 3, std=(0.5,) * 3)
    recipe = Recipe(
        original="Adam 2e-4, batch 12 (the paper: 128), BCE, 299 px",
        scaled_down="a few epochs of 95, then 127 px native crops; the filters are resampled from 299 px",
        optimizer="adamw",
        lr=3e-4,
        weight_decay=0.01,
        batch_size=32,
        steps=900,
        crop=95,
        jpeg_quality=(70, 98),
        final_crop=127,
        final_share=0.2,
    )
    # Each stream ends in mean pooling and the one linear map.
    cam_target = CamTarget(("body.act4", "lfs_body.act4"))
    # In 8 bits the first layers of both streams move P(fake) most: by .023 on average, .013 without them. The
    # last ones and those that join the streams move that of single pictures: by up to .12, .08 without them.
    keep_float = (
        *("fad", "lfs", "conv1", "conv2", "block1", "block2"),
        *("mix7", "mix12", "conv3", "conv4", "head"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.fad = FrequencyAwareDecomposition()
        self.lfs = LocalFrequencyStatistics()
        self.body = timm.create_model("legacy_xception", num_classes=0, in_chans=12)
        self.lfs_body = timm.create_model("legacy_xception", num_classes=0, in_chans=6)
        # Blocks every 2 px have halved the resolution already: no stride in this stem.
        self.lfs_body.conv1 = nn.Conv2d(6, 32, 3, stride=1, padding=1, bias=False)
        self.mix7 = MixBlock(728)
        self.mix12 = MixBlock(1024)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(4096, 1))

    def embed(self, prepared: Tensor) -> Tensor:
        """(N, 3, S, S) in [-1, 1], S odd -> (N, 4096) features of both streams."""
        fad = _entry(self.body, self.fad(prepared))
        lfs = _entry(self.lfs_body, self.lfs(prepared))
        fad, lfs = self.mix7(fad, lfs)
        fad, lfs = self.mix12(_middle(self.body, fad), _middle(self.lfs_body, lfs))
        return torch.cat([_exit(self.body, fad), _exit(self.lfs_body, lfs)], 1)

    def decide(self, features: Tensor) -> Tensor:
        """(N, 4096) features -> (N,) log-odds of "fake"."""
        return fake_log_odds(self.head(features))
