"""Spec: a ResNet-34 on the log-spectrum of the image."""

from __future__ import annotations

from pathlib import Path

import timm
import torch
from torch import Tensor

from genimage_core.detectors.base import DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.registry import register_detector
from genimage_core.training.recipe import Recipe


def log_spectrum(x: Tensor, low: float = 0.05, high: float = 0.95) -> Tensor:
    """Per-channel log-magnitude spectrum, scaled to [-1, 1] between two percentiles.

    Zhang et al. 2019, section 3: log(|FFT2(x)| + 1e-3), then an affine map of the `low`..`high`
    percentiles of each channel to [-1, 1], clipped. The spectrum is not shifted: the zero frequency
    stays in the corner.

    Args:
        x: (N, 3, H, W) float RGB in [0, 1].
        low, high: percentiles as fractions.

    Returns:
        (N, 3, H, W) float32 in [-1, 1].
    """
    spectrum = torch.log(torch.fft.fft2(x.float()).abs() + 1e-3)
    # The spectrum of a real signal is point-symmetric: half of the rows hold all values.
    half = spectrum[..., : x.shape[-2] // 2 + 1, :].flatten(2)
    count = half.shape[-1]
    floor = half.kthvalue(1 + round(low * (count - 1)), dim=-1).values[..., None, None]
    ceiling = half.kthvalue(1 + round(high * (count - 1)), dim=-1).values[..., None, None]
    scaled = (spectrum - floor) / (ceiling - floor).clamp_min(1e-6) * 2.0 - 1.0
    return scaled.clamp(-1.0, 1.0)


@register_detector
class Spec(DetectorNet):
    """timm `resnet34` on the per-channel log-spectrum, two classes (real, fake)."""

    info = DetectorInfo(
        name="spec",
        title="Spec",
        year=2019,
        paper="Zhang et al., Detecting and Simulating Artifacts in GAN Fake Images, WIFS 2019",
        paper_url="https://arxiv.org/abs/1907.06515",
        reads="The frequency spectrum alone: periodic peaks that upsampling layers leave.",
        card_path=Path(__file__).with_suffix(".md"),
    )
    spec = InputSpec(tile=128, max_tiles=4, paper_resize=256, paper_crop=224)
    recipe = Recipe(
        original="SGD .01, momentum .9, batch 16, 10-20 epochs, 224 px crop of a 256 px image",
        scaled_down="native crops of 96, then 128 px instead of crops of resized images; a few epochs",
        optimizer="adamw",
        lr=1e-3,
        weight_decay=0.02,
        batch_size=32,
        steps=2500,
        crop=96,
        jpeg_quality=(70, 98),
        final_crop=128,
        final_share=0.3,
    )

    def __init__(self) -> None:
        super().__init__()
        self.body = timm.create_model("resnet34", num_classes=2)

    def prepare(self, x: Tensor) -> Tensor:
        """RGB in [0, 1] -> log-spectrum in [-1, 1], same shape."""
        return log_spectrum(x)
