"""What every detector's network is, with its facts beside it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

from torch import Tensor, nn

from genimage_core.detectors import _timm  # noqa: F401  (before anything imports timm)
from genimage_core.detectors.info import IMAGENET_MEAN, IMAGENET_STD, DetectorInfo, InputSpec, Preprocessing
from genimage_core.detectors.recipe import Recipe

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "CamTarget",
    "DenseLayer",
    "DetectorInfo",
    "DetectorNet",
    "InputSpec",
    "Preprocessing",
    "fake_log_odds",
]


class DenseLayer(NamedTuple):
    """An inner layer that learns from a teacher's patch tokens.

    Attributes:
        path: of the module inside the network.
        channels: length of its vectors.
        layout: of the module's output; "NC" is one vector for the whole view, the others have one for
            every 16 px.
    """

    path: str
    channels: int
    layout: Literal["NCHW", "NHWC", "NC"] = "NCHW"


class CamTarget(NamedTuple):
    """The layers whose activations Grad-CAM weighs.

    Attributes:
        paths: of the modules inside the network; several are added up.
        layout: of their outputs; "tokens" is (N, prefix + patches, C), row by row.
        over: whether their positions are places in the view or, behind a Fourier transform, frequencies.
    """

    paths: tuple[str, ...]
    layout: Literal["NCHW", "NHWC", "tokens"] = "NCHW"
    over: Literal["places", "frequencies"] = "places"


class DetectorNet(nn.Module):
    """A detector's network: (N, 3, H, W) float RGB in [0, 1] -> (N,) log-odds of "fake".

    A subclass sets the class attributes, builds `self.body` (and whatever it needs), and may
    override `prepare`, the fixed transform in front of the trained layers.
    """

    info: ClassVar[DetectorInfo]
    spec: ClassVar[InputSpec]
    recipe: ClassVar[Recipe]
    dense_layer: ClassVar[DenseLayer | None] = None
    frozen_trunk: ClassVar[bool] = False  # a linear head is fitted on frozen features (`fit-head`)
    exportable: ClassVar[bool] = True  # to ONNX, for a faster answer on CPUs
    # Name in `host_steps.STEPS`: does in numpy what `prepare` does, where ONNX has no operator for it.
    host_step: ClassVar[str | None] = None
    # Modules inside the network that stay in float32 when the rest is quantised to int8.
    keep_float: ClassVar[tuple[str, ...]] = ("head", "body.fc", "body.head")
    # None: the last stage of a convolutional body, the last block of a vision transformer.
    cam_target: ClassVar[CamTarget | None] = None

    # timm builds it, and its layers are reached by name: no static type covers that.
    body: Any

    def prepare(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> what the trained layers read; the default normalises."""
        mean = x.new_tensor(self.spec.mean).view(1, 3, 1, 1)
        std = x.new_tensor(self.spec.std).view(1, 3, 1, 1)
        return (x - mean) / std

    def embed(self, prepared: Tensor) -> Tensor:
        """What `prepare` returned -> (N, D) features in front of the last decision."""
        return self.body.forward_head(self.body.forward_features(prepared), pre_logits=True)

    def decide(self, features: Tensor) -> Tensor:
        """(N, D) features -> (N,) log-odds of "fake"."""
        return fake_log_odds(self.body.get_classifier()(features))

    def classify(self, prepared: Tensor) -> Tensor:
        """What `prepare` returned -> (N,) log-odds of "fake"."""
        return self.decide(self.embed(prepared))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) float RGB in [0, 1] -> (N,) log-odds of "fake"."""
        return self.classify(self.prepare(x))


def fake_log_odds(logits: Tensor) -> Tensor:
    """(N, 2) class scores (real, fake) or (N, 1) one logit -> (N,) log-odds of "fake".

    With softmax over two classes, log P(fake)/P(real) is the difference of the two scores.
    """
    if logits.shape[1] == 2:
        return logits[:, 1] - logits[:, 0]
    return logits[:, 0]
