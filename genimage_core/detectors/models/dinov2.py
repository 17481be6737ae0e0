"""This project's own detector: a self-supervised vision transformer, read at every depth.

Frozen features of large self-supervised transformers generalise to unseen generators better than networks
trained from scratch, and the last layer alone is not where the evidence lies. So one linear map reads the
class token and the mean and spread of the patch tokens behind every block.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import register_detector

BACKBONE = "vit_small_patch14_dinov2"
SIDE = 224


class TappedTransformer(DetectorNet):
    """A timm vision transformer whose blocks are all read by one linear head.

    Args:
        backbone: name of a timm vision transformer that takes `img_size`.
    """

    spec = InputSpec(tile=SIDE, max_tiles=3, paper_resize=256, paper_crop=SIDE)
    frozen_trunk = True

    def __init__(self, backbone: str = BACKBONE) -> None:
        super().__init__()
        # Dropping patches halves a training step; in eval mode it does nothing.
        self.body = timm.create_model(backbone, num_classes=0, img_size=SIDE, patch_drop_rate=0.5)
        self.body.norm = nn.Identity()  # behind the last tap: nothing would ever train it
        self.head = nn.Linear(len(self.body.blocks) * 3 * self.body.embed_dim, 1)
        # Next to nothing: an untrained head knows nothing, but lets gradients through to the trunk.
        nn.init.normal_(self.head.weight, std=1e-3)
        nn.init.zeros_(self.head.bias)

    def embed(self, prepared: Tensor) -> Tensor:
        """(N, 3, S, S) normalised -> (N, 3 x depth x width): class token, mean, spread of each block.

        Each of the three vectors of a block is layer-normalised, since the blocks' scales differ widely.
        """
        every = self.body.forward_intermediates(
            prepared, output_fmt="NLC", return_prefix_tokens=True, intermediates_only=True
        )
        parts: list[Tensor] = []
        for patches, prefix in every:
            patches = patches.float()
            mean = patches.mean(1)
            spread = ((patches - mean[:, None]).square().mean(1) + 1e-6).sqrt()
            parts += [prefix[:, 0].float(), mean, spread]
        return torch.cat([F.layer_norm(part, (self.body.embed_dim,)) for part in parts], dim=1)

    def decide(self, features: Tensor) -> Tensor:
        """(N, 3 x depth x width) features -> (N,) log-odds of "fake"."""
        return self.head(features)[:, 0]


@register_detector
class DinoV2Small(TappedTransformer):
    """timm `vit_small_patch14_dinov2` with twelve taps, fine-tuned."""

    info = DetectorInfo(
        name="dinov2",
        title="DINOv2-S",
        year=2023,
        paper="Oquab et al., DINOv2: learning robust visual features without supervision, TMLR 2024",
        paper_url="https://arxiv.org/abs/2304.07193",
        reads="14 px patches, at every depth of a transformer that learned from unlabelled images.",
        card_path=Path(__file__).with_suffix(".md"),
        in_benchmark=False,
    )
    # In 8 bits the head on the taps moves P(fake) by .07 on average, the first block by .006; others by less.
    keep_float = ("head", "body.blocks.0")
    recipe = Recipe(
        original="none: this detector is this project's own",
        scaled_down=(
            "starts from DINOv2's weights and a linear head fitted on its frozen features; layer-wise decay "
            "of the learning rate, half of the patches dropped at each step, wide re-encoding and rescaling"
        ),
        optimizer="adamw",
        lr=1e-4,
        layer_decay=0.75,
        frozen_blocks=6,
        weight_decay=0.05,
        batch_size=32,
        steps=900,
        crop=SIDE,
        warmup_share=0.1,
        jpeg_quality=(45, 98),
        webp_share=0.2,
        rescale_p=0.5,
        rescale_range=(0.5, 1.4),
        label_smoothing=0.05,
        clip_grad=1.0,
    )
