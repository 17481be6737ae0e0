"""CNNSpot: a ResNet-50 with one logit, hardened by blur and JPEG augmentation."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import DenseLayer, DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import register_detector


@register_detector
class CNNSpot(DetectorNet):
    """timm `resnet50` with one logit whose weights start as N(0, .02); crops, never resizes."""

    info = DetectorInfo(
        name="cnnspot",
        title="CNNSpot",
        year=2020,
        paper="Wang et al., CNN-generated images are surprisingly easy to spot... for now, CVPR 2020",
        paper_url="https://arxiv.org/abs/1912.11035",
        reads="Traces of a generator's upsampling that survive blur and JPEG compression.",
        card_path=Path(__file__).with_suffix(".md"),
    )
    spec = InputSpec(tile=128, max_tiles=4, paper_resize=None, paper_crop=224)
    recipe = Recipe(
        original=(
            "Adam 1e-4, batch 64, BCE; blur p .5 sigma U(0, 3), then JPEG p .5 quality 30..100; crop 224, "
            "flip; learning rate / 10 after 5 epochs without gain, until 1e-6; from ImageNet weights"
        ),
        scaled_down=(
            "a few epochs with a cosine instead of the patience rule; 96, then 128 px crops; every image is "
            "re-encoded, so that the file format cannot give the answer away"
        ),
        optimizer="adam",
        lr=5e-4,
        weight_decay=0.0,
        batch_size=32,
        steps=1500,
        crop=96,
        final_crop=128,
        final_share=0.3,
        blur_p=0.5,
        jpeg_quality=(30, 100),
    )
    dense_layer = DenseLayer("body.layer3", 1024)

    def __init__(self) -> None:
        super().__init__()
        self.body = timm.create_model("resnet50", num_classes=1)
        nn.init.normal_(self.body.get_classifier().weight, 0.0, 0.02)
