"""Tiny detectors, built so that a patch of pure green decides: what evidence must find is known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genimage_core.detectors import Detector
from genimage_core.detectors.base import CamTarget, DetectorNet, InputSpec
from tests.conftest import make_image

GREEN = (0, 255, 0)
CELL = 16


def _info(name: str) -> Any:
    return SimpleNamespace(name=name, title=name.title())


class GreenEye(DetectorNet):
    """Mean greenness (green less half of red and blue) of 16 px cells decides, in any layout."""

    spec = InputSpec(tile=64, max_tiles=4, mean=(0.0,) * 3, std=(1.0,) * 3)

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(3, 2, CELL, stride=CELL)
        self.tap = nn.Identity()
        with torch.no_grad():
            self.look.bias.zero_()
            for out, sign in ((0, 1.0), (1, -1.0)):
                for channel, weight in ((0, -0.5), (1, 1.0), (2, -0.5)):
                    self.look.weight[out, channel] = sign * weight / CELL**2

    def embed(self, prepared: Tensor) -> Tensor:
        return self.tap(torch.relu(self.look(prepared))).mean((2, 3))

    def decide(self, features: Tensor) -> Tensor:
        return 60.0 * features[:, 0] - 1.0


class ChannelsFirst(GreenEye):
    """Like a ResNet."""

    info = _info("first")
    cam_target = CamTarget(("tap",))


class ChannelsLast(GreenEye):
    """Like a Swin transformer."""

    info = _info("last")
    cam_target = CamTarget(("tap",), "NHWC")

    def embed(self, prepared: Tensor) -> Tensor:
        return self.tap(torch.relu(self.look(prepared)).permute(0, 2, 3, 1)).mean((1, 2))


class Tokens(GreenEye):
    """Like a ViT with a class token: attention to the patches carries them into it."""

    info = _info("tokens")
    cam_target = CamTarget(("tap",), "tokens")

    def embed(self, prepared: Tensor) -> Tensor:
        patches = torch.relu(self.look(prepared)).flatten(2).transpose(1, 2)
        tokens = self.tap(torch.cat([torch.zeros_like(patches[:, :1]), patches], 1))
        weights = torch.softmax(tokens.sum(-1), 1)
        return (weights[..., None] * tokens).sum(1)


class Undeclared(GreenEye):
    """Says nothing of its layers: its last convolution is read."""

    info = _info("undeclared")


def tiny(net: type[DetectorNet]) -> Detector:
    """The network as a detector on the CPU."""
    return Detector(net(), torch.device("cpu"), "tiny")


def planted(side: int = 128, top: int = 64, left: int = 16) -> np.ndarray:
    """A grey, noisy picture with one cell of pure green."""
    image = np.repeat(make_image(1, side)[..., :1], 3, 2)
    image[top : top + CELL, left : left + CELL] = GREEN
    return image
