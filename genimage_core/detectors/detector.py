"""A trained network that scores images: views in, log-odds out, P(fake) for the caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from genimage_core.detectors.info import DetectorInfo, InputSpec, Preprocessing
from genimage_core.detectors.tiling import cut_views

if TYPE_CHECKING:
    import torch

    from genimage_core.detectors.base import DetectorNet


class Detector:
    """A trained network that scores images; made by `load_detector`.

    Args:
        net: the network, weights loaded.
        device: where it runs.
        weights_id: sha256 of the weights, or "untrained".
        forward: what runs the network; None runs it as it is.
    """

    weights_id: str

    def __init__(
        self,
        net: DetectorNet,
        device: torch.device,
        weights_id: str,
        forward: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        self._net = net.eval().to(device)
        self.forward: Callable[[torch.Tensor], torch.Tensor] = forward or self._net
        self._device = device
        self.weights_id = weights_id

    @property
    def net(self) -> DetectorNet:
        """The network itself, for those who look inside."""
        return self._net

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self._device

    @property
    def info(self) -> DetectorInfo:
        """The detector's facts."""
        return self.net.info

    @property
    def spec(self) -> InputSpec:
        """How an image reaches the network."""
        return self.net.spec

    def views(self, image: np.ndarray, preprocessing: Preprocessing = "tiles") -> list[np.ndarray]:
        """The crops of `image` that the network reads, each (S, S, 3) uint8."""
        return cut_views(image, self.spec, preprocessing)

    def log_odds(self, views: Sequence[np.ndarray], batch_size: int = 32) -> np.ndarray:
        """Equal-sized (S, S, 3) uint8 views -> (N,) float32 log-odds of "fake"."""
        out = [
            self.run(np.stack(list(views[start : start + batch_size])))
            for start in range(0, len(views), batch_size)
        ]
        return np.concatenate(out) if out else np.zeros(0, np.float32)

    def run(self, stack: np.ndarray) -> np.ndarray:
        """One pass: (N, S, S, 3) uint8 -> (N,) float32 log-odds."""
        import torch

        with torch.inference_mode():
            x = torch.from_numpy(stack).to(self.device).permute(0, 3, 1, 2).float().div_(255.0)
            x = x.contiguous(memory_format=torch.channels_last)
            found: Any = self.forward(x).float().cpu().numpy()
        return found

    def predict(
        self, images: Sequence[np.ndarray], preprocessing: Preprocessing = "tiles", batch_size: int = 32
    ) -> np.ndarray:
        """Score images.

        Args:
            images: RGB uint8 arrays of shape (H, W, 3), any sizes.
            preprocessing: `tiles` averages the log-odds over native-resolution tiles; `resize` resizes
                and crops as the paper's code does.
            batch_size: views a forward pass.

        Returns:
            (N,) float32, P(fake) in [0, 1].
        """
        per_image = [self.views(image, preprocessing) for image in images]
        return self.predict_views(per_image, batch_size)

    def predict_views(self, per_image: Sequence[Sequence[np.ndarray]], batch_size: int = 32) -> np.ndarray:
        """Score images that are cut into views already.

        Args:
            per_image: the (S, S, 3) uint8 views of each image, at least one each.
            batch_size: views a forward pass.

        Returns:
            (N,) float32, P(fake) in [0, 1]: expit of the mean log-odds of an image's views.
        """
        if not per_image:
            return np.zeros(0, np.float32)
        log_odds = self.log_odds([view for views in per_image for view in views], batch_size)
        ends = np.cumsum([len(views) for views in per_image])[:-1]
        means = np.array([part.mean() for part in np.split(log_odds, ends)], dtype=np.float64)
        return expit(means).astype(np.float32)
