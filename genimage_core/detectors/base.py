"""What every detector is: a network with its facts beside it, and the wrapper that scores images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from genimage_core.detectors.tiling import paper_view, tile_views
from genimage_core.training.recipe import Recipe

Protocol = Literal["native", "paper"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class DetectorInfo:
    """Who a detector is.

    Attributes:
        name: the registry's name, lower case.
        title: the name that papers use.
        year: of the paper.
        paper: citation.
        paper_url: where to read it.
        reads: one sentence, what the network looks at.
        card_path: the markdown card beside the detector's file.
        in_benchmark: whether it is one of GenImage's seven.
    """

    name: str
    title: str
    year: int
    paper: str
    paper_url: str
    reads: str
    card_path: Path
    in_benchmark: bool = True


@dataclass(frozen=True)
class InputSpec:
    """How an image of any size reaches the network.

    Attributes:
        tile: side in px of a native-resolution tile (protocol `native`).
        max_tiles: at most so many tiles of one image are scored and averaged.
        paper_resize: shorter side after the paper's own resize (None: no resize, protocol `paper`).
        paper_crop: side of the paper's centre crop.
        mean, std: of the normalisation applied to values in [0, 1].
    """

    tile: int = 224
    max_tiles: int = 1
    paper_resize: int | None = 256
    paper_crop: int = 224
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD


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
    exportable: ClassVar[bool] = True  # to ONNX, for a faster answer on CPUs
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


class Detector:
    """A trained network that scores images; made by `load_detector`.

    Args:
        net: the network, weights loaded.
        device: where it runs.
        weights_id: sha256 of the weights, or "untrained".
        forward: what runs the network; None runs it as it is.
    """

    def __init__(
        self,
        net: DetectorNet,
        device: torch.device,
        weights_id: str,
        forward: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.net = net.eval().to(device)
        self.forward = forward or self.net
        self.device = device
        self.weights_id = weights_id

    @property
    def info(self) -> DetectorInfo:
        """The detector's facts."""
        return self.net.info

    def views(self, image: np.ndarray, protocol: Protocol = "native") -> list[np.ndarray]:
        """The crops of `image` that the network reads, each (S, S, 3) uint8."""
        spec = self.net.spec
        if protocol == "paper":
            return [paper_view(image, spec.paper_resize, spec.paper_crop)]
        return tile_views(image, spec.tile, spec.max_tiles)

    @torch.inference_mode()
    def log_odds(self, views: Sequence[np.ndarray], batch_size: int = 32) -> np.ndarray:
        """Equal-sized (S, S, 3) uint8 views -> (N,) float32 log-odds of "fake"."""
        out: list[np.ndarray] = []
        for start in range(0, len(views), batch_size):
            stack = np.stack(list(views[start : start + batch_size]))
            x = torch.from_numpy(stack).to(self.device).permute(0, 3, 1, 2).float().div_(255.0)
            x = x.contiguous(memory_format=torch.channels_last)
            out.append(self.forward(x).float().cpu().numpy())
        return np.concatenate(out) if out else np.zeros(0, np.float32)

    def predict(
        self, images: Sequence[np.ndarray], protocol: Protocol = "native", batch_size: int = 32
    ) -> np.ndarray:
        """Score images.

        Args:
            images: RGB uint8 arrays of shape (H, W, 3), any sizes.
            protocol: `native` averages the log-odds over native-resolution tiles; `paper` resizes
                and crops as the paper's code does.
            batch_size: views a forward pass.

        Returns:
            (N,) float32, P(fake) in [0, 1].
        """
        per_image = [self.views(image, protocol) for image in images]
        flat = [view for views in per_image for view in views]
        log_odds = self.log_odds(flat, batch_size)
        ends = np.cumsum([len(views) for views in per_image])
        parts = np.split(log_odds, ends[:-1]) if len(ends) else []
        means = np.array([part.mean() for part in parts], dtype=np.float64)
        return (1.0 / (1.0 + np.exp(-means))).astype(np.float32)
