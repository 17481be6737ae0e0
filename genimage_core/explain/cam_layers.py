"""Which layers Grad-CAM reads in a detector's network, and how their outputs become maps."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from genimage_core.detectors.base import CamTarget, DetectorNet
from genimage_core.errors import ExplainError


def cam_target(net: DetectorNet) -> CamTarget:
    """The layers that the network's class declares, or those that fit its body.

    For a transformer the input of the last block: behind it the patches have no say any more where
    only the class token is read.

    Raises:
        ExplainError: neither.
    """
    if net.cam_target is not None:
        return net.cam_target
    body: Any = getattr(net, "body", None)
    if hasattr(body, "blocks") and hasattr(body, "patch_embed"):
        return CamTarget((f"body.blocks.{len(body.blocks) - 1}.norm1",), "tokens")
    if hasattr(body, "layer4"):
        return CamTarget(("body.layer4",))
    convolutions = [name for name, module in net.named_modules() if isinstance(module, nn.Conv2d)]
    if not convolutions:
        raise ExplainError("has no layer that Grad-CAM can read.", hint="Set its cam_target.")
    return CamTarget((convolutions[-1],))


def to_channels_first(net: DetectorNet, target: CamTarget) -> Callable[[Tensor], Tensor] | None:
    """The hook that turns a layer's output into (N, C, h, w); None where it is that already."""
    if target.layout == "NHWC":
        return lambda x: x.permute(0, 3, 1, 2)
    if target.layout == "tokens":
        prefix = int(getattr(getattr(net, "body", None), "num_prefix_tokens", 1))

        def unroll(tokens: Tensor) -> Tensor:
            patches = tokens[:, prefix:]
            side = math.isqrt(patches.shape[1])
            return patches.transpose(1, 2).reshape(len(patches), patches.shape[2], side, side)

        return unroll
    return None


def private_copy(net: DetectorNet) -> DetectorNet:
    """A copy whose modules are its own while its weights share the original's memory.

    Hooks and gradients stay with the copy: other threads may use the original meanwhile.
    """
    frozen = {id(p): nn.Parameter(p.data, requires_grad=False) for p in net.parameters()}
    shared = {id(b): b for b in net.buffers()}
    return copy.deepcopy(net, {**frozen, **shared}).eval()
