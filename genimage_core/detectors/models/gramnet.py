"""GramNet: a ResNet-18 with Gram blocks that read global texture statistics."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import (
    CamTarget,
    DenseLayer,
    DetectorInfo,
    DetectorNet,
    InputSpec,
    fake_log_odds,
)
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import register_detector


def gram_matrix(features: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, C), F F^T / (C H W): how strongly channels occur together.

    Liu et al. 2020, eq. 1; the normalisation keeps the values independent of the view's size.
    """
    n, c, h, w = features.shape
    flat = features.reshape(n, c, h * w).float()
    return flat @ flat.transpose(1, 2) / (c * h * w)


class GramBlock(nn.Module):
    """Features (N, C, H, W) -> 32 numbers that describe their texture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Sequential(
            nn.Conv2d(channels, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(inplace=True)
        )
        self.read = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 32)."""
        return self.read(gram_matrix(self.reduce(features)).unsqueeze(1)).mean((2, 3))


@register_detector
class GramNet(DetectorNet):
    """timm `resnet18` with six Gram blocks: 512 + 6 x 32 numbers into the head, one logit."""

    info = DetectorInfo(
        name="gramnet",
        title="GramNet",
        year=2020,
        paper="Liu et al., Global Texture Enhancement for Fake Face Detection in the Wild, CVPR 2020",
        paper_url="https://arxiv.org/abs/2002.00133",
        reads="Texture statistics over the whole view (Gram matrices), at six depths.",
        card_path=Path(__file__).with_suffix(".md"),
    )
    # The original feeds RGB 0..255 without normalisation.
    spec = InputSpec(
        tile=160, max_tiles=4, paper_resize=512, paper_crop=512, mean=(0.0,) * 3, std=(1 / 255.0,) * 3
    )
    recipe = Recipe(
        original="Adam 1e-5, batch 14, 512 px, from ImageNet weights",
        scaled_down=(
            "from scratch, so a higher learning rate; native crops of 112, then 160 px, "
            "which small files hold"
        ),
        optimizer="adamw",
        lr=1e-3,
        weight_decay=0.01,
        batch_size=32,
        steps=3000,
        crop=112,
        jpeg_quality=(70, 98),
        final_crop=160,
        final_share=0.3,
    )
    dense_layer = DenseLayer("body.layer3", 256)
    # The deepest layer that both the plain route and a Gram block read.
    cam_target = CamTarget(("body.layer3",))
    # In 8 bits the stem, which reads 0..255, and the Gram blocks move P(fake) most: by .009 on average, .003
    # without them.
    keep_float = ("head", "conv1", "grams")

    def __init__(self) -> None:
        super().__init__()
        self.body = timm.create_model("resnet18", num_classes=0)
        self.grams = nn.ModuleList(GramBlock(c) for c in (3, 64, 64, 64, 128, 256))
        self.head = nn.Sequential(
            nn.Linear(512 + 6 * 32, 512), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(512, 1)
        )

    def embed(self, prepared: Tensor) -> Tensor:
        """(N, 3, H, W) in 0..255 -> (N, 704) features."""
        body = self.body
        stem = body.act1(body.bn1(body.conv1(prepared)))
        pooled = body.maxpool(stem)
        one = body.layer1(pooled)
        two = body.layer2(one)
        three = body.layer3(two)
        top = body.layer4(three).mean((2, 3))
        taps = (prepared, stem, pooled, one, two, three)
        grams = [block(tap) for block, tap in zip(self.grams, taps, strict=True)]
        return torch.cat([top, *grams], 1)

    def decide(self, features: Tensor) -> Tensor:
        """(N, 704) features -> (N,) log-odds of "fake"."""
        return fake_log_odds(self.head(features))
