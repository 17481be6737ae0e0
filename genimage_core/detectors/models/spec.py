"""Spec: a ResNet-34 on the log-spectrum of the image."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import CamTarget, DenseLayer, DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import register_detector


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


def averaging_kernels(count: int, channels: int, side: int) -> Tensor:
    """(count, channels, side, side) kernels: a Gaussian bell times a random weight for each channel."""
    at = torch.arange(side) - (side - 1) / 2
    bell = torch.exp(-0.5 * (at / (side / 4)) ** 2)
    weights = torch.randn(count, channels, 1, 1)
    return weights * (bell[:, None] * bell[None]) / bell.sum() ** 2


# A single image's spectrum is as noisy as it is large: each bin scatters by more than the classes differ.
# The mean of 4 x 4 neighbours (Daniell's smoothing of a periodogram) is what a short training can read.
SMOOTHING = 4


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
    spec = InputSpec(tile=224, max_tiles=1, paper_resize=256, paper_crop=224)
    recipe = Recipe(
        original="SGD .01, momentum .9, batch 16, 10-20 epochs, 224 px crop of a 256 px image",
        scaled_down=(
            "native crops of 224 px, not crops of resized images; the spectrum averaged over 4 x 4 bins; "
            "AdamW; a few epochs"
        ),
        optimizer="adamw",
        lr=1e-3,
        weight_decay=0.02,
        batch_size=32,
        steps=2500,
        crop=224,
        jpeg_quality=(70, 98),
    )
    dense_layer = DenseLayer("body.global_pool", 512, "NC")
    host_step = "spectrum"
    cam_target = CamTarget(("body.layer4",), over="frequencies")

    def __init__(self) -> None:
        super().__init__()
        self.body = timm.create_model("resnet34", num_classes=2)
        # For the same reason as the smoothing; many kernels of a network trained on photographs average, too.
        with torch.no_grad():
            self.body.conv1.weight.copy_(averaging_kernels(*self.body.conv1.weight.shape[:3]))

    def prepare(self, x: Tensor) -> Tensor:
        """(N, 3, S, S) RGB in [0, 1] -> (N, 3, S/4, S/4) log-spectrum in [-1, 1], smoothed."""
        return F.avg_pool2d(log_spectrum(x), SMOOTHING)
