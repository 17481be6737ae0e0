"""Grad-CAM: which places of its views pulled a detector's score up or down."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from genimage_core.detectors import (
    Detector,
    _timm,  # noqa: F401  (grad-cam imports torchvision)
)
from genimage_core.detectors.base import CamTarget, DetectorNet
from genimage_core.detectors.tiling import chosen_origins, pad_to, paper_view
from genimage_core.explain.draw import grow, lay_over, preview, two_sided
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind
from genimage_core.utils.errors import ExplainError


@dataclass(frozen=True)
class Cam:
    """What pulled at one detector's score.

    Attributes:
        pull: over places (H, W), the picture's size, NaN where the detector did not look; over
            frequencies (S, S), zero frequency in the middle. Above 0 towards "fake"; the strongest is 1.
        over: `places` or `frequencies`.
        views: how many tiles were read.
    """

    pull: np.ndarray
    over: str
    views: int


class _Behind(nn.Module):
    """The network behind `prepare`, its one output as the column that grad-cam wants."""

    def __init__(self, net: DetectorNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, prepared: Tensor) -> Tensor:
        return self.net.classify(prepared)[:, None]


def view_pulls(net: DetectorNet, views: Tensor) -> tuple[np.ndarray, CamTarget]:
    """Grad-CAM of the log-odds of "fake", signed, in the network's own units.

    Selvaraju et al. 2017, eq. 1 and 2, without the ReLU of eq. 2: with two classes what speaks against
    one side speaks for the other, and both are worth seeing. Where a linear map of the layer's mean
    decides, these are the exact shares of each place in the log-odds.

    Args:
        net: the network; not changed.
        views: (N, 3, S, S) float RGB in [0, 1].

    Returns:
        (N, h, w) float32 at the layer's own resolution, and the layers it was read from.
    """
    from pytorch_grad_cam import GradCAM

    target = cam_target(net)
    own = _Behind(private_copy(net))
    layers = [own.net.get_submodule(path) for path in target.paths]
    with torch.no_grad():
        prepared = own.net.prepare(views)
    prepared = prepared.detach().clone().requires_grad_()
    goals = [lambda output: output.sum()] * len(views)
    with GradCAM(own, layers, to_channels_first(own.net, target)) as cam, torch.enable_grad():
        cam(prepared, goals)
        kept = cam.activations_and_grads
        # The package's own maps are cut at zero and scaled view by view; these stay comparable.
        maps = [
            cam.get_cam_image(prepared, layer, goals, activation.numpy(), gradient.numpy())
            for layer, activation, gradient in zip(layers, kept.activations, kept.gradients, strict=True)
        ]
    size = max(m.shape[-1] for m in maps)
    return np.stack([sum(grow(m[i], size, size) for m in maps) for i in range(len(views))]), target


def grad_cam(image: np.ndarray, detector: Detector) -> Cam:
    """Grad-CAM over the views that the detector reads of an image under the preprocessing `tiles`.

    Args:
        image: RGB uint8 (H, W, 3).
        detector: who is asked.

    Raises:
        ExplainError: the network has no layer that can be read.
    """
    spec = detector.net.spec
    if spec.whole:
        return _whole_cam(image, detector)
    padded = pad_to(image, spec.tile)
    origins = chosen_origins(padded, spec.tile, spec.max_tiles)
    views = np.stack([padded[t : t + spec.tile, x : x + spec.tile] for t, x in origins])
    x = torch.from_numpy(views).to(detector.device).permute(0, 3, 1, 2).float() / 255.0
    pulls, target = view_pulls(detector.net, x)
    strongest = max(float(np.abs(pulls).max()), 1e-12)
    if target.over == "frequencies":
        pull = np.fft.fftshift(grow(pulls.mean(0) / strongest, spec.tile, spec.tile))
        return Cam(pull, target.over, len(views))
    whole = np.zeros(padded.shape[:2], np.float32)
    read = np.zeros(padded.shape[:2], np.float32)
    for (top, left), view in zip(origins, pulls, strict=True):
        place = np.s_[top : top + spec.tile, left : left + spec.tile]
        whole[place] += grow(view / strongest, spec.tile, spec.tile)
        read[place] += 1
    # The verdict averages tiles, so where they overlap the map does, too.
    whole = np.where(read > 0, whole / np.maximum(read, 1), np.float32(np.nan))
    top, left = (max(0, spec.tile - length) // 2 for length in image.shape[:2])
    return Cam(whole[top : top + image.shape[0], left : left + image.shape[1]], target.over, len(views))


def _whole_cam(image: np.ndarray, detector: Detector) -> Cam:
    """Grad-CAM of a detector that reads the whole picture: over its middle square, as that view shows it."""
    side = detector.net.spec.tile
    view = paper_view(image, side, side)
    x = torch.from_numpy(view[None].copy()).to(detector.device).permute(0, 3, 1, 2).float() / 255.0
    pulls, target = view_pulls(detector.net, x)
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    whole = np.full((height, width), np.nan, np.float32)
    whole[top : top + short, left : left + short] = grow(
        pulls[0] / max(float(np.abs(pulls).max()), 1e-12), short, short
    )
    return Cam(whole, target.over, 1)


def _draw(image: np.ndarray, found: Cam) -> tuple[np.ndarray, np.ndarray]:
    """The picture, and the pull at its size."""
    if found.over == "frequencies":
        return two_sided(found.pull, opacity=1.0)[..., :3].copy(), found.pull
    small = preview(image)
    pull = cv2.resize(found.pull, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_NEAREST)
    return lay_over(small, two_sided(pull)), pull


@evidence_kind(
    "grad_cam",
    place=55,
    title="Forensics: what pulled at the score",
    means=(
        "Grad-CAM asks inside the network which places moved the score: orange towards AI-generated, blue "
        "towards photograph. Grey parts were not read for the verdict. For Spec, which reads the spectrum, "
        "the picture shows frequencies instead of places: coarse patterns in the middle, the finest at the "
        "rim."
    ),
    misleads=(
        "The colours are scaled to the strongest pull in this picture, so even a detector without an opinion "
        "shows strong ones. The map is coarse, and it says where the network reacted, not why, nor that "
        "the place is fake."
    ),
    asks="each",
    weighs="Weighs little: it shows how a detector works, not what the picture is.",
)
def grad_cams(subject: Subject) -> Findings:
    """A picture for each detector, under its name."""
    images, alts, arrays = {}, {}, {}
    data: dict[str, object] = {}
    for name, detector in subject.detectors.items():
        found = grad_cam(subject.image, detector)
        positive = np.nansum(np.clip(found.pull, 0, None))
        share = float(positive / max(np.nansum(np.abs(found.pull)), 1e-12))
        where = "frequencies" if found.over == "frequencies" else "places"
        images[name], arrays[name] = _draw(subject.image, found)
        alts[name] = (
            f"{detector.info.title}: {where} that pulled at the score; "
            f"{share:.0%} of the pull is towards AI-generated."
        )
        data[name] = {"over": found.over, "views": found.views, "share_towards_fake": round(share, 4)}
    return Findings(images, alts, data, arrays, " ".join(alts.values()))


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
