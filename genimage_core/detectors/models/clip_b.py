"""CLIP's image tower, frozen, read at five depths: the picture as a whole, and one tile of it.

A trunk that learned from pictures with captions sees what a network of pixels alone does not, and the picture
as a whole shows what tiles do not: a linear map on frozen CLIP features carries over to unseen generators
(Ojha et al. 2023, arXiv:2302.10174), and so do its middle layers (Koutlis and Papadopoulos 2024,
arXiv:2402.19091). The last two blocks are left out: they cost time and size, and added nothing.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import register_detector

BACKBONE = "vit_base_patch16_clip_quickgelu_224"
SIDE = 224
DEPTH = 10
TAPS = (1, 3, 5, 7, 9)
"""Blocks that are read, counted from 0."""
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class ChannelScale(nn.Module):
    """A factor for each channel: (..., C) -> (..., C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Multiply the last axis."""
        return x * self.weight


@register_detector
class ClipB(DetectorNet):
    """The first ten blocks of timm's `vit_base_patch16_clip_quickgelu_224` and a linear head."""

    info = DetectorInfo(
        name="clip_b",
        title="CLIP ViT-B/16",
        year=2021,
        paper="Radford et al., Learning transferable visual models from language supervision, ICML 2021",
        paper_url="https://arxiv.org/abs/2103.00020",
        reads="The whole picture and its middle, with a transformer that learned from captions.",
        card_path=Path(__file__).with_suffix(".md"),
        in_benchmark=False,
    )
    spec = InputSpec(
        tile=SIDE, max_tiles=1, whole=True, paper_resize=SIDE, paper_crop=SIDE, mean=CLIP_MEAN, std=CLIP_STD
    )
    frozen_trunk = True
    keep_float = ("head",)
    recipe = Recipe(
        original="none: this detector is this project's own",
        scaled_down="a frozen trunk; the linear head is fitted on views that went through what the web does",
        optimizer="adamw",
        lr=0.0,
        weight_decay=0.0,
        crop=SIDE,
    )

    def __init__(self) -> None:
        super().__init__()
        self.body = timm.create_model(BACKBONE, num_classes=0)
        self.body.blocks = self.body.blocks[:DEPTH]
        self.body.norm = nn.Identity()  # behind the last tap
        for block in self.body.blocks:
            # Evens out the range of the activations, for 8 bits (see experiments/init/clip_onnx.py).
            block.mlp.norm = ChannelScale(block.mlp.fc2.in_features)
        self.head = nn.Linear(len(TAPS) * 3 * self.body.embed_dim, 1)
        # Next to nothing: an untrained head knows nothing, but lets gradients through to the trunk.
        nn.init.normal_(self.head.weight, std=1e-3)
        nn.init.zeros_(self.head.bias)

    def embed(self, prepared: Tensor) -> Tensor:
        """(N, 3, S, S) normalised -> (N, 5 x 3 x width): class token, mean, spread at each tap."""
        every = self.body.forward_intermediates(
            prepared,
            indices=list(TAPS),
            output_fmt="NLC",
            return_prefix_tokens=True,
            intermediates_only=True,
        )
        parts: list[Tensor] = []
        for patches, prefix in every:
            patches = patches.float()
            mean = patches.mean(1)
            spread = ((patches - mean[:, None]).square().mean(1) + 1e-6).sqrt()
            parts += [prefix[:, 0].float(), mean, spread]
        return torch.cat(parts, dim=1)

    def decide(self, features: Tensor) -> Tensor:
        """(N, 5 x 3 x width) features -> (N,) log-odds of "fake"."""
        return self.head(features)[:, 0]
