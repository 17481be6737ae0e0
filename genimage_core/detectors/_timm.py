"""Import torchvision and timm once, mending the wheels that link CUDA beside a CPU build of torch.

The published Linux wheels of torchvision register their compiled operators from a library that
links CUDA. Next to a CPU torch that library does not load, and `import torchvision` (so timm, too)
dies with "operator torchvision::nms does not exist". Declaring the two schemas is all that the
import needs; the operators themselves are not used here.
"""

from __future__ import annotations

import sys

import torch


def ensure_torchvision() -> None:
    """Make `import torchvision` work; does nothing where it already does."""
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for module in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
            del sys.modules[module]
        for operator in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{operator}",
                "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
            )
        import torchvision  # noqa: F401


ensure_torchvision()

import timm  # noqa: E402  (imports torchvision)

__all__ = ["timm"]
