"""CutMix for a batch of labelled crops (Yun et al., ICCV 2019; arXiv 1905.04899)."""

from __future__ import annotations

import torch
from torch import Tensor

from genimage_core import _torchvision  # noqa: F401  (makes torchvision importable)

# isort: split
from torchvision.transforms.v2 import CutMix

_CUTMIX = CutMix(alpha=1.0, num_classes=2)


def cutmix(images: Tensor, labels: Tensor, probability: float) -> tuple[Tensor, Tensor]:
    """With `probability`, paste a box of each image's neighbour into it; labels follow the areas.

    In a batch in which fakes and reals take turns every box comes from the other class, so that no object or
    style in the rest of the image decides the label.

    Args:
        images: (N, 3, S, S).
        labels: (N,) floats in {0, 1}.
        probability: in [0, 1]; the draws are torch's, so seed it.

    Returns:
        Images of the same shape and (N,) labels in [0, 1].
    """
    if probability <= 0 or torch.rand(()) >= probability:
        return images, labels
    mixed, shares = _CUTMIX(images, labels.long())
    return mixed, shares[:, 1]
