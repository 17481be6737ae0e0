"""DeiT-S, the benchmark's plain vision transformer."""

from __future__ import annotations

from pathlib import Path

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import register_detector


@register_detector
class DeiTSmall(DetectorNet):
    """timm `deit_small_patch16_224`, two classes (real, fake)."""

    info = DetectorInfo(
        name="deit_s",
        title="DeiT-S",
        year=2021,
        paper="Touvron et al., Training data-efficient image transformers, ICML 2021",
        paper_url="https://arxiv.org/abs/2012.12877",
        reads="Relations between 16 px patches over a whole 224 px view.",
        card_path=Path(__file__).with_suffix(".md"),
    )
    # One tile says little of a large picture: of the variance of its log-odds on 20 photographs with three
    # crops each, .72 lay within a photograph (experiments/variance_within_photo.py).
    spec = InputSpec(tile=224, max_tiles=2, paper_resize=256, paper_crop=224)
    recipe = Recipe(
        original=(
            "AdamW 5e-4 x batch/512, weight decay .05, warm-up 5 epochs, mixup .8, cutmix 1, "
            "random erasing .25, label smoothing .1, 300 epochs"
        ),
        scaled_down=(
            "a few epochs of 224 px native crops with half of the patches dropped at each step; no mixup "
            "or cutmix, which need long schedules; may start from self-supervised weights (see the card)"
        ),
        optimizer="adamw",
        lr=3e-4,
        layer_decay=0.7,
        weight_decay=0.05,
        batch_size=32,
        steps=1200,
        crop=224,
        warmup_share=0.1,
        jpeg_quality=(50, 98),
        rescale_p=0.3,
        rescale_range=(0.6, 1.4),
        erasing_p=0.0,
        label_smoothing=0.05,
        clip_grad=1.0,
    )

    def __init__(self) -> None:
        super().__init__()
        # Dropping patches halves a training step and regularises; in eval mode it does nothing.
        self.body = timm.create_model("deit_small_patch16_224", num_classes=2, patch_drop_rate=0.5)
