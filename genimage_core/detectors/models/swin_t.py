"""Swin-T, the benchmark's hierarchical transformer."""

from __future__ import annotations

from pathlib import Path

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import CamTarget, DenseLayer, DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import register_detector


@register_detector
class SwinTiny(DetectorNet):
    """timm `swin_tiny_patch4_window7_224`, two classes (real, fake)."""

    info = DetectorInfo(
        name="swin_t",
        title="Swin-T",
        year=2021,
        paper=(
            "Liu et al., Swin Transformer: Hierarchical Vision Transformer using Shifted Windows, ICCV 2021"
        ),
        paper_url="https://arxiv.org/abs/2103.14030",
        reads="Patterns inside small shifted windows, from 4 px patches up to the whole view.",
        card_path=Path(__file__).with_suffix(".md"),
    )
    spec = InputSpec(tile=112, max_tiles=4, paper_resize=256, paper_crop=224)
    recipe = Recipe(
        original="AdamW 5e-4, weight decay .05, warm-up 20 epochs, drop-path .2, 300 epochs, from scratch",
        scaled_down=(
            "a few epochs of 112 px native crops (the windows and their position bias stay 7 x 7); "
            "no mixup or cutmix, which need long schedules; drop-path .1"
        ),
        optimizer="adamw",
        lr=6e-4,
        weight_decay=0.05,
        batch_size=32,
        steps=2400,
        crop=112,
        jpeg_quality=(70, 98),
        warmup_share=0.08,
        clip_grad=1.0,
    )
    dense_layer = DenseLayer("body.layers.2", 384, "NHWC")
    # Mean pooling and one linear map follow: each place's share of the log-odds can be read off exactly.
    cam_target = CamTarget(("body.norm",), "NHWC")

    def __init__(self) -> None:
        super().__init__()
        # strict_img_size=False lets tiles of any multiple of 4 px in; windows are padded to 7 x 7.
        self.body = timm.create_model(
            "swin_tiny_patch4_window7_224", num_classes=2, drop_path_rate=0.1, strict_img_size=False
        )
