"""Feature distillation: a network learns to predict what a self-supervised transformer sees.

One bit a picture (fake or not) teaches a large network slowly. A frozen DINOv2 ViT-S/14 (Oquab et
al. 2023) says far more about each training view; a linear map from the student's last features must
predict it, beside the usual loss. The map and the teacher are dropped after training: the student's
architecture and its inference stay what its paper says.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from genimage_core import _torchvision  # noqa: F401  (before timm)
from genimage_core.detectors.base import IMAGENET_MEAN, IMAGENET_STD
from genimage_core.errors import TrainingError

TAPS = (2, 5, 8, 11)
PATCH = 14
COMPONENTS = 256


class Teacher(nn.Module):
    """Frozen ViT-S/14: (N, 3, S, S) in [0, 1] -> (N, COMPONENTS) whitened features.

    Class token and mean patch token of four depths, projected on the leading principal components
    of a sample of training views and scaled to unit variance.

    Args:
        path: safetensors file with timm's names for `vit_small_patch14_dinov2`.
        side: of the views in px; the teacher reads them at the nearest multiple of 14.

    Raises:
        TrainingError: the file holds another network.
    """

    vit: Any
    mean: Tensor
    std: Tensor

    def __init__(self, path: Path, side: int) -> None:
        super().__init__()
        import timm
        from timm.layers import resample_abs_pos_embed

        cells = max(4, round(side / PATCH))
        self.side = cells * PATCH
        self.vit = timm.create_model("vit_small_patch14_dinov2", num_classes=0, img_size=self.side)
        state = load_file(path)
        try:
            state["pos_embed"] = resample_abs_pos_embed(state["pos_embed"], [cells, cells])
            self.vit.load_state_dict(state)
        except (KeyError, RuntimeError) as error:
            raise TrainingError("no DINOv2 ViT-S/14 in this file.", source=str(path)) from error
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        self.centre = torch.zeros(0)
        self.project = torch.zeros(0)
        self.eval().requires_grad_(False)

    def taps(self, x: Tensor) -> Tensor:
        """(N, 3, S, S) in [0, 1] -> (N, 4 x 2 x 384) class and mean patch tokens."""
        x = F.interpolate(x, (self.side, self.side), mode="bicubic", antialias=True)
        x = (x - self.mean) / self.std
        found = self.vit.forward_intermediates(
            x, indices=list(TAPS), return_prefix_tokens=True, norm=True, output_fmt="NLC",
            intermediates_only=True,
        )  # fmt: skip
        return torch.cat([torch.cat([prefix[:, 0], patches.mean(1)], 1) for patches, prefix in found], 1)

    @torch.no_grad()
    def fit(self, batches: Iterable[Tensor]) -> None:
        """Find the whitening projection from batches of views."""
        features = torch.cat([self.taps(x).float() for x in batches])
        self.centre = features.mean(0)
        _, spread, axes = torch.linalg.svd(features - self.centre, full_matrices=False)
        keep = min(COMPONENTS, len(features) // 4)
        scale = spread[:keep] / (len(features) - 1) ** 0.5
        self.project = axes[:keep].T / scale.clamp_min(1e-6)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, S, S) in [0, 1] -> (N, COMPONENTS), zero mean, unit variance over the training views."""
        return ((self.taps(x).float() - self.centre) @ self.project).clamp(-4, 4)
