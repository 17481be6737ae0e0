"""ResNet-50, the benchmark's plain convolutional baseline."""

from __future__ import annotations

from pathlib import Path

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import DenseLayer, DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import register_detector


@register_detector
class ResNet50(DetectorNet):
    """timm `resnet50`, from scratch, two classes (real, fake)."""

    info = DetectorInfo(
        name="resnet50",
        title="ResNet-50",
        year=2016,
        paper="He et al., Deep Residual Learning for Image Recognition, CVPR 2016",
        paper_url="https://arxiv.org/abs/1512.03385",
        reads="Colour patterns and textures at every scale, learned without any hint.",
        card_path=Path(__file__).with_suffix(".md"),
    )
    spec = InputSpec(tile=128, max_tiles=4, paper_resize=235, paper_crop=224)
    recipe = Recipe(
        original=(
            "SGD lr .05 cosine, 200 epochs, batch 2x64, RandAugment m9 + AugMix with JSD on 3 splits, "
            "random erasing .6, AMP, from scratch"
        ),
        scaled_down=(
            "a few epochs of 96, then 128 px native crops instead of 200 of resized 224 px images; the "
            "learning rate scaled to batch 32; re-encoding of both classes in place of RandAugment and "
            "AugMix, which need far longer schedules to pay"
        ),
        optimizer="adamw",
        lr=1e-3,
        weight_decay=0.02,
        batch_size=32,
        warmup_share=0.1,
        steps=2400,
        crop=96,
        jpeg_quality=(70, 98),
        final_crop=128,
        final_share=0.3,
    )
    dense_layer = DenseLayer("body.layer3", 1024)

    def __init__(self) -> None:
        super().__init__()
        self.body = timm.create_model("resnet50", num_classes=2)
